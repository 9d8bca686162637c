/** May this principal do this? The one place that decides. */
import { AwsError } from "../aws/errors.ts";
import type { AccessKey } from "./keys.ts";

/**
 * Throws AccessDeniedException where `key` may not call `operation` of the service with this signing name.
 *
 * A key of the account may do everything. A cluster's key, which every program on its nodes can read, may only look: EMR's read
 * operations (those that hand out credentials are not among them) and GetCallerIdentity. S3 is decided by the front door.
 */
export function authorise(key: AccessKey, signingName: string, operation: string): void {
  if (key.clusterId === null) return;
  if (signingName === "sts" && operation === "GetCallerIdentity") return;
  if (signingName === "elasticmapreduce" && /^(Describe|List|Get)/.test(operation) && !/Credentials|PresignedURL/.test(operation)) return;
  throw new AwsError("AccessDeniedException", `User: ${key.principalArn} is not authorized to perform: ${signingName}:${operation}`);
}
