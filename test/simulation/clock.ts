/** The simulation's time: it stands still until somebody takes it to its next event. */
import type { Clock } from "../../src/clock.ts";

interface Timer {
  at: number;
  run: () => void;
}

export interface SimulatedClock extends Clock {
  /** Milliseconds since the simulation began; no clock that is set changes it. */
  elapsed(): number;
  /** When the next timer is due, elapsed; undefined where there is none. */
  next(): number | undefined;
  /** Takes time on to the next timer and runs it; what is due at the same time runs in the order in which it was set. */
  step(): void;
  /** Takes time on to `at`; no timer may be due before. */
  advance(at: number): void;
  /** Somebody sets the clock, or a laptop wakes up: `now` jumps, `steady` does not. */
  jump(byMs: number): void;
  /** That of a process which begins now: its steady time is its own, and its timers end with it. */
  ofProcess(): Clock & { end(): void };
}

export function createClock(start = Date.UTC(2026, 0, 1)): SimulatedClock {
  let [elapsed, offset] = [0, start];
  /** The last one is due first; of those due at the same time, the one that was set first. */
  const timers: Timer[] = [];

  function after(ms: number, run: () => void): () => void {
    const timer = { at: elapsed + Math.max(0, ms), run };
    let index = timers.length;
    while (index > 0 && timers[index - 1]!.at <= timer.at) index -= 1;
    timers.splice(index, 0, timer);
    return () => {
      const found = timers.lastIndexOf(timer);
      if (found >= 0) timers.splice(found, 1);
    };
  }

  return {
    now: () => offset + elapsed,
    steady: () => elapsed,
    after,
    elapsed: () => elapsed,
    next: () => timers.at(-1)?.at,
    step() {
      const timer = timers.pop();
      if (!timer) throw new Error("no timer is set: time would stand still for ever");
      elapsed = timer.at;
      timer.run();
    },
    advance(at) {
      if (at < elapsed || at > (timers.at(-1)?.at ?? at)) throw new Error(`time cannot go from ${elapsed} to ${at}`);
      elapsed = at;
    },
    jump(byMs) {
      offset += byMs;
    },
    ofProcess() {
      const begun = elapsed;
      const mine = new Set<() => void>();
      return {
        now: () => offset + elapsed,
        steady: () => elapsed - begun,
        after(ms, run) {
          const cancel = after(ms, () => {
            mine.delete(cancel);
            run();
          });
          mine.add(cancel);
          return () => {
            mine.delete(cancel);
            cancel();
          };
        },
        end() {
          for (const cancel of mine) cancel();
          mine.clear();
        },
      };
    },
  };
}
