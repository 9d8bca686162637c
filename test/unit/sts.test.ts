import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ListClustersCommand, RunJobFlowCommand } from "@aws-sdk/client-emr";
import {
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  DetachRolePolicyCommand,
  ListUsersCommand,
  TagRoleCommand,
} from "@aws-sdk/client-iam";
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type Credentials as StsCredentials,
  DecodeAuthorizationMessageCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from "@aws-sdk/client-sts";
import { adminKey, createAccount } from "../../src/store/accounts.ts";
import { type Api, type Credentials, credentialsOf, startApi } from "./iam-harness.ts";

const statement = (more: object) => JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...more }] });
const allow = (...Action: string[]) => statement({ Action, Resource: "*" });
const readOnly = "arn:aws:iam::aws:policy/AmazonElasticMapReduceReadOnlyAccess";
const fullAccess = "arn:aws:iam::aws:policy/AmazonElasticMapReduceFullAccess";

const usable = (given: StsCredentials | undefined): Credentials => ({
  accessKeyId: given!.AccessKeyId!,
  secretAccessKey: given!.SecretAccessKey!,
  sessionToken: given!.SessionToken!,
});

describe("STS", () => {
  let api: Api;
  let ann: Credentials;
  before(async () => {
    api = await startApi();
    const iam = api.iam();
    await iam.send(new CreateUserCommand({ UserName: "ann" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "ann" }));
    ann = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  });
  after(() => api.close());

  /** A role with EMR's policies. Its ARN. */
  async function role(RoleName: string, trust: object, options: { policies?: string[]; MaxSessionDuration?: number } = {}) {
    const AssumeRolePolicyDocument = statement({ Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], ...trust });
    const { MaxSessionDuration } = options;
    const { Role } = await api.iam().send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, MaxSessionDuration }));
    for (const PolicyArn of options.policies ?? [fullAccess]) await api.iam().send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    return Role!.Arn!;
  }
  const annArn = () => `arn:aws:iam::${api.account}:user/ann`;
  const assume = (as: Credentials, RoleArn: string, more: Partial<AssumeRoleCommandInput> = {}) =>
    api.sts(as).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "session", ...more }));
  const run = (as: Credentials) => api.emr(as).send(new RunJobFlowCommand({ Name: "n", Instances: {} }));
  const list = (as: Credentials) => api.emr(as).send(new ListClustersCommand({}));

  test("a role is assumed by whom it trusts, and then acts with its policies", async () => {
    const RoleArn = await role("reader", { Principal: { AWS: annArn() } }, { policies: [readOnly] });
    await assert.rejects(list(ann), { name: "AccessDeniedException" });
    const answer = await assume(ann, RoleArn);
    assert.equal(answer.AssumedRoleUser?.Arn, `arn:aws:sts::${api.account}:assumed-role/reader/session`);
    assert.match(answer.AssumedRoleUser?.AssumedRoleId ?? "", /^AROA[A-Z0-9]{17}:session$/);
    assert.equal(answer.PackedPolicySize, undefined);
    const session = usable(answer.Credentials);
    assert.match(session.accessKeyId, /^ASIA[A-Z0-9]{16}$/);
    assert.equal((await api.sts(session).send(new GetCallerIdentityCommand({}))).Arn, answer.AssumedRoleUser?.Arn);
    await list(session);
    await assert.rejects(run(session), { name: "AccessDeniedException", message: /elasticmapreduce:RunJobFlow/ });
    const { sessionToken: _, ...withoutToken } = session;
    await assert.rejects(list(withoutToken), { name: "UnrecognizedClientException" });
  });

  test("a role that trusts the account asks for the caller's own permission, one that trusts somebody else is nobody's", async () => {
    const ofAccount = await role("of-account", { Principal: { AWS: api.account } });
    const denied = {
      name: "AccessDenied",
      message: `User: ${annArn()} is not authorized to perform: sts:AssumeRole on resource: ${ofAccount}`,
    };
    await assert.rejects(assume(ann, ofAccount), denied);
    await assume(api.admin, ofAccount);
    const ofEc2 = await role("of-ec2", { Principal: { Service: "ec2.amazonaws.com" } });
    await assert.rejects(assume(api.admin, ofEc2), { name: "AccessDenied" });
    await assert.rejects(assume(api.admin, `arn:aws:iam::${api.account}:role/none`), { name: "AccessDenied" });
  });

  test("an external id, a session policy, policy ARNs", async () => {
    const RoleArn = await role("external", { Principal: { AWS: annArn() }, Condition: { StringEquals: { "sts:ExternalId": "42" } } });
    await assert.rejects(assume(ann, RoleArn), { name: "AccessDenied" });
    const whole = usable((await assume(ann, RoleArn, { ExternalId: "42" })).Credentials);
    await assert.rejects(run(whole), { name: "ValidationException" });

    const Policy = allow("elasticmapreduce:List*");
    const narrowed = await assume(ann, RoleArn, { ExternalId: "42", Policy });
    assert.ok(narrowed.PackedPolicySize! > 0);
    await list(usable(narrowed.Credentials));
    await assert.rejects(run(usable(narrowed.Credentials)), { name: "AccessDeniedException", message: /no session policy allows/ });
    const byArn = usable((await assume(ann, RoleArn, { ExternalId: "42", PolicyArns: [{ arn: readOnly }] })).Credentials);
    await list(byArn);
    await assert.rejects(run(byArn), { name: "AccessDeniedException" });
    await assert.rejects(assume(ann, RoleArn, { ExternalId: "42", Policy: "{" }), { name: "MalformedPolicyDocumentException" });
    await assert.rejects(assume(ann, RoleArn, { ExternalId: "42", PolicyArns: [{ arn: `arn:aws:iam::${api.account}:policy/none` }] }), {
      name: "ValidationError",
    });
    const long = allow(`s3:${"x".repeat(2048)}`);
    await assert.rejects(assume(ann, RoleArn, { ExternalId: "42", Policy: long }), { name: "PackedPolicyTooLargeException" });
  });

  test("sessions end: after an hour, or as asked, within the role's longest", async () => {
    const RoleArn = await role("timed", { Principal: { AWS: annArn() } }, { MaxSessionDuration: 7200 });
    const { Credentials } = await assume(ann, RoleArn);
    const hours = (given: StsCredentials | undefined) => Math.round((given!.Expiration!.getTime() - api.store.now()) / 360_000) / 10;
    assert.equal(hours(Credentials), 1);
    assert.equal(hours((await assume(ann, RoleArn, { DurationSeconds: 7200 })).Credentials), 2);
    await assert.rejects(assume(ann, RoleArn, { DurationSeconds: 7201 }), {
      name: "ValidationError",
      message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    });
    const session = usable(Credentials);
    await list(session);
    api.advance(3_600_001);
    const expired = "The security token included in the request is expired";
    await assert.rejects(list(session), { name: "ExpiredTokenException", message: expired });
    await assert.rejects(api.sts(session).send(new GetCallerIdentityCommand({})), { name: "ExpiredToken", message: expired });
  });

  test("roles are chained for an hour, with transitive tags and the source identity", async () => {
    const first = await role("first", { Principal: { AWS: annArn() } }, { MaxSessionDuration: 43_200 });
    const second = await role("second", { Principal: { AWS: first } }, { MaxSessionDuration: 43_200, policies: [] });
    await api.iam().send(new TagRoleCommand({ RoleName: "second", Tags: [{ Key: "team", Value: "role" }] }));
    const Tags = [
      { Key: "team", Value: "a" },
      { Key: "own", Value: "b" },
    ];
    const options = { Tags, TransitiveTagKeys: ["TEAM"], SourceIdentity: "ann" };
    const one = usable((await assume(ann, first, options)).Credentials);
    assert.deepEqual(api.keys(one.accessKeyId)?.principal.tags, { team: "a", own: "b" });
    await assert.rejects(assume(one, second, { DurationSeconds: 3601 }), { name: "ValidationError", message: /role chaining/ });
    await assert.rejects(assume(one, second, { Tags: [{ Key: "Team", Value: "x" }] }), { name: "ValidationError", message: /transitive/ });
    await assert.rejects(assume(one, second, { SourceIdentity: "eve" }), { name: "AccessDenied" });
    const answer = await assume(one, second);
    assert.equal(answer.SourceIdentity, "ann");
    const { principal } = api.keys(answer.Credentials!.AccessKeyId!)!;
    assert.deepEqual([principal.tags, principal.sourceIdentity], [{ team: "a" }, "ann"]);
    await assert.rejects(assume(ann, first, { TransitiveTagKeys: ["none"] }), { name: "ValidationError" });
  });

  test("tags of a session need a permission of their own, and decide", async () => {
    const AssumeRolePolicyDocument = statement({ Action: "sts:AssumeRole", Principal: { AWS: annArn() } });
    const { Role } = await api.iam().send(new CreateRoleCommand({ RoleName: "untagged", AssumeRolePolicyDocument }));
    await assume(ann, Role!.Arn!);
    await assert.rejects(assume(ann, Role!.Arn!, { Tags: [{ Key: "team", Value: "a" }] }), {
      name: "AccessDenied",
      message: /sts:TagSession/,
    });
  });

  test("a role that is deleted leaves its sessions without any permission, another of its name too", async () => {
    const RoleArn = await role("gone", { Principal: { AWS: annArn() } });
    const session = usable((await assume(ann, RoleArn)).Credentials);
    await list(session);
    await api.iam().send(new DetachRolePolicyCommand({ RoleName: "gone", PolicyArn: fullAccess }));
    await api.iam().send(new DeleteRoleCommand({ RoleName: "gone" }));
    await assert.rejects(list(session), { name: "AccessDeniedException" });
    await role("gone", { Principal: { AWS: annArn() } });
    await assert.rejects(list(session), { name: "AccessDeniedException" });
  });

  test("a role of another account: both accounts must allow it", async () => {
    const other = await api.store.transaction((tx) => createAccount(tx, api.ids, "other"));
    const theirs = credentialsOf((await adminKey(api.store.db, other.id))!);
    const document = statement({ Action: "sts:AssumeRole", Principal: { AWS: `arn:aws:iam::${api.account}:root` } });
    const { Role } = await api.iam(theirs).send(new CreateRoleCommand({ RoleName: "shared", AssumeRolePolicyDocument: document }));
    await assert.rejects(assume(ann, Role!.Arn!), { name: "AccessDenied" });
    const session = usable((await assume(api.admin, Role!.Arn!)).Credentials);
    assert.equal((await api.sts(session).send(new GetCallerIdentityCommand({}))).Account, other.id);
  });

  test("GetSessionToken is the user's, for EMR and not for IAM", async () => {
    await api.iam().send(new AttachUserPolicyCommand({ UserName: "ann", PolicyArn: readOnly }));
    await api.iam().send(new AttachUserPolicyCommand({ UserName: "ann", PolicyArn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess" }));
    const { Credentials } = await api.sts(ann).send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
    const session = usable(Credentials);
    assert.equal((await api.sts(session).send(new GetCallerIdentityCommand({}))).Arn, annArn());
    await list(session);
    await api.iam(ann).send(new ListUsersCommand({}));
    await assert.rejects(api.iam(session).send(new ListUsersCommand({})), { name: "InvalidClientTokenId" });
    await assert.rejects(api.sts(session).send(new GetSessionTokenCommand({})), { name: "AccessDenied" });
    await assert.rejects(api.sts(ann).send(new GetSessionTokenCommand({ SerialNumber: "arn:aws:iam::1:mfa/x", TokenCode: "123456" })), {
      name: "AccessDenied",
    });
    api.advance(900_001);
    await assert.rejects(list(session), { name: "ExpiredTokenException" });
  });

  test("whose a key is; what is not there says so", async () => {
    const { Account } = await api.sts().send(new GetAccessKeyInfoCommand({ AccessKeyId: ann.accessKeyId }));
    assert.equal(Account, api.account);
    await assert.rejects(api.sts().send(new GetAccessKeyInfoCommand({ AccessKeyId: "AKIANOBODYNOBODY" })), { name: "ValidationError" });
    await assert.rejects(api.sts().send(new DecodeAuthorizationMessageCommand({ EncodedMessage: "x" })), {
      name: "InvalidAuthorizationMessageException",
    });
    await assert.rejects(api.sts().send(new GetFederationTokenCommand({ Name: "fed" })), { name: "UnsupportedOperation" });
  });
});
