/** Security configurations, by account, region and name. */
import type { Db, Tx } from "./store.ts";
import type { SecurityConfigurationsTable } from "./schema.ts";

/** Whose they are: clusters and all else that EMR keeps are apart by account and region. */
interface Owner {
  accountId: string;
  region: string;
}

export type SecurityConfigurationRow = SecurityConfigurationsTable;

const of = (db: Db, owner: Owner) =>
  db.selectFrom("security_configurations").where("account_id", "=", owner.accountId).where("region", "=", owner.region);

export async function findSecurityConfiguration(db: Db, owner: Owner, name: string): Promise<SecurityConfigurationRow | undefined> {
  return of(db, owner).selectAll().where("name", "=", name).executeTakeFirst();
}

/** In the order of their names, from the one after `after`; at most `limit`. */
export async function listSecurityConfigurations(db: Db, owner: Owner, after: string | undefined, limit: number) {
  const query = of(db, owner).select(["name", "created_at"]).orderBy("name").limit(limit);
  return (after === undefined ? query : query.where("name", ">", after)).execute();
}

export async function insertSecurityConfiguration(tx: Tx, owner: Owner, name: string, configuration: string): Promise<void> {
  await tx.db
    .insertInto("security_configurations")
    .values({ account_id: owner.accountId, region: owner.region, name, configuration, created_at: tx.now })
    .execute();
}

/** false where there is none of this name. */
export async function deleteSecurityConfiguration(tx: Tx, owner: Owner, name: string): Promise<boolean> {
  const { numDeletedRows } = await tx.db
    .deleteFrom("security_configurations")
    .where("account_id", "=", owner.accountId)
    .where("region", "=", owner.region)
    .where("name", "=", name)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
