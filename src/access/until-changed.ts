/** What is read of the store again and again, and kept for as long as nobody has committed anything since that it hangs on. */
import type { DatabaseSync } from "node:sqlite";

/** More are forgotten all at once: whatever is asked for next is read again. */
const mostKept = 2000;

/**
 * A function that gives what `read` gives, and keeps it by its name. Before each look the store is asked for the number that its triggers raise with each
 * change of what counts (src/store/access-version.ts), so that nothing is older than the last commit, and no writer has to think of it.
 * What is undefined is not kept: of what is not there, there is no end.
 */
export function untilChanged(database: DatabaseSync): <T>(name: string, read: () => T) => T {
  const version = database.prepare("SELECT number FROM access_version");
  version.setReturnArrays(true);
  const kept = new Map<string, unknown>();
  let known: unknown;
  return <T>(name: string, read: () => T): T => {
    const [now] = version.get() as unknown as [number];
    if (now !== known || kept.size >= mostKept) kept.clear();
    known = now;
    const found = kept.get(name) as T | undefined;
    if (found !== undefined) return found;
    // A commit may come before it: then it is newer than its version says, and read once more.
    const value = read();
    if (value !== undefined) kept.set(name, value);
    return value;
  };
}
