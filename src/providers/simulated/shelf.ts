/** What of simulated nodes outlives the process that simulates them: a small database, as nodes' disks are what is left of real ones. */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

export type Kind = "node" | "network" | "fault";

/** Values are plain JSON. What is put is there after a kill -9 at once; a power cut may take what was put last, and with it the nodes. */
export interface Shelf {
  /** In the order in which they were first put. */
  all<T>(kind: Kind): { id: string; value: T }[];
  put(kind: Kind, id: string, value: unknown): void;
  remove(kind: Kind, id: string): void;
  close(): void;
}

/** Nothing is kept: for nodes that end with their process. */
export const noShelf: Shelf = { all: () => [], put() {}, remove() {}, close() {} };

/** `path`: the file, made where there is none (mode 0600: it holds agents' tokens). */
export function openShelf(path: string): Shelf {
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path, { timeout: 10_000 });
  database.exec(
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; CREATE TABLE IF NOT EXISTS kept (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, id))",
  );
  const all = database.prepare("SELECT id, value FROM kept WHERE kind = ? ORDER BY number");
  const put = database.prepare(
    "INSERT INTO kept (kind, id, value) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value",
  );
  const remove = database.prepare("DELETE FROM kept WHERE kind = ? AND id = ?");
  return {
    all: <T>(kind: Kind) => all.all(kind).map(({ id, value }) => ({ id: String(id), value: JSON.parse(String(value)) as T })),
    put: (kind, id, value) => void put.run(kind, id, JSON.stringify(value)),
    remove: (kind, id) => void remove.run(kind, id),
    close: () => database.close(),
  };
}
