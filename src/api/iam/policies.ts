/** Managed policies: the account's own with up to five versions, and AWS's, which are only read. */
import { iamArn } from "../../access/arns.ts";
import { awsManagedPolicies, awsManagedPolicy } from "../../access/aws-managed-policies.ts";
import { deleteEntity, type IamEntity, listEntities, tagsOfEntity, updateEntity } from "../../store/iam-entities.ts";
import {
  addVersion,
  attachmentCounts,
  boundaryCounts,
  deleteVersion,
  entitiesWithPolicy,
  type PolicyVersion,
  setDefaultVersion,
  versionsOf,
} from "../../store/iam-policies.ts";
import type { Db } from "../../store/store.ts";
import type { IamContext, IamRequest, In } from "./context.ts";
import { checkQuota, readIdentityPolicy, sizeOf } from "./documents.ts";
import { deleteConflict, limitExceeded, noSuchEntity, validationError } from "./errors.ts";
import { theOwnPolicy } from "./lookup.ts";
import { paged } from "./paging.ts";
import { checkRoom, quotas } from "./quotas.ts";
import { awsPolicySummary, type PolicyFacts, policyShape, policySummary, versionName, versionShape, versionSummary } from "./shapes.ts";
import { insertTagged } from "./tags.ts";

function readDocument(text: string): string {
  checkQuota(sizeOf(text), "PolicySize", quotas.PolicySize);
  readIdentityPolicy(text);
  return text;
}

/** How often each policy of the account is used. */
export async function usesOf(db: Db, request: IamRequest) {
  const [attached, bounded] = [await attachmentCounts(db, request.accountId), await boundaryCounts(db, request.accountId)];
  return (arn: string) => ({ attachments: attached.get(arn) ?? 0, boundaries: bounded.get(arn) ?? 0 });
}

async function factsOf(db: Db, request: IamRequest, arn: string): Promise<PolicyFacts> {
  const found = (await versionsOf(db, arn)).find(({ is_default }) => is_default === 1);
  return { defaultVersion: found?.version ?? 1, ...(await usesOf(db, request))(arn) };
}

async function CreatePolicy(context: IamContext, input: In<"CreatePolicy">, request: IamRequest) {
  return context.store.transaction(async (tx) => {
    await checkRoom(tx.db, request, "policy");
    const { PolicyName: name, Path: path = "/", Description: description = null } = input;
    const document = readDocument(input.PolicyDocument);
    const given = { account_id: request.accountId, kind: "policy", name, path, description } as const;
    const policy = await insertTagged(
      tx,
      context,
      given,
      input.Tags,
      `A policy called ${name} already exists. Duplicate names are not allowed.`,
    );
    await addVersion(tx, policy, document, true);
    const facts = { defaultVersion: 1, attachments: 0, boundaries: 0 };
    return { Policy: policyShape(policy, facts, await tagsOfEntity(tx.db, policy.id)) };
  });
}

async function GetPolicy({ store }: IamContext, input: In<"GetPolicy">, request: IamRequest) {
  const aws = awsManagedPolicy(input.PolicyArn);
  const facts = await factsOf(store.db, request, input.PolicyArn);
  if (aws) return { Policy: { ...awsPolicySummary(aws, facts), Description: aws.description, Tags: [] } };
  const policy = await theOwnPolicy(store.db, request, input.PolicyArn);
  return { Policy: policyShape(policy, facts, await tagsOfEntity(store.db, policy.id)) };
}

async function DeletePolicy({ store }: IamContext, input: In<"DeletePolicy">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const policy = await theOwnPolicy(tx.db, request, input.PolicyArn);
    const arn = iamArn(policy);
    const { attached, bounded } = await entitiesWithPolicy(tx.db, request.accountId, arn);
    if (attached.length > 0 || bounded.length > 0) throw deleteConflict("Cannot delete a policy attached to entities.");
    const [only, ...others] = await versionsOf(tx.db, arn);
    if (others.length > 0)
      throw deleteConflict(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      );
    await deleteVersion(tx, arn, only?.version ?? 0);
    await deleteEntity(tx, policy.id);
    return {};
  });
}

async function ListPolicies({ store }: IamContext, input: In<"ListPolicies">, request: IamRequest) {
  const { Scope = "All", PathPrefix = "/", OnlyAttached = false, PolicyUsageFilter } = input;
  const uses = await usesOf(store.db, request);
  const isWanted = (arn: string) => {
    const { attachments, boundaries } = uses(arn);
    if (OnlyAttached && attachments + boundaries === 0) return false;
    if (PolicyUsageFilter === "PermissionsPolicy") return attachments > 0;
    return PolicyUsageFilter === undefined || boundaries > 0;
  };
  const own = Scope === "AWS" ? [] : await listEntities(store.db, request.accountId, "policy", PathPrefix);
  const aws = Scope === "Local" ? [] : awsManagedPolicies.filter(({ path }) => path.startsWith(PathPrefix));
  const found: { name: string; arn: string; shape: () => Promise<ReturnType<typeof policySummary>> }[] = [
    ...own.map((policy) => {
      const arn = iamArn(policy);
      return { name: policy.name, arn, shape: async () => policySummary(policy, await factsOf(store.db, request, arn)) };
    }),
    ...aws.map((policy) => ({ name: policy.name, arn: policy.arn, shape: async () => awsPolicySummary(policy, uses(policy.arn)) })),
  ];
  // Two policies may have one name, AWS's and the account's.
  const { items, ...rest } = paged(
    found.filter(({ arn }) => isWanted(arn)),
    input,
    ({ name, arn }) => `${name} ${arn}`,
  );
  return { Policies: await Promise.all(items.map(({ shape }) => shape())), ...rest };
}

async function theVersion(db: Db, policyArn: string, versionId: string): Promise<PolicyVersion> {
  const found = (await versionsOf(db, policyArn)).find(({ version }) => versionName(version) === versionId);
  if (!found) throw noSuchEntity(`Policy ${policyArn} version ${versionId} does not exist or is not attachable.`);
  return found;
}

/** Of AWS's, too. */
async function readablePolicy(db: Db, request: IamRequest, arn: string): Promise<string> {
  return awsManagedPolicy(arn)?.arn ?? iamArn(await theOwnPolicy(db, request, arn));
}

async function CreatePolicyVersion({ store }: IamContext, input: In<"CreatePolicyVersion">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const policy: IamEntity = await theOwnPolicy(tx.db, request, input.PolicyArn);
    const document = readDocument(input.PolicyDocument);
    if ((await versionsOf(tx.db, iamArn(policy))).length >= quotas.VersionsPerPolicy)
      throw limitExceeded(
        `A managed policy can have up to ${quotas.VersionsPerPolicy} versions. Before you create a new version, you must delete an existing version.`,
      );
    return { PolicyVersion: versionSummary(await addVersion(tx, policy, document, input.SetAsDefault ?? false)) };
  });
}

async function GetPolicyVersion({ store }: IamContext, input: In<"GetPolicyVersion">, request: IamRequest) {
  const arn = await readablePolicy(store.db, request, input.PolicyArn);
  return { PolicyVersion: versionShape(await theVersion(store.db, arn, input.VersionId)) };
}

async function ListPolicyVersions({ store }: IamContext, input: In<"ListPolicyVersions">, request: IamRequest) {
  const versions = await versionsOf(store.db, await readablePolicy(store.db, request, input.PolicyArn));
  // Newest first, whatever the marker's order: versions are few and their numbers only grow.
  const { items, ...rest } = paged(versions, input, ({ version }) => String(1_000_000 - version));
  return { Versions: items.map(versionSummary), ...rest };
}

async function DeletePolicyVersion({ store }: IamContext, input: In<"DeletePolicyVersion">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const policy = await theOwnPolicy(tx.db, request, input.PolicyArn);
    const version = await theVersion(tx.db, iamArn(policy), input.VersionId);
    if (version.is_default === 1) throw deleteConflict("Cannot delete the default version of a policy.");
    await deleteVersion(tx, version.policy_arn, version.version);
    return {};
  });
}

async function SetDefaultPolicyVersion({ store }: IamContext, input: In<"SetDefaultPolicyVersion">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const policy = await theOwnPolicy(tx.db, request, input.PolicyArn);
    const { policy_arn, version } = await theVersion(tx.db, iamArn(policy), input.VersionId);
    await setDefaultVersion(tx, policy_arn, version);
    await updateEntity(tx, policy.id, { updated_at: tx.now });
    return {};
  });
}

async function ListEntitiesForPolicy({ store }: IamContext, input: In<"ListEntitiesForPolicy">, request: IamRequest) {
  const { EntityFilter, PathPrefix = "/", PolicyUsageFilter = "PermissionsPolicy" } = input;
  if (EntityFilter === "LocalManagedPolicy" || EntityFilter === "AWSManagedPolicy")
    throw validationError(`EntityFilter: policies are not attached to policies. It must be User, Group or Role.`);
  const arn = await readablePolicy(store.db, request, input.PolicyArn);
  const uses = await entitiesWithPolicy(store.db, request.accountId, arn);
  const wanted = (PolicyUsageFilter === "PermissionsPolicy" ? uses.attached : uses.bounded).filter(
    ({ kind, path }) => path.startsWith(PathPrefix) && (EntityFilter === undefined || kind === EntityFilter.toLowerCase()),
  );
  const { items, ...rest } = paged(wanted, input, ({ kind, name }) => `${kind} ${name}`);
  const of = (kind: IamEntity["kind"]) => items.filter((one) => one.kind === kind);
  return {
    PolicyUsers: of("user").map(({ name, id }) => ({ UserName: name, UserId: id })),
    PolicyGroups: of("group").map(({ name, id }) => ({ GroupName: name, GroupId: id })),
    PolicyRoles: of("role").map(({ name, id }) => ({ RoleName: name, RoleId: id })),
    ...rest,
  };
}

export const policyOperations = {
  CreatePolicy,
  GetPolicy,
  DeletePolicy,
  ListPolicies,
  CreatePolicyVersion,
  GetPolicyVersion,
  ListPolicyVersions,
  DeletePolicyVersion,
  SetDefaultPolicyVersion,
  ListEntitiesForPolicy,
};
