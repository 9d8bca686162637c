/** One database in memory for many seeds: made once by the store's own migrations, with an account, and put back to that between two of them. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { createAccount } from "../../src/store/accounts.ts";
import { ensureRegion } from "../../src/store/ec2-vpcs.ts";
import { makeIds } from "../../src/store/ids.ts";
import { openStore } from "../../src/store/store.ts";
import { createRandom } from "./random.ts";

export const accountId = "123456789012";
export const region = "us-east-1";
const path = "file:howdah-simulation?mode=memory&cache=shared";

export interface Base {
  /** For openStore: each connection is to the same tables. */
  path: string;
  /** A connection beside the control plane's. To be used while that one is in no transaction. */
  read(sql: string): StatementSync;
  /** As if nothing had ever been asked for. */
  restore(): void;
}

export async function makeBase(): Promise<Base> {
  // The database lives as long as one connection to it does.
  const database = new DatabaseSync(path);
  const random = createRandom("base");
  const start = Date.UTC(2025, 11, 31);
  const store = await openStore(path, { clock: { now: () => start, steady: () => 0 }, random: random.bytes });
  const ids = makeIds(random.bytes);
  await store.transaction((tx) => createAccount(tx, ids, "default", accountId));
  await ensureRegion(store, ids, { accountId, region } as never);
  await store.close();

  const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all() as { name: string }[];
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
  database.exec("PRAGMA foreign_keys=OFF");
  const statements = new Map<string, StatementSync>();
  return {
    path,
    read(sql) {
      const statement = statements.get(sql) ?? database.prepare(sql);
      statements.set(sql, statement);
      return statement;
    },
    restore() {
      database.exec("BEGIN");
      for (const { empty } of tables) empty.run();
      for (const { insert, rows } of tables) for (const row of rows) insert.run(...row);
      database.exec("COMMIT");
    },
  };
}
