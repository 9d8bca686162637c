/** IAM tells when a key was last used no finer than this: to write each use down would cost a sync of the disk each. */
export const usedAgainMs = 15 * 60_000;

/** How many names are remembered; a forgotten one only counts once more. */
const most = 10_000;

/** True for a name that was not asked for in the last `ms` milliseconds by the steady clock `now`. */
export function rarely(ms: number, now: () => number): (name: string) => boolean {
  const last = new Map<string, number>();
  return (name) => {
    const before = last.get(name);
    if (before !== undefined && now() - before < ms) return false;
    last.delete(name);
    last.set(name, now());
    for (const [oldest] of last) if (last.size > most) last.delete(oldest);
    return true;
  };
}
