/** Access keys: of users, which stay, and of sessions, which end. */
import { type Selectable, sql } from "kysely";
import type { Session } from "../access/session.ts";
import type { IamEntity } from "./iam-entities.ts";
import type { AccessKeysTable } from "./iam-schema.ts";
import type { Ids } from "./ids.ts";
import type { Db, Tx } from "./store.ts";

export type AccessKeyRow = Selectable<AccessKeysTable>;

/** How long an expired key is kept, so that its refusal can say that it expired. */
const keptExpiredMs = 7 * 24 * 3600_000;

const unset = {
  session_token: null,
  session: null,
  cluster_id: null,
  instance_id: null,
  status: "Active",
  expires_at: null,
  disabled_at: null,
  last_used_at: null,
  last_used_service: null,
  last_used_region: null,
} as const;

export async function insertUserKey(tx: Tx, ids: Ids, user: Pick<IamEntity, "id" | "account_id">): Promise<AccessKeyRow> {
  const key: AccessKeyRow = {
    ...unset,
    access_key_id: ids.accessKey(),
    secret_access_key: ids.secret(),
    account_id: user.account_id,
    owner_id: user.id,
    created_at: tx.now,
  };
  await tx.db.insertInto("access_keys").values(key).execute();
  return key;
}

export interface NewSession {
  accountId: string;
  /** The role's id, or the user's of GetSessionToken. */
  ownerId: string;
  session: Session;
  /** Epoch milliseconds. */
  expiresAt: number;
  /** With which it ends, and the node that it is for. */
  clusterId?: string;
  instanceId?: string;
}

/** Temporary credentials. Those that expired long ago are forgotten on this occasion. */
export async function insertSession(tx: Tx, ids: Ids, given: NewSession): Promise<AccessKeyRow> {
  await tx.db
    .deleteFrom("access_keys")
    .where("expires_at", "<", tx.now - keptExpiredMs)
    .execute();
  const key: AccessKeyRow = {
    ...unset,
    access_key_id: ids.temporaryAccessKey(),
    secret_access_key: ids.secret(),
    session_token: ids.token(),
    account_id: given.accountId,
    owner_id: given.ownerId,
    session: JSON.stringify(given.session),
    cluster_id: given.clusterId ?? null,
    instance_id: given.instanceId ?? null,
    created_at: tx.now,
    expires_at: given.expiresAt,
  };
  await tx.db.insertInto("access_keys").values(key).execute();
  return key;
}

/** Keys of a user, not of its sessions; the oldest first. */
export async function keysOfUser(db: Db, userId: string): Promise<AccessKeyRow[]> {
  return db
    .selectFrom("access_keys")
    .selectAll()
    .where("owner_id", "=", userId)
    .where("session_token", "is", null)
    .orderBy("created_at")
    .orderBy("access_key_id")
    .execute();
}

export async function findKey(db: Db, accessKeyId: string): Promise<AccessKeyRow | undefined> {
  return db.selectFrom("access_keys").selectAll().where("access_key_id", "=", accessKeyId).executeTakeFirst();
}

export async function setKeyStatus(tx: Tx, accessKeyId: string, status: AccessKeyRow["status"]): Promise<void> {
  await tx.db.updateTable("access_keys").set({ status }).where("access_key_id", "=", accessKeyId).execute();
}

export async function deleteKey(tx: Tx, accessKeyId: string): Promise<void> {
  await tx.db.deleteFrom("access_keys").where("access_key_id", "=", accessKeyId).execute();
}

/** Of a user that is deleted: temporary ones, which end with it. */
export async function deleteSessionsOf(tx: Tx, ownerId: string): Promise<void> {
  await tx.db.deleteFrom("access_keys").where("owner_id", "=", ownerId).where("session_token", "is not", null).execute();
}

/** The instance's session of this role, with this name and for this user of EMRFS or none, that lasts longest, if it lasts until `until` at least. */
export async function findInstanceKey(
  db: Db,
  instanceId: string,
  roleId: string,
  { name, emrfs }: Pick<Session, "name" | "emrfs">,
  until: number,
): Promise<AccessKeyRow | undefined> {
  return db
    .selectFrom("access_keys")
    .selectAll()
    .where("instance_id", "=", instanceId)
    .where("owner_id", "=", roleId)
    .where(sql<boolean>`session ->> '$.name' = ${name}`)
    .where(sql<boolean>`session ->> '$.emrfs' IS ${emrfs ? JSON.stringify(emrfs) : null}`)
    .where("disabled_at", "is", null)
    .where("expires_at", ">=", until)
    .orderBy("expires_at", "desc")
    .executeTakeFirst();
}

export async function disableClusterKeys(tx: Tx, clusterId: string): Promise<void> {
  await tx.db
    .updateTable("access_keys")
    .set({ disabled_at: tx.now })
    .where("cluster_id", "=", clusterId)
    .where("disabled_at", "is", null)
    .execute();
}
