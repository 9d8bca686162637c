/**
 * What a bucket is set to, where the S3 server behind has no notion of it: its tags are kept here, and of all else it is as a bucket that nobody
 * has set anything of. To set it is refused (unsupported.ts). Source: Amazon S3 API Reference, the GetBucket… operations and "Error responses".
 */
import { AwsError } from "../aws/errors.ts";
import { type Allowed, send, wholeOf } from "./allowed.ts";
import { exists, noSuchBucket } from "./buckets.ts";
import { checkedBody } from "./body.ts";
import { type BucketTag, readTags, tagSet } from "./bucket-tags.ts";
import { moving } from "./moving.ts";

/** Element and its content. */
type Shown = [string, string];
/** Code and message of a 404. */
interface Absent {
  code: string;
  message: string;
}

const absent = (code: string, message: string): Absent => ({ code, message });

/** Nothing is encrypted by the server behind, no object is a version, and ACLs give nobody anything: access is by policies. */
const unset: Record<string, Shown | Absent> = {
  accelerate: ["AccelerateConfiguration", ""],
  cors: absent("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
  encryption: absent("ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found"),
  lifecycle: absent("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
  logging: ["BucketLoggingStatus", ""],
  notification: ["NotificationConfiguration", ""],
  "object-lock": absent("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"),
  ownershipControls: ["OwnershipControls", "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"],
  publicAccessBlock: absent("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"),
  replication: absent("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
  requestPayment: ["RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"],
  versioning: ["VersioningConfiguration", ""],
  website: absent("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
};

/** More than any 50 tags need. */
const longestTags = 256 << 10;

/** Whether it is answered here. An S3 server of the user's own has settings itself. */
export function isSetting({ request: { key, subresource }, server, signed }: Allowed): boolean {
  if (server.external || key !== "" || subresource === undefined) return false;
  return subresource === "tagging" || (signed.method === "GET" && Object.hasOwn(unset, subresource));
}

/** Answers GetBucketTagging, PutBucketTagging, DeleteBucketTagging, and how each of the other settings is. */
export async function answerSetting(asked: Allowed): Promise<void> {
  const { res, requestId, begin, server, signed, request, options } = asked;
  const { bucket, subresource = "" } = request;
  if (!(await exists(server, bucket))) throw noSuchBucket(bucket);
  const { accountId, tags } = options.buckets.find(bucket);
  if (subresource === "tagging" && signed.method !== "GET") {
    const put = signed.method === "PUT" ? await sentTags(asked) : undefined;
    begin();
    await options.buckets.change({ kind: "tags", name: bucket, accountId, tags: put?.length ? JSON.stringify(put) : null });
    send(res, 204, {}, undefined, requestId);
    return;
  }
  begin();
  const shown = subresource === "tagging" ? shownTags(tags) : unset[subresource]!;
  if ("code" in shown) throw new AwsError(shown.code, shown.message, 404, { BucketName: bucket });
  const [element, content] = shown;
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<${element} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${element}>`;
  send(res, 200, { "content-type": "application/xml" }, body, requestId);
}

const shownTags = (tags: string | undefined): Shown | Absent =>
  tags === undefined ? absent("NoSuchTagSet", "The TagSet does not exist") : ["Tagging", tagSet(JSON.parse(tags) as BucketTag[])];

async function sentTags({ req, headers, sender, begin, seen }: Allowed): Promise<BucketTag[]> {
  const body = checkedBody(moving(req.iterator({ destroyOnReturn: false })), headers, sender.declared, sender.proof);
  begin();
  const tags = readTags((await wholeOf(body, longestTags)).toString("utf8"));
  seen.parameters = { Tagging: { TagSet: { Tag: tags } } };
  return tags;
}
