/** Policies of users, groups and roles: managed ones that are attached, versions of the account's own, and inline ones. */
import type { Selectable } from "kysely";
import { iamArn } from "../access/arns.ts";
import { awsManagedPolicy } from "../access/aws-managed-policies.ts";
import { type IamEntity, updateEntity } from "./iam-entities.ts";
import type { IamPolicyVersionsTable } from "./iam-schema.ts";
import type { Db, Tx } from "./store.ts";

export type PolicyVersion = Selectable<IamPolicyVersionsTable>;

/** False where it was attached already. */
export async function attachPolicy(tx: Tx, entityId: string, policyArn: string): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx.db
    .insertInto("iam_attachments")
    .values({ entity_id: entityId, policy_arn: policyArn, attached_at: tx.now })
    .onConflict((c) => c.doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** False where it was not attached. */
export async function detachPolicy(tx: Tx, entityId: string, policyArn: string): Promise<boolean> {
  const { numDeletedRows } = await tx.db
    .deleteFrom("iam_attachments")
    .where("entity_id", "=", entityId)
    .where("policy_arn", "=", policyArn)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** ARNs, in order. */
export async function attachmentsOf(db: Db, entityId: string): Promise<string[]> {
  const rows = await db
    .selectFrom("iam_attachments")
    .select("policy_arn")
    .where("entity_id", "=", entityId)
    .orderBy("policy_arn")
    .execute();
  return rows.map((row) => row.policy_arn);
}

/** Who in this account has the policy attached, and whose permissions boundary it is. */
export async function entitiesWithPolicy(
  db: Db,
  accountId: string,
  policyArn: string,
): Promise<{ attached: IamEntity[]; bounded: IamEntity[] }> {
  const ids = db.selectFrom("iam_attachments").select("entity_id").where("policy_arn", "=", policyArn);
  const mine = db.selectFrom("iam_entities").selectAll().where("account_id", "=", accountId).orderBy("name");
  return {
    attached: await mine.where("id", "in", ids).execute(),
    bounded: await mine.where("boundary_arn", "=", policyArn).execute(),
  };
}

/** By policy ARN, how many in this account have it attached. */
export async function attachmentCounts(db: Db, accountId: string): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("iam_attachments")
    .innerJoin("iam_entities", "iam_entities.id", "iam_attachments.entity_id")
    .select((e) => ["policy_arn", e.fn.countAll<number>().as("n")])
    .where("account_id", "=", accountId)
    .groupBy("policy_arn")
    .execute();
  return new Map(rows.map(({ policy_arn, n }) => [policy_arn, n]));
}

/** By policy ARN, how many users and roles of this account have it as their permissions boundary. */
export async function boundaryCounts(db: Db, accountId: string): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("iam_entities")
    .select((e) => ["boundary_arn", e.fn.countAll<number>().as("n")])
    .where("account_id", "=", accountId)
    .where("boundary_arn", "is not", null)
    .groupBy("boundary_arn")
    .execute();
  return new Map(rows.map(({ boundary_arn, n }) => [boundary_arn ?? "", n]));
}

/** Newest first. Those of an AWS managed policy are its one. */
export async function versionsOf(db: Db, policyArn: string): Promise<PolicyVersion[]> {
  const aws = awsManagedPolicy(policyArn);
  if (aws) return [{ policy_arn: aws.arn, version: aws.version, document: aws.document, created_at: aws.updatedAt, is_default: 1 }];
  return db.selectFrom("iam_policy_versions").selectAll().where("policy_arn", "=", policyArn).orderBy("version", "desc").execute();
}

/** The next version. A number is not used again, even where its version was deleted. */
export async function addVersion(tx: Tx, policy: IamEntity, document: string, makeDefault: boolean): Promise<PolicyVersion> {
  const version = (policy.last_version ?? 0) + 1;
  const added = { policy_arn: iamArn(policy), version, document, created_at: tx.now, is_default: 0 };
  await tx.db.insertInto("iam_policy_versions").values(added).execute();
  await updateEntity(tx, policy.id, { last_version: version, updated_at: tx.now });
  if (!makeDefault) return added;
  await setDefaultVersion(tx, added.policy_arn, version);
  return { ...added, is_default: 1 };
}

export async function setDefaultVersion(tx: Tx, policyArn: string, version: number): Promise<void> {
  await tx.db
    .updateTable("iam_policy_versions")
    .set((e) => ({ is_default: e.case().when("version", "=", version).then(1).else(0).end() }))
    .where("policy_arn", "=", policyArn)
    .execute();
}

export async function deleteVersion(tx: Tx, policyArn: string, version: number): Promise<void> {
  await tx.db.deleteFrom("iam_policy_versions").where("policy_arn", "=", policyArn).where("version", "=", version).execute();
}

export async function putInlinePolicy(tx: Tx, entityId: string, name: string, document: string): Promise<void> {
  await tx.db
    .insertInto("iam_inline_policies")
    .values({ entity_id: entityId, name, document })
    .onConflict((c) => c.columns(["entity_id", "name"]).doUpdateSet({ document }))
    .execute();
}

/** False where there was none of this name. */
export async function deleteInlinePolicy(tx: Tx, entityId: string, name: string): Promise<boolean> {
  const { numDeletedRows } = await tx.db
    .deleteFrom("iam_inline_policies")
    .where("entity_id", "=", entityId)
    .where("name", "=", name)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** By name. */
export async function inlinePoliciesOf(db: Db, entityId: string): Promise<{ name: string; document: string }[]> {
  return db.selectFrom("iam_inline_policies").select(["name", "document"]).where("entity_id", "=", entityId).orderBy("name").execute();
}
