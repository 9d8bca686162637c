/** GetCallerIdentity and GetAccessKeyInfo: whose a key is. */
import { findKey } from "../../store/access-keys.ts";
import { type In, type StsContext, type StsRequest, validationError } from "./context.ts";

/** Nobody can be kept from asking who he is. */
export const GetCallerIdentity = (_context: StsContext, _input: unknown, { principal }: StsRequest) => ({
  UserId: principal.id,
  Account: principal.accountId,
  Arn: principal.arn,
});

/** Only the account, which is what AWS tells of anybody's key, too. */
export async function GetAccessKeyInfo({ store }: StsContext, { AccessKeyId }: In<"GetAccessKeyInfo">) {
  const key = await findKey(store.db, AccessKeyId);
  if (!key) throw validationError(`The access key ${AccessKeyId} is of no account here.`);
  return { Account: key.account_id };
}
