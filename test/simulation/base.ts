/** One database in memory for many seeds: made once by the store's own migrations, with an account, and put back to that between two of them. */
import { createAccount } from "../../src/store/accounts.ts";
import { ensureRegion } from "../../src/store/ec2-vpcs.ts";
import { makeIds } from "../../src/store/ids.ts";
import { connect, type Connection, reader } from "../../src/store/sqlite.ts";
import { openStore } from "../../src/store/store.ts";
import { createRandom } from "./random.ts";

export const accountId = "123456789012";
export const region = "us-east-1";

export interface Base {
  /**
   * For openStore. Control planes have it one after the other, and the simulation looks by it, too, while no transaction is under way: to open another one and to
   * have SQLite read all statements anew took a fifth of a seed, and to share the tables with it made each statement slower.
   */
  connection: Connection;
  read(sql: string, ...values: number[]): Record<string, unknown>[];
  /** What becomes of a transaction whose process has ended. */
  rollBack(): void;
  /** As if nothing had ever been asked for. */
  restore(): void;
}

export async function makeBase(): Promise<Base> {
  const connection = connect(":memory:");
  const { database } = connection;
  const random = createRandom("base");
  const start = Date.UTC(2025, 11, 31);
  const store = await openStore(":memory:", { connection, clock: { now: () => start, steady: () => 0 }, random: random.bytes });
  const ids = makeIds(random.bytes);
  await store.transaction((tx) => createAccount(tx, ids, "default", accountId));
  await ensureRegion(store, ids, { accountId, region } as never);

  // What a table refers to was made before it.
  const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").all() as { name: string }[];
  const tables = names.map(({ name }) => {
    const columns = (database.prepare(`PRAGMA table_xinfo("${name}")`).all() as { name: string; hidden: number }[]).filter(
      ({ hidden }) => hidden === 0,
    );
    const rows = database.prepare(`SELECT ${columns.map((column) => `"${column.name}"`).join(", ")} FROM "${name}"`).all();
    return {
      empty: database.prepare(`DELETE FROM "${name}"`),
      insert: database.prepare(
        `INSERT INTO "${name}" (${columns.map((column) => `"${column.name}"`).join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
      ),
      rows: rows.map((row) => Object.values(row)),
    };
  });
  const statements = new Map<string, (...values: number[]) => Record<string, unknown>[]>();
  return {
    connection,
    read(sql, ...values) {
      const read = statements.get(sql) ?? reader(database, sql);
      statements.set(sql, read);
      return read(...values);
    },
    rollBack() {
      if (database.isTransaction) database.exec("ROLLBACK");
      connection.touched.length = 0;
    },
    restore() {
      database.exec("BEGIN");
      for (const { empty } of tables.toReversed()) empty.run();
      for (const { insert, rows } of tables) for (const row of rows) insert.run(...row);
      connection.touched.length = 0;
      database.exec("COMMIT");
    },
  };
}
