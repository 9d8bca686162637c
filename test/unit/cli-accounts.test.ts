import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { accounts, chooseAccount } from "../../src/cli/accounts.ts";
import { env } from "../../src/cli/env.ts";
import { s3Access } from "../../src/cli/history.ts";
import { dataFolder } from "../../src/data-folder.ts";
import { identify } from "../../src/process/known.ts";
import { recordPath } from "../../src/running.ts";
import { openKeyLookup } from "../../src/access/keys.ts";
import { adminKey, ensureAccounts, listAccounts } from "../../src/store/accounts.ts";
import { makeIds } from "../../src/store/ids.ts";
import { openStore } from "../../src/store/store.ts";

const data = mkdtempSync(join(tmpdir(), "howdah-cli-accounts-"));
after(() => rmSync(data, { recursive: true }));

/** What the command prints. */
async function said(t: TestContext, action: "list" | "create", name: string | undefined, options: { json?: boolean }) {
  return printed(t, () => accounts(action, name, { ...options, data }));
}

async function printed(t: TestContext, work: () => Promise<void>): Promise<string> {
  const log = t.mock.method(console, "log", () => {});
  await work();
  const lines = log.mock.calls.map(({ arguments: [line] }) => String(line));
  log.mock.restore();
  return lines.join("\n");
}

test("accounts are listed and created, each with an admin of its own", async (t) => {
  await assert.rejects(accounts("list", undefined, { data: join(data, "none") }), /never run.*howdah up/);
  const path = join(data, "howdah.db");
  const store = await openStore(path);
  await store.transaction((tx) => ensureAccounts(tx, makeIds()));
  const created = JSON.parse(await said(t, "create", "analytics", { json: true }));
  assert.match(created.id, /^\d{12}$/);
  assert.equal(created.name, "analytics");
  const list = JSON.parse(await said(t, "list", undefined, { json: true }));
  assert.deepEqual(
    list.map(({ name, clusters }: { name: string; clusters: number }) => [name, clusters]),
    [
      ["default", 0],
      ["analytics", 0],
    ],
  );
  assert.match(await said(t, "list", undefined, {}), new RegExp(`${created.id}  analytics  0 living clusters`));
  await assert.rejects(accounts("create", "analytics", { data }), /is there already/);
  await assert.rejects(accounts("create", undefined, { data }), /needs a name/);
  await assert.rejects(accounts("create", "a b", { data }), /letters, digits/);

  const keys = openKeyLookup(path);
  const [first, second] = await listAccounts(store.db);
  for (const account of [first!, second!]) {
    const key = (await adminKey(store.db, account.id))!;
    assert.equal(keys(key.access_key_id)?.principal.arn, `arn:aws:iam::${account.id}:user/admin`);
  }
  assert.equal((await chooseAccount(store.db, undefined)).id, first!.id);
  assert.equal((await chooseAccount(store.db, "analytics")).id, second!.id);
  await assert.rejects(chooseAccount(store.db, "nobody"), /no account nobody/);
  keys.close();
  await store.close();
});

test("howdah env --account is that account's admin, its --root that account's root; what reads a cluster's history is its own account", async (t) => {
  const folder = dataFolder(data);
  const name = "apart";
  await said(t, "create", name, {});
  const who = { account: name };
  await assert.rejects(env({ data, ...who }), /no control plane runs.*howdah up/);
  await assert.rejects(s3Access(folder, name, "s3://logs/x"), /event logs are in s3:\/\/logs\/x, so Howdah must be up/);
  mkdirSync(folder.run, { recursive: true });
  const running = { ...identify(process.pid)!, endpoint: "http://127.0.0.1:1", region: "eu-west-1" };
  writeFileSync(recordPath(folder), JSON.stringify(running));

  const keys = openKeyLookup(folder.database);
  const arnOf = (variables: Record<string, string>) => keys(variables.AWS_ACCESS_KEY_ID!)?.principal.arn;
  const store = await openStore(folder.database);
  const [first, ...others] = await listAccounts(store.db);
  const apart = others.find((one) => one.name === name)!;
  await store.close();
  const asJson = async (options: object) => JSON.parse(await printed(t, () => env({ data, json: true, ...options })));
  assert.equal(arnOf(await asJson({})), `arn:aws:iam::${first!.id}:user/admin`);
  for (const account of [name, apart.id]) {
    const variables = await asJson({ account });
    assert.equal(arnOf(variables), `arn:aws:iam::${apart.id}:user/admin`);
    assert.deepEqual(
      [variables.AWS_ENDPOINT_URL, variables.AWS_REGION, "AWS_SESSION_TOKEN" in variables],
      [running.endpoint, running.region, false],
    );
  }
  const root = await asJson({ account: name, root: true });
  assert.equal(arnOf(root), `arn:aws:iam::${apart.id}:root`);
  assert.ok(root.AWS_SESSION_TOKEN);
  const shell = await printed(t, () => env({ data, ...who }));
  assert.match(shell, /^export AWS_ENDPOINT_URL='http:\/\/127\.0\.0\.1:1'$/m);
  assert.match(shell, /^unset AWS_SESSION_TOKEN AWS_PROFILE$/m);
  await assert.rejects(env({ data, account: "nobody" }), /no account nobody/);

  const access = await s3Access(folder, apart.id, "s3://logs/x");
  assert.equal(arnOf(access.env), `arn:aws:iam::${apart.id}:user/admin`);
  assert.deepEqual([access.endpoint, access.region], [running.endpoint, running.region]);
  keys.close();
});
