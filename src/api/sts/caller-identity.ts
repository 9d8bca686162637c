/** STS GetCallerIdentity: who signed this request. */
import type { Handlers } from "../../aws/operations.ts";
import type { sts } from "../../aws/services/sts.ts";

export const stsHandlers: Handlers<typeof sts> = {
  GetCallerIdentity: (_input, context) => ({
    UserId: context.principal.id,
    Account: context.accountId,
    Arn: context.principal.arn,
  }),
};
