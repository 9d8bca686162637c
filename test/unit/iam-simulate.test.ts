import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  GetContextKeysForCustomPolicyCommand,
  GetContextKeysForPrincipalPolicyCommand,
  type IAMClient,
  PutGroupPolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  SimulateCustomPolicyCommand,
  SimulatePrincipalPolicyCommand,
} from "@aws-sdk/client-iam";
import { startApi } from "./iam-harness.ts";

let api: Awaited<ReturnType<typeof startApi>>;
let iam: IAMClient;
let ann: string;

const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement }, null, 2);

before(async () => {
  api = await startApi();
  iam = api.iam();
  ann = (await iam.send(new CreateUserCommand({ UserName: "ann", Tags: [{ Key: "team", Value: "red" }] }))).User!.Arn!;
  await iam.send(
    new PutUserPolicyCommand({
      UserName: "ann",
      PolicyName: "own",
      PolicyDocument: document({ Effect: "Allow", Action: "s3:Get*", Resource: "arn:aws:s3:::${aws:PrincipalTag/team}/*" }),
    }),
  );
  await iam.send(new CreateGroupCommand({ GroupName: "g" }));
  await iam.send(new AddUserToGroupCommand({ GroupName: "g", UserName: "ann" }));
  await iam.send(
    new PutGroupPolicyCommand({
      GroupName: "g",
      PolicyName: "deny",
      PolicyDocument: document(
        { Effect: "Allow", Action: "s3:List*", Resource: "*" },
        { Effect: "Deny", Action: "s3:*", Resource: "arn:aws:s3:::red/secret", Condition: { Bool: { "aws:SecureTransport": "false" } } },
      ),
    }),
  );
});
after(() => api.close());

test("who may do what, and which statements say so", async () => {
  const { EvaluationResults: results = [] } = await iam.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: ann,
      ActionNames: ["s3:GetObject", "s3:PutObject"],
      ResourceArns: ["arn:aws:s3:::red/x", "arn:aws:s3:::red/secret"],
      ContextEntries: [{ ContextKeyName: "aws:SecureTransport", ContextKeyValues: ["false"], ContextKeyType: "boolean" }],
    }),
  );
  assert.deepEqual(
    results.map(({ EvalActionName, EvalResourceName, EvalDecision }) => [EvalActionName, EvalResourceName, EvalDecision]),
    [
      ["s3:GetObject", "arn:aws:s3:::red/x", "allowed"],
      ["s3:GetObject", "arn:aws:s3:::red/secret", "explicitDeny"],
      ["s3:PutObject", "arn:aws:s3:::red/x", "implicitDeny"],
      ["s3:PutObject", "arn:aws:s3:::red/secret", "explicitDeny"],
    ],
  );
  assert.deepEqual(results[0]?.MatchedStatements, [
    {
      SourcePolicyId: "user_ann_own",
      SourcePolicyType: "user",
      StartPosition: { Line: 4, Column: 5 },
      EndPosition: { Line: 8, Column: 6 },
    },
  ]);
  assert.deepEqual(
    results[1]?.MatchedStatements?.map(({ SourcePolicyId, StartPosition }) => [SourcePolicyId, StartPosition?.Line]),
    [["group_g_deny", 9]],
  );
  assert.deepEqual(results[2]?.MatchedStatements, []);
});

test("values that the simulation would need, and the keys that policies ask for", async () => {
  const { EvaluationResults: results } = await iam.send(
    new SimulatePrincipalPolicyCommand({ PolicySourceArn: ann, ActionNames: ["s3:GetObject"], ResourceArns: ["arn:aws:s3:::red/secret"] }),
  );
  assert.equal(results?.[0]?.EvalDecision, "allowed");
  assert.deepEqual(results[0].MissingContextValues, ["aws:SecureTransport"]);
  const principal = await iam.send(new GetContextKeysForPrincipalPolicyCommand({ PolicySourceArn: ann }));
  assert.deepEqual(principal.ContextKeyNames, ["aws:PrincipalTag/team", "aws:SecureTransport"]);
  const custom = document({
    Effect: "Allow",
    Action: "s3:*",
    Resource: "*",
    Condition: { StringLike: { "s3:prefix": "${aws:username}/*", "S3:Prefix": "x" } },
  });
  assert.deepEqual((await iam.send(new GetContextKeysForCustomPolicyCommand({ PolicyInputList: [custom] }))).ContextKeyNames, [
    "s3:prefix",
    "aws:username",
  ]);
});

test("boundaries and resource policies take part", async () => {
  const allow = document({ Effect: "Allow", Action: "s3:*", Resource: "*" });
  const limit = (
    await iam.send(
      new CreatePolicyCommand({ PolicyName: "limit", PolicyDocument: document({ Effect: "Allow", Action: "s3:Get*", Resource: "*" }) }),
    )
  ).Policy!.Arn!;
  const bob = (await iam.send(new CreateUserCommand({ UserName: "bob", PermissionsBoundary: limit }))).User!.Arn!;
  await iam.send(new AttachUserPolicyCommand({ UserName: "bob", PolicyArn: "arn:aws:iam::aws:policy/AmazonS3FullAccess" }));
  const ask = async (more: object) =>
    (
      await iam.send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: bob,
          ActionNames: ["s3:PutObject"],
          ResourceArns: ["arn:aws:s3:::b/k"],
          ...more,
        }),
      )
    ).EvaluationResults?.[0];
  const bound = await ask({});
  assert.equal(bound?.EvalDecision, "implicitDeny");
  assert.deepEqual(bound.PermissionsBoundaryDecisionDetail, { AllowedByPermissionsBoundary: false });
  assert.equal((await ask({ PermissionsBoundaryPolicyInputList: [allow] }))?.EvalDecision, "allowed");
  await iam.send(
    new PutUserPermissionsBoundaryCommand({ UserName: "bob", PermissionsBoundary: "arn:aws:iam::aws:policy/AmazonS3FullAccess" }),
  );
  const free = await ask({});
  assert.equal(free?.EvalDecision, "allowed");
  assert.deepEqual(
    free.MatchedStatements?.map(({ SourcePolicyId, SourcePolicyType }) => [SourcePolicyId, SourcePolicyType]),
    [["arn:aws:iam::aws:policy/AmazonS3FullAccess", "aws-managed"]],
  );
  const ResourcePolicy = document({ Effect: "Deny", Principal: { AWS: bob }, Action: "s3:PutObject", Resource: "arn:aws:s3:::b/*" });
  const denied = await ask({ ResourcePolicy });
  assert.equal(denied?.EvalDecision, "explicitDeny");
  assert.deepEqual(
    denied.MatchedStatements?.map(({ SourcePolicyType }) => SourcePolicyType),
    ["resource"],
  );
  // Of another account, its policy must allow.
  assert.equal(
    (await ask({ ResourcePolicy: ResourcePolicy.replace("Deny", "Allow"), ResourceOwner: "arn:aws:iam::444455556666:root" }))?.EvalDecision,
    "allowed",
  );
  assert.equal(
    (await ask({ ResourcePolicy: ResourcePolicy.replace("bob", "ann"), ResourceOwner: "arn:aws:iam::444455556666:root" }))?.EvalDecision,
    "implicitDeny",
  );
});

test("pages, custom policies, and what is refused", async () => {
  const PolicyInputList = [document({ Effect: "Allow", Action: "ec2:*", Resource: "*" })];
  const ActionNames = ["ec2:DescribeVpcs", "ec2:RunInstances", "iam:GetUser"];
  const first = await iam.send(new SimulateCustomPolicyCommand({ PolicyInputList, ActionNames, MaxItems: 2 }));
  const second = await iam.send(new SimulateCustomPolicyCommand({ PolicyInputList, ActionNames, MaxItems: 2, Marker: first.Marker }));
  assert.deepEqual([first.IsTruncated, second.IsTruncated], [true, false]);
  assert.deepEqual(
    [...first.EvaluationResults!, ...second.EvaluationResults!].map(({ EvalDecision }) => EvalDecision),
    ["allowed", "allowed", "implicitDeny"],
  );
  const refused: [object, string][] = [
    [{ PolicySourceArn: "arn:aws:iam::444455556666:user/ann", ActionNames }, "NoSuchEntity"],
    [{ PolicySourceArn: ann, ActionNames, CallerArn: "arn:aws:iam::444455556666:user/ann" }, "NoSuchEntity"],
    [{ PolicySourceArn: ann, ActionNames: ["GetUser"] }, "InvalidInput"],
    [{ PolicySourceArn: ann, ActionNames, PolicyInputList: ["{"] }, "MalformedPolicyDocument"],
    [{ PolicySourceArn: ann, ActionNames, ResourceHandlingOption: "EC2-VPC-InstanceStore" }, "InvalidInput"],
    [{ PolicySourceArn: ann, ActionNames, ResourceArns: Array.from({ length: 5000 }, () => "*") }, "InvalidInput"],
    [
      {
        PolicySourceArn: ann,
        ActionNames,
        ContextEntries: [{ ContextKeyName: "aws:x", ContextKeyValues: ["1", "2"], ContextKeyType: "string" }],
      },
      "InvalidInput",
    ],
  ];
  for (const [input, code] of refused)
    await assert.rejects(
      iam.send(new SimulatePrincipalPolicyCommand(input as never)),
      (error: Error & { Code?: string }) => [error.name, error.Code].some((name) => name?.startsWith(code)),
      JSON.stringify(input).slice(0, 100),
    );
});
