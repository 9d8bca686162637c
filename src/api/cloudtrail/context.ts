/** What CloudTrail's operations work with. */
import type { BucketFacts } from "../../access/bucket-facts.ts";
import type { RequestContext } from "../../aws/operations.ts";
import type { Audit } from "../../observe/audit.ts";
import type { DirectS3 } from "../../s3/direct.ts";
import type { Store } from "../../store/store.ts";
import type { AuditPosition } from "../../store/trails.ts";

export interface CloudTrailContext {
  store: Store;
  /** Read only. Of calls, and of S3's object events. */
  audits: Record<keyof AuditPosition, Pick<Audit, "lookUp" | "lastId">>;
  s3: Pick<DirectS3, "bucketExists">;
  buckets: Pick<BucketFacts, "find">;
}

export const positionOf = ({ audits }: CloudTrailContext): AuditPosition => ({ event: audits.event.lastId(), data: audits.data.lastId() });

export type CloudTrailRequest = RequestContext;
