/** CloudTrail's tables. Conventions: schema.ts. */
import type { Generated } from "kysely";

export interface TrailsTable {
  arn: string;
  account_id: string;
  /** Its home region. */
  region: string;
  name: string;
  created_at: number;
  /** api */
  bucket: string;
  /** api */
  prefix: string | null;
  /** api */
  multi_region: number;
  /** api */
  global_events: number;
  /** api: Selectors as JSON; null for the default */
  selectors: string | null;
  /** api */
  logging_started_at: number | null;
  logging_stopped_at: number | null;
  /** rec */
  delivered_at: number | null;
  attempted_at: number | null;
  attempt_error: string | null;
}

export interface TrailTagsTable {
  trail_arn: string;
  key: string;
  value: string;
}

/** A stretch of the audit trail that a trail delivers, by one set of rules. The numbers are those of the audit trail's events (src/observe/audit.ts). */
export interface TrailSpansTable {
  id: Generated<number>;
  trail_arn: string;
  /** api: SpanRules as JSON */
  rules: string;
  /** api: up to and with which one; null while it goes on. Of calls, and of S3's objects. */
  to_event: number | null;
  to_data: number | null;
  /** rec: up to and with which one it is in S3, or not wanted; at first, where the span begins. */
  delivered_event: number;
  delivered_data: number;
  /** rec: Delivery as JSON, which has begun and may be in S3 or not. */
  pending: string | null;
}

export const trailMigration = `
  CREATE TABLE trails (arn TEXT PRIMARY KEY, account_id TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL,
    bucket TEXT NOT NULL, prefix TEXT, multi_region INTEGER NOT NULL, global_events INTEGER NOT NULL, selectors TEXT, logging_started_at INTEGER,
    logging_stopped_at INTEGER, delivered_at INTEGER, attempted_at INTEGER, attempt_error TEXT);
  CREATE INDEX trails_by_account ON trails (account_id, name);
  CREATE TABLE trail_tags (trail_arn TEXT NOT NULL REFERENCES trails (arn) ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (trail_arn, key));
  CREATE TABLE trail_spans (id INTEGER PRIMARY KEY AUTOINCREMENT, trail_arn TEXT NOT NULL REFERENCES trails (arn) ON DELETE CASCADE,
    rules TEXT NOT NULL, to_event INTEGER, to_data INTEGER, delivered_event INTEGER NOT NULL, delivered_data INTEGER NOT NULL, pending TEXT);
  CREATE INDEX trail_spans_by_trail ON trail_spans (trail_arn, id);`;
