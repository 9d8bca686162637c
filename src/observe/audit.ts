/**
 * The audit trail's own database: every call that was answered, for LookupEvents and for the trails' deliveries. A file of its own, so that
 * it costs a request a write and no sync of the disk: WAL with synchronous=NORMAL. What was written outlives this process however it ends; a power
 * cut takes at most what was written since the last sync, which is every second (`sync`).
 */
import { closeSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { AuditEvent } from "./record.ts";

/** Of one account and region, times inclusive in epoch milliseconds, newest first. */
export interface AuditQuery {
  accountId: string;
  region: string;
  from: number;
  to: number;
  attribute?: { key: LookupKey; value: string } | undefined;
  /** The last one that was seen: what comes after it. */
  after?: Position | undefined;
  limit: number;
}

export interface Position {
  time: number;
  id: number;
}

/** LookupAttributeKey of CloudTrail. */
export type LookupKey = "EventId" | "EventName" | "EventSource" | "ReadOnly" | "Username" | "AccessKeyId" | "ResourceName" | "ResourceType";

/** `id`: the order of writing. */
export type StoredEvent = AuditEvent & { id: number };

export interface Audit {
  /** Once this has returned, the event is there whatever becomes of this process. Throws where it cannot be written. */
  write(event: AuditEvent): void;
  /** All of them or none. */
  writeAll(events: readonly AuditEvent[]): void;
  lookUp(query: AuditQuery): StoredEvent[];
  /** Number of the newest event; 0 before the first. */
  lastId(): number;
  /** Of all accounts, in the order of writing: those after number `after`, up to and with `to`. */
  range(after: number, to: number, limit: number): StoredEvent[];
  /** The whole file is on the disk. */
  sync(): Promise<void>;
  /** Removes what is older than `before`, a piece at a time; false where there may be more. */
  prune(before: number): boolean;
  /** Removes events up to and with this number, a piece at a time; false where there may be more. */
  removeUpTo(id: number): boolean;
  close(): void;
}

/** The index holds all that is looked up by, so that a search reads records only where they match. */
const schema = `
  CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, region TEXT NOT NULL, time INTEGER NOT NULL,
    event_id TEXT NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL, user_name TEXT NOT NULL, access_key_id TEXT NOT NULL,
    read_only INTEGER NOT NULL, resources TEXT NOT NULL, record TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS events_by_time ON events (account, region, time, id, event_id, name, source, user_name, access_key_id, read_only,
    resources);`;

const columns: Record<LookupKey, string> = {
  EventId: "event_id = :value",
  EventName: "name = :value",
  EventSource: "source = :value",
  ReadOnly: "read_only = (:value = 'true')",
  Username: "user_name = :value",
  AccessKeyId: "access_key_id = :value",
  // Of [["TYPE","NAME"]] as JSON.
  ResourceName: "instr(resources, ',' || json_quote(:value) || ']') > 0",
  ResourceType: "instr(resources, '[' || json_quote(:value) || ',') > 0",
};

/** How long events are kept and found. */
export const historyMs = 90 * 24 * 3600_000;

const prunedAtOnce = 500;

interface Row {
  id: number;
  account: string;
  region: string;
  time: number;
  event_id: string;
  name: string;
  source: string;
  user_name: string;
  access_key_id: string;
  read_only: number;
  resources: string;
  record: string;
}

/** Opens the file, made where there is none (mode 0600). Several threads may have it open at once. */
export function openAudit(path: string): Audit {
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path, { timeout: 10_000 });
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=4000;");
  database.exec(schema);
  const insert = database.prepare(
    `INSERT INTO events (account, region, time, event_id, name, source, user_name, access_key_id, read_only, resources, record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const searches = new Map<string, StatementSync>();
  const search = (key: LookupKey | undefined): StatementSync => {
    const filter = key === undefined ? "" : `AND ${columns[key]}`;
    let found = searches.get(filter);
    if (!found) {
      found = database.prepare(
        `SELECT * FROM events WHERE account = :account AND region = :region AND time BETWEEN :from AND :to
         AND (time, id) < (:time, :id) ${filter} ORDER BY time DESC, id DESC LIMIT :limit`,
      );
      searches.set(filter, found);
    }
    return found;
  };
  const oldest = database.prepare("SELECT id, time FROM events ORDER BY id LIMIT ?");
  const remove = database.prepare("DELETE FROM events WHERE id <= ? AND time < ?");
  const last = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
  const range = database.prepare("SELECT * FROM events WHERE id > ? AND id <= ? ORDER BY id LIMIT ?");
  const removeUpTo = database.prepare("DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id <= ? ORDER BY id LIMIT ?)");
  const [begin, commit] = [database.prepare("BEGIN IMMEDIATE"), database.prepare("COMMIT")];
  let syncedId = -1;
  const lastId = () => (last.get() as { seq: number } | undefined)?.seq ?? 0;
  const write = (event: AuditEvent) =>
    void insert.run(
      event.accountId,
      event.region,
      event.time,
      event.eventId,
      event.name,
      event.source,
      event.userName,
      event.accessKeyId,
      event.readOnly ? 1 : 0,
      JSON.stringify(event.resources.map(({ type, name }) => [type, name])),
      event.record,
    );

  return {
    write,
    writeAll(events) {
      begin.run();
      try {
        for (const event of events) write(event);
        commit.run();
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    },
    lookUp({ accountId, region, from, to, attribute, after = { time: to, id: Number.MAX_SAFE_INTEGER }, limit }) {
      const bound = { account: accountId, region, from, to, time: after.time, id: after.id, limit };
      const rows = search(attribute?.key).all(attribute ? { ...bound, value: attribute.value } : bound);
      return (rows as unknown as Row[]).map(fromRow);
    },
    lastId,
    range: (after, to, limit) => (range.all(after, to, limit) as unknown as Row[]).map(fromRow),
    async sync() {
      // Another thread may have written.
      const id = lastId();
      if (id === syncedId) return;
      // Of the -wal only: the file itself is synced by SQLite whenever it takes the -wal over. No lock of SQLite's hangs on it.
      const wal = await open(`${path}-wal`, "r+");
      try {
        await wal.datasync();
        syncedId = id;
      } finally {
        await wal.close();
      }
    },
    prune(before) {
      const rows = oldest.all(prunedAtOnce) as { id: number; time: number }[];
      const expired = rows.findLast(({ time }) => time < before);
      if (!expired) return true;
      remove.run(expired.id, before);
      return rows.length < prunedAtOnce;
    },
    removeUpTo: (id) => removeUpTo.run(id, prunedAtOnce).changes < prunedAtOnce,
    close: () => database.close(),
  };
}

const fromRow = (row: Row): StoredEvent => ({
  id: row.id,
  accountId: row.account,
  region: row.region,
  time: row.time,
  eventId: row.event_id,
  name: row.name,
  source: row.source,
  userName: row.user_name,
  accessKeyId: row.access_key_id,
  readOnly: row.read_only === 1,
  resources: (JSON.parse(row.resources) as [string, string][]).map(([type, name]) => ({ type, name })),
  record: row.record,
});
