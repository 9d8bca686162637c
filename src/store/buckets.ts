/** Buckets: whose each is, its policy and its tags. The objects are the S3 server's. */
import type { Tx } from "./store.ts";

/** A bucket without a row is the first account's: it was there before, or was made at the S3 server itself. */
export interface BucketsTable {
  name: string;
  account_id: string;
  created_at: number;
  /** JSON, as it was put. */
  policy: string | null;
  /** JSON, a list of S3's Tag; null where there are none. */
  tags: string | null;
}

/** What the front door has done, or is about to do, at the S3 server. */
export type BucketChange =
  /** It is not there, and this account is about to make it: what was known of one of that name is gone. */
  | { kind: "claim"; name: string; accountId: string }
  | { kind: "forget"; name: string }
  /** `accountId` owns it. */
  | { kind: "policy"; name: string; accountId: string; policy: string | null }
  | { kind: "tags"; name: string; accountId: string; tags: string | null };

export async function changeBucket(tx: Tx, change: BucketChange): Promise<void> {
  const { kind, name } = change;
  if (kind === "forget") {
    await tx.db.deleteFrom("buckets").where("name", "=", name).execute();
    return;
  }
  const put = kind === "policy" ? { policy: change.policy } : kind === "tags" ? { tags: change.tags } : undefined;
  const row = { name, account_id: change.accountId, created_at: tx.now, policy: null, tags: null, ...put };
  await tx.db
    .insertInto("buckets")
    .values(row)
    .onConflict((conflict) => conflict.column("name").doUpdateSet(put ?? row))
    .execute();
}
