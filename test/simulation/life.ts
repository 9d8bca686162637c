/**
 * The life of one control plane. Every statement, commit and call of the provider passes through it, and at any of them it may end, as by kill -9:
 * nothing after that point happens, nobody gets an answer, and what SQLite had not committed is gone.
 */
import type { Calls } from "../../src/store/sqlite.ts";

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

/** Calls of a life that may end at any of them. `committed` is told of each commit. */
export function mortal(calls: Calls, life: Life, disk: Disk, committed: () => void): Calls {
  return {
    query(query) {
      if (life.ends()) return never();
      if (disk.isFull && !/^\s*(select|pragma)/i.test(query.sql)) throw new Error("database or disk is full");
      return calls.query(query);
    },
    begin: () => (life.ends() ? never() : calls.begin()),
    commit() {
      if (life.ends()) return never();
      void calls.commit();
      committed();
      // What is committed is so, though nobody was told.
      if (life.endsBehindCommit()) return never();
    },
    rollBack: () => (life.ends() ? never() : calls.rollBack()),
  };
}
