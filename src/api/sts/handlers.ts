/** STS's operations that are built. All others of the model answer that they are not there yet (src/api/pipeline.ts). */
import type { Handlers } from "../../aws/operations.ts";
import type { sts } from "../../aws/services/sts.ts";
import { bindQuery, type Operations } from "../bind.ts";
import { AssumeRole } from "./assume-role.ts";
import { GetAccessKeyInfo, GetCallerIdentity } from "./caller-identity.ts";
import { accessDenied, type StsContext } from "./context.ts";
import { DecodeAuthorizationMessage, GetSessionToken } from "./session-token.ts";

const operations: Operations<typeof sts, StsContext> = {
  GetCallerIdentity,
  GetAccessKeyInfo,
  AssumeRole,
  GetSessionToken,
  DecodeAuthorizationMessage,
};

export const stsHandlers = (context: StsContext): Handlers<typeof sts> =>
  bindQuery<typeof sts, StsContext>(context, operations, ({ principal }, operation) => {
    // "You cannot call any STS API except AssumeRole or GetCallerIdentity": with GetSessionToken's credentials.
    const isSession = principal.type === "IAMUser" && principal.sessionIssuedAt !== undefined;
    if (isSession && operation !== "AssumeRole" && operation !== "GetCallerIdentity")
      throw accessDenied(`Cannot call ${operation} with session credentials`);
  });
