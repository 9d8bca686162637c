/**
 * Group commit: one sync of the disk for all who wait. A commit writes to the -wal; whoever tells somebody of it waits until the -wal is synced, and while
 * one sync is under way all that is committed meanwhile waits for the next one, together.
 *
 * The other way was to run transactions that wait at the same moment inside one of SQLite's, a savepoint each. It needs no rule for readers, for
 * nobody sees what is not synced; but its commit holds up the whole process for as long as the disk takes, and one that fills the disk takes its neighbours
 * with it. Here the process goes on meanwhile, each transaction stays one of SQLite's own, and the rule is: **wait for `durable` before anything leaves
 * the control plane**. Three places do: answers of the API (src/api/pipeline.ts), answers to agents (src/api/agent-link.ts), orders to the
 * provider (src/providers/durably.ts).
 */
import { type FileHandle, open } from "node:fs/promises";

export interface Durability {
  /** Resolves when all that has been committed is on the disk. Rejects, from then on always, once a sync has failed. */
  durable(): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  /** Of all that was written before it was called. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** `commits`: how many there have been. */
export function groupCommits(commits: () => number, disk: Disk): Durability {
  // What an earlier process has committed may not be on the disk, either.
  let synced = -1;
  let syncing: Promise<void> | undefined;
  let failed: Error | undefined;

  async function sync(): Promise<void> {
    const upTo = commits();
    try {
      await disk.sync();
      synced = upTo;
    } catch (error) {
      // Linux tells of a failed sync once, and holds what was not written for clean: a second try would succeed and mean nothing.
      failed = new Error(`the disk did not take what was written to the store (${(error as Error).message}). Start Howdah again`, {
        cause: error,
      });
    } finally {
      syncing = undefined;
    }
  }

  return {
    async durable() {
      const mine = commits();
      while (synced < mine) {
        if (failed) throw failed;
        await (syncing ??= sync());
      }
    },
    async close() {
      await syncing;
      await disk.close();
    },
  };
}

/**
 * The -wal of the database at `path`. The file itself is synced by SQLite whenever it takes the -wal over. SQLite locks the file and its -shm, never
 * the -wal, so that opening and closing it here takes nobody's lock away.
 */
export function walDisk(path: string): Disk {
  let wal: FileHandle | undefined;
  return {
    async sync() {
      wal ??= await open(`${path}-wal`, "r+");
      await wal.datasync();
    },
    close: async () => wal?.close(),
  };
}

/** For a store in memory. */
export const noDisk: Disk = { sync: async () => {}, close: async () => {} };
