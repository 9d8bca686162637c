/** STS GetCallerIdentity: who signed this request. */
import type { Handlers } from "../../aws/operations.ts";
import type { sts } from "../../aws/services/sts.ts";

/** UserId is AWS's unique id of the principal: the account for its root. Howdah's other principals have no id but their key's. */
export const stsHandlers: Handlers<typeof sts> = {
  GetCallerIdentity: (_input, context) => ({
    UserId: context.principalArn.endsWith(":root") ? context.accountId : context.accessKeyId,
    Account: context.accountId,
    Arn: context.principalArn,
  }),
};
