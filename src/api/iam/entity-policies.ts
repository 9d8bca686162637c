/** Policies of users, groups and roles: attached, inline, and the boundary of users and roles. The same for each kind, by another name. */
import { awsManagedPolicy } from "../../access/aws-managed-policies.ts";
import { type IamEntity, updateEntity } from "../../store/iam-entities.ts";
import {
  attachmentsOf,
  attachPolicy,
  deleteInlinePolicy,
  detachPolicy,
  inlinePoliciesOf,
  putInlinePolicy,
} from "../../store/iam-policies.ts";
import type { Db, Tx } from "../../store/store.ts";
import type { IamContext, IamRequest, In } from "./context.ts";
import { checkQuota, encodeDocument, readIdentityPolicy, sizeOf } from "./documents.ts";
import { deleteConflict, limitExceeded, noSuchEntity } from "./errors.ts";
import { isAttachable, the, theOwnRole } from "./lookup.ts";
import { paged } from "./paging.ts";
import { quotas } from "./quotas.ts";

/** Throws DeleteConflict where the entity still has policies. */
export async function checkNoPolicies(db: Db, entity: IamEntity): Promise<void> {
  if ((await attachmentsOf(db, entity.id)).length > 0) throw deleteConflict("Cannot delete entity, must detach all policies first.");
  if ((await inlinePoliciesOf(db, entity.id)).length > 0) throw deleteConflict("Cannot delete entity, must delete policies first.");
}

/** The boundary's ARN; null where none is asked for. Throws NoSuchEntity. */
export async function readBoundary(db: Db, request: IamRequest, arn: string | undefined): Promise<string | null> {
  if (arn === undefined) return null;
  if (!(await isAttachable(db, request, arn))) throw noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`);
  return arn;
}

type Kind = "user" | "group" | "role";

const words = {
  user: { size: quotas.UserPolicySize, most: quotas.AttachedPoliciesPerUser, noun: "user", Name: "User" },
  group: { size: quotas.GroupPolicySize, most: quotas.AttachedPoliciesPerGroup, noun: "group", Name: "Group" },
  role: { size: quotas.RolePolicySize, most: quotas.AttachedPoliciesPerRole, noun: "role", Name: "Role" },
} as const;

/** For changes. */
const own = (kind: Kind) => (db: Db, request: IamRequest, name: string) =>
  kind === "role" ? theOwnRole(db, request, name) : the(db, request, kind, name);

async function attach(tx: Tx, request: IamRequest, entity: IamEntity, policyArn: string) {
  if (!(await isAttachable(tx.db, request, policyArn))) throw noSuchEntity(`Policy ${policyArn} does not exist or is not attachable.`);
  await attachPolicy(tx, entity.id, policyArn);
  const { most, Name } = words[entity.kind as Kind];
  checkQuota((await attachmentsOf(tx.db, entity.id)).length, `PoliciesPer${Name}`, most);
  return {};
}

async function detach(tx: Tx, entity: IamEntity, policyArn: string) {
  if (!(await detachPolicy(tx, entity.id, policyArn))) throw noSuchEntity(`Policy ${policyArn} was not found.`);
  return {};
}

/** What a list of attached policies says of each: /a/b/NAME is called NAME. */
export const attachedShape = (PolicyArn: string) => ({ PolicyName: PolicyArn.slice(PolicyArn.lastIndexOf("/") + 1), PolicyArn });

async function listAttached(db: Db, entity: IamEntity, input: { PathPrefix?: string; Marker?: string; MaxItems?: number }) {
  const { PathPrefix = "/" } = input;
  const pathOf = (arn: string) => awsManagedPolicy(arn)?.path ?? arn.slice(arn.indexOf("policy/") + 6, arn.lastIndexOf("/") + 1);
  const arns = (await attachmentsOf(db, entity.id)).filter((arn) => pathOf(arn).startsWith(PathPrefix));
  const { items, ...rest } = paged(arns, input, (arn) => arn);
  return { AttachedPolicies: items.map(attachedShape), ...rest };
}

async function put(tx: Tx, entity: IamEntity, { PolicyName, PolicyDocument }: { PolicyName: string; PolicyDocument: string }) {
  readIdentityPolicy(PolicyDocument);
  await putInlinePolicy(tx, entity.id, PolicyName, PolicyDocument);
  const { size, noun } = words[entity.kind as Kind];
  const total = (await inlinePoliciesOf(tx.db, entity.id)).reduce((sum, { document }) => sum + sizeOf(document), 0);
  if (total > size) throw limitExceeded(`Maximum policy size of ${size} bytes exceeded for ${noun} ${entity.name}`);
  return {};
}

const noSuchInline = ({ kind }: IamEntity, name: string) => noSuchEntity(`The ${kind} policy with name ${name} cannot be found.`);

async function getInline(db: Db, entity: IamEntity, PolicyName: string) {
  const found = (await inlinePoliciesOf(db, entity.id)).find(({ name }) => name === PolicyName);
  if (!found) throw noSuchInline(entity, PolicyName);
  return { PolicyName, PolicyDocument: encodeDocument(found.document) };
}

async function deleteInline(tx: Tx, entity: IamEntity, PolicyName: string) {
  if (!(await deleteInlinePolicy(tx, entity.id, PolicyName))) throw noSuchInline(entity, PolicyName);
  return {};
}

async function listInline(db: Db, entity: IamEntity, input: { Marker?: string; MaxItems?: number }) {
  const names = (await inlinePoliciesOf(db, entity.id)).map(({ name }) => name);
  const { items: PolicyNames, ...rest } = paged(names, input, (name) => name);
  return { PolicyNames, ...rest };
}

const ownUser = own("user");
const ownGroup = own("group");
const ownRole = own("role");

export const entityPolicyOperations = {
  AttachUserPolicy: ({ store }: IamContext, input: In<"AttachUserPolicy">, request: IamRequest) =>
    store.transaction(async (tx) => attach(tx, request, await ownUser(tx.db, request, input.UserName), input.PolicyArn)),
  AttachGroupPolicy: ({ store }: IamContext, input: In<"AttachGroupPolicy">, request: IamRequest) =>
    store.transaction(async (tx) => attach(tx, request, await ownGroup(tx.db, request, input.GroupName), input.PolicyArn)),
  AttachRolePolicy: ({ store }: IamContext, input: In<"AttachRolePolicy">, request: IamRequest) =>
    store.transaction(async (tx) => attach(tx, request, await ownRole(tx.db, request, input.RoleName), input.PolicyArn)),

  DetachUserPolicy: ({ store }: IamContext, input: In<"DetachUserPolicy">, request: IamRequest) =>
    store.transaction(async (tx) => detach(tx, await ownUser(tx.db, request, input.UserName), input.PolicyArn)),
  DetachGroupPolicy: ({ store }: IamContext, input: In<"DetachGroupPolicy">, request: IamRequest) =>
    store.transaction(async (tx) => detach(tx, await ownGroup(tx.db, request, input.GroupName), input.PolicyArn)),
  DetachRolePolicy: ({ store }: IamContext, input: In<"DetachRolePolicy">, request: IamRequest) =>
    store.transaction(async (tx) => detach(tx, await ownRole(tx.db, request, input.RoleName), input.PolicyArn)),

  ListAttachedUserPolicies: async ({ store }: IamContext, input: In<"ListAttachedUserPolicies">, request: IamRequest) =>
    listAttached(store.db, await the(store.db, request, "user", input.UserName), input),
  ListAttachedGroupPolicies: async ({ store }: IamContext, input: In<"ListAttachedGroupPolicies">, request: IamRequest) =>
    listAttached(store.db, await the(store.db, request, "group", input.GroupName), input),
  ListAttachedRolePolicies: async ({ store }: IamContext, input: In<"ListAttachedRolePolicies">, request: IamRequest) =>
    listAttached(store.db, await the(store.db, request, "role", input.RoleName), input),

  PutUserPolicy: ({ store }: IamContext, input: In<"PutUserPolicy">, request: IamRequest) =>
    store.transaction(async (tx) => put(tx, await ownUser(tx.db, request, input.UserName), input)),
  PutGroupPolicy: ({ store }: IamContext, input: In<"PutGroupPolicy">, request: IamRequest) =>
    store.transaction(async (tx) => put(tx, await ownGroup(tx.db, request, input.GroupName), input)),
  PutRolePolicy: ({ store }: IamContext, input: In<"PutRolePolicy">, request: IamRequest) =>
    store.transaction(async (tx) => put(tx, await ownRole(tx.db, request, input.RoleName), input)),

  GetUserPolicy: async ({ store }: IamContext, input: In<"GetUserPolicy">, request: IamRequest) => {
    const user = await the(store.db, request, "user", input.UserName);
    return { UserName: user.name, ...(await getInline(store.db, user, input.PolicyName)) };
  },
  GetGroupPolicy: async ({ store }: IamContext, input: In<"GetGroupPolicy">, request: IamRequest) => {
    const group = await the(store.db, request, "group", input.GroupName);
    return { GroupName: group.name, ...(await getInline(store.db, group, input.PolicyName)) };
  },
  GetRolePolicy: async ({ store }: IamContext, input: In<"GetRolePolicy">, request: IamRequest) => {
    const role = await the(store.db, request, "role", input.RoleName);
    return { RoleName: role.name, ...(await getInline(store.db, role, input.PolicyName)) };
  },

  DeleteUserPolicy: ({ store }: IamContext, input: In<"DeleteUserPolicy">, request: IamRequest) =>
    store.transaction(async (tx) => deleteInline(tx, await ownUser(tx.db, request, input.UserName), input.PolicyName)),
  DeleteGroupPolicy: ({ store }: IamContext, input: In<"DeleteGroupPolicy">, request: IamRequest) =>
    store.transaction(async (tx) => deleteInline(tx, await ownGroup(tx.db, request, input.GroupName), input.PolicyName)),
  DeleteRolePolicy: ({ store }: IamContext, input: In<"DeleteRolePolicy">, request: IamRequest) =>
    store.transaction(async (tx) => deleteInline(tx, await ownRole(tx.db, request, input.RoleName), input.PolicyName)),

  ListUserPolicies: async ({ store }: IamContext, input: In<"ListUserPolicies">, request: IamRequest) =>
    listInline(store.db, await the(store.db, request, "user", input.UserName), input),
  ListGroupPolicies: async ({ store }: IamContext, input: In<"ListGroupPolicies">, request: IamRequest) =>
    listInline(store.db, await the(store.db, request, "group", input.GroupName), input),
  ListRolePolicies: async ({ store }: IamContext, input: In<"ListRolePolicies">, request: IamRequest) =>
    listInline(store.db, await the(store.db, request, "role", input.RoleName), input),

  PutUserPermissionsBoundary: ({ store }: IamContext, input: In<"PutUserPermissionsBoundary">, request: IamRequest) =>
    store.transaction(async (tx) => bound(tx, request, await ownUser(tx.db, request, input.UserName), input.PermissionsBoundary)),
  PutRolePermissionsBoundary: ({ store }: IamContext, input: In<"PutRolePermissionsBoundary">, request: IamRequest) =>
    store.transaction(async (tx) => bound(tx, request, await ownRole(tx.db, request, input.RoleName), input.PermissionsBoundary)),
  DeleteUserPermissionsBoundary: ({ store }: IamContext, input: In<"DeleteUserPermissionsBoundary">, request: IamRequest) =>
    store.transaction(async (tx) => unbound(tx, await ownUser(tx.db, request, input.UserName))),
  DeleteRolePermissionsBoundary: ({ store }: IamContext, input: In<"DeleteRolePermissionsBoundary">, request: IamRequest) =>
    store.transaction(async (tx) => unbound(tx, await ownRole(tx.db, request, input.RoleName))),
};

async function bound(tx: Tx, request: IamRequest, entity: IamEntity, arn: string) {
  await updateEntity(tx, entity.id, { boundary_arn: await readBoundary(tx.db, request, arn) });
  return {};
}

async function unbound(tx: Tx, entity: IamEntity) {
  if (entity.boundary_arn === null) throw noSuchEntity(`The ${entity.kind} ${entity.name} has no permissions boundary.`);
  await updateEntity(tx, entity.id, { boundary_arn: null });
  return {};
}
