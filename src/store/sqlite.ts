/** Kysely on node:sqlite: its SQLite dialect expects better-sqlite3's three methods of a statement, and this gives them. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type SqliteDatabase, SqliteDialect } from "kysely";

export interface Sqlite {
  dialect: SqliteDialect;
  /** How many transactions have been committed that wrote something. */
  commits(): number;
}

type Statement = ReturnType<SqliteDatabase["prepare"]>;

/** To read a statement takes SQLite longer than to carry it out. How many are kept, those that were used last. */
const mostKept = 500;

/**
 * `path`: the file, or `:memory:`. A commit is in the -wal when it returns, and no sync of the disk is waited for: durability.ts does that, for many at
 * once. The -wal is taken over into the file every 16 MB, for which everybody waits. With NORMAL, SQLite itself syncs what it must for the file to be whole after a power cut: the -wal before a checkpoint, the file after it.
 */
export function openSqlite(path: string): Sqlite {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  const mode = database.prepare("PRAGMA journal_mode=WAL").get()?.["journal_mode"];
  if (mode !== "wal" && mode !== "memory")
    throw new Error(`${path} is on a file system where SQLite has no write-ahead log (it says ${String(mode)}): use a local disk`);
  database.exec("PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=4000;");
  const totalChanges = database.prepare("SELECT total_changes() AS n");
  const written = () => totalChanges.get()?.["n"] as number;
  let [commits, writtenBefore] = [0, written()];

  function prepareNew(sql: string): Statement {
    const statement = database.prepare(sql);
    const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
    return {
      reader: statement.columns().length > 0,
      all: (parameters) => statement.all(...values(parameters)),
      run: (parameters) => statement.run(...values(parameters)),
      iterate: (parameters) => statement.iterate(...values(parameters)),
    };
  }

  const commit = prepareNew("COMMIT");
  const counted: Statement = {
    ...commit,
    run(parameters) {
      const result = commit.run(parameters);
      const now = written();
      if (now !== writtenBefore) commits += 1;
      writtenBefore = now;
      return result;
    },
  };
  const kept = new Map<string, Statement>();

  const shim: SqliteDatabase = {
    close: () => database.close(),
    prepare(sql) {
      if (sql === "commit") return counted;
      // On a full disk SQLite has rolled back by itself. A rollback that fails would hide why.
      if (sql === "rollback" && !database.isTransaction) return prepareNew("SELECT 1 WHERE false");
      // What changes tables is said once only.
      if (!/^(select|insert|update|delete|begin)\b/.test(sql)) return prepareNew(sql);
      const statement = kept.get(sql) ?? prepareNew(sql);
      kept.delete(sql);
      kept.set(sql, statement);
      for (const [oldest] of kept) if (kept.size > mostKept) kept.delete(oldest);
      return statement;
    },
  };
  return { dialect: new SqliteDialect({ database: shim }), commits: () => commits };
}
