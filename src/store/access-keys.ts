/** Access keys: the first `admin` key, and one per cluster for its nodes. */
import type { Ids } from "./ids.ts";
import type { Db, Tx } from "./store.ts";

/** The admin key, made where there is none. One 12-digit account per data folder. */
export async function ensureAdminKey(tx: Tx, ids: Ids) {
  const found = await findAdminKey(tx.db);
  if (found) return found;
  const accountId = ids.account();
  const key = {
    access_key_id: ids.accessKey(),
    secret_access_key: ids.secret(),
    session_token: null,
    account_id: accountId,
    principal_arn: `arn:aws:iam::${accountId}:user/admin`,
    cluster_id: null,
    created_at: tx.now,
    disabled_at: null,
  };
  await tx.db.insertInto("access_keys").values(key).execute();
  return key;
}

export async function findAdminKey(db: Db) {
  return db
    .selectFrom("access_keys")
    .selectAll()
    .where("cluster_id", "is", null)
    .where("disabled_at", "is", null)
    .orderBy("created_at")
    .executeTakeFirst();
}

/** The key that a cluster's nodes sign with: temporary in form, as those of an EC2 instance profile are. */
export async function insertClusterKey(tx: Tx, ids: Ids, cluster: { id: string; accountId: string; role: string }): Promise<void> {
  await tx.db
    .insertInto("access_keys")
    .values({
      access_key_id: ids.temporaryAccessKey(),
      secret_access_key: ids.secret(),
      session_token: ids.token(),
      account_id: cluster.accountId,
      principal_arn: `arn:aws:sts::${cluster.accountId}:assumed-role/${cluster.role}/${cluster.id}`,
      cluster_id: cluster.id,
      created_at: tx.now,
      disabled_at: null,
    })
    .execute();
}

export async function findClusterKey(db: Db, clusterId: string) {
  return db.selectFrom("access_keys").selectAll().where("cluster_id", "=", clusterId).where("disabled_at", "is", null).executeTakeFirst();
}

export async function disableClusterKey(tx: Tx, clusterId: string): Promise<void> {
  await tx.db
    .updateTable("access_keys")
    .set({ disabled_at: tx.now })
    .where("cluster_id", "=", clusterId)
    .where("disabled_at", "is", null)
    .execute();
}
