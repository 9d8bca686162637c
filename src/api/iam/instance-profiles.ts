/** Instance profiles: what gives a role to an EC2 instance. One holds at most one role. */
import {
  deleteEntity,
  findEntityById,
  type IamEntity,
  listEntities,
  profilesOfRole,
  tagsOfEntity,
  updateEntity,
} from "../../store/iam-entities.ts";
import type { Db } from "../../store/store.ts";
import type { IamContext, IamRequest, In } from "./context.ts";
import { deleteConflict, limitExceeded, noSuchEntity } from "./errors.ts";
import { the, theOwnRole } from "./lookup.ts";
import { paged } from "./paging.ts";
import { checkRoom } from "./quotas.ts";
import { profileShape } from "./shapes.ts";
import { insertTagged } from "./tags.ts";

const roleOf = async (db: Db, { role_id }: IamEntity) => (role_id === null ? undefined : findEntityById(db, role_id));

async function CreateInstanceProfile(context: IamContext, input: In<"CreateInstanceProfile">, request: IamRequest) {
  return context.store.transaction(async (tx) => {
    await checkRoom(tx.db, request, "instance-profile");
    const { InstanceProfileName: name, Path: path = "/" } = input;
    const given = { account_id: request.accountId, kind: "instance-profile", name, path } as const;
    const profile = await insertTagged(tx, context, given, input.Tags, `Instance Profile ${name} already exists.`);
    return { InstanceProfile: profileShape(profile, undefined, await tagsOfEntity(tx.db, profile.id)) };
  });
}

async function GetInstanceProfile({ store }: IamContext, input: In<"GetInstanceProfile">, request: IamRequest) {
  const profile = await the(store.db, request, "instance-profile", input.InstanceProfileName);
  return { InstanceProfile: profileShape(profile, await roleOf(store.db, profile), await tagsOfEntity(store.db, profile.id)) };
}

async function DeleteInstanceProfile({ store }: IamContext, input: In<"DeleteInstanceProfile">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const profile = await the(tx.db, request, "instance-profile", input.InstanceProfileName);
    if (profile.role_id !== null) throw deleteConflict("Cannot delete entity, must remove roles from instance profile first.");
    await deleteEntity(tx, profile.id);
    return {};
  });
}

async function AddRoleToInstanceProfile({ store }: IamContext, input: In<"AddRoleToInstanceProfile">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const profile = await the(tx.db, request, "instance-profile", input.InstanceProfileName);
    const role = await theOwnRole(tx.db, request, input.RoleName);
    if (profile.role_id !== null) throw limitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
    await updateEntity(tx, profile.id, { role_id: role.id });
    return {};
  });
}

async function RemoveRoleFromInstanceProfile({ store }: IamContext, input: In<"RemoveRoleFromInstanceProfile">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const profile = await the(tx.db, request, "instance-profile", input.InstanceProfileName);
    const role = await the(tx.db, request, "role", input.RoleName);
    if (profile.role_id !== role.id) throw noSuchEntity(`The role ${role.name} is not in the instance profile ${profile.name}.`);
    await updateEntity(tx, profile.id, { role_id: null });
    return {};
  });
}

async function list(db: Db, profiles: readonly IamEntity[], input: { Marker?: string; MaxItems?: number }) {
  const { items, ...rest } = paged(profiles, input, ({ name }) => name);
  const shapes = await Promise.all(items.map(async (profile) => profileShape(profile, await roleOf(db, profile))));
  return { InstanceProfiles: shapes, ...rest };
}

async function ListInstanceProfiles({ store }: IamContext, input: In<"ListInstanceProfiles">, request: IamRequest) {
  return list(store.db, await listEntities(store.db, request.accountId, "instance-profile", input.PathPrefix), input);
}

async function ListInstanceProfilesForRole({ store }: IamContext, input: In<"ListInstanceProfilesForRole">, request: IamRequest) {
  const role = await the(store.db, request, "role", input.RoleName);
  return list(store.db, await profilesOfRole(store.db, role.id), input);
}

export const instanceProfileOperations = {
  CreateInstanceProfile,
  GetInstanceProfile,
  DeleteInstanceProfile,
  AddRoleToInstanceProfile,
  RemoveRoleFromInstanceProfile,
  ListInstanceProfiles,
  ListInstanceProfilesForRole,
};
