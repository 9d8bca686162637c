/** Opens the store, and runs transactions that can wake reconcilers. What a transaction wakes is nudged only after its commit. */
import { closeSync, openSync } from "node:fs";
import { type Kysely, sql, type Transaction } from "kysely";
import { type Clock, systemClock } from "../clock.ts";
import { compiled } from "./compiled.ts";
import { type Disk, groupCommits, noDisk, walDisk } from "./durability.ts";
import { makeIds, type RandomBytes } from "./ids.ts";
import { type Calls, connect, type Connection, type Sqlite, sqliteBy } from "./sqlite.ts";
import { type Schema, migrations } from "./schema.ts";
import { noteStates, watchStates } from "./state-changes.ts";
import { type WakeKind, addWake } from "./wakes.ts";
import { orDamaged } from "./whole.ts";

export type Db = Kysely<Schema> | Transaction<Schema>;

export interface Tx {
  db: Transaction<Schema>;
  /** Epoch milliseconds; the same for everything that this transaction writes. */
  now: number;
  /** A new one: of an event. */
  uuid(): string;
  /** Persists that `kind`/`id` must be looked at, and nudges the loop after the commit. */
  wake(kind: WakeKind, id: string): Promise<void>;
  /** After the commit, those who wait for the cluster's manifest look again. */
  manifestChanged(clusterId: string): Promise<void>;
}

export interface Store extends Omit<Clock, "after"> {
  db: Kysely<Schema>;
  /** Resolves when what it has written is on the disk. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** What can be read is on the disk. To be awaited before anything that was read leaves the control plane (durability.ts). */
  durable(): Promise<void>;
  /** All that `read` asks for is of one moment. */
  snapshot<T>(read: (db: Db) => Promise<T>): Promise<T>;
  /** Called after each commit that woke something. */
  onWake: (() => void) | undefined;
  /** Called after each commit that changed a manifest. */
  onManifest: ((clusterId: string) => void) | undefined;
  close(): Promise<void>;
}

export interface StoreSurroundings {
  clock?: Omit<Clock, "after">;
  random?: RandomBytes;
  /** What commits are synced to. */
  disk?: Disk;
  /** `never`: a store of an earlier version is refused, for its control plane may still run. Whoever has the data folder's lock brings it forward. */
  forward?: "never";
  /** In place of one of its own: for who simulates many processes, one after the other. A store that is closed closes it. */
  connection?: Connection;
  /** Comes between the store and SQLite: for who simulates faults. */
  within?: (calls: Calls) => Calls;
}

const raiseGeneration = compiled<{ clusterId: string }, unknown>((db, value) =>
  db
    .updateTable("clusters")
    .set((e) => ({ generation: e("generation", "+", 1) }))
    .where("id", "=", value("clusterId")),
);

/** What SQLite keeps in memory: `:memory:`, or a `file:` address that several connections share. */
const isInMemory = (path: string): boolean => path === ":memory:" || path.startsWith("file:");

/** `path`: the data folder's database, made where there is none (mode 0600: it holds secret keys). */
export async function openStore(path: string, surroundings: StoreSurroundings = {}): Promise<Store> {
  const { clock = systemClock, random, within = (calls) => calls } = surroundings;
  const { disk = isInMemory(path) ? noDisk : walDisk(path) } = surroundings;
  const { uuid } = makeIds(random);
  // Made private before SQLite opens it: its -wal and -shm take the file's mode.
  if (!isInMemory(path)) closeSync(openSync(path, "a", 0o600));
  const { db, transaction, commits, database, touched } = await orDamaged(path, async () => {
    const connection = surroundings.connection ?? connect(path);
    const sqlite = sqliteBy<Schema>(connection, within);
    await migrate(sqlite, path, surroundings.forward !== "never");
    await watchStates(sqlite.db);
    return { ...sqlite, ...connection };
  });
  const { durable, close } = groupCommits(commits, disk);
  const store: Store = {
    db,
    now: clock.now,
    steady: clock.steady,
    onWake: undefined,
    onManifest: undefined,
    async transaction(work) {
      let woke = false;
      const changed = new Set<string>();
      const result = await transaction(async (trx) => {
        const now = clock.now();
        const tx: Tx = {
          db: trx,
          now,
          uuid,
          async wake(kind, id) {
            woke = true;
            await addWake(trx, kind, id, clock.steady());
          },
          async manifestChanged(clusterId) {
            changed.add(clusterId);
            await raiseGeneration(trx, { clusterId });
          },
        };
        const done = await work(tx);
        await noteStates(tx, touched);
        return done;
      });
      await durable();
      if (woke) store.onWake?.();
      for (const clusterId of changed) store.onManifest?.(clusterId);
      return result;
    },
    snapshot: transaction,
    durable,
    async close() {
      await close();
      database.close();
    },
  };
  return store;
}

/** A trigger's own statements end before its END. */
const statementsOf = (migration: string): string[] => migration.split(/;(?!\s*END\b)/).filter((text) => text.trim());

/** Each step in a transaction of its own, with its number: a crash leaves the store before it or after it. */
async function migrate({ db, transaction }: Sqlite<Schema>, path: string, forward: boolean): Promise<void> {
  const { rows } = await sql<{ user_version: number }>`PRAGMA user_version`.execute(db);
  const done = rows[0]?.user_version ?? 0;
  if (done > migrations.length)
    throw new Error(
      `${path} was written by a newer Howdah (its schema is ${done}, this one knows ${migrations.length}): use that version, a backup of before (docs/backup.md), or another --data folder`,
    );
  if (done < migrations.length && !forward)
    throw new Error(`${path} is of an older Howdah, which may still run. A start brings it forward: howdah down --keep, then howdah up`);
  for (const [index, migration] of migrations.entries()) {
    if (index < done) continue;
    await transaction(async (trx) => {
      for (const statement of statementsOf(migration)) await sql.raw(statement).execute(trx);
      await sql.raw(`PRAGMA user_version=${index + 1}`).execute(trx);
    });
  }
}
