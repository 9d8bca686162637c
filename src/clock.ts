/** Time as the control plane sees it. It is given to what needs it, so that a simulation can have a time of its own. */
export interface Clock {
  /** Epoch milliseconds: what people see. It jumps when somebody sets the clock, or a laptop wakes up. */
  now(): number;
  /** Milliseconds that only ever pass, counted anew by each process: for how long, and when to look again. */
  steady(): number;
  /** Calls `run` once, when `ms` of the steady time have passed; what it answers takes that back. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  steady: () => Math.floor(performance.now()),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
