/** Kysely on node:sqlite: its SQLite dialect expects better-sqlite3's three methods of a statement, and this gives them. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type SqliteDatabase, SqliteDialect } from "kysely";

export function openSqlite(path: string): SqliteDialect {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  // FULL: what the API has answered is on disk before the answer leaves.
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;");
  const shim: SqliteDatabase = {
    close: () => database.close(),
    prepare(sql) {
      // On a full disk SQLite has rolled back by itself. A rollback that fails would hide why.
      const isMoot = sql.toLowerCase() === "rollback" && !database.isTransaction;
      const statement = database.prepare(isMoot ? "SELECT 1 WHERE false" : sql);
      const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run: (parameters) => statement.run(...values(parameters)),
        iterate: (parameters) => statement.iterate(...values(parameters)),
      };
    },
  };
  return new SqliteDialect({ database: shim });
}
