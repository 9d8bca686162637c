import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { authorise } from "../../src/access/authorise.ts";
import { type AccessKey, openKeyLookup } from "../../src/access/keys.ts";
import { emrService } from "../../src/aws/services/emr.ts";
import { stsService } from "../../src/aws/services/sts.ts";

const admin: AccessKey = {
  accessKeyId: "A",
  secretAccessKey: "s",
  sessionToken: null,
  accountId: "1",
  principalArn: "arn:x",
  clusterId: null,
};

test("an account's key may do everything, a cluster's may only look", () => {
  const node = { ...admin, clusterId: "j-1" };
  const allowed = (signingName: string, name: string) => {
    authorise(admin, signingName, name);
    try {
      authorise(node, signingName, name);
      return true;
    } catch (error) {
      assert.equal((error as { code: string }).code, "AccessDeniedException");
      return false;
    }
  };
  const emr = [...emrService.operations.keys()].filter((name) => allowed("elasticmapreduce", name));
  assert.ok(emr.includes("DescribeCluster") && emr.includes("ListSteps"));
  for (const name of emr) assert.match(name, /^(Describe|List|Get)/);
  for (const name of ["GetClusterSessionCredentials", "GetPersistentAppUIPresignedURL", "GetOnClusterAppUIPresignedURL"])
    assert.ok(!emr.includes(name), name);
  assert.deepEqual(
    [...stsService.operations.keys()].filter((name) => allowed("sts", name)),
    ["GetCallerIdentity"],
  );
});

test("keys are known from the commit that makes them to the one that disables them", () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-keys-"));
  try {
    const path = join(folder, "howdah.db");
    assert.throws(() => openKeyLookup(path));
    const writer = new DatabaseSync(path);
    writer.exec(`PRAGMA journal_mode = WAL; CREATE TABLE access_keys (access_key_id TEXT PRIMARY KEY, secret_access_key TEXT,
      session_token TEXT, account_id TEXT, principal_arn TEXT, cluster_id TEXT, created_at INTEGER, disabled_at INTEGER)`);
    const keys = openKeyLookup(path);
    assert.equal(keys("A"), undefined);
    writer.exec("INSERT INTO access_keys VALUES ('A', 's', NULL, '1', 'arn:x', NULL, 0, NULL)");
    assert.deepEqual(keys("A"), admin);
    writer.exec("UPDATE access_keys SET disabled_at = 1");
    assert.equal(keys("A"), undefined);
    keys.close();
    writer.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
