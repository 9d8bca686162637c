/** What accounts have said of block public access; an account that has said nothing has no row. */
import type { BlockPublicAccessConfiguration } from "@aws-sdk/client-emr";
import { compiled } from "./compiled.ts";
import type { BlockPublicAccessTable } from "./schema.ts";
import type { Db, Tx } from "./store.ts";

interface Owner {
  accountId: string;
  region: string;
}

const ofRegion = compiled<{ accountId: string; region: string }, BlockPublicAccessTable>((db, value) =>
  db.selectFrom("block_public_access").selectAll().where("account_id", "=", value("accountId")).where("region", "=", value("region")),
);

export async function findBlockPublicAccess(db: Db, { accountId, region }: Owner) {
  const [row] = await ofRegion(db, { accountId, region });
  return row && { ...row, configuration: JSON.parse(row.configuration) as BlockPublicAccessConfiguration };
}

export async function putBlockPublicAccess(
  tx: Tx,
  { accountId, region }: Owner,
  configuration: BlockPublicAccessConfiguration,
  byArn: string,
): Promise<void> {
  const said = { configuration: JSON.stringify(configuration), created_at: tx.now, created_by_arn: byArn };
  await tx.db
    .insertInto("block_public_access")
    .values({ account_id: accountId, region, ...said })
    .onConflict((c) => c.columns(["account_id", "region"]).doUpdateSet(said))
    .execute();
}
