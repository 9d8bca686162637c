/** Kysely on node:sqlite: one connection, which one after the other has. Whatever SQLite does is done when its call returns. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type LimitNode,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";

export interface Sqlite {
  dialect: Dialect;
  /** How many transactions have been committed that wrote something. */
  commits(): number;
}

interface Statement {
  /** Of its rows; none where it gives no rows. */
  columns: readonly string[];
  statement: StatementSync;
}

/** To read a statement takes SQLite longer than to carry it out. How many are kept, those that were used last. */
const mostKept = 500;

/** A connection, with the statements that it has read. */
export interface Connection {
  database: DatabaseSync;
  kept: Map<string, Statement>;
}

/**
 * `path`: the file, or `:memory:`. A commit is in the -wal when it returns, and no sync of the disk is waited for: durability.ts does that, for many at
 * once. The -wal is taken over into the file every 16 MB, for which everybody waits. With NORMAL, SQLite itself syncs what it must for the file to be whole after a power cut: the -wal before a checkpoint, the file after it.
 */
export function connect(path: string): Connection {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  const mode = database.prepare("PRAGMA journal_mode=WAL").get()?.["journal_mode"];
  if (mode !== "wal" && mode !== "memory")
    throw new Error(`${path} is on a file system where SQLite has no write-ahead log (it says ${String(mode)}): use a local disk`);
  database.exec("PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=4000;");
  return { database, kept: new Map() };
}

/** For one who works by it. */
export function sqliteBy({ database, kept }: Connection): Sqlite {
  const totalChanges = database.prepare("SELECT total_changes() AS n");
  const written = () => totalChanges.get()?.["n"] as number;
  let [commits, writtenBefore] = [0, written()];

  function prepare(sql: string): Statement {
    const known = kept.get(sql);
    if (known) {
      // Among the newest again.
      kept.delete(sql);
      kept.set(sql, known);
      return known;
    }
    const statement = database.prepare(sql);
    const made = { columns: statement.columns().map(({ name }) => name), statement };
    // The objects that node:sqlite makes of rows take longer to make and to read than these (`rowOf`).
    statement.setReturnArrays(true);
    // What changes tables is said once only.
    if (!/^(select|insert|update|delete|begin|commit)\b/.test(sql)) return made;
    kept.set(sql, made);
    for (const [oldest] of kept)
      if (kept.size > mostKept) kept.delete(oldest);
      else break;
    return made;
  }

  async function executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const { columns, statement } = prepare(sql);
    const values = parameters as SQLInputValue[];
    if (columns.length > 0) {
      const rows = statement.all(...values) as unknown as unknown[][];
      return { rows: rows.map((row) => rowOf(columns, row) as Row) };
    }
    const { changes, lastInsertRowid } = statement.run(...values);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  const connection: DatabaseConnection = {
    executeQuery,
    streamQuery() {
      throw new Error("nothing is streamed");
    },
  };
  const turns = createTurns();
  const run = (sql: string) => prepare(sql).statement.run();

  const driver: Driver = {
    init: async () => {},
    async acquireConnection() {
      await turns.take();
      return connection;
    },
    async beginTransaction() {
      run("begin");
    },
    async commitTransaction() {
      run("commit");
      const now = written();
      if (now !== writtenBefore) commits += 1;
      writtenBefore = now;
    },
    async rollbackTransaction() {
      // On a full disk SQLite has rolled back by itself. A rollback that fails would hide why.
      if (database.isTransaction) run("rollback");
    },
    releaseConnection: async () => turns.give(),
    destroy: async () => database.close(),
  };
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new QueryCompiler(),
  };
  return { dialect, commits: () => commits };
}

function rowOf(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let i = 0; i < columns.length; i++) row[columns[i]!] = values[i];
  return row;
}

/** SQLite reads a statement anew whenever a value is bound that it would plan by, and it plans by a LIMIT that is no more than a value. */
class QueryCompiler extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode): void {
    super.visitLimit(node);
    this.append(" + 0");
  }
}

/** Whoever comes first has it first. One by one: all who wait would not be woken for one of them to have it. */
function createTurns() {
  let isTaken = false;
  const waiting: (() => void)[] = [];
  return {
    take(): Promise<void> | undefined {
      if (isTaken) return new Promise((resolve) => waiting.push(resolve));
      isTaken = true;
      return undefined;
    },
    give(): void {
      const next = waiting.shift();
      if (next) next();
      else isTaken = false;
    },
  };
}
