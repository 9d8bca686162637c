/** Tags of EC2's resources, of whatever kind. A node's tags that come from its cluster are not here (src/api/ec2/nodes.ts). */
import type { Tag } from "@aws-sdk/client-ec2";
import type { Scope } from "./ec2-resources.ts";
import type { Db, Tx } from "./store.ts";

export async function putResourceTags(tx: Tx, scope: Scope, resourceId: string, tags: readonly Tag[]): Promise<void> {
  for (const { Key = "", Value = "" } of tags)
    await tx.db
      .insertInto("ec2_tags")
      .values({ account_id: scope.accountId, region: scope.region, resource_id: resourceId, key: Key, value: Value })
      .onConflict((c) => c.columns(["resource_id", "key"]).doUpdateSet({ value: Value }))
      .execute();
}

/** `tags` with a value: only where the tag has that value. undefined: all of them. */
export async function removeResourceTags(tx: Tx, scope: Scope, resourceId: string, tags: readonly Tag[] | undefined): Promise<void> {
  const own = tx.db
    .deleteFrom("ec2_tags")
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("resource_id", "=", resourceId);
  if (tags === undefined) await own.execute();
  for (const { Key = "", Value } of tags ?? []) {
    const named = own.where("key", "=", Key);
    await (Value === undefined ? named : named.where("value", "=", Value)).execute();
  }
}

/** By resource, each by key. */
export async function resourceTags(db: Db, scope: Scope): Promise<Map<string, Tag[]>> {
  const rows = await db
    .selectFrom("ec2_tags")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .orderBy("key")
    .execute();
  const found = new Map<string, Tag[]>();
  for (const { resource_id, key, value } of rows) {
    const tags = found.get(resource_id) ?? [];
    tags.push({ Key: key, Value: value });
    found.set(resource_id, tags);
  }
  return found;
}
