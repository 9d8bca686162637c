/** May CloudTrail write a trail's files into its bucket? Source: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail". */
import type { BucketFacts } from "./bucket-facts.ts";
import { contextOf } from "./policy/context.ts";
import { decide } from "./policy/decide.ts";
import { servicePrincipal } from "./trust.ts";

export interface TrailBucket {
  arn: string;
  account_id: string;
  bucket: string;
  prefix: string | null;
}

/** Where a trail's files begin: PREFIX/AWSLogs/ACCOUNT. */
export const trailFolder = ({ prefix, account_id }: Pick<TrailBucket, "prefix" | "account_id">): string =>
  `${prefix === null ? "" : `${prefix}/`}AWSLogs/${account_id}`;

/** The bucket's policy must allow both what CloudTrail asks before it writes, and the writing. */
export function mayDeliver(trail: TrailBucket, buckets: Pick<BucketFacts, "find">): boolean {
  const { accountId, policy } = buckets.find(trail.bucket);
  const context = contextOf([
    ["aws:SourceArn", trail.arn],
    ["aws:SourceAccount", trail.account_id],
    ["aws:SecureTransport", "true"],
    ["s3:x-amz-acl", "bucket-owner-full-control"],
  ]);
  const ask = (action: string, resource: string) =>
    decide(
      servicePrincipal("cloudtrail.amazonaws.com", trail.account_id),
      { identity: [], boundary: undefined, session: [] },
      { action, resource: `arn:aws:s3:::${trail.bucket}${resource}`, context },
      { accountId, text: policy },
    ).allowed;
  return ask("s3:GetBucketAcl", "") && ask("s3:PutObject", `/${trailFolder(trail)}/CloudTrail/REGION/file.json.gz`);
}
