/** What an S3 request asks for: its bucket, its key, and the actions of IAM. Source: Amazon S3 User Guide, "Required permissions for S3 API operations". */
import type { IncomingHttpHeaders } from "node:http";
import type { ContextValue } from "../access/policy/context.ts";
import { AwsError } from "../aws/errors.ts";
import { uriEncode } from "../aws/sigv4.ts";

/** `bucket` undefined: the action is on no bucket that is there. */
export interface S3Asked {
  action: string;
  resource: string;
  bucket: string | undefined;
  keys: [string, ContextValue | undefined][];
}

/** Empty for the service itself, and for a bucket. */
export interface Place {
  bucket: string;
  key: string;
}

export interface S3Request extends Place {
  /** The one that decides what it is: `policy`, `acl`, `uploads`; undefined for the bucket or object itself. */
  subresource: string | undefined;
  /** All must be allowed before a byte of the body is read. None for a multi-object delete: its list says what is asked for. */
  asked: S3Asked[];
  /** The object that is copied. */
  source: (Place & { version: string | undefined }) | undefined;
}

/** By sub-resource, what follows Get, Put and Delete in the action; `only` where one of the three has another name. */
const ofBucket: Record<string, string | Partial<Record<"GET" | "PUT" | "DELETE", string>>> = {
  accelerate: "AccelerateConfiguration",
  acl: "BucketAcl",
  analytics: { GET: "GetAnalyticsConfiguration", PUT: "PutAnalyticsConfiguration", DELETE: "PutAnalyticsConfiguration" },
  cors: { GET: "GetBucketCORS", PUT: "PutBucketCORS", DELETE: "PutBucketCORS" },
  encryption: { GET: "GetEncryptionConfiguration", PUT: "PutEncryptionConfiguration", DELETE: "PutEncryptionConfiguration" },
  "intelligent-tiering": {
    GET: "GetIntelligentTieringConfiguration",
    PUT: "PutIntelligentTieringConfiguration",
    DELETE: "PutIntelligentTieringConfiguration",
  },
  inventory: { GET: "GetInventoryConfiguration", PUT: "PutInventoryConfiguration", DELETE: "PutInventoryConfiguration" },
  lifecycle: { GET: "GetLifecycleConfiguration", PUT: "PutLifecycleConfiguration", DELETE: "PutLifecycleConfiguration" },
  location: "BucketLocation",
  logging: "BucketLogging",
  metrics: { GET: "GetMetricsConfiguration", PUT: "PutMetricsConfiguration", DELETE: "PutMetricsConfiguration" },
  notification: "BucketNotification",
  "object-lock": "BucketObjectLockConfiguration",
  ownershipControls: { GET: "GetBucketOwnershipControls", PUT: "PutBucketOwnershipControls", DELETE: "PutBucketOwnershipControls" },
  policy: "BucketPolicy",
  policyStatus: "BucketPolicyStatus",
  publicAccessBlock: { GET: "GetBucketPublicAccessBlock", PUT: "PutBucketPublicAccessBlock", DELETE: "PutBucketPublicAccessBlock" },
  replication: { GET: "GetReplicationConfiguration", PUT: "PutReplicationConfiguration", DELETE: "PutReplicationConfiguration" },
  requestPayment: "BucketRequestPayment",
  session: { GET: "CreateSession" },
  tagging: { GET: "GetBucketTagging", PUT: "PutBucketTagging", DELETE: "PutBucketTagging" },
  uploads: { GET: "ListBucketMultipartUploads" },
  versioning: "BucketVersioning",
  versions: { GET: "ListBucketVersions" },
  website: "BucketWebsite",
};

const ofObject: Record<string, string | Partial<Record<"GET" | "PUT" | "DELETE" | "POST", string>>> = {
  acl: "ObjectAcl",
  attributes: { GET: "GetObjectAttributes" },
  "legal-hold": "ObjectLegalHold",
  renameObject: { PUT: "PutObject" },
  restore: { POST: "RestoreObject" },
  retention: "ObjectRetention",
  select: { POST: "GetObject" },
  tagging: "ObjectTagging",
  torrent: { GET: "GetObjectTorrent" },
  uploadId: { GET: "ListMultipartUploadParts", PUT: "PutObject", POST: "PutObject", DELETE: "AbortMultipartUpload" },
  uploads: { POST: "PutObject" },
};

/** Parameters that only say more of what is asked for. Others are sub-resources, and one that is not known could be anything at all. */
const parameters =
  /^(prefix|delimiter|max-keys|marker|list-type|continuation-token|start-after|fetch-owner|encoding-type|key-marker|upload-id-marker|version-id-marker|max-uploads|max-parts|part-number-marker|partNumber|versionId|id|select-type|max-buckets|bucket-region|response-.*|x-.*|awsaccesskeyid|signature|expires)$/i;

/** `path` and `query` are as on the request line. Throws AwsError for what is no request of S3's, or cannot be told from another. */
export function readRequest(
  method: string,
  path: string,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
  external: boolean,
): S3Request {
  const place = readPath(path);
  const { bucket, key } = place;
  const keys = keysOf(query, headers);
  const at = (action: string, resource: string, more: S3Asked["keys"] = []): S3Asked => ({
    action: `s3:${action}`,
    resource: `arn:aws:s3:::${resource}`,
    bucket: bucket === "" ? undefined : bucket,
    keys: [...keys, ...more],
  });
  const source = readSource(headers);
  if (bucket === "") {
    if (method !== "GET") throw notAllowed();
    return { ...place, subresource: undefined, source: undefined, asked: [{ ...at("ListAllMyBuckets", "*"), bucket: undefined }] };
  }
  const table = key === "" ? ofBucket : ofObject;
  const subresource = subresourceOf(query, key === "" ? { ...ofBucket, delete: "" } : ofObject, external);
  if (source && (method !== "PUT" || key === "" || (subresource !== undefined && subresource !== "uploadId")))
    throw new AwsError("InvalidRequest", "x-amz-copy-source is only for an object, or a part of one, that is put.");

  if (key === "" && subresource === "delete") {
    if (method !== "POST") throw notAllowed();
    return { ...place, subresource, source: undefined, asked: [] };
  }
  if (subresource !== undefined) {
    const entry = table[subresource]!;
    const verb = method === "HEAD" ? "GET" : method;
    const plain = typeof entry === "string" && verb in verbs ? `${verbs[verb as keyof typeof verbs]}${entry}` : undefined;
    const action = typeof entry === "string" ? plain : entry[verb as "GET"];
    if (action === undefined) throw notAllowed();
    const resource = key === "" ? bucket : `${bucket}/${key}`;
    const asked = [at(versioned(action, query), resource, action === "ListBucketVersions" ? listKeys(query) : [])];
    if (subresource === "attributes") asked.unshift(at(versioned("GetObject", query), resource));
    return { ...place, subresource, source, asked: [...asked, ...sourceAsked(source, keys)] };
  }
  if (key === "") {
    if (method === "GET") return { ...place, subresource, source, asked: [at("ListBucket", bucket, listKeys(query))] };
    if (method === "HEAD") return { ...place, subresource, source, asked: [at("ListBucket", bucket)] };
    if (method === "PUT") return { ...place, subresource, source, asked: [{ ...at("CreateBucket", bucket), bucket: undefined }] };
    if (method === "DELETE") return { ...place, subresource, source, asked: [at("DeleteBucket", bucket)] };
    throw notAllowed();
  }
  const resource = `${bucket}/${key}`;
  if (method === "GET" || method === "HEAD") return { ...place, subresource, source, asked: [at(versioned("GetObject", query), resource)] };
  if (method === "DELETE") return { ...place, subresource, source, asked: [at(versioned("DeleteObject", query), resource)] };
  if (method !== "PUT") throw notAllowed();
  const asked = [at("PutObject", resource)];
  if (headers["x-amz-acl"] !== undefined || Object.keys(headers).some((name) => name.startsWith("x-amz-grant-")))
    asked.push(at("PutObjectAcl", resource));
  if (headers["x-amz-tagging"] !== undefined) asked.push(at("PutObjectTagging", resource));
  return { ...place, subresource, source, asked: [...asked, ...sourceAsked(source, keys)] };
}

const verbs = { GET: "Get", PUT: "Put", DELETE: "Delete" } as const;
const notAllowed = () => new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);

/** Of an object's version there are actions of their own. */
function versioned(action: string, query: URLSearchParams): string {
  return query.has("versionId") && /^(Get|Put|Delete)Object(Acl|Tagging|Torrent|Attributes|)$/.test(action)
    ? action.replace("Object", "ObjectVersion")
    : action;
}

function subresourceOf(query: URLSearchParams, table: Record<string, unknown>, external: boolean): string | undefined {
  let found: string | undefined;
  for (const name of new Set(query.keys())) {
    if (Object.hasOwn(table, name)) {
      if (found !== undefined) throw new AwsError("InvalidArgument", `Conflicting query parameters: ${found} and ${name}.`);
      found = name;
    } else if (external && !parameters.test(name) && !Object.hasOwn(ofBucket, name) && !Object.hasOwn(ofObject, name))
      throw new AwsError("NotImplemented", `Howdah does not know ?${name}, and cannot tell who may ask for it.`, 501);
  }
  return found;
}

/** Bucket and decoded key. A bucket's name that is none could be another's folder at the server. */
function readPath(path: string): Place {
  const rest = path.startsWith("/") ? path.slice(1) : path;
  const slash = rest.indexOf("/");
  const [bucket, key] = slash < 0 ? [decode(rest), ""] : [decode(rest.slice(0, slash)), decode(rest.slice(slash + 1))];
  if (bucket === "" && key !== "") throw invalidBucket(bucket);
  if (bucket !== "" && !isBucketName(bucket)) throw invalidBucket(bucket);
  return { bucket, key };
}

/** Those of today, and those that us-east-1 took once. */
const isBucketName = (name: string) => /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(name) && !name.includes("..");

const invalidBucket = (name: string) => new AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, { BucketName: name });

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError("InvalidURI", "Couldn't parse the specified URI.");
  }
}

/** `bucket/key` or `/bucket/key`, percent-encoded, perhaps with a version. */
function readSource(headers: IncomingHttpHeaders): S3Request["source"] {
  const header = headers["x-amz-copy-source"];
  if (header === undefined) return undefined;
  const [path = "", parameters] = String(header).split("?");
  const place = readPath(path);
  if (place.bucket === "" || place.key === "") throw new AwsError("InvalidArgument", "Invalid copy source object key");
  return { ...place, version: new URLSearchParams(parameters).get("versionId") ?? undefined };
}

/** The header anew, so that the server behind reads the same object in it that was asked for. */
export function sourceHeader({ bucket, key, version }: NonNullable<S3Request["source"]>): string {
  const path = [bucket, ...key.split("/")].map(uriEncode).join("/");
  return version === undefined ? path : `${path}?versionId=${uriEncode(version)}`;
}

function sourceAsked(source: S3Request["source"], keys: S3Asked["keys"]): S3Asked[] {
  if (!source) return [];
  const { bucket, key, version } = source;
  const action = version === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
  return [{ action, resource: `arn:aws:s3:::${bucket}/${key}`, bucket, keys: [...keys, ["s3:versionid", version]] }];
}

function listKeys(query: URLSearchParams): S3Asked["keys"] {
  return [
    ["s3:prefix", query.get("prefix") ?? undefined],
    ["s3:delimiter", query.get("delimiter") ?? undefined],
    ["s3:max-keys", query.get("max-keys") || "1000"],
  ];
}

/** Headers that conditions may ask for. Source: Service Authorization Reference, "Amazon S3". */
const headerKeys = [
  "x-amz-acl",
  "x-amz-content-sha256",
  "x-amz-copy-source",
  "x-amz-grant-full-control",
  "x-amz-grant-read",
  "x-amz-grant-read-acp",
  "x-amz-grant-write",
  "x-amz-grant-write-acp",
  "x-amz-metadata-directive",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-server-side-encryption-customer-algorithm",
  "x-amz-storage-class",
  "x-amz-website-redirect-location",
  "if-match",
  "if-none-match",
];

function keysOf(query: URLSearchParams, headers: IncomingHttpHeaders): S3Asked["keys"] {
  const keys: S3Asked["keys"] = [];
  for (const name of headerKeys) if (headers[name] !== undefined) keys.push([`s3:${name}`, String(headers[name])]);
  if (query.has("versionId")) keys.push(["s3:versionid", query.get("versionId")!]);
  return keys;
}

/** What is asked for of one object of a multi-object delete. */
export function deleteAsked(bucket: string, key: string, version: string | undefined): S3Asked {
  const action = version === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion";
  return { action, resource: `arn:aws:s3:::${bucket}/${key}`, bucket, keys: [["s3:versionid", version]] };
}

/** Whether somebody who finds no such object may know that it is not there. The key stands for the prefix that a listing would have. */
export function listAsked(bucket: string, key: string): S3Asked {
  return {
    action: "s3:ListBucket",
    resource: `arn:aws:s3:::${bucket}`,
    bucket,
    keys: [
      ["s3:prefix", key],
      ["s3:max-keys", "1000"],
    ],
  };
}
