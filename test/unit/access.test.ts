import assert from "node:assert/strict";
import { test } from "node:test";
import { authorise } from "../../src/access/authorise.ts";
import { emrService } from "../../src/aws/services/emr.ts";
import { stsService } from "../../src/aws/services/sts.ts";
import { adminKey, nodeKey } from "./keys.ts";

const { principal: admin } = adminKey;

test("an account's key may do everything, a cluster's may only look", () => {
  const allowed = (signingName: string, name: string) => {
    authorise(admin, signingName, name);
    try {
      authorise(nodeKey.principal, signingName, name);
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
