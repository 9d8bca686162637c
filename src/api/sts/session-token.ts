/** GetSessionToken: temporary credentials of a user, for the user itself. */
import { plainSession } from "../../access/session.ts";
import { AwsError } from "../../aws/errors.ts";
import { insertSession } from "../../store/access-keys.ts";
import { accessDenied, credentialsShape, type In, refuseMfa, type StsContext, type StsRequest } from "./context.ts";

const usualSeconds = 43_200;

export async function GetSessionToken({ store, ids }: StsContext, input: In<"GetSessionToken">, request: StsRequest) {
  refuseMfa(input);
  const { principal } = request;
  if (principal.type !== "IAMUser") throw accessDenied("Cannot call GetSessionToken with session credentials");
  return store.transaction(async (tx) => {
    const expiresAt = tx.now + (input.DurationSeconds ?? usualSeconds) * 1000;
    const session = plainSession("", null, tx.now);
    return {
      Credentials: credentialsShape(
        await insertSession(tx, ids, { accountId: request.accountId, ownerId: principal.id, session, expiresAt }),
      ),
    };
  });
}

/** Howdah's errors say in plain text why: there is no encoded message. */
export function DecodeAuthorizationMessage(): never {
  throw new AwsError("InvalidAuthorizationMessageException", "The message is none of Howdah's, whose errors say why in plain text.");
}
