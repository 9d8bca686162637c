import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { openKeyLookup } from "../../src/access/keys.ts";
import { openPolicySource } from "../../src/access/policy-source.ts";
import { plainSession } from "../../src/access/session.ts";
import { deleteKey, insertSession, insertUserKey, keysOfUser, setKeyStatus } from "../../src/store/access-keys.ts";
import { adminKey, createAccount, ensureAccounts, listAccounts } from "../../src/store/accounts.ts";
import { addMember, deleteEntity, findEntity, insertEntity, putEntityTags, updateEntity } from "../../src/store/iam-entities.ts";
import { addVersion, attachPolicy, detachPolicy, putInlinePolicy } from "../../src/store/iam-policies.ts";
import { makeIds } from "../../src/store/ids.ts";
import { migrations } from "../../src/store/schema.ts";
import { openStore } from "../../src/store/store.ts";

const folder = mkdtempSync(join(tmpdir(), "howdah-accounts-"));
after(() => rmSync(folder, { recursive: true }));
const ids = makeIds();
let count = 0;

async function open() {
  const path = join(folder, `${++count}.db`);
  const store = await openStore(path);
  const account = await store.transaction((tx) => createAccount(tx, ids, "one"));
  const [keys, policies] = [openKeyLookup(path), openPolicySource(path)];
  const close = async () => {
    keys.close();
    policies.close();
    await store.close();
  };
  return { path, store, account, keys, policies, close };
}

test("an account begins with an admin who may do everything, and EMR's default roles", async () => {
  const { store, account, keys, policies, close } = await open();
  const key = (await adminKey(store.db, account.id))!;
  const { principal } = keys(key.access_key_id)!;
  const user = (await findEntity(store.db, account.id, "user", "admin"))!;
  assert.deepEqual(principal, {
    type: "IAMUser",
    accountId: account.id,
    arn: `arn:aws:iam::${account.id}:user/admin`,
    id: user.id,
    userName: "admin",
    tags: {},
    sessionPolicies: [],
    clusterId: null,
  });
  assert.match(account.id, /^\d{12}$/);
  assert.match(user.id, /^AIDA[A-Z0-9]{17}$/);
  const [policy, ...others] = policies.grantsOf(principal).identity;
  assert.equal(policy?.name, "arn:aws:iam::aws:policy/AdministratorAccess");
  assert.deepEqual(JSON.parse(policy.text).Statement, [{ Effect: "Allow", Action: "*", Resource: "*" }]);
  assert.deepEqual(others, []);
  assert.equal(policies.grantsOf(principal).boundary, undefined);
  for (const name of ["EMR_DefaultRole", "EMR_EC2_DefaultRole", "EMR_AutoScaling_DefaultRole"])
    assert.match((await findEntity(store.db, account.id, "role", name))?.trust ?? "", /sts:AssumeRole/);
  const profile = await findEntity(store.db, account.id, "instance-profile", "EMR_EC2_DefaultRole");
  assert.equal(profile?.role_id, (await findEntity(store.db, account.id, "role", "EMR_EC2_DefaultRole"))?.id);
  await close();
});

test("what a user deletes of it stays deleted; accounts have nothing in common", async () => {
  const { store, account, close } = await open();
  const role = (await findEntity(store.db, account.id, "role", "EMR_AutoScaling_DefaultRole"))!;
  await store.transaction(async (tx) => {
    await detachPolicy(tx, role.id, "arn:aws:iam::aws:policy/service-role/AmazonElasticMapReduceforAutoScalingRole");
    await deleteEntity(tx, role.id);
    await createAccount(tx, ids, "two");
    await ensureAccounts(tx, ids);
  });
  const names = (await listAccounts(store.db)).map(({ name }) => name);
  assert.deepEqual(names, ["one", "two"]);
  assert.equal(await findEntity(store.db, account.id, "role", role.name), undefined);
  const other = (await listAccounts(store.db))[1]!;
  assert.ok(await findEntity(store.db, other.id, "role", role.name));
  await close();
});

test("a key works from the commit that makes it to the one that ends it", async () => {
  const { store, account, keys, close } = await open();
  const user = (await findEntity(store.db, account.id, "user", "admin"))!;
  const { access_key_id: id } = await store.transaction((tx) => insertUserKey(tx, ids, user));
  assert.equal(keys(id)?.principal.userName, "admin");
  await store.transaction((tx) => updateEntity(tx, user.id, { name: "root", path: "/a/" }));
  assert.equal(keys(id)?.principal.arn, `arn:aws:iam::${account.id}:user/a/root`);
  await store.transaction((tx) => setKeyStatus(tx, id, "Inactive"));
  assert.equal(keys(id), undefined);
  await store.transaction((tx) => setKeyStatus(tx, id, "Active"));
  assert.ok(keys(id));
  await store.transaction((tx) => deleteKey(tx, id));
  assert.equal(keys(id), undefined);
  assert.throws(() => openKeyLookup(join(folder, "none.db")));
  await close();
});

/** What no key, principal, policy or tag is made of. */
const without: Record<string, string[]> = {
  access_keys: ["instance_id", "created_at", "last_used_at", "last_used_service", "last_used_region"],
  iam_entities: [
    "created_at",
    "description",
    "max_session_seconds",
    "linked_service",
    "last_used_at",
    "last_used_region",
    "last_version",
    "updated_at",
  ],
};

test("whatever of them changes, by whomever, nothing is kept of before; that a key is used changes nothing", async () => {
  const { path, close } = await open();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA foreign_keys=OFF");
  const number = () => Number(database.prepare("SELECT number FROM access_version").get()?.["number"]);
  const raised = (statement: string, ...values: string[]) => {
    const before = number();
    assert.equal(database.prepare(statement).run(...values).changes, 1, statement);
    return number() > before;
  };
  const tables = ["access_keys", "iam_attachments", "iam_entities", "iam_group_members", "iam_inline_policies", "iam_policy_versions"];
  for (const table of [...tables, "iam_tags", "tags"]) {
    const columns = database.prepare(`PRAGMA table_info(${table})`).all();
    const names = columns.map(({ name }) => String(name));
    const row = names.map((name) => `new ${name}`);
    assert.ok(raised(`INSERT INTO ${table} (${names.join()}) VALUES (${row.map(() => "?").join()})`, ...row), `a new row of ${table}`);
    const where = `WHERE ${names[0]} = '${row[0]}'`;
    for (const name of names.toReversed())
      assert.equal(raised(`UPDATE ${table} SET ${name} = ${name} ${where}`), !without[table]?.includes(name), `${name} of ${table}`);
    assert.ok(raised(`DELETE FROM ${table} ${where}`), `the end of a row of ${table}`);
  }
  database.close();
  await close();
});

test("a user's policies are its own and its groups', inline and managed, as they are now", async () => {
  const { store, account, keys, policies, close } = await open();
  const common = { account_id: account.id, path: "/" } as const;
  const { user, key, policy } = await store.transaction(async (tx) => {
    const user = await insertEntity(tx, ids, { ...common, kind: "user", name: "ann" });
    const group = await insertEntity(tx, ids, { ...common, kind: "group", name: "analysts" });
    const policy = await insertEntity(tx, ids, { ...common, kind: "policy", name: "mine" });
    await addVersion(tx, policy, '{"v":1}', true);
    await addMember(tx, group.id, user.id);
    await attachPolicy(tx, group.id, `arn:aws:iam::${account.id}:policy/mine`);
    await attachPolicy(tx, user.id, `arn:aws:iam::${account.id}:policy/mine`);
    await putInlinePolicy(tx, group.id, "inline", '{"i":1}');
    await putEntityTags(tx, user.id, [{ Key: "Team", Value: "x" }]);
    await putEntityTags(tx, user.id, [{ Key: "team", Value: "y" }]);
    return { user, policy, key: await insertUserKey(tx, ids, user) };
  });
  const { principal } = keys(key.access_key_id)!;
  assert.deepEqual(principal.tags, { team: "y" });
  const texts = () => policies.grantsOf(principal).identity.map(({ text }) => text);
  assert.deepEqual(texts(), ['{"v":1}', '{"i":1}']);
  await store.transaction((tx) => addVersion(tx, { ...policy, last_version: 1 }, '{"v":2}', false));
  assert.deepEqual(texts(), ['{"v":1}', '{"i":1}']);
  await store.transaction((tx) => addVersion(tx, { ...policy, last_version: 2 }, '{"v":3}', true));
  assert.deepEqual(texts(), ['{"v":3}', '{"i":1}']);
  await store.transaction((tx) => updateEntity(tx, user.id, { boundary_arn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" }));
  assert.match(policies.grantsOf(principal).boundary?.text ?? "", /s3:Get\*/);
  await close();
});

test("a session is its role's, with its own tags and policies, and may do nothing when the role is gone", async () => {
  const { store, account, keys, policies, close } = await open();
  const role = (await findEntity(store.db, account.id, "role", "EMR_EC2_DefaultRole"))!;
  const key = await store.transaction(async (tx) => {
    await putEntityTags(tx, role.id, [
      { Key: "of", Value: "role" },
      { Key: "both", Value: "role" },
    ]);
    const session = {
      ...plainSession("s", role, tx.now),
      policies: ["{}"],
      policyArns: ["arn:aws:iam::1:policy/gone"],
      tags: { both: "session" },
    };
    return insertSession(tx, ids, { accountId: account.id, ownerId: role.id, session, expiresAt: tx.now + 1000 });
  });
  const found = keys(key.access_key_id)!;
  assert.equal(found.sessionToken, key.session_token);
  assert.equal(found.expiresAt, key.expires_at);
  const { principal } = found;
  assert.equal(principal.arn, `arn:aws:sts::${account.id}:assumed-role/EMR_EC2_DefaultRole/s`);
  assert.equal(principal.id, `${role.id}:s`);
  assert.deepEqual(principal.role, { arn: `arn:aws:iam::${account.id}:role/EMR_EC2_DefaultRole`, name: role.name, id: role.id });
  assert.deepEqual(principal.tags, { of: "role", both: "session" });
  assert.deepEqual(principal.sessionPolicies, ["{}", '{"Version":"2012-10-17","Statement":[]}']);
  assert.equal(policies.grantsOf(principal).identity.length, 1);
  await store.transaction(async (tx) => {
    await detachPolicy(tx, role.id, "arn:aws:iam::aws:policy/service-role/AmazonElasticMapReduceforEC2Role");
    const profile = (await findEntity(tx.db, account.id, "instance-profile", role.name))!;
    await updateEntity(tx, profile.id, { role_id: null });
    await deleteEntity(tx, role.id);
  });
  const after = keys(key.access_key_id)!.principal;
  assert.equal(after.arn, principal.arn);
  assert.deepEqual(policies.grantsOf(after).identity, []);
  await close();
});

test("a data folder of before there was IAM: its key is the user admin's, its nodes' keys are sessions of the default role", async () => {
  const path = join(folder, "old.db");
  const old = new DatabaseSync(path);
  const isOf = (text: string) => text.includes("CREATE TABLE iam_entities");
  const version = migrations.findIndex(isOf);
  old.exec(`${migrations.slice(0, version).join(";")}; PRAGMA user_version=${version};`);
  const insert = old.prepare("INSERT INTO access_keys VALUES (?, 'secret', ?, '123456789012', ?, ?, 7, ?)");
  insert.run("AKIAOLD", null, "arn:aws:iam::123456789012:user/admin", null, null);
  insert.run("ASIAOLD", "token", "arn:aws:sts::123456789012:assumed-role/Some/j-1", "j-1", null);
  insert.run("ASIAENDED", "token", "arn:aws:sts::123456789012:assumed-role/Some/j-2", "j-2", 9);
  old.close();
  const store = await openStore(path);
  await store.transaction((tx) => ensureAccounts(tx, ids));
  const keys = openKeyLookup(path);
  const policies = openPolicySource(path);
  assert.deepEqual(
    (await listAccounts(store.db)).map(({ id, name }) => [id, name]),
    [["123456789012", "default"]],
  );
  assert.equal((await adminKey(store.db, "123456789012"))?.access_key_id, "AKIAOLD");
  const admin = keys("AKIAOLD")!.principal;
  assert.equal(admin.arn, "arn:aws:iam::123456789012:user/admin");
  assert.equal(policies.grantsOf(admin).identity[0]?.name, "arn:aws:iam::aws:policy/AdministratorAccess");
  const user = (await findEntity(store.db, "123456789012", "user", "admin"))!;
  assert.equal((await keysOfUser(store.db, user.id)).length, 1);
  const node = keys("ASIAOLD")!;
  assert.ok(node.expiresAt! > Date.now());
  assert.equal(node.principal.clusterId, "j-1");
  assert.match(policies.grantsOf(node.principal).identity[0]?.text ?? "", /"s3:\*"/);
  assert.equal(keys("ASIAENDED"), undefined);
  keys.close();
  policies.close();
  await store.close();
});
