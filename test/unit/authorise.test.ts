import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createAuthoriser } from "../../src/access/authorise.ts";
import { openPolicySource } from "../../src/access/policy-source.ts";
import type { Principal } from "../../src/access/principal.ts";
import { openResourceFacts } from "../../src/access/resource-facts.ts";
import { AwsError } from "../../src/aws/errors.ts";
import { createAccount } from "../../src/store/accounts.ts";
import { insertUserKey } from "../../src/store/access-keys.ts";
import { insertCluster } from "../../src/store/clusters.ts";
import { addMember, insertEntity, type NewEntity, putEntityTags } from "../../src/store/iam-entities.ts";
import { addVersion, attachPolicy, putInlinePolicy } from "../../src/store/iam-policies.ts";
import { putResourceTags } from "../../src/store/ec2-tags.ts";
import { makeIds } from "../../src/store/ids.ts";
import { insertGroup } from "../../src/store/instances.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { insertTrail, putTrailTags } from "../../src/store/trails.ts";
import { putTags } from "../../src/store/tags.ts";

const ids = makeIds();
const folder = mkdtempSync(join(tmpdir(), "howdah-authorise-"));
const account = "111122223333";
const other = "444455556666";
let store: Store;
let policies: ReturnType<typeof openPolicySource>;
let facts: ReturnType<typeof openResourceFacts>;
let authorise: ReturnType<typeof createAuthoriser>;

before(async () => {
  const path = join(folder, "howdah.db");
  store = await openStore(path);
  await store.transaction(async (tx) => {
    await createAccount(tx, ids, "one", account);
    await createAccount(tx, ids, "two", other);
    for (const [id, accountId, department] of [
      ["j-DEV", account, "dev"],
      ["j-PROD", account, "prod"],
      ["j-OTHER", other, "dev"],
    ] as const) {
      const wishes = {
        termination_protected: 0,
        keep_alive: 1,
        step_concurrency_level: 1,
        visible_to_all_users: 1,
        extended_support: null,
      };
      await insertCluster(tx, { id, account_id: accountId, region: "us-east-1", spec: {} as never, ...wishes } as never);
      await putTags(tx, id, [{ Key: "department", Value: department }]);
      await insertGroup(tx, {
        id: `ig-${id}`,
        cluster_id: id,
        role: "CORE",
        name: "",
        market: "ON_DEMAND",
        bid_price: null,
        instance_type: "m5.xlarge",
        requested_count: 1,
        configurations: [],
        ebs: null,
      } as never);
    }
  });
  policies = openPolicySource(path);
  facts = openResourceFacts(path);
  authorise = createAuthoriser(policies, facts);
});
after(async () => {
  policies.close();
  facts.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

let count = 0;
/** A new user with inline policies. */
async function user(statements: object[], more: Partial<NewEntity> = {}): Promise<Principal> {
  const name = `user${++count}`;
  const entity = await store.transaction(async (tx) => {
    const made = await insertEntity(tx, ids, { account_id: account, kind: "user", name, path: "/", ...more });
    await putInlinePolicy(tx, made.id, "own", document(statements));
    return made;
  });
  return {
    type: "IAMUser",
    accountId: entity.account_id,
    id: entity.id,
    userName: entity.name,
    tags: {},
    sessionPolicies: [],
    clusterId: null,
    arn: `arn:aws:iam::${entity.account_id}:user${entity.path}${entity.name}`,
  };
}

const document = (Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const allow = (Action: string | string[], Resource: string | string[] = "*", Condition?: object) => ({
  Effect: "Allow",
  Action,
  Resource,
  Condition,
});

const protocols = { elasticmapreduce: "awsJson1_1", cloudtrail: "awsJson1_1", iam: "awsQuery", sts: "awsQuery", ec2: "ec2Query" } as const;

/** "allowed", or the error's message. */
function ask(principal: Principal, action: string, input: object = {}, request: object = {}): string {
  const [signingName, operation] = action.split(":") as [keyof typeof protocols, string];
  const circumstances = {
    sourceIp: "127.0.0.1",
    secure: false,
    userAgent: "test",
    now: new Date("2026-01-01T12:00:00Z"),
    region: "us-east-1",
    ...request,
  };
  try {
    authorise(principal, { signingName, protocol: protocols[signingName] }, operation, input, circumstances);
    return "allowed";
  } catch (error) {
    assert.ok(error instanceof AwsError, String(error));
    return error.message;
  }
}
const isAllowed = (...asked: Parameters<typeof ask>) => ask(...asked) === "allowed";

describe("clusters, one by one", () => {
  test("by the cluster's tags, which are the ones of now", async () => {
    const dev = await user([allow("elasticmapreduce:*", "*", { StringEquals: { "elasticmapreduce:ResourceTag/department": "dev" } })]);
    assert.equal(ask(dev, "elasticmapreduce:DescribeCluster", { ClusterId: "j-DEV" }), "allowed");
    assert.equal(
      ask(dev, "elasticmapreduce:DescribeCluster", { ClusterId: "j-PROD" }),
      `User: ${dev.arn} is not authorized to perform: elasticmapreduce:DescribeCluster on resource: arn:aws:elasticmapreduce:us-east-1:${account}:cluster/j-PROD because no identity-based policy allows the elasticmapreduce:DescribeCluster action`,
    );
    // What is not there, and what is another account's or region's, is not told apart from what is forbidden.
    for (const [id, region] of [
      ["j-NONE", "us-east-1"],
      ["j-OTHER", "us-east-1"],
      ["j-DEV", "eu-west-1"],
    ] as const)
      assert.match(
        ask(dev, "elasticmapreduce:DescribeCluster", { ClusterId: id }, { region }),
        /^User: .* because no identity-based policy allows/,
      );
    assert.ok(isAllowed(dev, "elasticmapreduce:TerminateJobFlows", { JobFlowIds: ["j-DEV"] }));
    assert.ok(!isAllowed(dev, "elasticmapreduce:TerminateJobFlows", { JobFlowIds: ["j-DEV", "j-PROD"] }));
    assert.ok(isAllowed(dev, "elasticmapreduce:AddTags", { ResourceId: "j-DEV", Tags: [{ Key: "a", Value: "b" }] }));
    assert.ok(isAllowed(dev, "elasticmapreduce:ModifyInstanceGroups", { InstanceGroups: [{ InstanceGroupId: "ig-j-DEV" }] }));
    assert.ok(
      !isAllowed(dev, "elasticmapreduce:ModifyInstanceGroups", { ClusterId: "j-DEV", InstanceGroups: [{ InstanceGroupId: "ig-j-PROD" }] }),
    );
    await store.transaction((tx) => putTags(tx, "j-DEV", [{ Key: "department", Value: "prod" }]));
    assert.ok(!isAllowed(dev, "elasticmapreduce:DescribeCluster", { ClusterId: "j-DEV" }));
    await store.transaction((tx) => putTags(tx, "j-DEV", [{ Key: "department", Value: "dev" }]));
  });

  test("by ARN, and by what is asked for with tags", async () => {
    const one = await user([allow("elasticmapreduce:*", `arn:aws:elasticmapreduce:*:${account}:cluster/j-DEV`)]);
    assert.ok(isAllowed(one, "elasticmapreduce:ListSteps", { ClusterId: "j-DEV" }));
    assert.ok(!isAllowed(one, "elasticmapreduce:ListSteps", { ClusterId: "j-PROD" }));
    assert.ok(!isAllowed(one, "elasticmapreduce:ListClusters"));
    const guarded = await user([
      allow("elasticmapreduce:*"),
      {
        Effect: "Deny",
        Action: ["elasticmapreduce:AddTags", "elasticmapreduce:RemoveTags"],
        Resource: "*",
        Condition: { "ForAnyValue:StringEquals": { "aws:TagKeys": "department" } },
      },
      {
        Effect: "Deny",
        Action: "elasticmapreduce:AddJobFlowSteps",
        Resource: "*",
        Condition: { Null: { "elasticmapreduce:ExecutionRoleArn": "true" } },
      },
    ]);
    assert.ok(isAllowed(guarded, "elasticmapreduce:RemoveTags", { ResourceId: "j-DEV", TagKeys: ["x"] }));
    assert.match(
      ask(guarded, "elasticmapreduce:RemoveTags", { ResourceId: "j-DEV", TagKeys: ["x", "department"] }),
      / with an explicit deny in an identity-based policy$/,
    );
    assert.ok(!isAllowed(guarded, "elasticmapreduce:AddTags", { ResourceId: "j-DEV", Tags: [{ Key: "department" }] }));
    assert.ok(!isAllowed(guarded, "elasticmapreduce:AddJobFlowSteps", { JobFlowId: "j-DEV" }));
    assert.ok(isAllowed(guarded, "elasticmapreduce:AddJobFlowSteps", { JobFlowId: "j-DEV", ExecutionRoleArn: "arn:aws:iam::1:role/x" }));
  });

  test("a new one: its tags must be asked for, and its roles be given away", async () => {
    const condition = { StringEquals: { "elasticmapreduce:RequestTag/department": "dev" } };
    const run = ["elasticmapreduce:RunJobFlow", "elasticmapreduce:AddTags"];
    const all = await user([allow([...run, "iam:PassRole"], "*", condition)]);
    const dev = { Name: "n", Instances: {}, Tags: [{ Key: "department", Value: "dev" }] };
    assert.equal(ask(all, "elasticmapreduce:RunJobFlow", dev), "allowed");
    assert.match(
      ask(all, "elasticmapreduce:RunJobFlow", { ...dev, Tags: [] }),
      /RunJobFlow on resource: arn:aws:elasticmapreduce:us-east-1:111122223333:cluster\/\* because/,
    );
    const untagging = await user([allow(["elasticmapreduce:RunJobFlow", "iam:PassRole"])]);
    assert.ok(isAllowed(untagging, "elasticmapreduce:RunJobFlow", { ...dev, Tags: undefined }));
    assert.match(
      ask(untagging, "elasticmapreduce:RunJobFlow", dev),
      /AddTags on resource: arn:aws:elasticmapreduce:us-east-1:111122223333:cluster\/\* because/,
    );

    const passes = await user([
      allow("elasticmapreduce:*"),
      allow("iam:PassRole", `arn:aws:iam::${account}:role/EMR_EC2_DefaultRole`, {
        StringLike: { "iam:PassedToService": "ec2.amazonaws.com*" },
      }),
      allow("iam:PassRole", `arn:aws:iam::${account}:role/EMR_DefaultRole`, {
        StringLike: { "iam:PassedToService": "elasticmapreduce.amazonaws.com*" },
      }),
    ]);
    const roles = { JobFlowRole: "EMR_EC2_DefaultRole", ServiceRole: "EMR_DefaultRole" };
    assert.ok(isAllowed(passes, "elasticmapreduce:RunJobFlow", roles));
    assert.ok(isAllowed(passes, "elasticmapreduce:RunJobFlow", {}));
    const secret = `arn:aws:iam::${account}:role/secret`;
    for (const [member, role] of [
      ["ServiceRole", "secret"],
      ["ServiceRole", secret],
      ["JobFlowRole", "secret"],
      ["AutoScalingRole", "secret"],
    ])
      assert.match(
        ask(passes, "elasticmapreduce:RunJobFlow", { ...roles, [member!]: role }),
        new RegExp(`iam:PassRole on resource: ${secret} because`),
      );
    // A role is not good for another service, and a role that is not named is given all the same.
    assert.ok(!isAllowed(passes, "elasticmapreduce:RunJobFlow", { ...roles, ServiceRole: "EMR_EC2_DefaultRole" }));
    assert.ok(!isAllowed(await user([allow("elasticmapreduce:*")]), "elasticmapreduce:RunJobFlow", {}));
  });

  test("an instance profile gives its own role, whatever its name", async () => {
    await store.transaction(async (tx) => {
      const role = await insertEntity(tx, ids, { account_id: account, kind: "role", name: "powerful", path: "/a/", trust: "{}" });
      await insertEntity(tx, ids, { account_id: account, kind: "instance-profile", name: "harmless", path: "/", role_id: role.id });
    });
    const passes = await user([
      allow("elasticmapreduce:*"),
      allow("iam:PassRole", ["arn:aws:iam::*:role/harmless", "arn:aws:iam::*:role/EMR_DefaultRole"]),
    ]);
    const profile = `arn:aws:iam::${account}:instance-profile/harmless`;
    for (const JobFlowRole of ["harmless", profile])
      assert.match(
        ask(passes, "elasticmapreduce:RunJobFlow", { JobFlowRole }),
        /PassRole on resource: arn:aws:iam::111122223333:role\/a\/powerful because/,
      );
  });

  test("who has the managed policy for reading reads", async () => {
    const reader = await user([]);
    await store.transaction((tx) => attachPolicy(tx, reader.id, "arn:aws:iam::aws:policy/AmazonElasticMapReduceReadOnlyAccess"));
    assert.ok(isAllowed(reader, "elasticmapreduce:ListClusters"));
    assert.ok(isAllowed(reader, "elasticmapreduce:DescribeCluster", { ClusterId: "j-DEV" }));
    assert.ok(!isAllowed(reader, "elasticmapreduce:RunJobFlow", { Name: "n" }));
    assert.ok(!isAllowed(reader, "elasticmapreduce:TerminateJobFlows", { JobFlowIds: ["j-DEV"] }));
  });
});

describe("groups, boundaries and sessions", () => {
  test("a group's policy is its members'; a boundary narrows it", async () => {
    const boundary = await store.transaction(async (tx) => {
      const policy = await insertEntity(tx, ids, { account_id: account, kind: "policy", name: "limit", path: "/" });
      await addVersion(tx, policy, document([allow("elasticmapreduce:List*")]), true);
      return `arn:aws:iam::${account}:policy/limit`;
    });
    const [free, bound] = [await user([]), await user([], { boundary_arn: boundary })];
    await store.transaction(async (tx) => {
      const group = await insertEntity(tx, ids, { account_id: account, kind: "group", name: "g", path: "/" });
      await putInlinePolicy(tx, group.id, "all", document([allow("elasticmapreduce:*")]));
      for (const { id } of [free, bound]) await addMember(tx, group.id, id);
    });
    assert.ok(isAllowed(free, "elasticmapreduce:DescribeCluster", { ClusterId: "j-DEV" }));
    assert.ok(isAllowed(bound, "elasticmapreduce:ListClusters"));
    assert.match(
      ask(bound, "elasticmapreduce:DescribeCluster", { ClusterId: "j-DEV" }),
      / because no permissions boundary allows the elasticmapreduce:DescribeCluster action$/,
    );
  });

  test("a session has its role's policies, narrowed by its own; and keys of its own", async () => {
    const role = await store.transaction(async (tx) => {
      const made = await insertEntity(tx, ids, { account_id: account, kind: "role", name: "ops", path: "/team/", trust: "{}" });
      await putInlinePolicy(
        tx,
        made.id,
        "all",
        document([
          allow("elasticmapreduce:*"),
          {
            Effect: "Deny",
            Action: "elasticmapreduce:DeleteStudio",
            Resource: "*",
            Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } },
          },
          {
            Effect: "Deny",
            Action: "elasticmapreduce:*",
            Resource: "*",
            Condition: { DateLessThan: { "aws:TokenIssueTime": "2026-01-01T00:00:00Z" } },
          },
          {
            Effect: "Deny",
            Action: "elasticmapreduce:ListStudios",
            Resource: "*",
            Condition: { ArnNotEquals: { "aws:PrincipalArn": "arn:aws:iam::*:role/team/ops" } },
          },
          {
            Effect: "Deny",
            Action: "elasticmapreduce:*",
            Resource: "*",
            Condition: { StringNotEquals: { "aws:PrincipalTag/team": "red" } },
          },
        ]),
      );
      return made;
    });
    const session: Principal = {
      type: "AssumedRole",
      accountId: account,
      arn: `arn:aws:sts::${account}:assumed-role/ops/me`,
      id: `${role.id}:me`,
      sessionName: "me",
      role: { arn: `arn:aws:iam::${account}:role/team/ops`, name: "ops", id: role.id },
      tags: { team: "red" },
      sessionPolicies: [],
      clusterId: null,
      sessionIssuedAt: Date.UTC(2026, 0, 1, 11),
    };
    assert.equal(ask(session, "elasticmapreduce:ListClusters"), "allowed");
    assert.equal(ask(session, "elasticmapreduce:ListStudios"), "allowed");
    assert.ok(!isAllowed(session, "elasticmapreduce:DeleteStudio", { StudioId: "es-1" }));
    assert.ok(!isAllowed({ ...session, sessionIssuedAt: Date.UTC(2025, 0, 1) }, "elasticmapreduce:ListClusters"));
    assert.ok(!isAllowed({ ...session, tags: {} }, "elasticmapreduce:ListClusters"));
    const narrowed = { ...session, sessionPolicies: [document([allow("elasticmapreduce:DescribeCluster")])] };
    assert.match(
      ask(narrowed, "elasticmapreduce:ListClusters"),
      / because no session policy allows the elasticmapreduce:ListClusters action$/,
    );
    assert.ok(isAllowed(narrowed, "elasticmapreduce:DescribeCluster", { ClusterId: "j-DEV" }));
  });
});

test("a request's circumstances are keys: address, TLS, time, region, agent", async () => {
  const only = async (Condition: object) => user([allow("elasticmapreduce:ListClusters", "*", Condition)]);
  const cases: [object, object, boolean][] = [
    [{ IpAddress: { "aws:SourceIp": "127.0.0.0/8" } }, {}, true],
    [{ IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }, {}, false],
    [{ Bool: { "aws:SecureTransport": "true" } }, {}, false],
    [{ Bool: { "aws:SecureTransport": "true" } }, { secure: true }, true],
    [{ DateLessThan: { "aws:CurrentTime": "2026-01-01T12:00:01Z" } }, {}, true],
    [{ NumericGreaterThan: { "aws:EpochTime": "1767268800" } }, {}, false],
    [{ StringEquals: { "aws:RequestedRegion": ["us-east-1"] } }, { region: "eu-west-1" }, false],
    [{ StringLike: { "aws:UserAgent": "te*" } }, {}, true],
    [{ StringEquals: { "aws:PrincipalAccount": account, "aws:PrincipalType": "User", "aws:ResourceAccount": account } }, {}, true],
    [{ Null: { "aws:TokenIssueTime": "true", "aws:MultiFactorAuthPresent": "true" } }, {}, true],
    [{ Bool: { "aws:ViaAWSService": "false" } }, {}, true],
  ];
  for (const [condition, request, expected] of cases)
    assert.equal(isAllowed(await only(condition), "elasticmapreduce:ListClusters", {}, request), expected, JSON.stringify(condition));
  const named = await user([allow("elasticmapreduce:ListClusters", "*", { StringEquals: { "aws:username": `user${count + 1}` } })]);
  assert.ok(isAllowed(named, "elasticmapreduce:ListClusters"));
});

describe("IAM", () => {
  test("one's own keys, and nobody else's", async () => {
    const own = await user([allow("iam:*AccessKey*", `arn:aws:iam::${account}:user/\${aws:username}`)]);
    assert.ok(isAllowed(own, "iam:CreateAccessKey"));
    assert.ok(isAllowed(own, "iam:CreateAccessKey", { UserName: own.userName }));
    assert.ok(!isAllowed(own, "iam:CreateAccessKey", { UserName: "admin" }));
    assert.ok(!isAllowed(own, "iam:GetUser"));
    const [mine, theirs] = await store.transaction(async (tx) => {
      const stranger = await insertEntity(tx, ids, { account_id: other, kind: "user", name: "x", path: "/" });
      return [await insertUserKey(tx, ids, { id: own.id, account_id: account }), await insertUserKey(tx, ids, stranger)];
    });
    assert.ok(isAllowed(own, "iam:GetAccessKeyLastUsed", { AccessKeyId: mine.access_key_id }));
    assert.ok(!isAllowed(own, "iam:GetAccessKeyLastUsed", { AccessKeyId: theirs.access_key_id }));
  });

  test("paths, tags, boundaries and policies of what is named", async () => {
    await store.transaction(async (tx) => {
      const bob = await insertEntity(tx, ids, {
        account_id: account,
        kind: "user",
        name: "bob",
        path: "/eng/",
        boundary_arn: `arn:aws:iam::${account}:policy/limit`,
      });
      await putEntityTags(tx, bob.id, [{ Key: "team", Value: "red" }]);
    });
    const within = (...statements: object[]) => user(statements);
    const byPath = await within(allow("iam:*", `arn:aws:iam::${account}:user/eng/*`));
    assert.ok(isAllowed(byPath, "iam:GetUser", { UserName: "BOB" }));
    assert.ok(!isAllowed(byPath, "iam:GetUser", { UserName: "admin" }));
    assert.ok(isAllowed(byPath, "iam:CreateUser", { UserName: "new", Path: "/eng/" }));
    assert.ok(!isAllowed(byPath, "iam:CreateUser", { UserName: "new" }));
    const byTag = await within(allow("iam:*", "*", { StringEquals: { "iam:ResourceTag/team": "red" } }));
    assert.ok(isAllowed(byTag, "iam:GetUser", { UserName: "bob" }));
    assert.ok(!isAllowed(byTag, "iam:GetUser", { UserName: "admin" }));
    const limit = { StringEquals: { "iam:PermissionsBoundary": `arn:aws:iam::${account}:policy/limit` } };
    const delegate = await within(allow(["iam:CreateUser", "iam:AttachUserPolicy"], "*", limit));
    assert.ok(isAllowed(delegate, "iam:CreateUser", { UserName: "new", PermissionsBoundary: `arn:aws:iam::${account}:policy/limit` }));
    assert.ok(!isAllowed(delegate, "iam:CreateUser", { UserName: "new" }));
    assert.ok(isAllowed(delegate, "iam:AttachUserPolicy", { UserName: "bob", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" }));
    assert.ok(
      !isAllowed(delegate, "iam:AttachUserPolicy", { UserName: "admin", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" }),
    );
    const byPolicy = await within(
      allow("iam:AttachUserPolicy", "*", { ArnLike: { "iam:PolicyARN": "arn:aws:iam::aws:policy/*ReadOnly*" } }),
    );
    assert.ok(
      isAllowed(byPolicy, "iam:AttachUserPolicy", {
        UserName: "bob",
        PolicyArn: "arn:aws:iam::aws:policy/AmazonElasticMapReduceReadOnlyAccess",
      }),
    );
    assert.ok(!isAllowed(byPolicy, "iam:AttachUserPolicy", { UserName: "bob", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" }));
    const linked = await within(
      allow(
        "iam:CreateServiceLinkedRole",
        "arn:aws:iam::*:role/aws-service-role/elasticmapreduce.amazonaws.com*/AWSServiceRoleForEMRCleanup*",
        { StringEquals: { "iam:AWSServiceName": "elasticmapreduce.amazonaws.com" } },
      ),
    );
    assert.ok(isAllowed(linked, "iam:CreateServiceLinkedRole", { AWSServiceName: "elasticmapreduce.amazonaws.com" }));
    assert.ok(!isAllowed(linked, "iam:CreateServiceLinkedRole", { AWSServiceName: "spot.amazonaws.com" }));
    const profiles = await within(allow("iam:AddRoleToInstanceProfile"));
    assert.match(
      ask(profiles, "iam:AddRoleToInstanceProfile", { InstanceProfileName: "p", RoleName: "powerful" }),
      /iam:PassRole on resource: arn:aws:iam::111122223333:role\/a\/powerful/,
    );
  });
});

describe("STS", () => {
  test("who one is, is told to everybody; the rest is not", async () => {
    const nobody = await user([{ Effect: "Deny", Action: "*", Resource: "*" }]);
    assert.ok(isAllowed(nobody, "sts:GetCallerIdentity"));
    assert.ok(isAllowed(nobody, "sts:GetSessionToken"));
    assert.ok(!isAllowed(nobody, "sts:GetAccessKeyInfo", { AccessKeyId: "AKIA" }));
  });

  test("a role is assumed where its trust policy and, unless it names the user, an own policy say so", async () => {
    const admin = await user([allow("*")]);
    const bare = await user([]);
    const foreign = await user([allow("sts:AssumeRole")], { account_id: other });
    const trust = (Principal: object, more: object = {}) => document([{ Effect: "Allow", Principal, Action: ["sts:AssumeRole"], ...more }]);
    await store.transaction(async (tx) => {
      const roles: [string, string][] = [
        ["for-emr", trust({ Service: "elasticmapreduce.amazonaws.com" })],
        ["for-account", trust({ AWS: account })],
        ["for-bare", trust({ AWS: bare.arn })],
        ["for-other", trust({ AWS: other }, { Condition: { StringEquals: { "sts:ExternalId": "x1" } } })],
      ];
      for (const [name, text] of roles) await insertEntity(tx, ids, { account_id: account, kind: "role", name, path: "/t/", trust: text });
    });
    const assume = (who: Principal, role: string, more: object = {}) =>
      ask(who, "sts:AssumeRole", { RoleArn: `arn:aws:iam::${account}:role/t/${role}`, RoleSessionName: "s", ...more });
    const denied = (who: Principal, role: string) =>
      `User: ${who.arn} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::${account}:role/t/${role}`;
    // Nothing tells why, nor whether there is such a role.
    for (const role of ["for-emr", "none"]) assert.equal(assume(admin, role), denied(admin, role));
    assert.equal(assume(admin, "for-account"), "allowed");
    assert.equal(assume(bare, "for-account"), denied(bare, "for-account"));
    assert.equal(assume(bare, "for-bare"), "allowed");
    assert.equal(assume(admin, "for-bare"), denied(admin, "for-bare"));
    assert.equal(assume(foreign, "for-other"), denied(foreign, "for-other"));
    assert.equal(assume(foreign, "for-other", { ExternalId: "x1" }), "allowed");
    assert.equal(assume(foreign, "for-account"), denied(foreign, "for-account"));
    // The role's path is part of its name here.
    assert.notEqual(ask(admin, "sts:AssumeRole", { RoleArn: `arn:aws:iam::${account}:role/for-account` }), "allowed");
    // Session tags are a permission of their own, which this trust policy does not give.
    assert.match(assume(admin, "for-account", { Tags: [{ Key: "a", Value: "b" }] }), /sts:TagSession on resource: /);
  });
});

describe("EC2 and CloudTrail", () => {
  test("resources by their ids", async () => {
    const ec2 = await user([
      allow(
        ["ec2:CreateSecurityGroup", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags"],
        ["arn:aws:ec2:*:*:security-group/*", "arn:aws:ec2:*:*:vpc/vpc-1"],
      ),
      allow("ec2:Describe*"),
    ]);
    assert.ok(isAllowed(ec2, "ec2:DescribeInstances", { InstanceIds: ["i-1"] }));
    assert.ok(isAllowed(ec2, "ec2:CreateSecurityGroup", { GroupName: "g", VpcId: "vpc-1" }));
    assert.match(
      ask(ec2, "ec2:CreateSecurityGroup", { GroupName: "g", VpcId: "vpc-2" }),
      /^You are not authorized to perform this operation\. User: .*:vpc\/vpc-2 because/,
    );
    assert.ok(isAllowed(ec2, "ec2:AuthorizeSecurityGroupIngress", { GroupId: "sg-1" }));
    assert.ok(isAllowed(ec2, "ec2:CreateTags", { Resources: ["sg-1"], Tags: [] }));
    assert.ok(!isAllowed(ec2, "ec2:CreateTags", { Resources: ["sg-1", "i-1"], Tags: [] }));
    const routes = await user([allow("ec2:CreateRoute", "arn:aws:ec2:*:*:route-table/rtb-1")]);
    assert.ok(isAllowed(routes, "ec2:CreateRoute", { RouteTableId: "rtb-1", InstanceId: "i-1", DestinationCidrBlock: "0.0.0.0/0" }));
    await store.transaction((tx) =>
      putResourceTags(tx, { accountId: account, region: "us-east-1" }, "sg-red", [{ Key: "team", Value: "red" }]),
    );
    const red = await user([
      allow("ec2:DeleteSecurityGroup", "*", { StringEquals: { "aws:ResourceTag/team": "red", "ec2:ResourceTag/team": "red" } }),
    ]);
    assert.ok(isAllowed(red, "ec2:DeleteSecurityGroup", { GroupId: "sg-red" }));
    assert.ok(!isAllowed(red, "ec2:DeleteSecurityGroup", { GroupId: "sg-blue" }));
    assert.ok(!isAllowed(red, "ec2:DeleteSecurityGroup", { GroupId: "sg-red" }, { region: "eu-west-1" }));
    const trails = await user([allow("cloudtrail:*", "arn:aws:cloudtrail:us-east-1:*:trail/mine")]);
    assert.ok(isAllowed(trails, "cloudtrail:GetTrail", { Name: "mine" }));
    assert.ok(isAllowed(trails, "cloudtrail:GetTrail", { Name: `arn:aws:cloudtrail:us-east-1:${account}:trail/mine` }));
    assert.ok(!isAllowed(trails, "cloudtrail:GetTrail", { Name: "other" }));
    assert.ok(!isAllowed(trails, "cloudtrail:LookupEvents"));
    const arn = `arn:aws:cloudtrail:us-east-1:${account}:trail/tagged`;
    await store.transaction(async (tx) => {
      const trail = {
        arn,
        account_id: account,
        region: "us-east-1",
        name: "tagged",
        bucket: "b",
        prefix: null,
        multi_region: 0,
        global_events: 0,
      };
      await insertTrail(tx, trail);
      await putTrailTags(tx, arn, [{ Key: "team", Value: "red" }]);
    });
    const byTag = await user([allow("cloudtrail:StopLogging", "*", { StringEquals: { "aws:ResourceTag/team": "red" } })]);
    assert.ok(isAllowed(byTag, "cloudtrail:StopLogging", { Name: "tagged" }));
    assert.ok(!isAllowed(byTag, "cloudtrail:StopLogging", { Name: "other" }));
  });
});
