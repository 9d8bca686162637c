/** Users: they have keys and no passwords. */
import { deleteSessionsOf, keysOfUser } from "../../store/access-keys.ts";
import { deleteEntity, findEntity, groupsOfUser, listEntities, tagsOfEntity, updateEntity } from "../../store/iam-entities.ts";
import type { IamContext, IamRequest, In } from "./context.ts";
import { alreadyExists, deleteConflict } from "./errors.ts";
import { checkNoPolicies, readBoundary } from "./entity-policies.ts";
import { the, theUserOrSelf } from "./lookup.ts";
import { paged } from "./paging.ts";
import { checkRoom } from "./quotas.ts";
import { userShape, userSummary } from "./shapes.ts";
import { insertTagged } from "./tags.ts";

const taken = (name: string) => `User with name ${name} already exists.`;

async function CreateUser(context: IamContext, input: In<"CreateUser">, request: IamRequest) {
  return context.store.transaction(async (tx) => {
    await checkRoom(tx.db, request, "user");
    const { UserName: name, Path: path = "/" } = input;
    const boundary_arn = await readBoundary(tx.db, request, input.PermissionsBoundary);
    const given = { account_id: request.accountId, kind: "user", name, path, boundary_arn } as const;
    const user = await insertTagged(tx, context, given, input.Tags, taken(name));
    return { User: userShape(user, await tagsOfEntity(tx.db, user.id)) };
  });
}

async function GetUser({ store }: IamContext, input: In<"GetUser">, request: IamRequest) {
  const user = await theUserOrSelf(store.db, request, input.UserName);
  return { User: userShape(user, await tagsOfEntity(store.db, user.id)) };
}

/** Keys, policies and memberships are by the user's id: they stay. */
async function UpdateUser({ store }: IamContext, input: In<"UpdateUser">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const user = await the(tx.db, request, "user", input.UserName);
    const name = input.NewUserName ?? user.name;
    const other = await findEntity(tx.db, request.accountId, "user", name);
    if (other && other.id !== user.id) throw alreadyExists(taken(name));
    await updateEntity(tx, user.id, { name, path: input.NewPath ?? user.path });
    return {};
  });
}

async function DeleteUser({ store }: IamContext, input: In<"DeleteUser">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const user = await the(tx.db, request, "user", input.UserName);
    if ((await groupsOfUser(tx.db, user.id)).length > 0) throw deleteConflict("Cannot delete entity, must remove users from group first.");
    if ((await keysOfUser(tx.db, user.id)).length > 0) throw deleteConflict("Cannot delete entity, must delete access keys first.");
    await checkNoPolicies(tx.db, user);
    await deleteSessionsOf(tx, user.id);
    await deleteEntity(tx, user.id);
    return {};
  });
}

async function ListUsers({ store }: IamContext, input: In<"ListUsers">, request: IamRequest) {
  const users = await listEntities(store.db, request.accountId, "user", input.PathPrefix);
  const { items, ...rest } = paged(users, input, ({ name }) => name);
  return { Users: items.map(userSummary), ...rest };
}

export const userOperations = { CreateUser, GetUser, UpdateUser, DeleteUser, ListUsers };
