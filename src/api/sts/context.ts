/** What STS's operations work with, and their errors. */
import { AwsError } from "../../aws/errors.ts";
import type { Input, OperationName, RequestContext } from "../../aws/operations.ts";
import type { sts } from "../../aws/services/sts.ts";
import type { AccessKeyRow } from "../../store/access-keys.ts";
import type { Ids } from "../../store/ids.ts";
import type { Store } from "../../store/store.ts";

export interface StsContext {
  store: Store;
  ids: Ids;
}

export type In<Name extends OperationName<typeof sts>> = Input<typeof sts, Name>;
export type StsRequest = RequestContext;

export const validationError = (message: string): AwsError => new AwsError("ValidationError", message);
export const accessDenied = (message: string): AwsError => new AwsError("AccessDenied", message, 403);

/** Credentials as STS answers them. */
export const credentialsShape = (key: AccessKeyRow) => ({
  AccessKeyId: key.access_key_id,
  SecretAccessKey: key.secret_access_key,
  SessionToken: key.session_token ?? undefined,
  Expiration: new Date(key.expires_at ?? 0),
});

/** Throws for what would prove an MFA device: there is none. */
export function refuseMfa(input: { SerialNumber?: string; TokenCode?: string }): void {
  if (input.SerialNumber !== undefined || input.TokenCode !== undefined)
    throw accessDenied("MultiFactorAuthentication failed: no MFA device is there in Howdah. Leave out SerialNumber and TokenCode.");
}
