/**
 * Whether a store can be trusted, asked before it is opened for work and by `howdah doctor`. Nothing of the files is changed: what is damaged is for
 * somebody to look at, and the -wal of a database that is gone may be all that is left of it.
 */
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readJson } from "../files.ts";
import { walDamage } from "./wal-damage.ts";

export interface StoreHistory {
  /** Howdah has been up in this folder: a store that is not there, or empty, has been lost. */
  hasRun: boolean;
  /** Nothing but a process can have ended since it was last written: no power cut may have torn it. */
  isSameBoot: boolean;
}

/** Throws where the store at `path` is damaged: what is wrong, and what to do. What else is to be known of it. */
export function checkStore(path: string, { hasRun, isSameBoot }: StoreHistory): string[] {
  if (!hasContent(path)) {
    if (hasRun) throw new StoreDamaged(path, "it is empty, or not there, though Howdah has been up in this folder");
    return [];
  }
  const problem = problemOf(path);
  if (problem) throw new StoreDamaged(path, problem);
  const frame = walDamage(path);
  if (frame === undefined) return [];
  const what = `frame ${frame} of ${path}-wal is not whole, and there are commits behind it`;
  if (isSameBoot) throw new StoreDamaged(path, `${what}: they would be lost`);
  // Of commits that no sync has reached, a power cut may leave the later ones. Nobody was answered for them. They must not be found again.
  emptyWal(path);
  return [`${what}: left out. A power cut does that to what had not been answered yet; if there was none, the disk has damaged the log`];
}

export class StoreDamaged extends Error {
  /** `instead`: what else than to put a backup in its place. */
  constructor(path: string, problem: string, instead = "begin anew in another folder: --data FOLDER") {
    super(
      `${path} is damaged: ${problem}. Howdah does not start on it, and has changed nothing of it. Put a backup in its place (${whereBackup(path)}docs/backup.md), or ${instead}`,
    );
  }
}

function emptyWal(path: string): void {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
  }
}

const hasContent = (path: string): boolean => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;

/** What SQLite finds wrong with a database's structure; of 200 MB it takes a third of a second. undefined: nothing, or there is none. */
export function problemOf(path: string): string | undefined {
  if (!hasContent(path)) return undefined;
  try {
    // Read-only: whoever closes a database last takes its -wal over, which must not happen to a damaged one.
    const database = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
    try {
      const [row] = database.prepare("PRAGMA quick_check(1)").all();
      const said = String(row?.["quick_check"]);
      return said === "ok" ? undefined : said;
    } finally {
      database.close();
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    return (error as Error).message;
  }
}

/** Where the last backup of a store went: `{to, at}`, written by src/backup.ts. */
export const lastBackup = (path: string): string => join(dirname(path), "run", "last-backup.json");

function whereBackup(path: string): string {
  const last = readJson<{ to: string; at: string }>(lastBackup(path));
  return last ? `the last one, of ${last.at}, went to ${last.to}; ` : "";
}

/** What `open` gives; where it meets a damaged file, an error that says so, as StoreDamaged. */
export async function orDamaged<T>(path: string, open: () => T | Promise<T>, instead?: string): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw isDamage(error) ? new StoreDamaged(path, (error as Error).message, instead) : error;
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, of which there are finer ones. */
const isDamage = (error: unknown): boolean => [11, 26].includes(Number((error as { errcode?: number }).errcode) & 0xff);
