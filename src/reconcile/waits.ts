/** How long reconcilers have waited, by the steady clock: neither a clock that is set nor a sleep of the machine ends a wait too early. */
export interface Waits {
  /**
   * Milliseconds since `what` was first asked for with this `mark`; 0 then. They are known to this process only: another control plane waits
   * anew, for what is awaited could not come while there was none.
   */
  for(what: string, mark?: unknown): number;
  /** Milliseconds of `ms` that are left, which were all when `what` was first asked for; below 0 when they are over. What a later caller says of `ms` is not looked at. */
  left(what: string, ms: number): number;
  /** It has come, or nobody waits for it any more. */
  over(what: string): void;
}

export function createWaits(steady: () => number): Waits {
  const begun = new Map<string, { at: number; mark: unknown }>();
  return {
    for(what, mark) {
      const now = steady();
      const known = begun.get(what);
      if (known && known.mark === mark) return now - known.at;
      begun.set(what, { at: now, mark });
      return 0;
    },
    left(what, ms) {
      const { at, mark } = begun.get(what) ?? { at: steady(), mark: ms };
      begun.set(what, { at, mark });
      return (mark as number) - (steady() - at);
    },
    over: (what) => void begun.delete(what),
  };
}
