/** The account as a whole: its alias, its summary, and everything that may do something in it. */
import { iamArn } from "../../access/arns.ts";
import { awsManagedPolicies, type AwsManagedPolicy } from "../../access/aws-managed-policies.ts";
import { countEntities, groupsOfUser, type IamEntity, listEntities, profilesOfRole, tagsOfEntity } from "../../store/iam-entities.ts";
import { attachmentsOf, inlinePoliciesOf, versionsOf } from "../../store/iam-policies.ts";
import type { IamKind } from "../../store/iam-schema.ts";
import type { Db } from "../../store/store.ts";
import type { IamContext, IamRequest, In } from "./context.ts";
import { encodeDocument } from "./documents.ts";
import { attachedShape } from "./entity-policies.ts";
import { alreadyExists, noSuchEntity } from "./errors.ts";
import { paged } from "./paging.ts";
import { usesOf } from "./policies.ts";
import { quotas } from "./quotas.ts";
import { awsPolicySummary, groupShape, policySummary, profileShape, roleShape, userShape, versionShape } from "./shapes.ts";

async function GetAccountSummary({ store }: IamContext, _input: unknown, request: IamRequest) {
  const count = await countEntities(store.db, request.accountId);
  const policies = await listEntities(store.db, request.accountId, "policy");
  const versions = await Promise.all(policies.map((policy) => versionsOf(store.db, iamArn(policy))));
  const SummaryMap: Record<string, number> = {
    Users: count.user,
    UsersQuota: quotas.Users,
    Groups: count.group,
    GroupsQuota: quotas.Groups,
    Roles: count.role,
    RolesQuota: quotas.Roles,
    InstanceProfiles: count["instance-profile"],
    InstanceProfilesQuota: quotas.InstanceProfiles,
    Policies: count.policy,
    PoliciesQuota: quotas.Policies,
    PolicyVersionsInUse: versions.flat().length,
    PolicySizeQuota: quotas.PolicySize,
    VersionsPerPolicyQuota: quotas.VersionsPerPolicy,
    AccessKeysPerUserQuota: quotas.AccessKeysPerUser,
    AssumeRolePolicySizeQuota: quotas.AssumeRolePolicySize,
    AttachedPoliciesPerGroupQuota: quotas.AttachedPoliciesPerGroup,
    AttachedPoliciesPerRoleQuota: quotas.AttachedPoliciesPerRole,
    AttachedPoliciesPerUserQuota: quotas.AttachedPoliciesPerUser,
    GroupsPerUserQuota: quotas.GroupsPerUser,
    GroupPolicySizeQuota: quotas.GroupPolicySize,
    RolePolicySizeQuota: quotas.RolePolicySize,
    UserPolicySizeQuota: quotas.UserPolicySize,
    AccountAccessKeysPresent: 0,
    AccountMFAEnabled: 0,
    AccountPasswordPresent: 0,
    MFADevices: 0,
    MFADevicesInUse: 0,
    Providers: 0,
    ServerCertificates: 0,
  };
  return { SummaryMap };
}

const aliasOf = async (db: Db, accountId: string) =>
  (await db.selectFrom("accounts").select("alias").where("id", "=", accountId).executeTakeFirst())?.alias ?? null;

async function ListAccountAliases({ store }: IamContext, _input: unknown, request: IamRequest) {
  const alias = await aliasOf(store.db, request.accountId);
  return { AccountAliases: alias === null ? [] : [alias], IsTruncated: false };
}

/** One for an account: a new one takes the place of the old one, as in AWS. */
async function CreateAccountAlias({ store }: IamContext, { AccountAlias: alias }: In<"CreateAccountAlias">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const owner = await tx.db.selectFrom("accounts").select("id").where("alias", "=", alias).executeTakeFirst();
    if (owner && owner.id !== request.accountId) throw alreadyExists(`The account alias ${alias} already exists.`);
    await tx.db.updateTable("accounts").set({ alias }).where("id", "=", request.accountId).execute();
    return {};
  });
}

async function DeleteAccountAlias({ store }: IamContext, { AccountAlias }: In<"DeleteAccountAlias">, request: IamRequest) {
  return store.transaction(async (tx) => {
    if ((await aliasOf(tx.db, request.accountId)) !== AccountAlias)
      throw noSuchEntity(`The Account Alias ${AccountAlias} cannot be found.`);
    await tx.db.updateTable("accounts").set({ alias: null }).where("id", "=", request.accountId).execute();
    return {};
  });
}

const inline = async (db: Db, { id }: IamEntity) =>
  (await inlinePoliciesOf(db, id)).map(({ name, document }) => ({ PolicyName: name, PolicyDocument: encodeDocument(document) }));
const attached = async (db: Db, { id }: IamEntity) => (await attachmentsOf(db, id)).map(attachedShape);

async function userDetail(db: Db, user: IamEntity) {
  return {
    ...userShape(user, await tagsOfEntity(db, user.id)),
    GroupList: (await groupsOfUser(db, user.id)).map(({ name }) => name),
    UserPolicyList: await inline(db, user),
    AttachedManagedPolicies: await attached(db, user),
  };
}

async function groupDetail(db: Db, group: IamEntity) {
  return { ...groupShape(group), GroupPolicyList: await inline(db, group), AttachedManagedPolicies: await attached(db, group) };
}

async function roleDetail(db: Db, role: IamEntity) {
  const { MaxSessionDuration: _, Description: __, ...shape } = roleShape(role, await tagsOfEntity(db, role.id));
  return {
    ...shape,
    InstanceProfileList: (await profilesOfRole(db, role.id)).map((profile) => profileShape(profile, role)),
    RolePolicyList: await inline(db, role),
    AttachedManagedPolicies: await attached(db, role),
  };
}

async function policyDetail(db: Db, policy: IamEntity | AwsManagedPolicy, uses: Awaited<ReturnType<typeof usesOf>>) {
  const isOwn = "kind" in policy;
  const arn = isOwn ? iamArn(policy) : policy.arn;
  const versions = await versionsOf(db, arn);
  const defaultVersion = versions.find(({ is_default }) => is_default === 1)?.version ?? 1;
  return {
    ...(isOwn ? policySummary(policy, { defaultVersion, ...uses(arn) }) : awsPolicySummary(policy, uses(arn))),
    PolicyVersionList: versions.map(versionShape),
  };
}

type Found = { key: string; kind: IamKind; of: IamEntity | AwsManagedPolicy };

async function GetAccountAuthorizationDetails({ store }: IamContext, input: In<"GetAccountAuthorizationDetails">, request: IamRequest) {
  const { db } = store;
  const wants = (filter: NonNullable<typeof input.Filter>[number]) => !input.Filter?.length || input.Filter.includes(filter);
  const own = async (kind: IamKind, filter: Parameters<typeof wants>[0]): Promise<Found[]> =>
    wants(filter) ? (await listEntities(db, request.accountId, kind)).map((of) => ({ key: `${kind} ${of.name}`, kind, of })) : [];
  const uses = await usesOf(db, request);
  // Without a filter AWS tells of those of its policies that are attached.
  const isWanted = ({ arn }: AwsManagedPolicy) => (input.Filter?.includes("AWSManagedPolicy") ?? false) || uses(arn).attachments > 0;
  const aws = wants("AWSManagedPolicy") ? awsManagedPolicies.filter(isWanted) : [];
  const all: Found[] = [
    ...(await own("user", "User")),
    ...(await own("group", "Group")),
    ...(await own("role", "Role")),
    ...(await own("policy", "LocalManagedPolicy")),
    ...aws.map((of): Found => ({ key: `policy of aws ${of.arn}`, kind: "policy", of })),
  ];
  const { items, ...rest } = paged(all, input, ({ key }) => key);
  const detail = <Shape>(kind: IamKind, shape: (of: never) => Promise<Shape>) =>
    Promise.all(items.filter((one) => one.kind === kind).map(({ of }) => shape(of as never)));
  return {
    UserDetailList: await detail("user", (user: IamEntity) => userDetail(db, user)),
    GroupDetailList: await detail("group", (group: IamEntity) => groupDetail(db, group)),
    RoleDetailList: await detail("role", (role: IamEntity) => roleDetail(db, role)),
    Policies: await detail("policy", (policy: IamEntity | AwsManagedPolicy) => policyDetail(db, policy, uses)),
    ...rest,
  };
}

export const accountOperations = {
  GetAccountSummary,
  ListAccountAliases,
  CreateAccountAlias,
  DeleteAccountAlias,
  GetAccountAuthorizationDetails,
};
