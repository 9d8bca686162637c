/** Python programs from their locks, in the cache. Users of Howdah never need them: only tests and benches do. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../src/data-folder.ts";
import { makeFolder, withCacheLock } from "../../src/setup/cache.ts";
import { findPython } from "../../src/setup/machine.ts";
import { makeVenv } from "../../src/setup/pip.ts";
import { digest } from "../../src/setup/places.ts";

/** What the locks are for (tools/lock-clients.ts). */
const oldestPython = 11;

/** Its folder, or why there is none. Made once, and again when the lock (`requirements`) changes. `programs`: what its bin folder then has. */
export async function lockedVenv(name: string, requirements: string, programs: string[]): Promise<{ home: string } | { missing: string }> {
  let interpreter: string;
  try {
    interpreter = await findPython(oldestPython);
  } catch (error) {
    return { missing: (error as Error).message };
  }
  const cache = cacheFolder();
  const home = join(cache, `${name}-${digest(readFileSync(requirements, "utf8"), interpreter)}`);
  const isThere = () => programs.every((program) => existsSync(join(home, "bin", program)));
  if (!isThere())
    await withCacheLock(
      cache,
      () => {},
      async () => {
        if (!isThere()) await makeFolder(cache, home, (made) => makeVenv(interpreter, requirements, made, home, `${name} for tests`));
      },
    );
  return { home };
}

/** Airflow and awswrangler: about 700 MB. */
export const clientsVenv = () => lockedVenv("clients", join(import.meta.dirname, "requirements.txt"), ["airflow", "python3"]);
