/** Trails of CloudTrail: what is delivered where, and how far. */
import type { Selectable } from "kysely";
import type { Selectors, SpanRules } from "../observe/selectors.ts";
import type { Db, Tx } from "./store.ts";
import type { TrailSpansTable, TrailsTable } from "./trail-schema.ts";

export type TrailRow = Omit<Selectable<TrailsTable>, "selectors"> & { selectors: Selectors | null };

/** Of which event of the audit trail is the newest, and of which of S3's objects: where a span begins or ends. */
export interface AuditPosition {
  event: number;
  data: number;
}

/** One file for each region that has events, made of the events up to and with number `to`. */
export interface Delivery {
  stream: keyof AuditPosition;
  to: number;
  files: { region: string; key: string }[];
}

export interface SpanRow {
  id: number;
  trailArn: string;
  rules: SpanRules;
  /** Null while it goes on. */
  to: AuditPosition | null;
  delivered: AuditPosition;
  pending: Delivery | null;
}

const fromRow = (row: Selectable<TrailsTable>): TrailRow => ({
  ...row,
  selectors: row.selectors === null ? null : (JSON.parse(row.selectors) as Selectors),
});

const spanFromRow = (row: Selectable<TrailSpansTable>): SpanRow => ({
  id: row.id,
  trailArn: row.trail_arn,
  rules: JSON.parse(row.rules) as SpanRules,
  to: row.to_event === null || row.to_data === null ? null : { event: row.to_event, data: row.to_data },
  delivered: { event: row.delivered_event, data: row.delivered_data },
  pending: row.pending === null ? null : (JSON.parse(row.pending) as Delivery),
});

export async function findTrail(db: Db, arn: string): Promise<TrailRow | undefined> {
  const row = await db.selectFrom("trails").selectAll().where("arn", "=", arn).executeTakeFirst();
  return row && fromRow(row);
}

/** All of an account, by name. */
export async function trailsOf(db: Db, accountId: string): Promise<TrailRow[]> {
  return (await db.selectFrom("trails").selectAll().where("account_id", "=", accountId).orderBy("name").orderBy("arn").execute()).map(
    fromRow,
  );
}

type Wish = Pick<TrailRow, "bucket" | "prefix" | "multi_region" | "global_events">;

export async function insertTrail(tx: Tx, trail: Pick<TrailRow, "arn" | "account_id" | "region" | "name"> & Wish): Promise<void> {
  await tx.db
    .insertInto("trails")
    .values({ ...trail, created_at: tx.now })
    .execute();
}

/** The columns that requests own. */
export async function setTrailWish(
  tx: Tx,
  arn: string,
  change: Partial<Wish & Pick<TrailRow, "selectors" | "logging_started_at" | "logging_stopped_at">>,
): Promise<void> {
  const { selectors, ...rest } = change;
  await tx.db
    .updateTable("trails")
    .set({ ...rest, ...(selectors === undefined ? {} : { selectors: selectors && JSON.stringify(selectors) }) })
    .where("arn", "=", arn)
    .execute();
}

/** With its tags, and what it has not delivered yet. */
export async function deleteTrail(tx: Tx, arn: string): Promise<void> {
  await tx.db.deleteFrom("trails").where("arn", "=", arn).execute();
}

/** The oldest first. */
export async function spansOf(db: Db, trailArn: string): Promise<SpanRow[]> {
  return (await db.selectFrom("trail_spans").selectAll().where("trail_arn", "=", trailArn).orderBy("id").execute()).map(spanFromRow);
}

/** ARNs of trails that log, or have something left to deliver. */
export async function trailsWithSpans(db: Db): Promise<string[]> {
  return (await db.selectFrom("trail_spans").select("trail_arn").distinct().execute()).map((row) => row.trail_arn);
}

/** Up to which of S3's object events every trail has delivered what it wants; undefined where none wants any more. */
export async function dataDelivered(db: Db): Promise<number | undefined> {
  const row = await db
    .selectFrom("trail_spans")
    .select((e) => e.fn.min("delivered_data").as("least"))
    .executeTakeFirst();
  return row?.least ?? undefined;
}

/** From now on these rules hold. */
export async function openSpan(tx: Tx, trailArn: string, rules: SpanRules, from: AuditPosition): Promise<void> {
  await tx.db
    .insertInto("trail_spans")
    .values({ trail_arn: trailArn, rules: JSON.stringify(rules), delivered_event: from.event, delivered_data: from.data })
    .execute();
}

/** false where none goes on. */
export async function closeSpan(tx: Tx, trailArn: string, at: AuditPosition): Promise<boolean> {
  const { numUpdatedRows } = await tx.db
    .updateTable("trail_spans")
    .set({ to_event: at.event, to_data: at.data })
    .where("trail_arn", "=", trailArn)
    .where("to_event", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function deleteSpan(tx: Tx, id: number): Promise<void> {
  await tx.db.deleteFrom("trail_spans").where("id", "=", id).execute();
}

/** The columns of the trail's reconciler. */
export async function beginDelivery(tx: Tx, spanId: number, delivery: Delivery): Promise<void> {
  await tx.db
    .updateTable("trail_spans")
    .set({ pending: JSON.stringify(delivery) })
    .where("id", "=", spanId)
    .execute();
}

export async function endDelivery(tx: Tx, spanId: number, { stream, to }: Pick<Delivery, "stream" | "to">): Promise<void> {
  await tx.db
    .updateTable("trail_spans")
    .set({ pending: null, [stream === "event" ? "delivered_event" : "delivered_data"]: to })
    .where("id", "=", spanId)
    .execute();
}

/** `error` null: it was delivered. */
export async function setDeliveryOutcome(tx: Tx, arn: string, error: string | null): Promise<void> {
  await tx.db
    .updateTable("trails")
    .set({ attempted_at: tx.now, attempt_error: error, ...(error === null ? { delivered_at: tx.now } : {}) })
    .where("arn", "=", arn)
    .execute();
}

export async function putTrailTags(tx: Tx, arn: string, tags: readonly { Key: string; Value?: string | undefined }[]): Promise<void> {
  for (const { Key, Value = "" } of tags)
    await tx.db
      .insertInto("trail_tags")
      .values({ trail_arn: arn, key: Key, value: Value })
      .onConflict((c) => c.columns(["trail_arn", "key"]).doUpdateSet({ value: Value }))
      .execute();
}

export async function removeTrailTags(tx: Tx, arn: string, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await tx.db.deleteFrom("trail_tags").where("trail_arn", "=", arn).where("key", "in", keys).execute();
}

export async function tagsOfTrail(db: Db, arn: string): Promise<{ Key: string; Value: string }[]> {
  const rows = await db.selectFrom("trail_tags").selectAll().where("trail_arn", "=", arn).orderBy("key").execute();
  return rows.map(({ key, value }) => ({ Key: key, Value: value }));
}
