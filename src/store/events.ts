/** What happened to a cluster, for people: shown by `howdah status CLUSTER`. A `warning` is something asked for that has no effect here. */
import { sql } from "kysely";
import { compiled } from "./compiled.ts";
import type { Db, Tx } from "./store.ts";

export type EventKind = "cluster" | "instance" | "step" | "warning";

const insertEvent = compiled<{ now: number; clusterId: string; kind: string; message: string }, unknown>((db, value) =>
  db.insertInto("events").values({ at: value("now"), cluster_id: value("clusterId"), kind: value("kind"), message: value("message") }),
);

export async function addEvent(tx: Tx, clusterId: string, kind: EventKind, message: string): Promise<void> {
  await insertEvent(tx.db, { now: tx.now, clusterId, kind, message });
}

const knownWarning = compiled<{ clusterId: string; message: string }, { id: number }>((db, value) =>
  db
    .selectFrom("events")
    .select("id")
    .where("cluster_id", "=", value("clusterId"))
    // As the index has it, word by word.
    .where(sql<boolean>`kind = 'warning'`)
    .where("message", "=", value("message"))
    .limit(1),
);

/** Records each message once per cluster: agents report their warnings again and again. */
export async function addWarnings(tx: Tx, clusterId: string, messages: readonly string[]): Promise<void> {
  if (messages.length === 0) return;
  for (const message of new Set(messages))
    if ((await knownWarning(tx.db, { clusterId, message })).length === 0) await addEvent(tx, clusterId, "warning", message);
}

export async function eventsOf(db: Db, clusterId: string) {
  return db.selectFrom("events").selectAll().where("cluster_id", "=", clusterId).orderBy("id").execute();
}
