/** The policies of docs/iam.md are policies, and do what it says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkBucketPolicy, checkIdentityPolicy } from "../../src/access/policy/checks.ts";
import { type ContextValue, contextOf } from "../../src/access/policy/context.ts";
import { decide } from "../../src/access/policy/decide.ts";
import { adminKey } from "./keys.ts";

const guide = readFileSync(new URL("../../docs/iam.md", import.meta.url), "utf8");
const [byTag, byPrefix, ofBucket, ...more] = [...guide.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => text!.trim());
const account = adminKey.principal.accountId;

function may(text: string, action: string, resource: string, keys: Record<string, ContextValue>): boolean {
  const ask = { action, resource, context: contextOf(Object.entries(keys)) };
  return decide(adminKey.principal, { identity: [{ name: "guide", text }], boundary: undefined, session: [] }, ask).allowed;
}

test("clusters by tag", () => {
  checkIdentityPolicy(byTag!);
  const cluster = (id: string) => `arn:aws:elasticmapreduce:us-east-1:${account}:cluster/${id}`;
  const [dev, prod] = ["dev", "prod"].map((value) => ({ "elasticmapreduce:ResourceTag/department": value }));
  const asked = { "elasticmapreduce:RequestTag/department": "dev", "aws:TagKeys": ["department"] };
  assert.ok(may(byTag!, "elasticmapreduce:TerminateJobFlows", cluster("j-1"), dev!));
  assert.ok(!may(byTag!, "elasticmapreduce:TerminateJobFlows", cluster("j-1"), prod!));
  for (const action of ["elasticmapreduce:RunJobFlow", "elasticmapreduce:AddTags"]) {
    assert.ok(may(byTag!, action, cluster("*"), asked), action);
    assert.ok(!may(byTag!, action, cluster("*"), {}), action);
  }
  assert.ok(may(byTag!, "iam:PassRole", `arn:aws:iam::${account}:role/r`, asked));
  // Nobody gives himself a cluster by its tag.
  assert.ok(!may(byTag!, "elasticmapreduce:AddTags", cluster("j-1"), { ...prod, ...asked }));
});

test("a prefix of a bucket", () => {
  checkIdentityPolicy(byPrefix!);
  const name = { "aws:username": "ann" };
  assert.ok(may(byPrefix!, "s3:GetObject", "arn:aws:s3:::data/home/ann/x", name));
  assert.ok(!may(byPrefix!, "s3:GetObject", "arn:aws:s3:::data/home/bob/x", name));
  assert.ok(may(byPrefix!, "s3:ListBucket", "arn:aws:s3:::data", { ...name, "s3:prefix": "home/ann/" }));
  assert.ok(!may(byPrefix!, "s3:ListBucket", "arn:aws:s3:::data", { ...name, "s3:prefix": "home/" }));
});

test("a bucket's policy", () => {
  checkBucketPolicy(ofBucket!, "data");
  const nothing = { identity: [], boundary: undefined, session: [] };
  const read = (key: string, sourceIp: string) =>
    decide(
      undefined,
      nothing,
      { action: "s3:GetObject", resource: `arn:aws:s3:::data/${key}`, context: contextOf([["aws:SourceIp", sourceIp]]) },
      { text: ofBucket, accountId: account },
    ).allowed;
  assert.ok(read("public/x", "127.0.0.1"));
  assert.ok(!read("public/x", "203.0.113.1"));
  assert.ok(!read("x", "127.0.0.1"));
  assert.deepEqual(more, [], "a policy in the guide that nothing tries");
});
