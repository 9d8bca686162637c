/** CreateTrail, UpdateTrail, DeleteTrail, DescribeTrails, GetTrail, ListTrails. */
import type { CreateTrailRequest, DescribeTrailsRequest, ListTrailsRequest, UpdateTrailRequest } from "@aws-sdk/client-cloudtrail";
import { mayDeliver, type TrailBucket, trailFolder } from "../../access/trail-bucket.ts";
import { AwsError } from "../../aws/errors.ts";
import { defaultSelectors, type SpanRules } from "../../observe/selectors.ts";
import {
  closeSpan,
  deleteTrail,
  findTrail,
  insertTrail,
  openSpan,
  putTrailTags,
  setTrailWish,
  type TrailRow,
  trailsOf,
} from "../../store/trails.ts";
import type { Tx } from "../../store/store.ts";
import { type CloudTrailContext, type CloudTrailRequest, positionOf } from "./context.ts";
import { arnOf, checkTrailName, theTrail, theTrailAtHome, trailArn } from "./lookup.ts";
import { checkTags } from "./tags.ts";

const mostTrails = 5;
const longestPrefix = 200;

export async function CreateTrail(context: CloudTrailContext, input: CreateTrailRequest, request: CloudTrailRequest) {
  const name = input.Name ?? "";
  checkTrailName(name);
  refuse(input);
  const wish = {
    bucket: input.S3BucketName ?? "",
    prefix: prefixOf(input.S3KeyPrefix) ?? null,
    multi_region: input.IsMultiRegionTrail ? 1 : 0,
    global_events: input.IncludeGlobalServiceEvents === false ? 0 : 1,
  };
  checkTogether(wish);
  checkTags(input.TagsList ?? []);
  await checkBucket(context, { arn: trailArn(request, name), account_id: request.accountId, ...wish });
  return context.store.transaction(async (tx) => {
    const arn = trailArn(request, name);
    if (await findTrail(tx.db, arn))
      throw new AwsError("TrailAlreadyExistsException", `Trail ${name} already exists for customer: ${request.accountId}`);
    const here = (await trailsOf(tx.db, request.accountId)).filter(
      ({ region, multi_region }) => region === request.region || multi_region === 1,
    );
    if (here.length >= mostTrails)
      throw new AwsError(
        "MaximumNumberOfTrailsExceededException",
        `User: ${request.accountId} already has ${mostTrails} trails in ${request.region}.`,
      );
    await insertTrail(tx, { arn, account_id: request.accountId, region: request.region, name, ...wish });
    await putTrailTags(tx, arn, input.TagsList?.map(({ Key = "", Value }) => ({ Key, Value })) ?? []);
    return trailShape((await findTrail(tx.db, arn))!);
  });
}

export async function UpdateTrail(context: CloudTrailContext, input: UpdateTrailRequest, request: CloudTrailRequest) {
  refuse(input);
  const before = await theTrailAtHome(context.store.db, request, input.Name);
  const prefix = prefixOf(input.S3KeyPrefix);
  const place = { bucket: input.S3BucketName ?? before.bucket, prefix: prefix === undefined ? before.prefix : prefix };
  if (place.bucket !== before.bucket || place.prefix !== before.prefix) await checkBucket(context, { ...before, ...place });
  return context.store.transaction(async (tx) => {
    const trail = await theTrailAtHome(tx.db, request, input.Name);
    const wish = {
      bucket: input.S3BucketName ?? trail.bucket,
      prefix: prefix === undefined ? trail.prefix : prefix,
      multi_region: flag(input.IsMultiRegionTrail) ?? trail.multi_region,
      global_events: flag(input.IncludeGlobalServiceEvents) ?? trail.global_events,
    };
    checkTogether(wish);
    await setTrailWish(tx, trail.arn, wish);
    return trailShape(await rulesChanged(tx, context, trail.arn));
  });
}

export async function DeleteTrail({ store }: CloudTrailContext, input: { Name: string }, request: CloudTrailRequest) {
  return store.transaction(async (tx) => {
    const { arn } = await theTrailAtHome(tx.db, request, input.Name);
    await deleteTrail(tx, arn);
    await tx.wake("trail", arn);
    return {};
  });
}

export async function DescribeTrails({ store }: CloudTrailContext, input: DescribeTrailsRequest, request: CloudTrailRequest) {
  const names = input.trailNameList?.map((name) => arnOf(request, name)) ?? [];
  const withShadows = input.includeShadowTrails !== false;
  const trails = (await trailsOf(store.db, request.accountId)).filter(
    ({ arn, region, multi_region }) =>
      (region === request.region || (withShadows && multi_region === 1)) && (names.length === 0 || names.includes(arn)),
  );
  return { trailList: trails.map(described) };
}

/** Of every region. */
export async function ListTrails({ store }: CloudTrailContext, input: ListTrailsRequest, request: CloudTrailRequest) {
  if (input.NextToken) throw new AwsError("InvalidParameterException", "NextToken: all trails are in the first page. Leave it out.");
  const trails = await trailsOf(store.db, request.accountId);
  return { Trails: trails.map(({ arn, name, region }) => ({ TrailARN: arn, Name: name, HomeRegion: region })) };
}

export async function GetTrail({ store }: CloudTrailContext, input: { Name: string }, request: CloudTrailRequest) {
  return { Trail: described(await theTrail(store.db, request, input.Name)) };
}

/** Where it logs, its new rules hold from now on, and its old ones for what was before. */
export async function rulesChanged(tx: Tx, context: CloudTrailContext, arn: string): Promise<TrailRow> {
  const trail = (await findTrail(tx.db, arn))!;
  const now = positionOf(context);
  if (await closeSpan(tx, arn, now)) await openSpan(tx, arn, rulesOf(trail), now);
  await tx.wake("trail", arn);
  return trail;
}

export const rulesOf = (trail: TrailRow): SpanRules => ({
  homeRegion: trail.region,
  multiRegion: trail.multi_region === 1,
  globalEvents: trail.global_events === 1,
  selectors: trail.selectors ?? defaultSelectors,
});

const flag = (value: boolean | undefined) => (value === undefined ? undefined : Number(value));

const trailShape = (trail: TrailRow) => ({
  Name: trail.name,
  S3BucketName: trail.bucket,
  ...(trail.prefix === null ? {} : { S3KeyPrefix: trail.prefix }),
  IncludeGlobalServiceEvents: trail.global_events === 1,
  IsMultiRegionTrail: trail.multi_region === 1,
  TrailARN: trail.arn,
  LogFileValidationEnabled: false,
  IsOrganizationTrail: false,
});

const described = (trail: TrailRow) => ({
  ...trailShape(trail),
  HomeRegion: trail.region,
  HasCustomEventSelectors: trail.selectors !== null,
  HasInsightSelectors: false,
});

/** What trails do not do here. Throws UnsupportedOperationException, naming it. */
function refuse(input: Partial<CreateTrailRequest>): void {
  const asked = [
    input.SnsTopicName && "SnsTopicName: no notifications are sent",
    input.EnableLogFileValidation && "EnableLogFileValidation: no digest files are written",
    (input.CloudWatchLogsLogGroupArn || input.CloudWatchLogsRoleArn) && "CloudWatchLogsLogGroupArn: events go to S3 only",
    input.KmsKeyId && "KmsKeyId: log files are not encrypted",
    input.IsOrganizationTrail && "IsOrganizationTrail: a trail is of one account",
    input.RecursiveLogging && "RecursiveLogging: what trails write is in no trail",
  ].find(Boolean);
  if (asked) throw new AwsError("UnsupportedOperationException", `${asked} in Howdah. Leave the parameter out.`);
}

function checkTogether({ multi_region, global_events }: { multi_region: number; global_events: number }): void {
  if (multi_region === 1 && global_events === 0)
    throw new AwsError(
      "InvalidParameterCombinationException",
      "Multi-Region trail must include global service events: IncludeGlobalServiceEvents.",
    );
}

/** Null for none; undefined where nothing is said of it. */
function prefixOf(prefix: string | undefined): string | null | undefined {
  if (prefix === undefined) return undefined;
  const bare = prefix.replace(/\/$/, "");
  if (bare.length > longestPrefix)
    throw new AwsError("InvalidS3PrefixException", `S3KeyPrefix may have at most ${longestPrefix} characters.`);
  if (bare.startsWith("/") || bare.split("/").some((part, _, parts) => (part === "" && parts.length > 1) || part === "." || part === ".."))
    throw new AwsError(
      "InvalidS3PrefixException",
      `S3KeyPrefix '${prefix}' may not begin with a slash, nor have empty, '.' or '..' parts.`,
    );
  return bare === "" ? null : bare;
}

/** Throws InvalidS3BucketNameException, S3BucketDoesNotExistException, InsufficientS3BucketPolicyException. */
async function checkBucket({ s3, buckets }: CloudTrailContext, trail: TrailBucket): Promise<void> {
  const { bucket } = trail;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || bucket.includes(".."))
    throw new AwsError("InvalidS3BucketNameException", `The bucket name '${bucket}' is not valid.`);
  const isThere = await s3.bucketExists(bucket).catch((error: Error) => {
    throw new AwsError("ServiceUnavailable", `The bucket ${bucket} cannot be looked for: ${error.message}`, 503);
  });
  if (!isThere) throw new AwsError("S3BucketDoesNotExistException", `S3 bucket ${bucket} does not exist!`);
  if (!mayDeliver(trail, buckets))
    throw new AwsError(
      "InsufficientS3BucketPolicyException",
      `Incorrect S3 bucket policy is detected for bucket: ${bucket}. It must allow cloudtrail.amazonaws.com s3:GetBucketAcl of the bucket, and s3:PutObject of arn:aws:s3:::${bucket}/${trailFolder(trail)}/*.`,
    );
}
