/** Users, groups, roles, instance profiles and customer managed policies, with their tags and memberships. */
import { type Selectable, sql } from "kysely";
import { iamArn } from "../access/arns.ts";
import type { Ids } from "./ids.ts";
import { compiled } from "./compiled.ts";
import type { IamEntitiesTable, IamKind } from "./iam-schema.ts";
import type { Db, Tx } from "./store.ts";

export type IamEntity = Selectable<IamEntitiesTable>;

const prefixes: Record<IamKind, string> = { user: "AIDA", group: "AGPA", role: "AROA", "instance-profile": "AIPA", policy: "ANPA" };

const unset = {
  description: null,
  boundary_arn: null,
  trust: null,
  max_session_seconds: null,
  linked_service: null,
  last_used_at: null,
  last_used_region: null,
  role_id: null,
  last_version: null,
  updated_at: null,
};

export type NewEntity = Pick<IamEntity, "account_id" | "kind" | "name" | "path"> & Partial<IamEntity>;

export async function insertEntity(tx: Tx, ids: Ids, given: NewEntity): Promise<IamEntity> {
  const entity: IamEntity = { ...unset, id: ids.iam(prefixes[given.kind]), created_at: tx.now, ...given };
  await tx.db.insertInto("iam_entities").values(entity).execute();
  return entity;
}

/** Names are found whatever their case, as they are unique whatever their case. */
const named = compiled<{ accountId: string; kind: IamKind; name: string }, IamEntity>((db, value) =>
  db
    .selectFrom("iam_entities")
    .selectAll()
    .where("account_id", "=", value("accountId"))
    .where("kind", "=", value("kind"))
    .where("name", "=", value("name")),
);
const withId = compiled<{ id: string }, IamEntity>((db, value) => db.selectFrom("iam_entities").selectAll().where("id", "=", value("id")));

export async function findEntity(db: Db, accountId: string, kind: IamKind, name: string): Promise<IamEntity | undefined> {
  return (await named(db, { accountId, kind, name }))[0];
}

export async function findEntityById(db: Db, id: string): Promise<IamEntity | undefined> {
  return (await withId(db, { id }))[0];
}

/** By an ARN of IAM; of any account. */
export async function findEntityByArn(db: Db, arn: string): Promise<IamEntity | undefined> {
  const match = /^arn:aws:iam::(\d{12}):(user|group|role|instance-profile|policy)\/(?:.*\/)?([^/]+)$/.exec(arn);
  const found = match && (await findEntity(db, match[1]!, match[2] as IamKind, match[3]!));
  return found && iamArn(found) === arn ? found : undefined;
}

/** By name. `pathPrefix` as in IAM's List operations. */
export async function listEntities(db: Db, accountId: string, kind: IamKind, pathPrefix = "/"): Promise<IamEntity[]> {
  return db
    .selectFrom("iam_entities")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("kind", "=", kind)
    .where(sql<boolean>`substr(path, 1, length(${pathPrefix})) = ${pathPrefix}`)
    .orderBy("name")
    .execute();
}

export async function countEntities(db: Db, accountId: string): Promise<Record<IamKind, number>> {
  const rows = await db
    .selectFrom("iam_entities")
    .select((e) => ["kind", e.fn.countAll<number>().as("n")])
    .where("account_id", "=", accountId)
    .groupBy("kind")
    .execute();
  return { user: 0, group: 0, role: 0, "instance-profile": 0, policy: 0, ...Object.fromEntries(rows.map(({ kind, n }) => [kind, n])) };
}

export type EntityChange = Partial<Omit<IamEntity, "id" | "account_id" | "kind">>;

export async function updateEntity(tx: Tx, id: string, change: EntityChange): Promise<void> {
  if (Object.keys(change).length > 0) await tx.db.updateTable("iam_entities").set(change).where("id", "=", id).execute();
}

/** With its tags. What else belongs to it must be gone: IAM refuses to delete more than it is asked to. */
export async function deleteEntity(tx: Tx, id: string): Promise<void> {
  await tx.db.deleteFrom("iam_tags").where("entity_id", "=", id).execute();
  await tx.db.deleteFrom("iam_entities").where("id", "=", id).execute();
}

export async function tagsOfEntity(db: Db, entityId: string): Promise<{ Key: string; Value: string }[]> {
  const rows = await db.selectFrom("iam_tags").selectAll().where("entity_id", "=", entityId).orderBy("key").execute();
  return rows.map(({ key, value }) => ({ Key: key, Value: value }));
}

export async function putEntityTags(tx: Tx, entityId: string, tags: readonly { Key?: string; Value?: string }[]): Promise<void> {
  for (const { Key = "", Value = "" } of tags)
    await tx.db
      .insertInto("iam_tags")
      .values({ entity_id: entityId, key: Key, value: Value })
      .onConflict((c) => c.columns(["entity_id", "key"]).doUpdateSet({ key: Key, value: Value }))
      .execute();
}

export async function removeEntityTags(tx: Tx, entityId: string, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await tx.db.deleteFrom("iam_tags").where("entity_id", "=", entityId).where("key", "in", keys).execute();
}

export async function addMember(tx: Tx, groupId: string, userId: string): Promise<void> {
  await tx.db
    .insertInto("iam_group_members")
    .values({ group_id: groupId, user_id: userId, added_at: tx.now })
    .onConflict((c) => c.doNothing())
    .execute();
}

/** False where it was none. */
export async function removeMember(tx: Tx, groupId: string, userId: string): Promise<boolean> {
  const { numDeletedRows } = await tx.db
    .deleteFrom("iam_group_members")
    .where("group_id", "=", groupId)
    .where("user_id", "=", userId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** By name. */
export async function membersOf(db: Db, groupId: string): Promise<IamEntity[]> {
  const users = db.selectFrom("iam_group_members").select("user_id").where("group_id", "=", groupId);
  return db.selectFrom("iam_entities").selectAll().where("id", "in", users).orderBy("name").execute();
}

/** By name. */
export async function groupsOfUser(db: Db, userId: string): Promise<IamEntity[]> {
  const groups = db.selectFrom("iam_group_members").select("group_id").where("user_id", "=", userId);
  return db.selectFrom("iam_entities").selectAll().where("id", "in", groups).orderBy("name").execute();
}

/** By name. */
export async function profilesOfRole(db: Db, roleId: string): Promise<IamEntity[]> {
  return db.selectFrom("iam_entities").selectAll().where("role_id", "=", roleId).orderBy("name").execute();
}
