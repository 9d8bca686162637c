/** The calls that Terraform's AWS provider makes for its IAM resources, in its order; and those of `aws emr create-default-roles`. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { type Api, startApi } from "./iam-harness.ts";

const trust = (Service: string | string[], Version = "2012-10-17") =>
  JSON.stringify({ Version, Statement: [{ Sid: "", Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" }] });
const policy = (Action: string) => JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] });
const gone = { name: "NoSuchEntityException" };

describe("Terraform", () => {
  let api: Api;
  let iam: sdk.IAMClient;
  before(async () => {
    api = await startApi();
    iam = api.iam();
  });
  after(() => api.close());

  const readRole = async (RoleName: string) => {
    const { Role } = await iam.send(new sdk.GetRoleCommand({ RoleName }));
    const { PolicyNames } = await iam.send(new sdk.ListRolePoliciesCommand({ RoleName }));
    const { AttachedPolicies } = await iam.send(new sdk.ListAttachedRolePoliciesCommand({ RoleName }));
    const { Tags } = await iam.send(new sdk.ListRoleTagsCommand({ RoleName }));
    return {
      trust: decodeURIComponent(Role!.AssumeRolePolicyDocument!),
      description: Role!.Description,
      seconds: Role!.MaxSessionDuration,
      boundary: Role!.PermissionsBoundary?.PermissionsBoundaryArn,
      inline: PolicyNames,
      attached: AttachedPolicies?.map(({ PolicyArn }) => PolicyArn),
      tags: Tags,
      tagsOfRole: Role!.Tags,
    };
  };

  test("a role with its inline policy, managed policy, attachment and instance profile: created, read, updated, destroyed", async () => {
    const RoleName = "emr-nodes";
    // aws_iam_role
    await assert.rejects(iam.send(new sdk.GetRoleCommand({ RoleName })), gone);
    const created = await iam.send(
      new sdk.CreateRoleCommand({
        RoleName,
        Path: "/",
        AssumeRolePolicyDocument: trust("ec2.amazonaws.com"),
        MaxSessionDuration: 3600,
        Tags: [{ Key: "env", Value: "test" }],
      }),
    );
    assert.equal(created.Role?.RoleName, RoleName);
    // aws_iam_policy
    const { Policy } = await iam.send(
      new sdk.CreatePolicyCommand({ PolicyName: "read", Path: "/", PolicyDocument: policy("s3:GetObject") }),
    );
    const PolicyArn = Policy!.Arn!;
    const readPolicy = async () => {
      const found = (await iam.send(new sdk.GetPolicyCommand({ PolicyArn }))).Policy!;
      const version = await iam.send(new sdk.GetPolicyVersionCommand({ PolicyArn, VersionId: found.DefaultVersionId }));
      return decodeURIComponent(version.PolicyVersion!.Document!);
    };
    assert.equal(await readPolicy(), policy("s3:GetObject"));
    // aws_iam_role_policy_attachment, aws_iam_role_policy
    await iam.send(new sdk.AttachRolePolicyCommand({ RoleName, PolicyArn }));
    await iam.send(new sdk.PutRolePolicyCommand({ RoleName, PolicyName: "inline", PolicyDocument: policy("s3:ListBucket") }));
    const inline = await iam.send(new sdk.GetRolePolicyCommand({ RoleName, PolicyName: "inline" }));
    assert.equal(decodeURIComponent(inline.PolicyDocument!), policy("s3:ListBucket"));
    // aws_iam_instance_profile
    const InstanceProfileName = "emr-nodes";
    await iam.send(new sdk.CreateInstanceProfileCommand({ InstanceProfileName, Path: "/" }));
    await iam.send(new sdk.AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName }));
    const { InstanceProfile } = await iam.send(new sdk.GetInstanceProfileCommand({ InstanceProfileName }));
    assert.deepEqual(
      InstanceProfile?.Roles?.map((role) => role.RoleName),
      [RoleName],
    );

    const tags = [{ Key: "env", Value: "test" }];
    assert.deepEqual(await readRole(RoleName), {
      trust: trust("ec2.amazonaws.com"),
      description: undefined,
      seconds: 3600,
      boundary: undefined,
      inline: ["inline"],
      attached: [PolicyArn],
      tags,
      tagsOfRole: tags,
    });

    // An update of everything that can be updated.
    const services = ["ec2.amazonaws.com", "elasticmapreduce.amazonaws.com"];
    await iam.send(new sdk.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: trust(services) }));
    await iam.send(new sdk.UpdateRoleDescriptionCommand({ RoleName, Description: "nodes" }));
    await iam.send(new sdk.UpdateRoleCommand({ RoleName, MaxSessionDuration: 7200 }));
    await iam.send(new sdk.PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: PolicyArn }));
    await iam.send(new sdk.UntagRoleCommand({ RoleName, TagKeys: ["env"] }));
    await iam.send(new sdk.TagRoleCommand({ RoleName, Tags: [{ Key: "stage", Value: "prod" }] }));
    await iam.send(new sdk.ListPolicyVersionsCommand({ PolicyArn }));
    await iam.send(new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: policy("s3:*"), SetAsDefault: true }));
    assert.equal(await readPolicy(), policy("s3:*"));
    const updated = await readRole(RoleName);
    assert.deepEqual(
      [updated.trust, updated.description, updated.seconds, updated.boundary, updated.tags],
      [trust(services), "nodes", 7200, PolicyArn, [{ Key: "stage", Value: "prod" }]],
    );

    // Destroyed in the order of their dependences.
    await iam.send(new sdk.RemoveRoleFromInstanceProfileCommand({ InstanceProfileName, RoleName }));
    await iam.send(new sdk.DeleteInstanceProfileCommand({ InstanceProfileName }));
    await iam.send(new sdk.DetachRolePolicyCommand({ RoleName, PolicyArn }));
    await iam.send(new sdk.DeleteRolePolicyCommand({ RoleName, PolicyName: "inline" }));
    const profiles = await iam.send(new sdk.ListInstanceProfilesForRoleCommand({ RoleName }));
    assert.deepEqual(profiles.InstanceProfiles, []);
    await iam.send(new sdk.DeleteRolePermissionsBoundaryCommand({ RoleName }));
    await iam.send(new sdk.DeleteRoleCommand({ RoleName }));
    const { Versions } = await iam.send(new sdk.ListPolicyVersionsCommand({ PolicyArn }));
    for (const { VersionId, IsDefaultVersion } of Versions ?? [])
      if (!IsDefaultVersion) await iam.send(new sdk.DeletePolicyVersionCommand({ PolicyArn, VersionId }));
    await iam.send(new sdk.DeletePolicyCommand({ PolicyArn }));
    await assert.rejects(iam.send(new sdk.GetInstanceProfileCommand({ InstanceProfileName })), gone);
    await assert.rejects(iam.send(new sdk.GetRoleCommand({ RoleName })), gone);
    await assert.rejects(iam.send(new sdk.GetPolicyCommand({ PolicyArn })), gone);
  });

  test("a user with key, policy and group memberships, destroyed by force", async () => {
    const UserName = "ci";
    await iam.send(new sdk.CreateUserCommand({ UserName, Path: "/" }));
    await iam.send(new sdk.GetUserCommand({ UserName }));
    const { AccessKey } = await iam.send(new sdk.CreateAccessKeyCommand({ UserName }));
    await iam.send(new sdk.PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument: policy("s3:*") }));
    await iam.send(new sdk.CreateGroupCommand({ GroupName: "ci", Path: "/" }));
    await iam.send(new sdk.AddUserToGroupCommand({ UserName, GroupName: "ci" }));
    assert.equal((await iam.send(new sdk.GetGroupCommand({ GroupName: "ci" }))).Users?.length, 1);

    await iam.send(new sdk.RemoveUserFromGroupCommand({ UserName, GroupName: "ci" }));
    await iam.send(new sdk.DeleteGroupCommand({ GroupName: "ci" }));
    await iam.send(new sdk.DeleteUserPolicyCommand({ UserName, PolicyName: "p" }));
    // force_destroy looks for everything that a user may have.
    const { AccessKeyMetadata } = await iam.send(new sdk.ListAccessKeysCommand({ UserName }));
    for (const { AccessKeyId } of AccessKeyMetadata ?? []) await iam.send(new sdk.DeleteAccessKeyCommand({ UserName, AccessKeyId }));
    assert.equal(AccessKeyMetadata?.[0]?.AccessKeyId, AccessKey?.AccessKeyId);
    assert.deepEqual((await iam.send(new sdk.ListSSHPublicKeysCommand({ UserName }))).SSHPublicKeys, []);
    assert.deepEqual((await iam.send(new sdk.ListVirtualMFADevicesCommand({ AssignmentStatus: "Assigned" }))).VirtualMFADevices, []);
    assert.deepEqual((await iam.send(new sdk.ListMFADevicesCommand({ UserName }))).MFADevices, []);
    await assert.rejects(iam.send(new sdk.DeleteLoginProfileCommand({ UserName })), gone);
    assert.deepEqual((await iam.send(new sdk.ListSigningCertificatesCommand({ UserName }))).Certificates, []);
    assert.deepEqual((await iam.send(new sdk.ListServiceSpecificCredentialsCommand({ UserName }))).ServiceSpecificCredentials, []);
    await iam.send(new sdk.DeleteUserCommand({ UserName }));
    await assert.rejects(iam.send(new sdk.GetUserCommand({ UserName })), gone);
  });
});

describe("aws emr create-default-roles", () => {
  let api: Api;
  let iam: sdk.IAMClient;
  before(async () => {
    api = await startApi();
    iam = api.iam();
  });
  after(() => api.close());

  /** As awscli/customizations/emr/createdefaultroles.py does it. The names of the roles that it has made. */
  async function createDefaultRoles(): Promise<string[]> {
    const made: string[] = [];
    const is = async (command: Promise<unknown>) =>
      command.then(
        () => true,
        (error: Error) => {
          assert.equal(error.name, "NoSuchEntityException");
          return false;
        },
      );
    const role = async (RoleName: string, policyName: string, services: string | string[]) => {
      if (await is(iam.send(new sdk.GetRoleCommand({ RoleName })))) return;
      await iam.send(new sdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust(services, "2008-10-17") }));
      const PolicyArn = `arn:aws:iam::aws:policy/service-role/${policyName}`;
      await iam.send(new sdk.AttachRolePolicyCommand({ RoleName, PolicyArn }));
      const { Policy } = await iam.send(new sdk.GetPolicyCommand({ PolicyArn }));
      const { PolicyVersion } = await iam.send(new sdk.GetPolicyVersionCommand({ PolicyArn, VersionId: Policy!.DefaultVersionId }));
      assert.ok(JSON.parse(decodeURIComponent(PolicyVersion!.Document!)).Statement.length > 0);
      made.push(RoleName);
    };
    const emr = "elasticmapreduce.amazonaws.com";
    const InstanceProfileName = "EMR_EC2_DefaultRole";
    await role(InstanceProfileName, "AmazonElasticMapReduceforEC2Role", "ec2.amazonaws.com");
    if (!(await is(iam.send(new sdk.GetInstanceProfileCommand({ InstanceProfileName }))))) {
      await iam.send(new sdk.CreateInstanceProfileCommand({ InstanceProfileName }));
      await iam.send(new sdk.AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName: InstanceProfileName }));
    }
    await role("EMR_DefaultRole", "AmazonElasticMapReduceRole", emr);
    await role("EMR_AutoScaling_DefaultRole", "AmazonElasticMapReduceforAutoScalingRole", [emr, "application-autoscaling.amazonaws.com"]);
    return made;
  }

  test("has nothing to do in a new account, and makes what was deleted", async () => {
    assert.deepEqual(await createDefaultRoles(), []);
    const roles = ["EMR_EC2_DefaultRole", "EMR_DefaultRole", "EMR_AutoScaling_DefaultRole"];
    await iam.send(new sdk.RemoveRoleFromInstanceProfileCommand({ InstanceProfileName: roles[0], RoleName: roles[0] }));
    await iam.send(new sdk.DeleteInstanceProfileCommand({ InstanceProfileName: roles[0] }));
    for (const RoleName of roles) {
      const { AttachedPolicies } = await iam.send(new sdk.ListAttachedRolePoliciesCommand({ RoleName }));
      for (const { PolicyArn } of AttachedPolicies ?? []) await iam.send(new sdk.DetachRolePolicyCommand({ RoleName, PolicyArn }));
      await iam.send(new sdk.DeleteRoleCommand({ RoleName }));
    }
    assert.deepEqual(await createDefaultRoles(), roles);
    assert.deepEqual(await createDefaultRoles(), []);
  });
});
