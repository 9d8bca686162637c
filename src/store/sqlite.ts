/** Kysely on node:sqlite: one connection, which one after the other has. Whatever SQLite does is done when its call returns. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import {
  type CompiledQuery,
  DefaultQueryExecutor,
  type Dialect,
  DummyDriver,
  Kysely,
  type LimitNode,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  Transaction,
} from "kysely";

export interface Sqlite<Tables> {
  db: Kysely<Tables>;
  /** Nobody else has the connection before what `work` has done is committed; nothing of it is where `work` rejects. */
  transaction<T>(work: (trx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** How many transactions have been committed that wrote something. */
  commits(): number;
}

/** What is asked of a connection, and is done when it returns. A promise only where somebody in between has the caller wait. */
export interface Calls {
  query(query: CompiledQuery): QueryResult<unknown> | Promise<never>;
  begin(): void | Promise<never>;
  commit(): void | Promise<never>;
  rollBack(): void | Promise<never>;
}

interface Statement {
  /** Of its rows; none where it gives no rows. */
  columns: readonly string[];
  writes: boolean;
  statement: StatementSync;
}

/** To read a statement takes SQLite longer than to carry it out. How many are kept, those that were used last. */
const mostKept = 500;

/** A row that was written, as a trigger tells of it by the function `touched` (state-changes.ts). */
export interface Touched {
  kind: "cluster" | "group" | "step";
  id: string;
  clusterId: string;
}

/** A connection, with the statements that it has read. */
export interface Connection {
  database: DatabaseSync;
  kept: Map<string, Statement>;
  /** Since somebody took them; none of what was rolled back. */
  touched: Touched[];
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
  const touched: Touched[] = [];
  database.function("touched", (kind, id, clusterId) => {
    touched.push({ kind, id, clusterId } as Touched);
    return null;
  });
  return { database, kept: new Map(), touched };
}

/** For one who works by it. `within`: comes between its calls and SQLite. */
export function sqliteBy<Tables>({ database, kept, touched }: Connection, within: (calls: Calls) => Calls): Sqlite<Tables> {
  let [commits, hasWritten] = [0, false];

  function prepare(sql: string): Statement {
    const known = kept.get(sql);
    if (known) {
      // Among the newest again.
      kept.delete(sql);
      kept.set(sql, known);
      return known;
    }
    const statement = database.prepare(sql);
    const made = { columns: statement.columns().map(({ name }) => name), writes: !/^\s*(select|pragma)\b/i.test(sql), statement };
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

  function query({ sql, parameters }: CompiledQuery): QueryResult<unknown> {
    const { columns, writes, statement } = prepare(sql);
    const values = parameters as SQLInputValue[];
    if (columns.length > 0) {
      const rows = statement.all(...values) as unknown as unknown[][];
      hasWritten ||= writes && rows.length > 0;
      return { rows: rows.map((row) => rowOf(columns, row)) };
    }
    const { changes, lastInsertRowid } = statement.run(...values);
    hasWritten ||= changes > 0;
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  const run = (sql: string) => void prepare(sql).statement.run();
  const calls = within({
    query,
    begin: () => run("begin"),
    commit() {
      run("commit");
      if (hasWritten) commits += 1;
      hasWritten = false;
    },
    rollBack() {
      touched.length = 0;
      // On a full disk SQLite has rolled back by itself. A rollback that fails would hide why.
      if (database.isTransaction) run("rollback");
    },
  });
  const turns = createTurns();

  return {
    // What is one statement needs no turn of its own: it is done before anybody else could have one.
    db: new Kysely(propsOf(async (query) => (turns.isTaken() ? inTurn(async () => calls.query(query)) : calls.query(query)))),
    transaction: (work) =>
      inTurn(async () => {
        let isOver = false;
        const trx = new Transaction<Tables>(
          propsOf(async (query) => {
            if (isOver) throw new Error("its transaction is over");
            return calls.query(query);
          }),
        );
        await calls.begin();
        try {
          const result = await work(trx);
          await calls.commit();
          return result;
        } catch (error) {
          await calls.rollBack();
          throw error;
        } finally {
          isOver = true;
        }
      }),
    commits: () => commits,
  };

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    await turns.take();
    try {
      return await work();
    } finally {
      turns.give();
    }
  }
}

const dialect: Dialect = {
  createAdapter: () => new SqliteAdapter(),
  createDriver: () => new DummyDriver(),
  createIntrospector: (db) => new SqliteIntrospector(db),
  createQueryCompiler: () => new QueryCompiler(),
};

type Run = (query: CompiledQuery) => Promise<QueryResult<unknown>>;

/** Of a Kysely that makes SQL, and leaves all else to `run`: its own way to a connection takes longer than most statements. */
const propsOf = (run: Run) => ({ config: { dialect }, dialect, driver: new DummyDriver(), executor: new Executor(run) });

class Executor extends DefaultQueryExecutor {
  readonly #run: Run;

  constructor(run: Run) {
    const provideConnection = () => Promise.reject(new Error("a connection is had by Sqlite.transaction only"));
    super(new QueryCompiler(), new SqliteAdapter(), { provideConnection });
    this.#run = run;
  }

  override executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#run(query) as Promise<QueryResult<Row>>;
  }
}

/** Rows of what reads only, for who looks into a store from outside. */
export function reader(database: DatabaseSync, sql: string): (...values: SQLInputValue[]) => Record<string, unknown>[] {
  const statement = database.prepare(sql);
  const columns = statement.columns().map(({ name }) => name);
  statement.setReturnArrays(true);
  return (...values) => (statement.all(...values) as unknown as unknown[][]).map((row) => rowOf(columns, row));
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
    isTaken: () => isTaken,
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
