/**
 * The trail's reconciler, by ARN: what it wants of the audit trail goes to its bucket, in CloudTrail's files. What a file holds and how it is
 * called is written down before it goes to S3, so that one which was cut off is put there again as the same object.
 */
import { createHash } from "node:crypto";
import { setImmediate as breath } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Logger } from "pino";
import type { BucketFacts } from "../access/bucket-facts.ts";
import { mayDeliver, trailFolder } from "../access/trail-bucket.ts";
import type { Audit, StoredEvent } from "../observe/audit.ts";
import { factsOfRecord, isWanted, type SpanRules } from "../observe/selectors.ts";
import { type DirectS3, S3Failure } from "../s3/direct.ts";
import type { Store } from "../store/store.ts";
import {
  type AuditPosition,
  beginDelivery,
  dataDelivered,
  deleteSpan,
  type Delivery,
  endDelivery,
  findTrail,
  setDeliveryOutcome,
  type SpanRow,
  spansOf,
  type TrailRow,
} from "../store/trails.ts";
import type { Outcome, Reconciler } from "./loop.ts";

export interface TrailContext {
  store: Store;
  /** Calls, and S3's object events. */
  audits: Record<keyof AuditPosition, Audit>;
  s3: Pick<DirectS3, "put">;
  buckets: Pick<BucketFacts, "find">;
  log: Logger;
  /** How often a trail that logs delivers. */
  everyMs: number;
}

const done: Outcome = { done: true };
/** While S3 refuses or does not answer. Nothing is lost meanwhile. */
const againAfterFailureMs = 30_000;
/** Of one file, before it is compressed; one event may be larger. */
const mostEvents = 1000;
const mostBytes = 8 << 20;

export function trailReconciler(context: TrailContext): Reconciler {
  return async (arn) => {
    const { store, log, everyMs } = context;
    const trail = await findTrail(store.db, arn);
    try {
      if (trail) for (const span of await spansOf(store.db, arn)) await deliverSpan(context, trail, span);
    } catch (error) {
      if (!(error instanceof S3Failure)) throw error;
      log.warn({ err: error, trail: arn }, "a trail could not deliver, will try again");
      await store.transaction((tx) => setDeliveryOutcome(tx, arn, error.code));
      return { againMs: againAfterFailureMs };
    }
    await forgetData(context);
    return (await spansOf(store.db, arn)).length > 0 ? { againMs: everyMs } : done;
  };
}

async function deliverSpan(context: TrailContext, trail: TrailRow, span: SpanRow): Promise<void> {
  const { store, audits } = context;
  for (const stream of ["event", "data"] as const) {
    const end = span.to?.[stream] ?? audits[stream].lastId();
    let at = span.delivered[stream];
    let pending = span.pending?.stream === stream ? span.pending : null;
    while (at < end || pending) {
      const { to, events } = read(audits[stream], trail.account_id, span.rules, at, pending?.to ?? end);
      const files = byRegion(span.rules, events);
      const key = (region: string) => keyOf(trail, `${span.id} ${stream} ${region} ${to}`, region, store.now());
      const delivery = pending ?? { stream, to, files: [...files.keys()].map((region) => ({ region, key: key(region) })) };
      if (!pending && delivery.files.length > 0) await store.transaction((tx) => beginDelivery(tx, span.id, delivery));
      await upload(context, trail, delivery, files);
      await store.transaction(async (tx) => {
        await endDelivery(tx, span.id, delivery);
        if (delivery.files.length > 0) await setDeliveryOutcome(tx, trail.arn, null);
      });
      [at, pending] = [delivery.to, null];
    }
  }
  if (span.to) await store.transaction((tx) => deleteSpan(tx, span.id));
}

/** The next events that are wanted, and up to which one was looked. The same again for the same `to`. */
function read(audit: Audit, accountId: string, rules: SpanRules, after: number, to: number): { to: number; events: StoredEvent[] } {
  const rows = audit.range(after, to, mostEvents);
  let bytes = 0;
  const fit = rows.findIndex(({ record }) => (bytes += record.length) > mostBytes);
  const taken = fit < 0 ? rows : rows.slice(0, Math.max(1, fit));
  const isAll = taken.length === rows.length && rows.length < mostEvents;
  const events = taken.filter((event) => event.accountId === accountId && isWanted(rules, factsOfRecord(event.record)));
  return { to: isAll ? to : taken.at(-1)!.id, events };
}

/** A trail of one region has the files of that region, also for IAM's events. */
function byRegion(rules: SpanRules, events: readonly StoredEvent[]): Map<string, StoredEvent[]> {
  return Map.groupBy(events, ({ region }) => (rules.multiRegion ? region : rules.homeRegion));
}

/** CloudTrail User Guide, "Finding your CloudTrail log files". `what` is no other file of the trail. */
function keyOf(trail: TrailRow, what: string, region: string, now: number): string {
  const at = new Date(now).toISOString();
  const unique = BigInt(`0x${createHash("sha256").update(`${trail.arn} ${what}`).digest("hex")}`).toString(36);
  const name = `${trail.account_id}_CloudTrail_${region}_${at.slice(0, 16).replaceAll(/[-:]/g, "")}Z_${unique.toUpperCase().slice(0, 16)}.json.gz`;
  return `${trailFolder(trail)}/CloudTrail/${region}/${at.slice(0, 10).replaceAll("-", "/")}/${name}`;
}

const compress = promisify<string, Buffer>(gzip);

async function upload(
  { s3, buckets }: TrailContext,
  trail: TrailRow,
  delivery: Delivery,
  files: Map<string, StoredEvent[]>,
): Promise<void> {
  if (delivery.files.length > 0 && !mayDeliver(trail, buckets))
    throw new S3Failure("AccessDenied", `the policy of the bucket ${trail.bucket} does not let CloudTrail write there`);
  for (const { region, key } of delivery.files) {
    const records = (files.get(region) ?? []).map(({ record }) => record);
    const body = await compress(`{"Records":[${records.join(",")}]}`);
    await s3.put(trail.bucket, key, body, { "content-type": "application/json", "content-encoding": "gzip" });
  }
}

/** S3's object events are kept for trails only. */
async function forgetData({ store, audits }: TrailContext): Promise<void> {
  const upTo = (await dataDelivered(store.db)) ?? audits.data.lastId();
  while (!audits.data.removeUpTo(upTo)) await breath();
}
