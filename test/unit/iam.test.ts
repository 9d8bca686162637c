import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AddRoleToInstanceProfileCommand,
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateAccountAliasCommand,
  CreateGroupCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteGroupCommand,
  DeleteInstanceProfileCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRoleCommand,
  DeleteServiceLinkedRoleCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  GetAccessKeyLastUsedCommand,
  GetAccountAuthorizationDetailsCommand,
  GetAccountSummaryCommand,
  GetGroupCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetServiceLinkedRoleDeletionStatusCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  ListAccessKeysCommand,
  ListAccountAliasesCommand,
  ListAttachedUserPoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListGroupsForUserCommand,
  ListMFADevicesCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  ListRolesCommand,
  ListUsersCommand,
  ListUserTagsCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  SetDefaultPolicyVersionCommand,
  TagUserCommand,
  UntagUserCommand,
  UpdateAccessKeyCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateUserCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { createAccount, adminKey } from "../../src/store/accounts.ts";
import { type Api, credentialsOf, startApi } from "./iam-harness.ts";

const trust = (Principal: unknown) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }] });
const ec2 = trust({ Service: "ec2.amazonaws.com" });
const policy = (Action: string, Resource = "*") =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Sid: "a", Effect: "Allow", Action, Resource }] });

describe("IAM", () => {
  let api: Api;
  let iam: ReturnType<Api["iam"]>;
  before(async () => {
    api = await startApi();
    iam = api.iam();
  });
  after(() => api.close());

  test("users: made, found without a name by who signs, renamed with their keys, deleted when nothing is left of them", async () => {
    const { User } = await iam.send(new CreateUserCommand({ UserName: "ann", Path: "/team/", Tags: [{ Key: "a", Value: "1" }] }));
    assert.equal(User?.Arn, `arn:aws:iam::${api.account}:user/team/ann`);
    assert.match(User?.UserId ?? "", /^AIDA[A-Z0-9]{17}$/);
    assert.deepEqual(User?.Tags, [{ Key: "a", Value: "1" }]);
    const again = iam.send(new CreateUserCommand({ UserName: "ANN" }));
    await assert.rejects(again, { name: "EntityAlreadyExistsException", message: "User with name ANN already exists." });
    await assert.rejects(again, (error: { $metadata: { httpStatusCode: number } }) => error.$metadata.httpStatusCode === 409);
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "ann" }));
    await iam.send(new AttachUserPolicyCommand({ UserName: "ann", PolicyArn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess" }));
    const hers = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
    assert.equal((await api.iam(hers).send(new GetUserCommand({}))).User?.UserName, "ann");
    await iam.send(new UpdateUserCommand({ UserName: "ann", NewUserName: "anna", NewPath: "/" }));
    assert.equal((await api.sts(hers).send(new GetCallerIdentityCommand({}))).Arn, `arn:aws:iam::${api.account}:user/anna`);
    await assert.rejects(iam.send(new GetUserCommand({ UserName: "ann" })), {
      name: "NoSuchEntityException",
      message: "The user with name ann cannot be found.",
    });
    await assert.rejects(iam.send(new DeleteUserCommand({ UserName: "anna" })), {
      name: "DeleteConflictException",
      message: "Cannot delete entity, must delete access keys first.",
    });
    await iam.send(new DeleteAccessKeyCommand({ UserName: "anna", AccessKeyId: AccessKey!.AccessKeyId }));
    await assert.rejects(iam.send(new DeleteUserCommand({ UserName: "anna" })), /must detach all policies first/);
    await iam.send(new DetachUserPolicyCommand({ UserName: "anna", PolicyArn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess" }));
    await iam.send(new DeleteUserCommand({ UserName: "anna" }));
    await assert.rejects(api.sts(hers).send(new GetCallerIdentityCommand({})), { name: "InvalidClientTokenId" });
  });

  test("access keys: two for a user, switched off and on; the secret is told once", async () => {
    await iam.send(new CreateUserCommand({ UserName: "keys" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "keys" }));
    await iam.send(new CreateAccessKeyCommand({ UserName: "keys" }));
    await assert.rejects(iam.send(new CreateAccessKeyCommand({ UserName: "keys" })), {
      name: "LimitExceededException",
      message: "Cannot exceed quota for AccessKeysPerUser: 2",
    });
    const id = AccessKey!.AccessKeyId!;
    const sts = api.sts({ accessKeyId: id, secretAccessKey: AccessKey!.SecretAccessKey! });
    await sts.send(new GetCallerIdentityCommand({}));
    await iam.send(new UpdateAccessKeyCommand({ UserName: "keys", AccessKeyId: id, Status: "Inactive" }));
    await assert.rejects(sts.send(new GetCallerIdentityCommand({})), { name: "InvalidClientTokenId" });
    const { AccessKeyMetadata, IsTruncated } = await iam.send(new ListAccessKeysCommand({ UserName: "keys" }));
    assert.equal(IsTruncated, false);
    assert.deepEqual(
      AccessKeyMetadata?.map(({ AccessKeyId, Status }) => [AccessKeyId === id, Status]).toSorted(),
      [
        [false, "Active"],
        [true, "Inactive"],
      ].toSorted(),
    );
    assert.ok(!JSON.stringify(AccessKeyMetadata).includes(AccessKey!.SecretAccessKey!));
    await assert.rejects(iam.send(new DeleteAccessKeyCommand({ UserName: "admin", AccessKeyId: id })), { name: "NoSuchEntityException" });
  });

  test("when keys and roles were last used is told, no finer than a quarter of an hour", async () => {
    await iam.send(new CreateUserCommand({ UserName: "used" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "used" }));
    const AccessKeyId = AccessKey!.AccessKeyId!;
    const lastUsed = async () => (await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }))).AccessKeyLastUsed;
    assert.deepEqual(await lastUsed(), { ServiceName: "N/A", Region: "N/A" });
    const theirs = { accessKeyId: AccessKeyId, secretAccessKey: AccessKey!.SecretAccessKey! };
    const identity = (region: string) => api.sts(theirs, region).send(new GetCallerIdentityCommand({}));
    await identity("eu-west-1");
    const used = await lastUsed();
    assert.deepEqual([used?.ServiceName, used?.Region], ["sts", "eu-west-1"]);
    await identity("eu-central-1");
    assert.equal((await lastUsed())?.Region, "eu-west-1");

    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "used", AssumeRolePolicyDocument: trust({ AWS: api.account }) }));
    const { Credentials } = await api.sts().send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "once" }));
    const session = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    };
    await api.sts(session, "eu-west-2").send(new GetCallerIdentityCommand({}));
    assert.equal((await iam.send(new GetRoleCommand({ RoleName: "used" }))).Role?.RoleLastUsed?.Region, "eu-west-2");
  });

  test("groups: members, and what they cannot be deleted with", async () => {
    await iam.send(new CreateUserCommand({ UserName: "bob" }));
    const { Group } = await iam.send(new CreateGroupCommand({ GroupName: "g", Path: "/x/" }));
    assert.equal(Group?.Arn, `arn:aws:iam::${api.account}:group/x/g`);
    await iam.send(new AddUserToGroupCommand({ GroupName: "g", UserName: "bob" }));
    await iam.send(new AddUserToGroupCommand({ GroupName: "g", UserName: "bob" }));
    const { Users } = await iam.send(new GetGroupCommand({ GroupName: "g" }));
    assert.deepEqual(
      Users?.map(({ UserName }) => UserName),
      ["bob"],
    );
    assert.equal((await iam.send(new ListGroupsForUserCommand({ UserName: "bob" }))).Groups?.[0]?.GroupName, "g");
    await assert.rejects(iam.send(new DeleteGroupCommand({ GroupName: "g" })), /must remove users from group first/);
    await assert.rejects(iam.send(new DeleteUserCommand({ UserName: "bob" })), /must remove users from group first/);
    await iam.send(new RemoveUserFromGroupCommand({ GroupName: "g", UserName: "bob" }));
    await assert.rejects(iam.send(new RemoveUserFromGroupCommand({ GroupName: "g", UserName: "bob" })), { name: "NoSuchEntityException" });
    await iam.send(new DeleteGroupCommand({ GroupName: "g" }));
    await iam.send(new DeleteUserCommand({ UserName: "bob" }));
  });

  test("managed policies: versions with a default, uses, and AWS's own, which nobody changes", async () => {
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: "p", Path: "/a/", Description: "d", PolicyDocument: policy("s3:GetObject") }),
    );
    const PolicyArn = Policy!.Arn!;
    assert.equal(PolicyArn, `arn:aws:iam::${api.account}:policy/a/p`);
    assert.deepEqual([Policy?.DefaultVersionId, Policy?.AttachmentCount, Policy?.Description], ["v1", 0, "d"]);
    for (const SetAsDefault of [true, false, false, false])
      await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: policy("s3:PutObject"), SetAsDefault }));
    await assert.rejects(iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: policy("s3:*") })), {
      name: "LimitExceededException",
      message: /up to 5 versions/,
    });
    const versions = async () =>
      (await iam.send(new ListPolicyVersionsCommand({ PolicyArn }))).Versions?.map(({ VersionId, IsDefaultVersion }) =>
        IsDefaultVersion ? `${VersionId}*` : VersionId,
      );
    assert.deepEqual(await versions(), ["v5", "v4", "v3", "v2*", "v1"]);
    await assert.rejects(iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v2" })), /default version/);
    await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v5" }));
    await iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
    await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: policy("s3:*") }));
    assert.deepEqual(await versions(), ["v6", "v4", "v3", "v2", "v1*"]);
    const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
    assert.equal(decodeURIComponent(PolicyVersion!.Document!), policy("s3:GetObject"));
    assert.match(PolicyVersion!.Document!, /^%7B%22Version%22%3A%222012-10-17%22/);

    await iam.send(new CreateGroupCommand({ GroupName: "users-of-p" }));
    await iam.send(new AttachGroupPolicyCommand({ GroupName: "users-of-p", PolicyArn }));
    assert.equal((await iam.send(new GetPolicyCommand({ PolicyArn }))).Policy?.AttachmentCount, 1);
    const uses = await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn }));
    assert.deepEqual([uses.PolicyGroups?.[0]?.GroupName, uses.PolicyUsers, uses.PolicyRoles], ["users-of-p", [], []]);
    await assert.rejects(iam.send(new DeletePolicyCommand({ PolicyArn })), { name: "DeleteConflictException" });

    const local = await iam.send(new ListPoliciesCommand({ Scope: "Local" }));
    assert.deepEqual(
      local.Policies?.map(({ PolicyName }) => PolicyName),
      ["p"],
    );
    const aws = await iam.send(new ListPoliciesCommand({ Scope: "AWS", PathPrefix: "/service-role/" }));
    assert.ok(aws.Policies?.some(({ Arn }) => Arn === "arn:aws:iam::aws:policy/service-role/AmazonElasticMapReduceRole"));
    const attached = await iam.send(new ListPoliciesCommand({ OnlyAttached: true }));
    assert.ok(attached.Policies?.some(({ PolicyName }) => PolicyName === "AdministratorAccess"));
    assert.ok(!attached.Policies?.some(({ PolicyName }) => PolicyName === "PowerUserAccess"));
    const PolicyOfAws = "arn:aws:iam::aws:policy/AmazonEMRFullAccessPolicy_v2";
    const { Policy: full } = await iam.send(new GetPolicyCommand({ PolicyArn: PolicyOfAws }));
    const version = await iam.send(new GetPolicyVersionCommand({ PolicyArn: PolicyOfAws, VersionId: full!.DefaultVersionId }));
    assert.match(decodeURIComponent(version.PolicyVersion!.Document!), /RunJobFlowExplicitlyWithEMRManagedTag/);
    await assert.rejects(iam.send(new CreatePolicyVersionCommand({ PolicyArn: PolicyOfAws, PolicyDocument: policy("s3:*") })), {
      name: "AccessDenied",
    });
    await assert.rejects(iam.send(new GetPolicyCommand({ PolicyArn: "arn:aws:iam::aws:policy/NoSuchPolicyOfAws" })), {
      name: "NoSuchEntityException",
    });
  });

  test("inline policies and boundaries", async () => {
    await iam.send(new CreateUserCommand({ UserName: "inline" }));
    const named = { UserName: "inline", PolicyName: "p" };
    await iam.send(new PutUserPolicyCommand({ ...named, PolicyDocument: policy("s3:GetObject") }));
    await iam.send(new PutUserPolicyCommand({ ...named, PolicyDocument: policy("s3:PutObject") }));
    const got = await iam.send(new GetUserPolicyCommand(named));
    assert.equal(decodeURIComponent(got.PolicyDocument!), policy("s3:PutObject"));
    await assert.rejects(
      iam.send(new PutUserPolicyCommand({ ...named, PolicyDocument: policy("s3:x", `arn:aws:s3:::${"x".repeat(2048)}`) })),
      {
        name: "LimitExceededException",
        message: "Maximum policy size of 2048 bytes exceeded for user inline",
      },
    );
    await assert.rejects(iam.send(new DeleteUserCommand({ UserName: "inline" })), /must delete policies first/);
    await iam.send(new DeleteUserPolicyCommand(named));
    await assert.rejects(iam.send(new GetUserPolicyCommand(named)), { message: "The user policy with name p cannot be found." });
    const PermissionsBoundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    await iam.send(new PutUserPermissionsBoundaryCommand({ UserName: "inline", PermissionsBoundary }));
    const { User } = await iam.send(new GetUserCommand({ UserName: "inline" }));
    assert.equal(User?.PermissionsBoundary?.PermissionsBoundaryArn, PermissionsBoundary);
    await assert.rejects(
      iam.send(new PutUserPermissionsBoundaryCommand({ UserName: "inline", PermissionsBoundary: `${PermissionsBoundary}X` })),
      { name: "NoSuchEntityException" },
    );
    await iam.send(new DeleteUserCommand({ UserName: "inline" }));
  });

  test("documents are checked", async () => {
    const role = (AssumeRolePolicyDocument: string) => iam.send(new CreateRoleCommand({ RoleName: "bad", AssumeRolePolicyDocument }));
    const malformed = (message: RegExp) => ({ name: "MalformedPolicyDocumentException", message });
    await assert.rejects(role("{"), malformed(/policy/i));
    await assert.rejects(role(policy("sts:AssumeRole")), malformed(/Has prohibited field Resource/));
    const missing = `arn:aws:iam::${api.account}:user/nobody`;
    await assert.rejects(role(trust({ AWS: missing })), malformed(new RegExp(`^Invalid principal in policy: "AWS":"${missing}"$`)));
    await assert.rejects(iam.send(new CreatePolicyCommand({ PolicyName: "bad", PolicyDocument: ec2 })), malformed(/principal/));
    await assert.rejects(
      iam.send(new CreatePolicyCommand({ PolicyName: "bad", PolicyDocument: policy("s3:GetObject", "bucket") })),
      malformed(/ARN/),
    );
    await assert.rejects(iam.send(new GetRoleCommand({ RoleName: "bad" })), { name: "NoSuchEntityException" });
  });

  test("roles and instance profiles hold one another", async () => {
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName: "r", AssumeRolePolicyDocument: ec2, MaxSessionDuration: 7200, Description: "d" }),
    );
    assert.match(Role!.RoleId!, /^AROA/);
    assert.equal(decodeURIComponent(Role!.AssumeRolePolicyDocument!), ec2);
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: "ip" }));
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: "ip", RoleName: "r" }));
    await assert.rejects(iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: "ip", RoleName: "r" })), {
      name: "LimitExceededException",
      message: "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
    });
    await assert.rejects(iam.send(new DeleteRoleCommand({ RoleName: "r" })), /must remove roles from instance profile first/);
    await assert.rejects(iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName: "ip" })), /must remove roles/);
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: "r", PolicyDocument: trust({ AWS: api.account }) }));
    const read = (await iam.send(new GetRoleCommand({ RoleName: "r" }))).Role!;
    assert.deepEqual([read.MaxSessionDuration, read.Description, read.RoleLastUsed], [7200, "d", {}]);
    assert.match(decodeURIComponent(read.AssumeRolePolicyDocument!), new RegExp(api.account));
  });

  test("tags: keys are the same whatever their case", async () => {
    await iam.send(new CreateUserCommand({ UserName: "tagged", Tags: [{ Key: "Team", Value: "a" }] }));
    await iam.send(new TagUserCommand({ UserName: "tagged", Tags: [{ Key: "team", Value: "b" }] }));
    assert.deepEqual((await iam.send(new ListUserTagsCommand({ UserName: "tagged" }))).Tags, [{ Key: "team", Value: "b" }]);
    const twice = [
      { Key: "x", Value: "1" },
      { Key: "X", Value: "2" },
    ];
    await assert.rejects(iam.send(new TagUserCommand({ UserName: "tagged", Tags: twice })), { name: "InvalidInputException" });
    const many = Array.from({ length: 50 }, (_, n) => ({ Key: `k${n}`, Value: "" }));
    await assert.rejects(iam.send(new TagUserCommand({ UserName: "tagged", Tags: many })), { name: "LimitExceededException" });
    assert.equal((await iam.send(new ListUserTagsCommand({ UserName: "tagged" }))).Tags?.length, 1);
    await iam.send(new UntagUserCommand({ UserName: "tagged", TagKeys: ["TEAM"] }));
    assert.deepEqual((await iam.send(new ListUserTagsCommand({ UserName: "tagged" }))).Tags, []);
  });

  test("pages are stable while things come and go", async () => {
    for (const name of ["page-b", "Page-D", "page-a", "page-c", "page-e"])
      await iam.send(new CreateUserCommand({ UserName: name, Path: "/pages/" }));
    const page = (Marker?: string) => iam.send(new ListUsersCommand({ PathPrefix: "/pages/", MaxItems: 2, Marker }));
    const names = (users: { UserName?: string }[] | undefined) => users?.map(({ UserName }) => UserName);
    const first = await page();
    assert.deepEqual([names(first.Users), first.IsTruncated], [["page-a", "page-b"], true]);
    await iam.send(new DeleteUserCommand({ UserName: "page-b" }));
    await iam.send(new CreateUserCommand({ UserName: "page-0", Path: "/pages/" }));
    const second = await page(first.Marker);
    assert.deepEqual(names(second.Users), ["page-c", "Page-D"]);
    const third = await page(second.Marker);
    assert.deepEqual([names(third.Users), third.IsTruncated, third.Marker], [["page-e"], false, undefined]);
    await assert.rejects(page("nonsense"), { name: "ValidationError" });
    await assert.rejects(iam.send(new ListUsersCommand({ MaxItems: 1001 })), {
      name: "ValidationError",
      message: /'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000/,
    });
  });

  test("attachments: by path, ten at most, and only of policies that are there", async () => {
    await iam.send(new CreateRoleCommand({ RoleName: "attached", AssumeRolePolicyDocument: ec2 }));
    for (let n = 0; n < 11; n++) {
      const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: `ten-${n}`, PolicyDocument: policy("s3:*") }));
      const attach = iam.send(new AttachRolePolicyCommand({ RoleName: "attached", PolicyArn: Policy!.Arn }));
      if (n < 10) await attach;
      else await assert.rejects(attach, { message: "Cannot exceed quota for PoliciesPerRole: 10" });
    }
    await assert.rejects(
      iam.send(new AttachRolePolicyCommand({ RoleName: "attached", PolicyArn: `arn:aws:iam::${api.account}:policy/none` })),
      {
        name: "NoSuchEntityException",
        message: /does not exist or is not attachable/,
      },
    );
    const UserName = "admin";
    const { AttachedPolicies } = await iam.send(new ListAttachedUserPoliciesCommand({ UserName }));
    assert.deepEqual(AttachedPolicies, [{ PolicyName: "AdministratorAccess", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" }]);
    assert.deepEqual(
      (await iam.send(new ListAttachedUserPoliciesCommand({ UserName, PathPrefix: "/service-role/" }))).AttachedPolicies,
      [],
    );
  });

  test("EMR's service-linked role is EMR's alone", async () => {
    const AWSServiceName = "elasticmapreduce.amazonaws.com";
    const { Role } = await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName }));
    assert.equal(Role?.Arn, `arn:aws:iam::${api.account}:role/aws-service-role/${AWSServiceName}/AWSServiceRoleForEMRCleanup`);
    await assert.rejects(iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName })), { name: "InvalidInputException" });
    const RoleName = "AWSServiceRoleForEMRCleanup";
    const protectedRole = { name: "UnmodifiableEntityException" };
    await assert.rejects(iam.send(new DeleteRoleCommand({ RoleName })), protectedRole);
    await assert.rejects(iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: policy("s3:*") })), protectedRole);
    await assert.rejects(iam.send(new UpdateRoleCommand({ RoleName, MaxSessionDuration: 7200 })), protectedRole);
    // Its description and its tags are the account's: so Terraform takes the role over.
    await iam.send(new UpdateRoleCommand({ RoleName, Description: "cleans up" }));
    await iam.send(new TagRoleCommand({ RoleName, Tags: [{ Key: "team", Value: "data" }] }));
    const edited = (await iam.send(new GetRoleCommand({ RoleName }))).Role;
    assert.deepEqual([edited?.Description, edited?.Tags], ["cleans up", [{ Key: "team", Value: "data" }]]);
    await iam.send(new UntagRoleCommand({ RoleName, TagKeys: ["team"] }));
    const { DeletionTaskId } = await iam.send(new DeleteServiceLinkedRoleCommand({ RoleName }));
    assert.equal((await iam.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }))).Status, "SUCCEEDED");
    await assert.rejects(iam.send(new GetRoleCommand({ RoleName })), { name: "NoSuchEntityException" });
    await assert.rejects(iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: "lex.amazonaws.com" })), {
      name: "InvalidInputException",
    });
  });

  test("the account as a whole", async () => {
    const { SummaryMap } = await iam.send(new GetAccountSummaryCommand({}));
    assert.equal(SummaryMap?.AccessKeysPerUserQuota, 2);
    assert.equal(SummaryMap?.Roles, (await iam.send(new ListRolesCommand({}))).Roles?.length);
    await iam.send(new CreateAccountAliasCommand({ AccountAlias: "mine" }));
    assert.deepEqual((await iam.send(new ListAccountAliasesCommand({}))).AccountAliases, ["mine"]);
    const details = await iam.send(new GetAccountAuthorizationDetailsCommand({}));
    const role = details.RoleDetailList?.find(({ RoleName }) => RoleName === "EMR_EC2_DefaultRole");
    assert.equal(role?.InstanceProfileList?.[0]?.InstanceProfileName, "EMR_EC2_DefaultRole");
    assert.equal(role?.AttachedManagedPolicies?.[0]?.PolicyName, "AmazonElasticMapReduceforEC2Role");
    assert.ok(
      details.Policies?.some(
        ({ PolicyName, PolicyVersionList }) => PolicyName === "AdministratorAccess" && PolicyVersionList?.[0]?.Document,
      ),
    );
    const seen = new Set<string>();
    for (let Marker: string | undefined, more = true; more;) {
      const page = await iam.send(new GetAccountAuthorizationDetailsCommand({ MaxItems: 3, Marker, Filter: ["User", "Role"] }));
      for (const { Arn } of [...page.UserDetailList!, ...page.RoleDetailList!]) seen.add(Arn!);
      [Marker, more] = [page.Marker, page.IsTruncated ?? false];
    }
    assert.equal(seen.size, details.UserDetailList!.length + details.RoleDetailList!.length);
    assert.deepEqual((await iam.send(new ListMFADevicesCommand({}))).MFADevices, []);
  });

  test("IAM is one for an account, whatever the region; accounts see nothing of one another", async () => {
    await api.iam(api.admin, "eu-west-1").send(new CreateUserCommand({ UserName: "global" }));
    assert.ok((await iam.send(new GetUserCommand({ UserName: "global" }))).User);
    const other = await api.store.transaction((tx) => createAccount(tx, api.ids, "other"));
    const theirs = api.iam(credentialsOf((await adminKey(api.store.db, other.id))!));
    await assert.rejects(theirs.send(new GetUserCommand({ UserName: "global" })), { name: "NoSuchEntityException" });
    await theirs.send(new CreateUserCommand({ UserName: "global" }));
    const { Policy } = await theirs.send(new CreatePolicyCommand({ PolicyName: "theirs", PolicyDocument: policy("s3:*") }));
    await assert.rejects(iam.send(new GetPolicyCommand({ PolicyArn: Policy!.Arn })), { name: "NoSuchEntityException" });
    await assert.rejects(iam.send(new AttachUserPolicyCommand({ UserName: "global", PolicyArn: Policy!.Arn })), {
      name: "NoSuchEntityException",
    });
    await assert.rejects(theirs.send(new CreateAccountAliasCommand({ AccountAlias: "mine" })), { name: "EntityAlreadyExistsException" });
  });
});
