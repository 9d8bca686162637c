/** Access keys of users. A secret is told once, when its key is made. */
import { type AccessKeyRow, deleteKey, findKey, insertUserKey, keysOfUser, setKeyStatus } from "../../store/access-keys.ts";
import { findEntityById } from "../../store/iam-entities.ts";
import type { Db } from "../../store/store.ts";
import type { IamContext, IamRequest, In } from "./context.ts";
import { checkQuota } from "./documents.ts";
import { noSuchEntity, validationError } from "./errors.ts";
import { theUserOrSelf } from "./lookup.ts";
import { paged } from "./paging.ts";
import { quotas } from "./quotas.ts";
import { keySummary } from "./shapes.ts";

const noSuchKey = (id: string) => noSuchEntity(`The Access Key with id ${id} cannot be found.`);

async function theKey(db: Db, request: IamRequest, input: { UserName?: string; AccessKeyId: string }): Promise<AccessKeyRow> {
  const user = await theUserOrSelf(db, request, input.UserName);
  const key = (await keysOfUser(db, user.id)).find(({ access_key_id }) => access_key_id === input.AccessKeyId);
  if (!key) throw noSuchKey(input.AccessKeyId);
  return key;
}

async function CreateAccessKey({ store, ids }: IamContext, input: In<"CreateAccessKey">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const user = await theUserOrSelf(tx.db, request, input.UserName);
    checkQuota((await keysOfUser(tx.db, user.id)).length + 1, "AccessKeysPerUser", quotas.AccessKeysPerUser);
    const key = await insertUserKey(tx, ids, user);
    return { AccessKey: { ...keySummary(key, user.name), SecretAccessKey: key.secret_access_key } };
  });
}

async function ListAccessKeys({ store }: IamContext, input: In<"ListAccessKeys">, request: IamRequest) {
  const user = await theUserOrSelf(store.db, request, input.UserName);
  const { items, ...rest } = paged(await keysOfUser(store.db, user.id), input, ({ access_key_id }) => access_key_id);
  return { AccessKeyMetadata: items.map((key) => keySummary(key, user.name)), ...rest };
}

async function UpdateAccessKey({ store }: IamContext, input: In<"UpdateAccessKey">, request: IamRequest) {
  const { Status } = input;
  if (Status === "Expired") throw validationError("Status: a key can be made Active or Inactive.");
  return store.transaction(async (tx) => {
    const { access_key_id } = await theKey(tx.db, request, input);
    await setKeyStatus(tx, access_key_id, Status);
    return {};
  });
}

async function DeleteAccessKey({ store }: IamContext, input: In<"DeleteAccessKey">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const { access_key_id } = await theKey(tx.db, request, input);
    await deleteKey(tx, access_key_id);
    return {};
  });
}

async function GetAccessKeyLastUsed({ store }: IamContext, input: In<"GetAccessKeyLastUsed">, request: IamRequest) {
  const key = await findKey(store.db, input.AccessKeyId);
  const user = key?.owner_id && key.session_token === null ? await findEntityById(store.db, key.owner_id) : undefined;
  if (!key || !user || key.account_id !== request.accountId) throw noSuchKey(input.AccessKeyId);
  const { last_used_at: at, last_used_service, last_used_region } = key;
  return {
    UserName: user.name,
    AccessKeyLastUsed: {
      ...(at === null ? {} : { LastUsedDate: new Date(at) }),
      ServiceName: last_used_service ?? "N/A",
      Region: last_used_region ?? "N/A",
    },
  };
}

export const accessKeyOperations = { CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey, GetAccessKeyLastUsed };
