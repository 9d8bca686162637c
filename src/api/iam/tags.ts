/** Tags of users, roles, instance profiles and policies. Source: IAM User Guide, "Tags for IAM resources". */
import {
  findEntity,
  type IamEntity,
  insertEntity,
  type NewEntity,
  putEntityTags,
  removeEntityTags,
  tagsOfEntity,
} from "../../store/iam-entities.ts";
import type { IamKind } from "../../store/iam-schema.ts";
import type { Db, Tx } from "../../store/store.ts";
import type { IamContext, IamRequest, In } from "./context.ts";
import { alreadyExists, invalidInput, limitExceeded } from "./errors.ts";
import { the, theOwnPolicy } from "./lookup.ts";
import { paged } from "./paging.ts";

const mostTags = 50;

type Tag = { Key: string; Value: string };

/** Throws InvalidInput for keys that are reserved or come twice. Also of STS. */
export function checkTags(tags: readonly Tag[]): void {
  const keys = tags.map(({ Key }) => Key.toLowerCase());
  if (new Set(keys).size < keys.length) throw invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  if (keys.some((key) => key.startsWith("aws:"))) throw invalidInput("Tag keys that begin with aws: are reserved.");
}

async function tag(tx: Tx, entity: IamEntity, tags: readonly Tag[]) {
  checkTags(tags);
  await putEntityTags(tx, entity.id, tags);
  if ((await tagsOfEntity(tx.db, entity.id)).length > mostTags)
    throw limitExceeded(`The number of tags has reached the maximum limit: ${mostTags}.`);
  return {};
}

/** A new entity with its tags. Throws EntityAlreadyExists, with `taken` as its message. */
export async function insertTagged(
  tx: Tx,
  { ids }: IamContext,
  given: NewEntity,
  tags: readonly Tag[] | undefined,
  taken: string,
): Promise<IamEntity> {
  if (await findEntity(tx.db, given.account_id, given.kind, given.name)) throw alreadyExists(taken);
  const entity = await insertEntity(tx, ids, given);
  await tag(tx, entity, tags ?? []);
  return entity;
}

async function untag(tx: Tx, entity: IamEntity, keys: readonly string[]) {
  await removeEntityTags(tx, entity.id, keys);
  return {};
}

async function list(db: Db, entity: IamEntity, input: { Marker?: string; MaxItems?: number }) {
  const { items: Tags, ...rest } = paged(await tagsOfEntity(db, entity.id), input, ({ Key }) => Key);
  return { Tags, ...rest };
}

const named = (kind: IamKind) => (db: Db, request: IamRequest, name: string) => the(db, request, kind, name);
const user = named("user");
const profile = named("instance-profile");

export const tagOperations = {
  TagUser: ({ store }: IamContext, input: In<"TagUser">, request: IamRequest) =>
    store.transaction(async (tx) => tag(tx, await user(tx.db, request, input.UserName), input.Tags)),
  UntagUser: ({ store }: IamContext, input: In<"UntagUser">, request: IamRequest) =>
    store.transaction(async (tx) => untag(tx, await user(tx.db, request, input.UserName), input.TagKeys)),
  ListUserTags: async ({ store }: IamContext, input: In<"ListUserTags">, request: IamRequest) =>
    list(store.db, await user(store.db, request, input.UserName), input),

  TagRole: ({ store }: IamContext, input: In<"TagRole">, request: IamRequest) =>
    store.transaction(async (tx) => tag(tx, await the(tx.db, request, "role", input.RoleName), input.Tags)),
  UntagRole: ({ store }: IamContext, input: In<"UntagRole">, request: IamRequest) =>
    store.transaction(async (tx) => untag(tx, await the(tx.db, request, "role", input.RoleName), input.TagKeys)),
  ListRoleTags: async ({ store }: IamContext, input: In<"ListRoleTags">, request: IamRequest) =>
    list(store.db, await the(store.db, request, "role", input.RoleName), input),

  TagInstanceProfile: ({ store }: IamContext, input: In<"TagInstanceProfile">, request: IamRequest) =>
    store.transaction(async (tx) => tag(tx, await profile(tx.db, request, input.InstanceProfileName), input.Tags)),
  UntagInstanceProfile: ({ store }: IamContext, input: In<"UntagInstanceProfile">, request: IamRequest) =>
    store.transaction(async (tx) => untag(tx, await profile(tx.db, request, input.InstanceProfileName), input.TagKeys)),
  ListInstanceProfileTags: async ({ store }: IamContext, input: In<"ListInstanceProfileTags">, request: IamRequest) =>
    list(store.db, await profile(store.db, request, input.InstanceProfileName), input),

  TagPolicy: ({ store }: IamContext, input: In<"TagPolicy">, request: IamRequest) =>
    store.transaction(async (tx) => tag(tx, await theOwnPolicy(tx.db, request, input.PolicyArn), input.Tags)),
  UntagPolicy: ({ store }: IamContext, input: In<"UntagPolicy">, request: IamRequest) =>
    store.transaction(async (tx) => untag(tx, await theOwnPolicy(tx.db, request, input.PolicyArn), input.TagKeys)),
  ListPolicyTags: async ({ store }: IamContext, input: In<"ListPolicyTags">, request: IamRequest) =>
    list(store.db, await theOwnPolicy(store.db, request, input.PolicyArn), input),
};
