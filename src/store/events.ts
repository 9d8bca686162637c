/** What happened to a cluster, for people: shown by `howdah status CLUSTER`. A `warning` is something asked for that has no effect here. */
import { sql } from "kysely";
import type { Db, Tx } from "./store.ts";

export type EventKind = "cluster" | "instance" | "step" | "warning";

export async function addEvent(tx: Tx, clusterId: string, kind: EventKind, message: string): Promise<void> {
  await tx.db.insertInto("events").values({ at: tx.now, cluster_id: clusterId, kind, message }).execute();
}

/** Records each message once per cluster: agents report their warnings again and again. */
export async function addWarnings(tx: Tx, clusterId: string, messages: readonly string[]): Promise<void> {
  if (messages.length === 0) return;
  const rows = await tx.db
    .selectFrom("events")
    .select("message")
    .where("cluster_id", "=", clusterId)
    // As the index has it, word by word.
    .where(sql<boolean>`kind = 'warning'`)
    .where("message", "in", messages)
    .execute();
  const known = new Set(rows.map(({ message }) => message));
  for (const message of new Set(messages)) if (!known.has(message)) await addEvent(tx, clusterId, "warning", message);
}

export async function eventsOf(db: Db, clusterId: string) {
  return db.selectFrom("events").selectAll().where("cluster_id", "=", clusterId).orderBy("id").execute();
}
