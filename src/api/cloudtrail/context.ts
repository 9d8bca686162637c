/** What CloudTrail's operations work with. */
import type { RequestContext } from "../../aws/operations.ts";
import type { Audit } from "../../observe/audit.ts";

export interface CloudTrailContext {
  audit: Pick<Audit, "lookUp">;
}

export type CloudTrailRequest = RequestContext;
