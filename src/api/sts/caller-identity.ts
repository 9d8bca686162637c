/** STS GetCallerIdentity: who signed this request. */
import type { Handler, sts } from "../../aws/operations.ts";

/** UserId is the principal's unique id for a user, the account for its root, as in AWS; Howdah's keys have no id but their own. */
export const GetCallerIdentity: Handler<typeof sts, "GetCallerIdentity"> = (_input, context) => ({
  UserId: context.principalArn.endsWith(":root") ? context.accountId : context.accessKeyId,
  Account: context.accountId,
  Arn: context.principalArn,
});
