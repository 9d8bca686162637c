/**
 * The shared cache of engines. Files are kept by their SHA-256 in `objects/` and hard-linked to where they are used; folders are made
 * under `tmp/` and renamed, so that a set-up that is cut off leaves nothing half done.
 *
 * Every verified file gets one fixed modification time. A file whose size or time is another one has been touched since, so looking
 * for damage takes a stat and no reading; and a class archive, which remembers the times of its jars, stays valid when a file is
 * fetched again.
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { link, mkdir, rename, rm, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

const verifiedAt = new Date("2020-01-01T00:00:00Z");

/** Hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

export function objectPath(cache: string, sha256: string): string {
  return join(cache, "objects", sha256.slice(0, 2), sha256);
}

/** Says that a file's content is as it must be: `isIntact` is true until somebody touches it. */
export async function markVerified(file: string): Promise<void> {
  await utimes(file, verifiedAt, verifiedAt);
}

/** true for a file that was verified and has not been touched since. Size in bytes. */
export function isIntact(file: string, size: number): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && stat.size === size && stat.mtimeMs === verifiedAt.getTime();
}

/** Moves a file into `objects/`. false, and nothing moved, where its content is not what was locked. */
export async function storeObject(cache: string, file: string, locked: { sha256: string; size: number }): Promise<boolean> {
  if (statSync(file, { throwIfNoEntry: false })?.size !== locked.size || (await sha256Of(file)) !== locked.sha256) return false;
  const target = objectPath(cache, locked.sha256);
  await mkdir(dirname(target), { recursive: true });
  await markVerified(file);
  await rename(file, target);
  return true;
}

/** Puts an object at `target`, replacing what is there. */
export async function placeObject(cache: string, sha256: string, target: string): Promise<void> {
  const temporary = `${target}.${randomUUID()}`;
  await link(objectPath(cache, sha256), temporary);
  await rename(temporary, target);
}

/** A folder of its own for one piece of work, gone afterwards. */
export async function inTemporaryFolder<T>(cache: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(cache, "tmp", randomUUID());
  await mkdir(folder, { recursive: true });
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Makes a folder as a whole: `make` fills it under another name. What was at `target` before is replaced. */
export async function makeFolder(cache: string, target: string, make: (folder: string) => Promise<void>): Promise<void> {
  await inTemporaryFolder(cache, async (folder) => {
    const made = join(folder, "made");
    await mkdir(made);
    await make(made);
    await mkdir(dirname(target), { recursive: true });
    // A folder cannot be renamed over another one that has files.
    await rename(target, join(folder, "before")).catch(ignoreMissing);
    await rename(made, target);
  });
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

/**
 * Runs `work` while no other process of this machine does so with the same cache. The lock is SQLite's file lock, which the kernel
 * gives back when its holder dies.
 */
export async function withCacheLock<T>(cache: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(cache, { recursive: true });
  const database = new DatabaseSync(join(cache, "lock.db"), { timeout: 0 });
  try {
    for (let waited = false; ; waited = true) {
      try {
        database.exec("BEGIN EXCLUSIVE");
        break;
      } catch (error) {
        if ((error as { errcode?: number }).errcode !== sqliteBusy) throw error;
      }
      if (!waited) onWait();
      await sleep(200);
    }
    // Whoever was cut off before left its work here.
    await rm(join(cache, "tmp"), { recursive: true, force: true });
    return await work();
  } finally {
    database.close();
  }
}

const sqliteBusy = 5;

/** Folders that set-ups left which were cut off; none while one runs. The next one removes them. */
export function cacheLeftovers(cache: string): string[] {
  const folder = join(cache, "tmp");
  const names = existsSync(folder) ? readdirSync(folder) : [];
  if (names.length === 0) return [];
  const database = new DatabaseSync(join(cache, "lock.db"), { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
    return names;
  } catch {
    return [];
  } finally {
    database.close();
  }
}
