/** Groups with their policies, tags of all that has some, and what an account does not have, by the SDK's client. Users, roles and policies: iam.test.ts. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  CreateAccessKeyCommand,
  CreateAccountAliasCommand,
  CreateGroupCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  DeleteAccountAliasCommand,
  DeleteGroupCommand,
  DeleteGroupPolicyCommand,
  DeleteUserPermissionsBoundaryCommand,
  DetachGroupPolicyCommand,
  GetAccountPasswordPolicyCommand,
  GetGroupPolicyCommand,
  GetLoginProfileCommand,
  GetUserCommand,
  type IAMClient,
  ListAccountAliasesCommand,
  ListAttachedGroupPoliciesCommand,
  ListGroupPoliciesCommand,
  ListGroupsCommand,
  ListGroupsForUserCommand,
  ListInstanceProfilesCommand,
  ListInstanceProfileTagsCommand,
  ListOpenIDConnectProvidersCommand,
  ListPolicyTagsCommand,
  ListSAMLProvidersCommand,
  ListServerCertificatesCommand,
  ListUserPoliciesCommand,
  PutGroupPolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  TagInstanceProfileCommand,
  TagPolicyCommand,
  UntagInstanceProfileCommand,
  UntagPolicyCommand,
  UpdateGroupCommand,
} from "@aws-sdk/client-iam";
import { ListClustersCommand } from "@aws-sdk/client-emr";
import { type Api, startApi } from "./iam-harness.ts";

const readOnly = "arn:aws:iam::aws:policy/AmazonElasticMapReduceReadOnlyAccess";
const denyLists = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Deny", Action: "elasticmapreduce:List*", Resource: "*" }],
});
const missing = { name: "NoSuchEntityException" };

describe("IAM", () => {
  let api: Api;
  let iam: IAMClient;
  before(async () => {
    api = await startApi();
    iam = api.iam();
  });
  after(() => api.close());

  test("a group's policies, attached and inline, are its members' from one request to the next", async () => {
    await iam.send(new CreateGroupCommand({ GroupName: "readers", Path: "/teams/" }));
    await iam.send(new CreateUserCommand({ UserName: "ann" }));
    await iam.send(new AddUserToGroupCommand({ GroupName: "readers", UserName: "ann" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "ann" }));
    const ann = api.emr({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! });
    const may = async () => {
      try {
        await ann.send(new ListClustersCommand({}));
        return true;
      } catch (error) {
        assert.equal((error as Error).name, "AccessDeniedException");
        return false;
      }
    };
    assert.equal(await may(), false);
    await iam.send(new AttachGroupPolicyCommand({ GroupName: "readers", PolicyArn: readOnly }));
    assert.equal(await may(), true);
    const { AttachedPolicies } = await iam.send(new ListAttachedGroupPoliciesCommand({ GroupName: "readers" }));
    assert.deepEqual(AttachedPolicies, [{ PolicyName: "AmazonElasticMapReduceReadOnlyAccess", PolicyArn: readOnly }]);
    const elsewhere = await iam.send(new ListAttachedGroupPoliciesCommand({ GroupName: "readers", PathPrefix: "/none/" }));
    assert.deepEqual(elsewhere.AttachedPolicies, []);

    await iam.send(new PutGroupPolicyCommand({ GroupName: "readers", PolicyName: "not-now", PolicyDocument: denyLists }));
    assert.equal(await may(), false);
    assert.deepEqual((await iam.send(new ListGroupPoliciesCommand({ GroupName: "readers" }))).PolicyNames, ["not-now"]);
    const got = await iam.send(new GetGroupPolicyCommand({ GroupName: "readers", PolicyName: "not-now" }));
    assert.deepEqual([got.GroupName, decodeURIComponent(got.PolicyDocument!)], ["readers", denyLists]);
    await assert.rejects(iam.send(new DeleteGroupCommand({ GroupName: "readers" })), { name: "DeleteConflictException" });
    await iam.send(new DeleteGroupPolicyCommand({ GroupName: "readers", PolicyName: "not-now" }));
    assert.equal(await may(), true);
    for (const command of [GetGroupPolicyCommand, DeleteGroupPolicyCommand])
      await assert.rejects(iam.send(new command({ GroupName: "readers", PolicyName: "not-now" }) as GetGroupPolicyCommand), missing);

    await iam.send(new DetachGroupPolicyCommand({ GroupName: "readers", PolicyArn: readOnly }));
    assert.equal(await may(), false);
    await assert.rejects(iam.send(new DetachGroupPolicyCommand({ GroupName: "readers", PolicyArn: readOnly })), missing);
  });

  test("groups are listed by path and page, and renamed with their members", async () => {
    for (const GroupName of ["b", "c"]) await iam.send(new CreateGroupCommand({ GroupName, Path: "/teams/data/" }));
    const names = async (PathPrefix?: string) =>
      (await iam.send(new ListGroupsCommand({ PathPrefix }))).Groups?.map((one) => one.GroupName);
    assert.deepEqual(await names(), ["b", "c", "readers"]);
    assert.deepEqual(await names("/teams/data/"), ["b", "c"]);
    const first = await iam.send(new ListGroupsCommand({ MaxItems: 2 }));
    assert.deepEqual([first.Groups?.length, first.IsTruncated], [2, true]);
    const second = await iam.send(new ListGroupsCommand({ MaxItems: 2, Marker: first.Marker }));
    assert.deepEqual([second.Groups?.map((one) => one.GroupName), second.IsTruncated], [["readers"], false]);
    await assert.rejects(iam.send(new UpdateGroupCommand({ GroupName: "readers", NewGroupName: "b" })), {
      name: "EntityAlreadyExistsException",
    });
    await iam.send(new UpdateGroupCommand({ GroupName: "readers", NewGroupName: "viewers", NewPath: "/" }));
    const { Groups } = await iam.send(new ListGroupsForUserCommand({ UserName: "ann" }));
    assert.deepEqual(
      Groups?.map(({ GroupName, Arn }) => [GroupName, Arn]),
      [["viewers", `arn:aws:iam::${api.account}:group/viewers`]],
    );
    await assert.rejects(iam.send(new UpdateGroupCommand({ GroupName: "readers", NewPath: "/x/" })), missing);
  });

  test("a user's inline policies are listed, and a boundary that is taken away bounds no more", async () => {
    await iam.send(new CreateUserCommand({ UserName: "bob", PermissionsBoundary: readOnly }));
    for (const PolicyName of ["b", "a"])
      await iam.send(new PutUserPolicyCommand({ UserName: "bob", PolicyName, PolicyDocument: denyLists }));
    assert.deepEqual((await iam.send(new ListUserPoliciesCommand({ UserName: "bob" }))).PolicyNames, ["a", "b"]);
    const boundary = async () =>
      (await iam.send(new GetUserCommand({ UserName: "bob" }))).User?.PermissionsBoundary?.PermissionsBoundaryArn;
    assert.equal(await boundary(), readOnly);
    await iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName: "bob" }));
    assert.equal(await boundary(), undefined);
    await iam.send(new PutUserPermissionsBoundaryCommand({ UserName: "bob", PermissionsBoundary: readOnly }));
    assert.equal(await boundary(), readOnly);
    await assert.rejects(iam.send(new ListUserPoliciesCommand({ UserName: "nobody" })), missing);
  });

  test("tags of policies and instance profiles are put, listed and taken away; AWS's own policies have none", async () => {
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: "p", PolicyDocument: denyLists, Tags: [{ Key: "a", Value: "1" }] }),
    );
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: "i", Tags: [{ Key: "a", Value: "1" }] }));
    const [PolicyArn, InstanceProfileName] = [Policy!.Arn!, "i"];
    const kinds = [
      {
        list: () => iam.send(new ListPolicyTagsCommand({ PolicyArn })),
        tag: (Key: string, Value: string) => iam.send(new TagPolicyCommand({ PolicyArn, Tags: [{ Key, Value }] })),
        untag: (Key: string) => iam.send(new UntagPolicyCommand({ PolicyArn, TagKeys: [Key] })),
      },
      {
        list: () => iam.send(new ListInstanceProfileTagsCommand({ InstanceProfileName })),
        tag: (Key: string, Value: string) => iam.send(new TagInstanceProfileCommand({ InstanceProfileName, Tags: [{ Key, Value }] })),
        untag: (Key: string) => iam.send(new UntagInstanceProfileCommand({ InstanceProfileName, TagKeys: [Key] })),
      },
    ];
    for (const { list, tag, untag } of kinds) {
      await tag("b", "2");
      await tag("a", "new");
      assert.deepEqual((await list()).Tags, [
        { Key: "a", Value: "new" },
        { Key: "b", Value: "2" },
      ]);
      await untag("a");
      await untag("not there");
      assert.deepEqual((await list()).Tags, [{ Key: "b", Value: "2" }]);
      await assert.rejects(tag("aws:x", "1"), { name: "InvalidInputException" });
    }
    await assert.rejects(iam.send(new TagPolicyCommand({ PolicyArn: readOnly, Tags: [{ Key: "a", Value: "1" }] })));
    const { InstanceProfiles } = await iam.send(new ListInstanceProfilesCommand({}));
    assert.deepEqual(
      InstanceProfiles?.map((one) => [one.InstanceProfileName, one.Roles?.map(({ RoleName }) => RoleName)]),
      [
        ["EMR_EC2_DefaultRole", ["EMR_EC2_DefaultRole"]],
        ["i", []],
      ],
    );
  });

  test("an account's alias is taken away by its name only", async () => {
    await iam.send(new CreateAccountAliasCommand({ AccountAlias: "elephants" }));
    await assert.rejects(iam.send(new DeleteAccountAliasCommand({ AccountAlias: "others" })), missing);
    await iam.send(new DeleteAccountAliasCommand({ AccountAlias: "elephants" }));
    assert.deepEqual((await iam.send(new ListAccountAliasesCommand({}))).AccountAliases, []);
  });

  test("what no account here has is told in IAM's words, so that tools go on", async () => {
    assert.deepEqual((await iam.send(new ListOpenIDConnectProvidersCommand({}))).OpenIDConnectProviderList, []);
    assert.deepEqual((await iam.send(new ListSAMLProvidersCommand({}))).SAMLProviderList, []);
    assert.deepEqual((await iam.send(new ListServerCertificatesCommand({}))).ServerCertificateMetadataList, []);
    await assert.rejects(iam.send(new GetAccountPasswordPolicyCommand({})), missing);
    await assert.rejects(iam.send(new GetLoginProfileCommand({ UserName: "ann" })), { ...missing, message: /Login Profile for User ann/ });
  });
});
