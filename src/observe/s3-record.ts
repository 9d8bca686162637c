/**
 * An S3 request as CloudTrail records it: of a bucket as a management event, of objects as a data event. Source: Amazon S3 User Guide, "Amazon
 * S3 CloudTrail events".
 */
import { randomUUID } from "node:crypto";
import type { Principal } from "../access/principal.ts";
import type { Origin } from "../aws/origin.ts";
import { type AuditEvent, seconds, tlsDetails, userIdentity, userName } from "./record.ts";
import { type EventFacts, s3Object } from "./selectors.ts";

export interface S3Call {
  requestId: string;
  now: Date;
  method: string;
  bucket: string;
  key: string;
  subresource: string | undefined;
  /** It is a copy. */
  copies: boolean;
  query: URLSearchParams;
  /** Undefined for a request without a signature. */
  principal: Principal | undefined;
  accessKeyId: string;
  signature: { version: "SigV4" | "SigV2"; inQuery: boolean } | undefined;
  region: string;
  origin: Origin;
  host: string;
  userAgent: string;
  status: number;
  /** What the client is told; undefined where nothing but the status says it. */
  error: { code: string; message: string } | undefined;
  bytesIn: number;
  bytesOut: number;
  /** More of requestParameters. */
  parameters?: Record<string, unknown>;
}

/** Names that are not the method's verb, "Bucket" and the sub-resource. */
const ofBucket: Record<string, string> = {
  "GET accelerate": "GetAccelerateConfiguration",
  "PUT accelerate": "PutAccelerateConfiguration",
  "GET cors": "GetBucketCors",
  "GET object-lock": "GetBucketObjectLockConfiguration",
  "PUT object-lock": "PutBucketObjectLockConfiguration",
  "GET requestPayment": "GetBucketRequestPayment",
  "GET session": "CreateSession",
  "GET uploads": "ListMultipartUploads",
  "GET versions": "ListObjectVersions",
  "POST delete": "DeleteObjects",
  "GET ": "ListObjects",
  "HEAD ": "HeadBucket",
  "PUT ": "CreateBucket",
  "DELETE ": "DeleteBucket",
};
/** Of a bucket, and yet data events: they tell of objects. */
const ofObjectsInBucket = /^(ListObjects|ListObjectVersions|ListMultipartUploads|HeadBucket|DeleteObjects|CreateSession)$/;

const ofObject: Record<string, string> = {
  "GET ": "GetObject",
  "HEAD ": "HeadObject",
  "PUT ": "PutObject",
  "DELETE ": "DeleteObject",
  "POST uploads": "CreateMultipartUpload",
  "PUT uploadId": "UploadPart",
  "POST uploadId": "CompleteMultipartUpload",
  "DELETE uploadId": "AbortMultipartUpload",
  "GET uploadId": "ListParts",
  "GET attributes": "GetObjectAttributes",
  "POST restore": "RestoreObject",
  "POST select": "SelectObjectContent",
  "PUT renameObject": "RenameObject",
};

const verbs: Record<string, string> = { GET: "Get", HEAD: "Get", PUT: "Put", DELETE: "Delete", POST: "Post" };
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const words = (subresource: string) => subresource.split("-").map(capital).join("");

export function eventNameOf({
  method,
  bucket,
  key,
  subresource = "",
  copies,
}: Pick<S3Call, "method" | "bucket" | "key" | "subresource" | "copies">): string {
  if (bucket === "") return "ListBuckets";
  const asked = `${method} ${subresource}`;
  if (key === "") return ofBucket[asked] ?? `${verbs[method]}Bucket${words(subresource)}`;
  const name = ofObject[asked] ?? `${verbs[method]}Object${words(subresource)}`;
  if (copies) return name === "PutObject" ? "CopyObject" : `${name}Copy`;
  return name;
}

const isReadOnly = (name: string) => /^(Get|List|Head|Select)/.test(name);

/** What a trail's selectors ask of it. */
export function factsOf(call: S3Call): EventFacts {
  const name = eventNameOf(call);
  const isData = call.key !== "" || ofObjectsInBucket.test(name);
  return {
    category: isData ? "Data" : "Management",
    region: call.region,
    source,
    name,
    type: "AwsApiCall",
    readOnly: isReadOnly(name),
    userArn: call.principal?.arn ?? "",
    resources: isData ? [{ type: s3Object, arn: arnOf(call.bucket, call.key) }] : [],
  };
}

const source = "s3.amazonaws.com";
/** Of all of a bucket's objects where there is no key. */
const arnOf = (bucket: string, key: string) => `arn:aws:s3:::${bucket}/${key}`;

/** Those of a signature say nothing that the record does not. */
const ofSignature =
  /^(x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256)|awsaccesskeyid|signature|expires)$/i;

/** `ownerId`: the account whose bucket it is. `recipientId`: the account whose trail this is for. */
export function s3Event(call: S3Call, ownerId: string, recipientId: string): AuditEvent {
  const { bucket, key, principal, now } = call;
  const facts = factsOf(call);
  const isData = facts.category === "Data";
  const eventId = randomUUID();
  const error = call.error ?? (call.status >= 400 ? statusError(call) : undefined);
  const query = Object.fromEntries([...call.query].filter(([name]) => !ofSignature.test(name)));
  const ofBucketItself = { accountId: ownerId, type: "AWS::S3::Bucket", ARN: `arn:aws:s3:::${bucket}` };
  const object = { type: s3Object, [key === "" ? "ARNPrefix" : "ARN"]: arnOf(bucket, key) };
  const record = {
    eventVersion: "1.11",
    userIdentity: principal ? userIdentity(principal, call.accessKeyId) : { type: "AWSAccount", principalId: "", accountId: "anonymous" },
    eventTime: seconds(now),
    eventSource: source,
    eventName: facts.name,
    awsRegion: call.region,
    sourceIPAddress: call.origin.sourceIp,
    userAgent: `[${call.userAgent.slice(0, 1024)}]`,
    ...(error && { errorCode: error.code, errorMessage: error.message }),
    requestParameters: { ...(bucket && { bucketName: bucket }), Host: call.host, ...(key && { key }), ...query, ...call.parameters },
    responseElements: null,
    additionalEventData: {
      ...(call.signature && {
        SignatureVersion: call.signature.version,
        AuthenticationMethod: call.signature.inQuery ? "QueryString" : "AuthHeader",
      }),
      ...(call.origin.tls && { CipherSuite: call.origin.tls.cipherSuite }),
      bytesTransferredIn: call.bytesIn,
      bytesTransferredOut: call.bytesOut,
    },
    requestID: call.requestId,
    eventID: eventId,
    readOnly: facts.readOnly,
    ...(bucket && { resources: [...(isData ? [object] : []), ofBucketItself] }),
    eventType: "AwsApiCall",
    managementEvent: !isData,
    recipientAccountId: recipientId,
    eventCategory: facts.category,
    ...tlsDetails(call.origin, call.host),
  };
  return {
    accountId: recipientId,
    region: call.region,
    time: now.getTime(),
    eventId,
    name: facts.name,
    source,
    userName: principal ? userName(principal) : "anonymous",
    accessKeyId: call.accessKeyId,
    readOnly: facts.readOnly,
    resources: bucket ? [{ type: "AWS::S3::Bucket", name: bucket }] : [],
    record: JSON.stringify(record),
  };
}

/** By the status alone: where there is no body that says more, as of a HEAD. */
function statusError({ status, key, subresource }: S3Call): { code: string; message: string } {
  if (status === 404 && key !== "")
    return subresource === "uploadId"
      ? { code: "NoSuchUpload", message: "The specified multipart upload does not exist." }
      : { code: "NoSuchKey", message: "The specified key does not exist." };
  if (status === 404 && subresource === undefined) return { code: "NoSuchBucket", message: "The specified bucket does not exist" };
  if (status === 412) return { code: "PreconditionFailed", message: "At least one of the pre-conditions you specified did not hold" };
  if (status === 416) return { code: "InvalidRange", message: "The requested range is not satisfiable" };
  return { code: `HTTP ${status}`, message: "The S3 server's answer does not say why." };
}
