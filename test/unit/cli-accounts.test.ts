import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { accounts, chooseAccount } from "../../src/cli/accounts.ts";
import { openKeyLookup } from "../../src/access/keys.ts";
import { adminKey, ensureAccounts, listAccounts } from "../../src/store/accounts.ts";
import { makeIds } from "../../src/store/ids.ts";
import { openStore } from "../../src/store/store.ts";

const data = mkdtempSync(join(tmpdir(), "howdah-cli-accounts-"));
after(() => rmSync(data, { recursive: true }));

/** What the command prints. */
async function said(t: TestContext, action: "list" | "create", name: string | undefined, options: { json?: boolean }) {
  const log = t.mock.method(console, "log", () => {});
  await accounts(action, name, { ...options, data });
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
