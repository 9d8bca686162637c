/** Airflow and awswrangler, from their lock, in the cache. Users of Howdah never need them: only these tests do. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../src/data-folder.ts";
import { makeFolder, withCacheLock } from "../../src/setup/cache.ts";
import { findPython } from "../../src/setup/machine.ts";
import { makeVenv } from "../../src/setup/pip.ts";
import { digest } from "../../src/setup/places.ts";

/** What Airflow 3 runs on. */
const oldestPython = 11;

/** Its folder, or why there is none. Made once (about 700 MB), and again when the lock changes. */
export async function clientsVenv(): Promise<{ home: string } | { missing: string }> {
  const requirements = join(import.meta.dirname, "requirements.txt");
  let interpreter: string;
  try {
    interpreter = await findPython(oldestPython);
  } catch (error) {
    return { missing: (error as Error).message };
  }
  const cache = cacheFolder();
  const home = join(cache, `clients-${digest(readFileSync(requirements, "utf8"), interpreter)}`);
  const isThere = () => ["airflow", "python3"].every((name) => existsSync(join(home, "bin", name)));
  if (!isThere())
    await withCacheLock(
      cache,
      () => {},
      async () => {
        if (!isThere()) await makeFolder(cache, home, (made) => makeVenv(interpreter, requirements, made, home, "Airflow and awswrangler"));
      },
    );
  return { home };
}
