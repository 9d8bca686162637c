/**
 * What AWS's guides say of their own examples: IAM User Guide ("Condition operators", "Set operators", "Policy variables", "Policy evaluation
 * logic", "Example policies") and EMR Management Guide ("IAM policies for tag-based access to clusters"). Policies are told in our words.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ContextValue, contextOf } from "../../src/access/policy/context.ts";
import { decide, type ResourcePolicy } from "../../src/access/policy/decide.ts";
import type { Principal } from "../../src/access/principal.ts";

type Keys = Record<string, ContextValue>;
type Expected = "allow" | "deny" | "none";

const account = "111122223333";
const user = (name: string): Principal => ({
  type: "IAMUser",
  arn: `arn:aws:iam::${account}:user/${name}`,
  accountId: account,
  id: `AIDA${name.toUpperCase()}`,
  userName: name,
  tags: {},
  sessionPolicies: [],
  clusterId: null,
});

function outcome(
  statements: object[],
  action: string,
  resource: string,
  keys: Keys,
  of?: ResourcePolicy,
  version = "2012-10-17",
): Expected {
  const text = JSON.stringify({ Version: version, Statement: statements });
  const ask = { action, resource, context: contextOf(Object.entries(keys)) };
  const decision = decide(user("ann"), { identity: [{ name: "p", text }], boundary: undefined, session: [] }, ask, of);
  return decision.allowed ? "allow" : decision.explicit ? "deny" : "none";
}

/** Does a condition block hold, whatever the statement around it is? */
function holds(Condition: object, keys: Keys): boolean {
  return outcome([{ Effect: "Allow", Action: "*", Resource: "*", Condition }], "s3:GetObject", "*", keys) === "allow";
}

describe("condition operators", () => {
  const cases: [string, object, Keys, boolean][] = [
    [
      "string: equal",
      { StringEquals: { "aws:PrincipalTag/job-category": "iamuser-admin" } },
      { "aws:PrincipalTag/job-category": "iamuser-admin" },
      true,
    ],
    [
      "string: case matters",
      { StringEquals: { "aws:PrincipalTag/job-category": "iamuser-admin" } },
      { "aws:PrincipalTag/job-category": "IAMUser-admin" },
      false,
    ],
    ["string: a missing key is not equal", { StringEquals: { "aws:PrincipalTag/job-category": "iamuser-admin" } }, {}, false],
    ["string: a missing key is not equal, so it is unequal", { StringNotEquals: { "aws:PrincipalTag/x": "y" } }, {}, true],
    ["string: one of many values is enough", { StringEquals: { "a:k": ["x", "y"] } }, { "a:k": "y" }, true],
    ["string: none of many values for the negated", { StringNotEquals: { "a:k": ["x", "y"] } }, { "a:k": "y" }, false],
    ["string: none of many, and another one", { StringNotEquals: { "a:k": ["x", "y"] } }, { "a:k": "z" }, true],
    ["string: a star is a star", { StringEquals: { "a:k": "x*" } }, { "a:k": "xyz" }, false],
    ["string: case is ignored", { StringEqualsIgnoreCase: { "a:k": "JohnDoe" } }, { "a:k": "johndoe" }, true],
    ["string: case is ignored, negated", { StringNotEqualsIgnoreCase: { "a:k": "JohnDoe" } }, { "a:k": "johndoe" }, false],
    ["string: like", { StringLike: { "s3:prefix": ["", "home/", "home/ann/*"] } }, { "s3:prefix": "home/ann/x" }, true],
    ["string: an empty one", { StringLike: { "s3:prefix": ["", "home/"] } }, { "s3:prefix": "" }, true],
    ["string: not like", { StringNotLike: { "s3:prefix": "home/*" } }, { "s3:prefix": "home/ann" }, false],
    ["keys are the same in any case", { StringEquals: { "AWS:USERNAME": "ann" } }, { "aws:username": "ann" }, true],
    [
      "tags: as it is written first",
      { StringEquals: { "aws:ResourceTag/Team": "a" } },
      { "aws:ResourceTag/team": "b", "aws:ResourceTag/Team": "a" },
      true,
    ],
    ["all keys of an operator", { StringEquals: { "a:k": "x", "a:l": "y" } }, { "a:k": "x", "a:l": "z" }, false],
    ["all operators", { StringEquals: { "a:k": "x" }, Bool: { "a:b": "true" } }, { "a:k": "x", "a:b": "true" }, true],
    ["numeric: at most 10", { NumericLessThanEquals: { "s3:max-keys": "10" } }, { "s3:max-keys": "10" }, true],
    ["numeric: more", { NumericLessThanEquals: { "s3:max-keys": "10" } }, { "s3:max-keys": "11" }, false],
    ["numeric: as numbers, not as texts", { NumericGreaterThan: { "s3:max-keys": 9 } }, { "s3:max-keys": "10" }, true],
    ["numeric: what is no number is like none", { NumericEquals: { "a:k": "1" } }, { "a:k": "one" }, false],
    ["numeric: unequal", { NumericNotEquals: { "a:k": [1, 2] } }, { "a:k": "3" }, true],
    [
      "date: later",
      { DateGreaterThan: { "aws:TokenIssueTime": "2020-01-01T00:00:01Z" } },
      { "aws:TokenIssueTime": "2020-01-01T00:00:02Z" },
      true,
    ],
    [
      "date: a key that long-term credentials do not have",
      { DateGreaterThan: { "aws:TokenIssueTime": "2020-01-01T00:00:01Z" } },
      {},
      false,
    ],
    ["date: of a day", { DateLessThan: { "aws:CurrentTime": "2020-07-01" } }, { "aws:CurrentTime": "2020-06-30T23:59:59Z" }, true],
    [
      "date: of another zone",
      { DateEquals: { "aws:CurrentTime": "2020-07-01T02:00:00+02:00" } },
      { "aws:CurrentTime": "2020-07-01T00:00:00Z" },
      true,
    ],
    ["date: in seconds since 1970", { DateLessThan: { "aws:EpochTime": "1585699200" } }, { "aws:EpochTime": "1585699199" }, true],
    ["bool: TLS", { Bool: { "aws:SecureTransport": "false" } }, { "aws:SecureTransport": "false" }, true],
    ["bool: a missing key is neither", { Bool: { "aws:MultiFactorAuthPresent": "false" } }, {}, false],
    ["bool, if it exists", { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } }, {}, true],
    ["binary", { BinaryEquals: { "a:k": "QmluYXJ5VmFsdWVJbkJhc2U2NA==" } }, { "a:k": "QmluYXJ5VmFsdWVJbkJhc2U2NA==" }, true],
    ["ip: in the range", { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } }, { "aws:SourceIp": "203.0.113.255" }, true],
    ["ip: outside", { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } }, { "aws:SourceIp": "203.0.114.1" }, false],
    [
      "ip: v6",
      { IpAddress: { "aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"] } },
      { "aws:SourceIp": "2001:db8:1234:5678::1" },
      true,
    ],
    [
      "ip: v6 outside",
      { IpAddress: { "aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"] } },
      { "aws:SourceIp": "2001:db8:1234:5679::1" },
      false,
    ],
    ["ip: one address", { IpAddress: { "aws:SourceIp": "203.0.113.7" } }, { "aws:SourceIp": "203.0.113.8" }, false],
    ["ip: the range of an address in it", { IpAddress: { "aws:SourceIp": "203.0.113.77/24" } }, { "aws:SourceIp": "203.0.113.8" }, true],
    ["ip: all of v4 is not v6", { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } }, { "aws:SourceIp": "::1" }, false],
    ["ip: not", { NotIpAddress: { "aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"] } }, { "aws:SourceIp": "203.0.113.1" }, false],
    ["ip: not, and none", { NotIpAddress: { "aws:SourceIp": "192.0.2.0/24" } }, {}, true],
    [
      "arn: each field by itself",
      { ArnEquals: { "aws:SourceArn": "arn:aws:sns:*:123456789012:t*" } },
      { "aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:topic" },
      true,
    ],
    [
      "arn: a star is within a field",
      { ArnLike: { "aws:SourceArn": "arn:aws:sns:*:topic" } },
      { "aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:topic" },
      false,
    ],
    [
      "arn: colons of the last field",
      { ArnLike: { "a:k": "arn:aws:logs:us-east-1:1:group:*:x" } },
      { "a:k": "arn:aws:logs:us-east-1:1:group:a:b:x" },
      true,
    ],
    [
      "arn: not",
      { ArnNotEquals: { "aws:PrincipalArn": `arn:aws:iam::${account}:role/admin` } },
      { "aws:PrincipalArn": `arn:aws:iam::${account}:role/other` },
      true,
    ],
    ["arn: what is no ARN is like none", { ArnLike: { "a:k": "*" } }, { "a:k": "topic" }, false],
    ["if exists: it does not", { StringLikeIfExists: { "ec2:InstanceType": ["t1.*", "m3.*"] } }, {}, true],
    [
      "if exists: it does, and is another",
      { StringLikeIfExists: { "ec2:InstanceType": ["t1.*", "m3.*"] } },
      { "ec2:InstanceType": "m5.large" },
      false,
    ],
    ["null: must not be there", { Null: { "aws:TokenIssueTime": "true" } }, {}, true],
    ["null: must be there", { Null: { "aws:TokenIssueTime": "false" } }, {}, false],
    ["null: is there", { Null: { "aws:TokenIssueTime": "false" } }, { "aws:TokenIssueTime": "2020-01-01T00:00:00Z" }, true],
    ["null: an empty list is nothing", { Null: { "aws:TagKeys": "false" } }, { "aws:TagKeys": [] }, false],
  ];
  for (const [name, condition, keys, expected] of cases) test(name, () => assert.equal(holds(condition, keys), expected));
});

describe("set operators", () => {
  // The guide's table for ForAllValues, in a Deny with the negated operator and in an Allow with the plain one.
  const attributes = ["PostDateTime", "Message", "Tags"];
  const cases: [string, object, ContextValue | undefined, boolean][] = [
    ["all: all of them are in the list", { "ForAllValues:StringLike": { "d:a": attributes } }, ["PostDateTime", "Tags"], true],
    ["all: one is not", { "ForAllValues:StringLike": { "d:a": attributes } }, ["PostDateTime", "UserName"], false],
    ["all: no key at all", { "ForAllValues:StringLike": { "d:a": attributes } }, undefined, true],
    ["all: an empty list", { "ForAllValues:StringLike": { "d:a": attributes } }, [], true],
    ["all: an empty text", { "ForAllValues:StringLike": { "d:a": attributes } }, "", true],
    [
      "all: no key, though it must be there",
      { "ForAllValues:StringLike": { "d:a": attributes }, Null: { "d:a": "false" } },
      undefined,
      false,
    ],
    ["all, negated: key1 alone", { "ForAllValues:StringNotLike": { "d:a": "key1*" } }, ["key1:legal"], false],
    ["all, negated: one of two", { "ForAllValues:StringNotLike": { "d:a": "key1*" } }, ["key1:hr", "key2:hr"], false],
    ["all, negated: none", { "ForAllValues:StringNotLike": { "d:a": "key1*" } }, ["key2:audit"], true],
    ["all, negated: no key", { "ForAllValues:StringNotLike": { "d:a": "key1*" } }, undefined, true],
    [
      "any: one is in the list",
      { "ForAnyValue:StringLike": { "d:a": ["ID", "PostDateTime"] } },
      ["UserName", "Message", "PostDateTime"],
      true,
    ],
    ["any: none is", { "ForAnyValue:StringLike": { "d:a": ["ID", "PostDateTime"] } }, ["UserName"], false],
    ["any: no key at all", { "ForAnyValue:StringEquals": { "d:a": ["webserver"] } }, undefined, false],
    ["any: an empty text", { "ForAnyValue:StringEquals": { "d:a": ["", "webserver"] } }, "", false],
    ["any, negated: one is another", { "ForAnyValue:StringNotEquals": { "d:a": ["webserver"] } }, ["webserver", "environment"], true],
    ["any, negated: no other", { "ForAnyValue:StringNotEquals": { "d:a": ["webserver"] } }, ["webserver"], false],
    ["any, negated: no key", { "ForAnyValue:StringNotEquals": { "d:a": ["webserver"] } }, undefined, false],
    ["any, if it exists", { "ForAnyValue:StringEqualsIfExists": { "d:a": ["webserver"] } }, undefined, true],
    ["a single value is a set of one", { "ForAllValues:StringEquals": { "d:a": "x" } }, "x", true],
  ];
  for (const [name, condition, value, expected] of cases)
    test(name, () => assert.equal(holds(condition, value === undefined ? {} : { "d:a": value }), expected));
});

describe("policy variables", () => {
  const home = (name: string) => ({ "aws:username": name });
  const own = [
    {
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: "arn:aws:s3:::mybucket",
      Condition: { StringLike: { "s3:prefix": ["${aws:username}/*"] } },
    },
    { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::mybucket/${aws:username}/*" },
  ];
  const team = [
    { Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::b/*" },
    {
      Effect: "Deny",
      Action: "s3:*",
      Resource: "*",
      Condition: { StringNotEquals: { "s3:ExistingObjectTag/Team": "${aws:PrincipalTag/Team}" } },
    },
  ];
  const outside = [
    { Effect: "Allow", Action: "s3:*", Resource: "*" },
    { Effect: "Deny", Action: "s3:*", NotResource: "arn:aws:s3:::b/${aws:PrincipalTag/Team}/*" },
  ];
  const cases: [string, object[], string, string, Keys, Expected][] = [
    ["one's own folder", own, "s3:GetObject", "arn:aws:s3:::mybucket/David/x", home("David"), "allow"],
    ["another's", own, "s3:GetObject", "arn:aws:s3:::mybucket/David/x", home("ann"), "none"],
    ["a role has no user name", own, "s3:GetObject", "arn:aws:s3:::mybucket/David/x", {}, "none"],
    ["a list of one's own", own, "s3:ListBucket", "arn:aws:s3:::mybucket", { ...home("David"), "s3:prefix": "David/a" }, "allow"],
    ["a list of all", own, "s3:ListBucket", "arn:aws:s3:::mybucket", { ...home("David"), "s3:prefix": "" }, "none"],
    [
      "the tag of both",
      team,
      "s3:GetObject",
      "arn:aws:s3:::b/x",
      { "aws:PrincipalTag/Team": "a", "s3:ExistingObjectTag/Team": "a" },
      "allow",
    ],
    ["nobody's tag is not equal to anything", team, "s3:GetObject", "arn:aws:s3:::b/x", { "s3:ExistingObjectTag/Team": "a" }, "deny"],
    ["nor to nothing", team, "s3:GetObject", "arn:aws:s3:::b/x", {}, "deny"],
    ["all but the team's", outside, "s3:GetObject", "arn:aws:s3:::b/a/x", { "aws:PrincipalTag/Team": "a" }, "allow"],
    ["and all without a team", outside, "s3:GetObject", "arn:aws:s3:::b/a/x", {}, "deny"],
  ];
  for (const [name, policy, action, resource, keys, expected] of cases)
    test(name, () => assert.equal(outcome(policy, action, resource, keys), expected));

  test("without a version that has them they are texts", () => {
    const resource = "arn:aws:s3:::mybucket/David/x";
    assert.equal(outcome(own, "s3:GetObject", resource, home("David"), undefined, "2008-10-17"), "none");
    assert.equal(outcome(own, "s3:GetObject", "arn:aws:s3:::mybucket/${aws:username}/x", {}, undefined, "2008-10-17"), "allow");
  });
});

describe("clusters by their tags", () => {
  const cluster = `arn:aws:elasticmapreduce:us-east-1:${account}:cluster/j-1`;
  const created = `arn:aws:elasticmapreduce:us-east-1:${account}:cluster/*`;
  const actions = ["DescribeCluster", "ListSteps", "TerminateJobFlows", "SetTerminationProtection", "ListInstances", "DescribeStep"];
  const on = (Condition: object, Effect = "Allow", Action = actions.map((name) => `elasticmapreduce:${name}`)) => [
    { Effect, Action, Resource: ["*"], Condition },
  ];
  const dev = on({ StringEquals: { "elasticmapreduce:ResourceTag/department": "dev" } });
  const devOrTest = on({ StringEquals: { "elasticmapreduce:ResourceTag/department": ["dev", "test"] } });
  const tagged = on({ Null: { "elasticmapreduce:ResourceTag/department": "false" } });
  const create = ["elasticmapreduce:RunJobFlow", "iam:PassRole"];
  const createDev = on({ StringEquals: { "elasticmapreduce:RequestTag/department": "dev" } }, "Allow", create);
  const createTagged = on({ Null: { "elasticmapreduce:RequestTag/department": "false" } }, "Allow", create);
  const denyTagging = [
    { Effect: "Allow", Action: "*", Resource: "*" },
    ...on({ StringNotEquals: { "elasticmapreduce:ResourceTag/department": "dev" } }, "Deny", [
      "elasticmapreduce:AddTags",
      "elasticmapreduce:RemoveTags",
    ]),
  ];
  const tag = (value: string) => ({ "elasticmapreduce:ResourceTag/department": value });
  const asked = (value: string) => ({ "elasticmapreduce:RequestTag/department": value });
  const cases: [string, object[], string, string, Keys, Expected][] = [
    ["department=dev", dev, "elasticmapreduce:TerminateJobFlows", cluster, tag("dev"), "allow"],
    ["department=prod", dev, "elasticmapreduce:TerminateJobFlows", cluster, tag("prod"), "none"],
    ["no department", dev, "elasticmapreduce:TerminateJobFlows", cluster, {}, "none"],
    ["an action that is not listed", dev, "elasticmapreduce:AddJobFlowSteps", cluster, tag("dev"), "none"],
    ["one of two values", devOrTest, "elasticmapreduce:DescribeCluster", cluster, tag("test"), "allow"],
    ["any value", tagged, "elasticmapreduce:DescribeCluster", cluster, tag("anything"), "allow"],
    ["no value", tagged, "elasticmapreduce:DescribeCluster", cluster, {}, "none"],
    ["created with the tag", createDev, "elasticmapreduce:RunJobFlow", created, asked("dev"), "allow"],
    ["created with another", createDev, "elasticmapreduce:RunJobFlow", created, asked("prod"), "none"],
    ["created without", createDev, "elasticmapreduce:RunJobFlow", created, {}, "none"],
    ["its roles are passed under the same condition", createDev, "iam:PassRole", `arn:aws:iam::${account}:role/r`, asked("dev"), "allow"],
    ["created with any value", createTagged, "elasticmapreduce:RunJobFlow", created, asked("x"), "allow"],
    ["created with none", createTagged, "elasticmapreduce:RunJobFlow", created, {}, "none"],
    ["tags of others' clusters stay", denyTagging, "elasticmapreduce:AddTags", cluster, tag("prod"), "deny"],
    ["tags of clusters without the tag stay", denyTagging, "elasticmapreduce:RemoveTags", cluster, {}, "deny"],
    ["tags of one's own change", denyTagging, "elasticmapreduce:AddTags", cluster, tag("dev"), "allow"],
  ];
  for (const [name, policy, action, resource, keys, expected] of cases)
    test(name, () => assert.equal(outcome(policy, action, resource, keys), expected));
});

describe("evaluation logic: Carlos and his bucket", () => {
  const bucket = "arn:aws:s3:::carlossalazar-logs";
  const ofCarlos = [
    { Effect: "Allow", Action: ["s3:GetBucketLocation", "s3:ListAllMyBuckets"], Resource: "*" },
    { Effect: "Allow", Action: ["s3:ListBucket", "s3:GetObject"], Resource: [bucket, `${bucket}/*`] },
    { Effect: "Deny", Action: "s3:*", Resource: ["arn:aws:s3:::payroll", "arn:aws:s3:::payroll/*"] },
  ];
  const Principal = { AWS: user("ann").arn };
  const of = (Statement: object[]): ResourcePolicy => ({ accountId: account, text: JSON.stringify({ Version: "2012-10-17", Statement }) });
  const writes = of([{ Effect: "Allow", Principal, Action: "s3:PutObject", Resource: `${bucket}/*` }]);
  test("the bucket's policy lets him write what his own does not", () => {
    assert.equal(outcome(ofCarlos, "s3:PutObject", `${bucket}/x`, {}), "none");
    assert.equal(outcome(ofCarlos, "s3:PutObject", `${bucket}/x`, {}, writes), "allow");
    assert.equal(outcome(ofCarlos, "s3:GetObject", `${bucket}/x`, {}, writes), "allow");
    assert.equal(outcome(ofCarlos, "s3:DeleteObject", `${bucket}/x`, {}, writes), "none");
  });
  test("his own deny beats the bucket's allow", () => {
    const open = of([{ Effect: "Allow", Principal: "*", Action: "s3:*", Resource: ["arn:aws:s3:::payroll", "arn:aws:s3:::payroll/*"] }]);
    assert.equal(outcome(ofCarlos, "s3:GetObject", "arn:aws:s3:::payroll/x", {}, open), "deny");
  });
});

describe("resources", () => {
  const on = (Resource: string | string[]) => [{ Effect: "Allow", Action: "ec2:*", Resource }];
  const instance = `arn:aws:ec2:us-east-1:${account}:instance/i-1`;
  const cases: [string, string | string[], string, boolean][] = [
    ["all", "*", instance, true],
    ["all, also what has no resource", "*", "*", true],
    ["an ARN is not for what has no resource", "arn:aws:ec2:*:*:*", "*", false],
    ["fields that are missing are filled in", "arn:aws:ec2", instance, true],
    ["and those after a star", "arn:aws:ec2:us-east-1:*", instance, true],
    ["of another region", "arn:aws:ec2:eu-west-1:*", instance, false],
    ["a star is within its field", "arn:aws:ec2:*:instance/*", instance, false],
    ["one of two", ["arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:instance/i-?"], instance, true],
    ["case matters", "arn:aws:ec2:*:*:Instance/*", instance, false],
    ["the last field keeps its colons", "arn:aws:ec2:*:*:*:x", `arn:aws:ec2:us-east-1:${account}:a:b:x`, true],
  ];
  for (const [name, resource, asked, expected] of cases)
    test(name, () => assert.equal(outcome(on(resource), "ec2:StopInstances", asked, {}) === "allow", expected));

  test("actions are the same in any case", () => {
    assert.equal(outcome([{ Effect: "Allow", Action: "EC2:stop*", Resource: "*" }], "ec2:StopInstances", "*", {}), "allow");
    assert.equal(outcome([{ Effect: "Allow", NotAction: "EC2:stop*", Resource: "*" }], "ec2:StopInstances", "*", {}), "none");
  });
});
