/** Roles. */
import { deleteEntity, listEntities, profilesOfRole, tagsOfEntity, updateEntity } from "../../store/iam-entities.ts";
import type { Db } from "../../store/store.ts";
import type { IamContext, IamRequest, In } from "./context.ts";
import { checkQuota, readTrustPolicy, sizeOf } from "./documents.ts";
import { checkNoPolicies, readBoundary } from "./entity-policies.ts";
import { deleteConflict, invalidInput } from "./errors.ts";
import { the, theOwnRole } from "./lookup.ts";
import { paged } from "./paging.ts";
import { checkRoom, quotas } from "./quotas.ts";
import { roleShape, roleSummary } from "./shapes.ts";
import { insertTagged } from "./tags.ts";

const usualSession = 3600;

async function readTrust(db: Db, text: string): Promise<string> {
  checkQuota(sizeOf(text), "ACLSizePerRole", quotas.AssumeRolePolicySize);
  await readTrustPolicy(db, text);
  return text;
}

async function CreateRole(context: IamContext, input: In<"CreateRole">, request: IamRequest) {
  return context.store.transaction(async (tx) => {
    const { RoleName: name, Path: path = "/", Description: description = null } = input;
    if (path.startsWith("/aws-service-role/")) throw invalidInput("Path: /aws-service-role/ is for service-linked roles.");
    await checkRoom(tx.db, request, "role");
    const role = {
      account_id: request.accountId,
      kind: "role",
      name,
      path,
      description,
      trust: await readTrust(tx.db, input.AssumeRolePolicyDocument),
      max_session_seconds: input.MaxSessionDuration ?? usualSession,
      boundary_arn: await readBoundary(tx.db, request, input.PermissionsBoundary),
    } as const;
    const made = await insertTagged(tx, context, role, input.Tags, `Role with name ${name} already exists.`);
    return { Role: roleShape(made, await tagsOfEntity(tx.db, made.id)) };
  });
}

async function GetRole({ store }: IamContext, input: In<"GetRole">, request: IamRequest) {
  const role = await the(store.db, request, "role", input.RoleName);
  return { Role: roleShape(role, await tagsOfEntity(store.db, role.id)) };
}

/** The description of a role that is linked to a service can be edited, and nothing else of it. */
const theDescribed = (db: Db, request: IamRequest, name: string) => the(db, request, "role", name);

async function UpdateRole({ store }: IamContext, input: In<"UpdateRole">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const { Description, MaxSessionDuration } = input;
    const role = await (MaxSessionDuration === undefined ? theDescribed : theOwnRole)(tx.db, request, input.RoleName);
    await updateEntity(tx, role.id, {
      ...(Description === undefined ? {} : { description: Description }),
      ...(MaxSessionDuration === undefined ? {} : { max_session_seconds: MaxSessionDuration }),
    });
    return {};
  });
}

async function UpdateRoleDescription({ store }: IamContext, input: In<"UpdateRoleDescription">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const role = await theDescribed(tx.db, request, input.RoleName);
    await updateEntity(tx, role.id, { description: input.Description });
    return { Role: roleSummary({ ...role, description: input.Description }) };
  });
}

async function UpdateAssumeRolePolicy({ store }: IamContext, input: In<"UpdateAssumeRolePolicy">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const role = await theOwnRole(tx.db, request, input.RoleName);
    await updateEntity(tx, role.id, { trust: await readTrust(tx.db, input.PolicyDocument) });
    return {};
  });
}

/** Its sessions live on, and may do nothing. */
async function DeleteRole({ store }: IamContext, input: In<"DeleteRole">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const role = await theOwnRole(tx.db, request, input.RoleName);
    if ((await profilesOfRole(tx.db, role.id)).length > 0)
      throw deleteConflict("Cannot delete entity, must remove roles from instance profile first.");
    await checkNoPolicies(tx.db, role);
    await deleteEntity(tx, role.id);
    return {};
  });
}

async function ListRoles({ store }: IamContext, input: In<"ListRoles">, request: IamRequest) {
  const roles = await listEntities(store.db, request.accountId, "role", input.PathPrefix);
  const { items, ...rest } = paged(roles, input, ({ name }) => name);
  return { Roles: items.map(roleSummary), ...rest };
}

export const roleOperations = {
  CreateRole,
  GetRole,
  UpdateRole,
  UpdateRoleDescription,
  UpdateAssumeRolePolicy,
  DeleteRole,
  ListRoles,
};
