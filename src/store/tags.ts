/** Tags of clusters. */
import type { Tag } from "@aws-sdk/client-emr";
import { compiled } from "./compiled.ts";
import type { TagsTable } from "./schema.ts";
import type { Db, Tx } from "./store.ts";

const put = compiled<{ clusterId: string; key: string; text: string }, unknown>((db, value) =>
  db
    .insertInto("tags")
    .values({ cluster_id: value("clusterId"), key: value("key"), value: value("text") })
    .onConflict((c) => c.columns(["cluster_id", "key"]).doUpdateSet((e) => ({ value: e.ref("excluded.value") }))),
);

export async function putTags(tx: Tx, clusterId: string, tags: readonly Tag[]): Promise<void> {
  for (const { Key: key = "", Value: text = "" } of tags) await put(tx.db, { clusterId, key, text });
}

export async function removeTags(tx: Tx, clusterId: string, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await tx.db.deleteFrom("tags").where("cluster_id", "=", clusterId).where("key", "in", keys).execute();
}

const ofCluster = compiled<{ clusterId: string }, TagsTable>((db, value) =>
  db.selectFrom("tags").selectAll().where("cluster_id", "=", value("clusterId")).orderBy("key"),
);

export async function tagsOf(db: Db, clusterId: string): Promise<Tag[]> {
  return (await ofCluster(db, { clusterId })).map((row) => ({ Key: row.key, Value: row.value }));
}
