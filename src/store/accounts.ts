/** Accounts, and what each begins with: a user `admin` who may do everything, and EMR's default roles. */
import type { Selectable } from "kysely";
import { plainSession } from "../access/session.ts";
import { type AccessKeyRow, insertUserKey, keysOfUser } from "./access-keys.ts";
import { findEntity, type IamEntity, insertEntity } from "./iam-entities.ts";
import { attachPolicy } from "./iam-policies.ts";
import type { AccountsTable } from "./iam-schema.ts";
import type { Ids } from "./ids.ts";
import type { Db, Tx } from "./store.ts";

export type AccountRow = Selectable<AccountsTable>;

const adminName = "admin";
/** What RunJobFlow takes where a request names none. */
export const defaultServiceRole = "EMR_DefaultRole";
export const defaultInstanceProfile = "EMR_EC2_DefaultRole";

/** A role whose trust names services, as `aws emr create-default-roles` makes it. */
async function makeRole(tx: Tx, ids: Ids, accountId: string, name: string, services: string | string[], policyArn: string): Promise<void> {
  if (await findEntity(tx.db, accountId, "role", name)) return;
  const Statement = [{ Sid: "", Effect: "Allow", Principal: { Service: services }, Action: "sts:AssumeRole" }];
  const trust = JSON.stringify({ Version: "2008-10-17", Statement });
  const role = await insertEntity(tx, ids, { account_id: accountId, kind: "role", name, path: "/", trust, max_session_seconds: 3600 });
  await attachPolicy(tx, role.id, policyArn);
}

const servicePolicy = (name: string) => `arn:aws:iam::aws:policy/service-role/${name}`;
const emr = "elasticmapreduce.amazonaws.com";

/** By the name under which `account_seeds` remembers them. None touches what is there already. */
const seeds: Record<string, (tx: Tx, ids: Ids, accountId: string) => Promise<void>> = {
  async admin(tx, ids, accountId) {
    if (!(await findEntity(tx.db, accountId, "user", adminName))) await makeAdmin(tx, ids, accountId);
  },
  EMR_DefaultRole: (tx, ids, accountId) =>
    makeRole(tx, ids, accountId, defaultServiceRole, emr, servicePolicy("AmazonElasticMapReduceRole")),
  EMR_EC2_DefaultRole: (tx, ids, accountId) =>
    makeRole(tx, ids, accountId, defaultInstanceProfile, "ec2.amazonaws.com", servicePolicy("AmazonElasticMapReduceforEC2Role")),
  async "instance-profile/EMR_EC2_DefaultRole"(tx, ids, accountId) {
    if (await findEntity(tx.db, accountId, "instance-profile", defaultInstanceProfile)) return;
    const role = await findEntity(tx.db, accountId, "role", defaultInstanceProfile);
    const role_id = role?.id ?? null;
    await insertEntity(tx, ids, { account_id: accountId, kind: "instance-profile", name: defaultInstanceProfile, path: "/", role_id });
  },
  EMR_AutoScaling_DefaultRole: (tx, ids, accountId) =>
    makeRole(
      tx,
      ids,
      accountId,
      "EMR_AutoScaling_DefaultRole",
      [emr, "application-autoscaling.amazonaws.com"],
      servicePolicy("AmazonElasticMapReduceforAutoScalingRole"),
    ),
};

async function makeAdmin(tx: Tx, ids: Ids, accountId: string): Promise<IamEntity> {
  const user = await insertEntity(tx, ids, { account_id: accountId, kind: "user", name: adminName, path: "/" });
  await attachPolicy(tx, user.id, "arn:aws:iam::aws:policy/AdministratorAccess");
  await insertUserKey(tx, ids, user);
  return user;
}

async function seed(tx: Tx, ids: Ids, accountId: string): Promise<void> {
  const rows = await tx.db.selectFrom("account_seeds").select("name").where("account_id", "=", accountId).execute();
  const done = new Set(rows.map((row) => row.name));
  for (const [name, make] of Object.entries(seeds)) {
    if (done.has(name)) continue;
    await make(tx, ids, accountId);
    await tx.db.insertInto("account_seeds").values({ account_id: accountId, name }).execute();
  }
}

/** `id`: 12 digits. Its admin's key is adminKey(). */
export async function createAccount(tx: Tx, ids: Ids, name: string, id: string = ids.account()): Promise<AccountRow> {
  const account = { id, name, created_at: tx.now, alias: null };
  await tx.db.insertInto("accounts").values(account).execute();
  await seed(tx, ids, id);
  return account;
}

export async function findAccount(db: Db, id: string): Promise<AccountRow | undefined> {
  return db.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The oldest first. */
export async function listAccounts(db: Db): Promise<AccountRow[]> {
  return db.selectFrom("accounts").selectAll().orderBy("created_at").orderBy("id").execute();
}

/** How long keys of before there were roles go on: as long as SDKs were told. */
const oldKeysLifeMs = 6 * 3600_000;

/**
 * At each start: one account where there is none, and for every account what it has not had yet. Nodes of before there were roles go on with
 * their cluster's key, as sessions of the default role, until they ask again.
 */
export async function ensureAccounts(tx: Tx, ids: Ids): Promise<AccountRow[]> {
  if ((await listAccounts(tx.db)).length === 0) await createAccount(tx, ids, "default");
  const accounts = await listAccounts(tx.db);
  for (const { id } of accounts) {
    await seed(tx, ids, id);
    const role = await findEntity(tx.db, id, "role", defaultInstanceProfile);
    if (!role) continue;
    const old = await tx.db.selectFrom("access_keys").selectAll().where("account_id", "=", id).where("owner_id", "is", null).execute();
    for (const { access_key_id, cluster_id } of old) {
      const session = JSON.stringify(plainSession(cluster_id ?? "", { path: role.path, name: role.name }, tx.now));
      const change = { owner_id: role.id, session, expires_at: tx.now + oldKeysLifeMs };
      await tx.db.updateTable("access_keys").set(change).where("access_key_id", "=", access_key_id).execute();
    }
  }
  return accounts;
}

/** The admin's oldest active key; undefined where the account has no such user or key any more. */
export async function adminKey(db: Db, accountId: string): Promise<AccessKeyRow | undefined> {
  const user = await findEntity(db, accountId, "user", adminName);
  return user && (await keysOfUser(db, user.id)).find((key) => key.status === "Active");
}
