/** Locked jars: in the cache by checksum, and in a distribution's folder by name. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { MavenEntry } from "../releases/release.ts";
import { inTemporaryFolder, isIntact, objectPath, placeObject, storeObject } from "./cache.ts";
import { fetchEntries, jarName, repositoryPath } from "./maven.ts";
import type { Report } from "./task.ts";

const unique = (entries: MavenEntry[]) => [...new Map(entries.map((entry) => [entry.sha256, entry])).values()];

/** Entries whose object is not there, or was touched since it was verified. */
export function missingObjects(cache: string, entries: MavenEntry[]): MavenEntry[] {
  return unique(entries).filter((entry) => !isIntact(objectPath(cache, entry.sha256), entry.size));
}

/** Brings the entries that are missing. A file that is not what was locked is fetched once more, past Maven's local repository. */
export async function ensureObjects(cache: string, entries: MavenEntry[], report: Report): Promise<void> {
  const wanted = missingObjects(cache, entries);
  if (wanted.length === 0) return;
  let seen = 0;
  const onFile = () => report({ done: Math.min(++seen, wanted.length), total: wanted.length, unit: "files" });
  await inTemporaryFolder(cache, async (folder) => {
    const wrong = await fetchAndStore(cache, wanted, join(folder, "first"), { onFile });
    if (wrong.length === 0) return;
    const localRepository = join(folder, "repository");
    const stillWrong = await fetchAndStore(cache, wrong, join(folder, "second"), { localRepository, onFile });
    if (stillWrong.length > 0) {
      throw new Error(
        `Maven brought files that are not what the lock says: ${stillWrong.map(jarName).join(", ")}. ` +
          `Check the mirror that Maven's settings.xml names.`,
      );
    }
  });
  report({ done: wanted.length, total: wanted.length, unit: "files" });
}

async function fetchAndStore(
  cache: string,
  entries: MavenEntry[],
  folder: string,
  options: Parameters<typeof fetchEntries>[2],
): Promise<MavenEntry[]> {
  await fetchEntries(entries, folder, options);
  const wrong: MavenEntry[] = [];
  for (const entry of entries) {
    if (!(await storeObject(cache, join(folder, repositoryPath(entry)), entry))) wrong.push(entry);
  }
  return wrong;
}

/** Entries that are not in `folder` as they should be. */
export function missingJars(folder: string, entries: MavenEntry[]): MavenEntry[] {
  return entries.filter((entry) => !isIntact(join(folder, jarName(entry)), entry.size));
}

/** Links the entries' objects into a folder by name. */
export async function placeJars(cache: string, folder: string, entries: MavenEntry[]): Promise<void> {
  if (!existsSync(folder)) await mkdir(folder, { recursive: true });
  for (const entry of entries) await placeObject(cache, entry.sha256, join(folder, jarName(entry)));
}
