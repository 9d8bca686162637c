/** May this principal do this? The one place that decides. */
import { AwsError } from "../aws/errors.ts";
import type { Principal } from "./principal.ts";

/**
 * Throws AccessDeniedException where `principal` may not call `operation` of the service with this signing name.
 *
 * A key of the account may do everything. A cluster's key, which every program on its nodes can read, may only look: EMR's read
 * operations (those that hand out credentials are not among them) and GetCallerIdentity. S3 is decided by the front door.
 */
export function authorise(principal: Principal, signingName: string, operation: string): void {
  if (principal.clusterId === null) return;
  if (signingName === "sts" && operation === "GetCallerIdentity") return;
  if (signingName === "elasticmapreduce" && /^(Describe|List|Get)/.test(operation) && !/Credentials|PresignedURL/.test(operation)) return;
  throw new AwsError("AccessDeniedException", `User: ${principal.arn} is not authorized to perform: ${signingName}:${operation}`);
}
