import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { checkBucketPolicy, checkIdentityPolicy, checkTrustPolicy } from "../../src/access/policy/checks.ts";
import { policyOf, readPolicy } from "../../src/access/policy/document.ts";
import { iamMessage, PolicyError, s3Message } from "../../src/access/policy/policy-error.ts";

const allow = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" };
const of = (Statement: unknown, more: object = {}) => JSON.stringify({ Version: "2012-10-17", Statement, ...more });

function refused(check: () => unknown, problem: string): PolicyError {
  try {
    check();
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error));
    assert.equal(error.problem, problem);
    return error;
  }
  return assert.fail(`${problem} was not refused`);
}

describe("policy documents", () => {
  test("what IAM's grammar does not have is refused, with IAM's words where they are known", () => {
    const cases: [string, unknown, string?][] = [
      ["json", "{"],
      ["json", "[]"],
      ["json", '"x"'],
      ["field", of(allow, { Nonsense: 1 })],
      ["field", of({ ...allow, Efect: "Deny" })],
      ["field", '{"Version":"2012-10-17","Statement":[],"Statement":[]}'],
      ["field", of([allow]).replace('"Effect":"Allow"', '"Effect":"Deny","\\u0045ffect":"Allow"')],
      ["version", JSON.stringify({ Version: "2022-01-01", Statement: [allow] })],
      ["old-version", JSON.stringify({ Statement: [allow] }), "Policy document must be version 2012-10-17 or greater."],
      ["syntax", JSON.stringify({ Version: "2012-10-17" })],
      ["syntax", of([])],
      ["syntax", of("x")],
      ["syntax", of({ ...allow, NotAction: "s3:*" })],
      ["effect", of({ ...allow, Effect: "allow" })],
      ["effect", of({ ...allow, Effect: undefined })],
      ["principal-forbidden", of({ ...allow, Principal: "*" }), "Policy document should not specify a principal."],
      ["action-missing", of({ ...allow, Action: undefined }), "Policy statement must contain actions."],
      ["action-missing", of({ ...allow, Action: [] })],
      ["action", of({ ...allow, Action: "GetObject" }), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."],
      ["action", of({ ...allow, Action: "s3:Get:Object" }), "Actions/Condition can contain only one colon."],
      ["action", of({ ...allow, Action: "s*:GetObject" })],
      ["action", of({ ...allow, Action: [5] })],
      ["resource-missing", of({ ...allow, Resource: undefined }), "Policy statement must contain resources."],
      ["resource", of({ ...allow, Resource: "bucket" }), 'Resource bucket must be in ARN format or "*".'],
      ["resource", of({ ...allow, Resource: { a: 1 } })],
      ["syntax", of({ ...allow, Condition: [] })],
      ["syntax", of({ ...allow, Condition: { StringEquals: "x" } })],
      ["condition-operator", of({ ...allow, Condition: { StringIs: { "aws:x": "y" } } })],
      ["condition-operator", of({ ...allow, Condition: { NullIfExists: { "aws:x": "true" } } })],
      ["condition-operator", of({ ...allow, Condition: { "ForSome:StringLike": { "aws:x": "true" } } })],
      ["condition-key", of({ ...allow, Condition: { StringEquals: { username: "y" } } })],
      ["condition-value", of({ ...allow, Condition: { StringEquals: { "aws:x": { y: 1 } } } })],
      ["condition-value", of({ ...allow, Condition: { NumericEquals: { "aws:x": "many" } } })],
      ["condition-value", of({ ...allow, Condition: { DateEquals: { "aws:x": "yesterday" } } })],
      ["condition-value", of({ ...allow, Condition: { IpAddress: { "aws:x": ["10.0.0.0/8", "10.0.0.0/33"] } } })],
      ["condition-value", of({ ...allow, Condition: { Null: { "aws:x": "maybe" } } })],
      ["sid", of({ ...allow, Sid: "a b" })],
      [
        "same-sid",
        of([
          { ...allow, Sid: "a" },
          { ...allow, Sid: "a" },
        ]),
        "Statement IDs (SID) in a single policy must be unique.",
      ],
    ];
    for (const [problem, text, message] of cases) {
      const error = refused(() => checkIdentityPolicy(text as string), problem);
      if (message) assert.equal(iamMessage(error.problem, error.detail), message);
    }
  });

  test("what it has is read", () => {
    checkIdentityPolicy(of(allow));
    checkIdentityPolicy(
      of(
        [
          { ...allow, Sid: "" },
          { ...allow, Sid: "" },
        ],
        { Id: "x" },
      ),
    );
    checkIdentityPolicy(of({ Effect: "Deny", NotAction: ["*", "s3:*", "*:*"], NotResource: ["*", "arn:aws:s3:::b", "arn:aws:sqs"] }));
    const Condition = {
      "ForAllValues:StringLikeIfExists": { "aws:TagKeys": ["a", 1, true] },
      numericlessthan: { "s3:max-keys": 10 },
      DateGreaterThan: { "aws:CurrentTime": ["2020-01-01", "2020-04-01T00:00:00Z", "1585699200", "2020"] },
      NotIpAddress: { "aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64", "10.0.0.1"] },
      Null: { "aws:TokenIssueTime": true },
      Bool: { "aws:SecureTransport": false },
    };
    checkIdentityPolicy(of({ ...allow, Condition }));
    assert.equal(policyOf(of(allow)), policyOf(of(allow)));
  });

  test("a trust policy names who may assume its role, and nothing else", () => {
    const trust = { Effect: "Allow", Principal: { Service: "elasticmapreduce.amazonaws.com" }, Action: "sts:AssumeRole" };
    checkTrustPolicy(JSON.stringify({ Version: "2008-10-17", Statement: [{ Sid: "", ...trust }] }));
    refused(() => checkTrustPolicy(of({ ...trust, Resource: "*" })), "resource-forbidden");
    refused(() => checkTrustPolicy(of({ ...trust, Principal: undefined })), "principal-missing");
    refused(() => checkTrustPolicy(of({ ...trust, Action: "s3:GetObject" })), "trust-action");
    const names = ["123456789012", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/a/b", "AIDAABCDEFGHIJKLMNOP", "*"];
    checkTrustPolicy(of({ ...trust, Principal: { AWS: names } }));
    for (const AWS of ["arn:aws:iam::123456789012:user/*", "arn:aws:s3:::b", "ann", "1234", 5, {}])
      refused(() => checkTrustPolicy(of({ ...trust, Principal: { AWS } })), "principal");
    refused(() => checkTrustPolicy(of({ ...trust, Principal: { Nobody: "x" } })), "principal");
    refused(() => checkTrustPolicy(of({ ...trust, Principal: "x" })), "principal");
  });

  test("a bucket's policy is about its bucket", () => {
    const open = { ...allow, Principal: "*" };
    checkBucketPolicy(of([open, { ...open, Resource: ["arn:aws:s3:::b", "arn:aws:s3:::b*", "arn:aws:s3:::b/x/*"] }]), "b");
    for (const Resource of ["*", "arn:aws:s3:::other/*", "arn:aws:s3:::bb", "arn:aws:s3:::*"]) {
      const error = refused(() => checkBucketPolicy(of({ ...open, Resource }), "b"), "resource");
      assert.equal(s3Message(error.problem, error.detail), "Policy has invalid resource");
    }
    refused(() => checkBucketPolicy(of({ ...open, Action: "iam:GetUser" }), "b"), "action");
    const error = refused(() => checkBucketPolicy(of(allow), "b"), "principal-missing");
    assert.equal(s3Message(error.problem, error.detail), "Missing required field Principal");
    refused(() => checkBucketPolicy(` ${of(open)}`, "b"), "json");
  });

  test("hostile documents are refused or read, and nothing else", () => {
    const deep = `${'{"Statement":'.repeat(9000)}1${"}".repeat(9000)}`;
    refused(() => readPolicy(deep), "field");
    refused(() => readPolicy("[".repeat(100_000)), "json");
    refused(() => readPolicy(of(allow) + " ".repeat(200_000)), "syntax");
    readPolicy(of({ ...allow, Resource: `arn:aws:s3:::${"*?".repeat(30_000)}` }));
    fc.assert(
      fc.property(fc.json(), (text) => {
        for (const check of [checkIdentityPolicy, checkTrustPolicy]) refusedOrRead(() => check(text));
        refusedOrRead(() => checkBucketPolicy(text, "b"));
      }),
    );
    // Statements of anything at all, under the names that matter.
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom("*", "Allow", "s3:*", "arn:aws:s3:::${aws:username}"));
    const statement = fc.dictionary(
      fc.constantFrom("Effect", "Action", "Resource", "Condition", "Principal", "Sid", "NotAction", "__proto__"),
      value,
    );
    fc.assert(fc.property(statement, (made) => refusedOrRead(() => readPolicy(of(made)))));
  });
});

function refusedOrRead(check: () => unknown): void {
  try {
    check();
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error));
  }
}
