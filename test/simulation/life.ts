/**
 * The life of one control plane. Every statement, commit and call of the provider passes through it, and at any of them it may end, as by kill -9:
 * nothing after that point happens, nobody gets an answer, and what SQLite had not committed is gone.
 */
import type { DatabaseConnection, Dialect, Driver } from "kysely";

export interface Life {
  readonly isOver: boolean;
  /** How many calls it has made so far. */
  readonly calls: number;
  /** true where it is over, or ends here: then the caller must never go on. */
  ends(): boolean;
  /** As `ends`, behind a commit. */
  endsBehindCommit(): boolean;
  /** It ends at the `count`-th call from now on, or right behind the `count`-th commit; Infinity: it goes on. */
  endAfter(count: number, what: "calls" | "commits"): void;
  /** It hangs at the `calls`-th call from now on: whoever looks finds that there were so many. */
  forbidAfter(calls: number): void;
  end(): void;
  /** Rejects when it is over: connections break. */
  readonly over: Promise<never>;
}

export function createLife(onEnd: () => void): Life {
  const { promise: over, reject } = Promise.withResolvers<never>();
  over.catch(() => {});
  let [isOver, calls, allowed] = [false, 0, Infinity];
  const left = { calls: Infinity, commits: Infinity };
  function end(): void {
    if (isOver) return;
    isOver = true;
    reject(new Error("the control plane is gone"));
    onEnd();
  }
  return {
    over,
    get isOver() {
      return isOver;
    },
    get calls() {
      return calls;
    },
    ends() {
      calls += 1;
      left.calls -= 1;
      if (left.calls <= 0) end();
      return isOver || calls >= allowed;
    },
    endsBehindCommit() {
      left.commits -= 1;
      if (left.commits <= 0) end();
      return isOver;
    },
    endAfter(count, what) {
      left[what] = count;
    },
    forbidAfter(more) {
      allowed = calls + more;
    },
    end,
  };
}

/** What a dead process's callers wait for. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {});

export interface Disk {
  /** What is written is refused, as on a full disk. */
  isFull: boolean;
}

/** A dialect whose life may end at any call. `committed` is told of each commit. */
export function mortal(dialect: Dialect, life: Life, disk: Disk, committed: () => void): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => mortalDriver(dialect.createDriver(), life, disk, committed),
  };
}

function mortalDriver(inner: Driver, life: Life, disk: Disk, committed: () => void): Driver {
  const connections = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const innerOf = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const the = (connection: DatabaseConnection) => innerOf.get(connection)!;

  function around(connection: DatabaseConnection): DatabaseConnection {
    const known = connections.get(connection);
    if (known) return known;
    const made: DatabaseConnection = {
      async executeQuery(query) {
        if (life.ends()) return never();
        if (disk.isFull && !/^\s*(select|pragma)/i.test(query.sql)) throw new Error("database or disk is full");
        return connection.executeQuery(query);
      },
      streamQuery: (query, size) => connection.streamQuery(query, size),
    };
    connections.set(connection, made);
    innerOf.set(made, connection);
    return made;
  }

  return {
    init: () => inner.init(),
    async acquireConnection() {
      return around(await inner.acquireConnection());
    },
    beginTransaction: async (connection, settings) => (life.ends() ? never() : inner.beginTransaction(the(connection), settings)),
    async commitTransaction(connection) {
      if (life.ends()) return never();
      await inner.commitTransaction(the(connection));
      committed();
      // What is committed is so, though nobody was told.
      if (life.endsBehindCommit()) return never();
    },
    rollbackTransaction: async (connection) => (life.ends() ? never() : inner.rollbackTransaction(the(connection))),
    releaseConnection: async (connection) => (life.isOver ? never() : inner.releaseConnection(the(connection))),
    destroy: () => inner.destroy(),
  };
}
