/**
 * The reconcile loop. A reconciler is given an id and nothing else; it reads everything again, takes the next idempotent step, and says
 * when to look again. Signal (a commit that woke something) and period (the due time in the store) both start it.
 */
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Store } from "../store/store.ts";
import { type Wake, type WakeKind, finishWake, firstWakes, makeAllDue, postponeWake } from "../store/wakes.ts";

/** done: nothing to do until somebody wakes it. again: look again after so many milliseconds. */
export type Outcome = { done: true } | { againMs: number };
export type Reconciler = (id: string) => Promise<Outcome>;

export interface Loop {
  start(): Promise<void>;
  /** Resolves when no reconciler runs any more. */
  stop(): Promise<void>;
}

const firstBackOffMs = 250;
const longestBackOffMs = 15_000;
/** Where the store itself cannot be read or written (a full disk): when to look again. */
const storeFaultMs = 1_000;
/** Reconcilers that run at the same time: requests come in between, however much is to be done. */
const mostAtOnce = 128;
/** While requests are under way all the time, reconcilers begin a few at a time, after so long a wait. */
const [fewAtOnce, patienceMs] = [8, 20];

/** `quiet` resolves when no request is under way, or after so long: whether that is so. */
export function createLoop(
  store: Store,
  reconcilers: Record<WakeKind, Reconciler>,
  clock: Clock,
  log: Logger,
  quiet: (mostMs: number) => Promise<boolean> = async () => true,
): Loop {
  const running = new Map<string, Promise<void>>();
  let stopped = true;
  let cancelTimer = () => {};
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  /** The store took nothing the last time. One reconciler at a time is tried then: hundreds would all do their work in vain, again and again. */
  let isFaulty = false;

  async function run(wake: Wake): Promise<void> {
    try {
      const outcome = await reconcilers[wake.kind](wake.id);
      if ("done" in outcome) await finishWake(store.db, wake);
      else await postponeWake(store.db, wake, store.steady() + outcome.againMs, 0);
    } catch (error) {
      const failures = wake.failures + 1;
      const backOffMs = Math.min(longestBackOffMs, firstBackOffMs * 2 ** (failures - 1));
      log.error({ err: error, kind: wake.kind, id: wake.id, failures, backOffMs }, "reconcile failed, will be tried again");
      await postponeWake(store.db, wake, store.steady() + backOffMs, failures);
    }
  }

  /** Starts a reconciler for each due wake whose resource has none running. */
  async function look(): Promise<void> {
    if (stopped) return;
    cancelTimer();
    const most = (await quiet(patienceMs)) ? mostAtOnce : fewAtOnce;
    if (stopped) return;
    const now = store.steady();
    // Of those that are due as many may run already; one more tells when there is something to do again.
    const first = await firstWakes(store.db, most + running.size + 1);
    // What is due and is not started now will be when one that runs ends, or has failed.
    const next = first.find((wake) => wake.due_at > now);
    if (next) later(Math.min(next.due_at - now, 60_000));
    for (const wake of first) {
      if (wake === next) break;
      if (running.size >= most) {
        // Whichever ends first looks again; requests may have ended before.
        if (most < mostAtOnce) later(patienceMs);
        break;
      }
      const key = `${wake.kind}/${wake.id}`;
      if (running.has(key)) continue; // It looks again when that one ends.
      if (isFaulty && running.size > 0) break;
      running.set(
        key,
        run(wake).then(
          () => {
            running.delete(key);
            isFaulty = false;
            nudge();
          },
          (error: unknown) => {
            // The wake is still there. An end of the control plane would not make the disk any emptier.
            log.error({ err: error, ...wake }, "the reconcile loop could not write the store");
            running.delete(key);
            isFaulty = true;
            later(storeFaultMs);
          },
        ),
      );
    }
  }

  function later(ms: number): void {
    cancelTimer();
    if (!stopped) cancelTimer = clock.after(ms, nudge);
  }

  function nudge(): void {
    if (stopped) return;
    if (looking) {
      lookAgain = true;
      return;
    }
    looking = look()
      .catch((error: unknown) => {
        log.error({ err: error }, "the reconcile loop could not read the store");
        later(storeFaultMs);
      })
      .finally(() => {
        looking = undefined;
        if (lookAgain) {
          lookAgain = false;
          nudge();
        }
      });
  }

  return {
    async start() {
      await makeAllDue(store.db);
      stopped = false;
      store.onWake = nudge;
      nudge();
    },
    async stop() {
      stopped = true;
      store.onWake = undefined;
      cancelTimer();
      await looking;
      await Promise.allSettled(running.values());
    },
  };
}
