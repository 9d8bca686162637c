/** Groups and who is in them. */
import {
  addMember,
  deleteEntity,
  findEntity,
  groupsOfUser,
  listEntities,
  membersOf,
  removeMember,
  updateEntity,
} from "../../store/iam-entities.ts";
import type { IamContext, IamRequest, In } from "./context.ts";
import { checkQuota } from "./documents.ts";
import { checkNoPolicies } from "./entity-policies.ts";
import { alreadyExists, deleteConflict, noSuchEntity } from "./errors.ts";
import { the } from "./lookup.ts";
import { paged } from "./paging.ts";
import { checkRoom, quotas } from "./quotas.ts";
import { groupShape, userSummary } from "./shapes.ts";
import { insertTagged } from "./tags.ts";

const taken = (name: string) => `Group with name ${name} already exists.`;

async function CreateGroup(context: IamContext, input: In<"CreateGroup">, request: IamRequest) {
  return context.store.transaction(async (tx) => {
    await checkRoom(tx.db, request, "group");
    const { GroupName: name, Path: path = "/" } = input;
    const given = { account_id: request.accountId, kind: "group", name, path } as const;
    return { Group: groupShape(await insertTagged(tx, context, given, [], taken(name))) };
  });
}

async function GetGroup({ store }: IamContext, input: In<"GetGroup">, request: IamRequest) {
  const group = await the(store.db, request, "group", input.GroupName);
  const { items, ...rest } = paged(await membersOf(store.db, group.id), input, ({ name }) => name);
  return { Group: groupShape(group), Users: items.map(userSummary), ...rest };
}

async function UpdateGroup({ store }: IamContext, input: In<"UpdateGroup">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const group = await the(tx.db, request, "group", input.GroupName);
    const name = input.NewGroupName ?? group.name;
    const other = await findEntity(tx.db, request.accountId, "group", name);
    if (other && other.id !== group.id) throw alreadyExists(taken(name));
    await updateEntity(tx, group.id, { name, path: input.NewPath ?? group.path });
    return {};
  });
}

async function DeleteGroup({ store }: IamContext, input: In<"DeleteGroup">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const group = await the(tx.db, request, "group", input.GroupName);
    if ((await membersOf(tx.db, group.id)).length > 0) throw deleteConflict("Cannot delete entity, must remove users from group first.");
    await checkNoPolicies(tx.db, group);
    await deleteEntity(tx, group.id);
    return {};
  });
}

async function ListGroups({ store }: IamContext, input: In<"ListGroups">, request: IamRequest) {
  const groups = await listEntities(store.db, request.accountId, "group", input.PathPrefix);
  const { items, ...rest } = paged(groups, input, ({ name }) => name);
  return { Groups: items.map(groupShape), ...rest };
}

async function AddUserToGroup({ store }: IamContext, input: In<"AddUserToGroup">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const group = await the(tx.db, request, "group", input.GroupName);
    const user = await the(tx.db, request, "user", input.UserName);
    await addMember(tx, group.id, user.id);
    checkQuota((await groupsOfUser(tx.db, user.id)).length, "GroupsPerUser", quotas.GroupsPerUser);
    return {};
  });
}

async function RemoveUserFromGroup({ store }: IamContext, input: In<"RemoveUserFromGroup">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const group = await the(tx.db, request, "group", input.GroupName);
    const user = await the(tx.db, request, "user", input.UserName);
    if (!(await removeMember(tx, group.id, user.id))) throw noSuchEntity(`User ${user.name} is not in the group ${group.name}.`);
    return {};
  });
}

async function ListGroupsForUser({ store }: IamContext, input: In<"ListGroupsForUser">, request: IamRequest) {
  const user = await the(store.db, request, "user", input.UserName);
  const { items, ...rest } = paged(await groupsOfUser(store.db, user.id), input, ({ name }) => name);
  return { Groups: items.map(groupShape), ...rest };
}

export const groupOperations = {
  CreateGroup,
  GetGroup,
  UpdateGroup,
  DeleteGroup,
  ListGroups,
  AddUserToGroup,
  RemoveUserFromGroup,
  ListGroupsForUser,
};
