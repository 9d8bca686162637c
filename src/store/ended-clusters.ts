/** Clusters that ended long ago are forgotten, with all that is of them: EMR shows a cluster for two months. */
import { sql } from "kysely";
import type { Tx } from "./store.ts";

/** Those that ended first, of those that ended before `endedBefore` (epoch milliseconds); `limit` at most. How many there were. */
export async function forgetEndedClusters(tx: Tx, endedBefore: number, limit: number): Promise<number> {
  const ended = tx.db.selectFrom("clusters").select("id").where("phase", "=", "ended").where("ended_at", "<", endedBefore);
  const ids = (await ended.orderBy("ended_at").limit(limit).execute()).map(({ id }) => id);
  if (ids.length === 0) return 0;
  const mine = sql`cluster_id IN (${sql.join(ids)})`;
  for (const statement of [
    sql`DELETE FROM noted_states WHERE id IN (SELECT id FROM steps WHERE ${mine} UNION ALL SELECT id FROM instance_groups WHERE ${mine})`,
    sql`DELETE FROM ec2_tags WHERE resource_id IN (SELECT id FROM instances WHERE ${mine})`,
    sql`DELETE FROM wakes WHERE id IN (${sql.join(ids)}) OR id IN (SELECT id FROM instances WHERE ${mine})`,
    // Of its nodes and of sessions on it: disabled since its end.
    sql`DELETE FROM access_keys WHERE ${mine}`,
    sql`DELETE FROM state_changes WHERE ${mine}`,
    sql`DELETE FROM events WHERE ${mine}`,
    sql`DELETE FROM tags WHERE ${mine}`,
    sql`DELETE FROM steps WHERE ${mine}`,
    sql`DELETE FROM instances WHERE ${mine}`,
    sql`DELETE FROM instance_groups WHERE ${mine}`,
    sql`DELETE FROM clusters WHERE id IN (${sql.join(ids)})`,
  ])
    await statement.execute(tx.db);
  return ids.length;
}
