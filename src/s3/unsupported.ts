/** What the embedded S3 server cannot do and must not seem to do: refused, never dropped. An S3 endpoint of the user's own gets all. */
import type { IncomingHttpHeaders } from "node:http";
import { AwsError } from "../aws/errors.ts";

/** x-amz- headers that the embedded server honours, or that change nothing that is stored. */
const honoured = new Set([
  "x-amz-acl",
  "x-amz-checksum-mode",
  "x-amz-content-sha256",
  "x-amz-copy-source",
  "x-amz-copy-source-if-match",
  "x-amz-copy-source-if-modified-since",
  "x-amz-copy-source-if-none-match",
  "x-amz-copy-source-if-unmodified-since",
  "x-amz-copy-source-range",
  "x-amz-date",
  "x-amz-decoded-content-length",
  "x-amz-expected-bucket-owner",
  "x-amz-metadata-directive",
  "x-amz-mp-object-size",
  "x-amz-optional-object-attributes",
  "x-amz-sdk-checksum-algorithm",
  "x-amz-security-token",
  "x-amz-source-expected-bucket-owner",
  "x-amz-storage-class",
  "x-amz-trailer",
  "x-amz-user-agent",
]);
const honouredPrefixes = ["x-amz-meta-", "x-amz-checksum-"];

/** Sub-resources and parameters that it has no notion of. (A bucket's policy and tags are answered before, and how it is set: bucket-policy.ts, bucket-settings.ts.) */
const subresources = new Set([
  "accelerate",
  "analytics",
  "attributes",
  "cors",
  "encryption",
  "intelligent-tiering",
  "inventory",
  "legal-hold",
  "lifecycle",
  "logging",
  "metadataConfiguration",
  "metadataTable",
  "metrics",
  "notification",
  "object-lock",
  "ownershipControls",
  "policy",
  "policyStatus",
  "publicAccessBlock",
  "renameObject",
  "replication",
  "requestPayment",
  "restore",
  "retention",
  "select",
  "session",
  "tagging",
  "torrent",
  "versionId",
  "versioning",
  "versions",
  "website",
]);

function notImplemented(what: string): AwsError {
  const message = `A header, query or key you provided implies functionality that is not implemented: ${what}. Howdah's embedded S3 server does not have it.`;
  return new AwsError("NotImplemented", message, 501);
}

/** The embedded server keeps objects as files: a key such as `a//b` or `a/../b` would be another object's. */
export function refuseKey(key: string): void {
  const segments = key.split("/");
  if (segments.at(-1) === "") segments.pop();
  if (segments.some((segment) => ["", ".", ".."].includes(segment))) throw notImplemented(`a key with empty, '.' or '..' parts: ${key}`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError("InvalidURI", "Couldn't parse the specified URI.");
  }
}

/** What comes after the bucket in a decoded `/bucket/key` or `bucket/key`; empty for the bucket itself. */
function keyOf(path: string): string {
  const rest = path.replace(/^\//, "");
  const at = rest.indexOf("/");
  return at < 0 ? "" : rest.slice(at + 1);
}

/** The embedded server takes such a body for parameters of the request. */
export function isForm(headers: IncomingHttpHeaders): boolean {
  return /^\s*application\/x-www-form-urlencoded/i.test(headers["content-type"] ?? "");
}

const checksumsOfObjects = /^x-amz-checksum-(crc|sha)/;

/** The embedded server takes any folder's name. */
function checkBucketName(name: string): void {
  if (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes("..") && !/^\d+(\.\d+){3}$/.test(name)) return;
  throw new AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, { BucketName: name });
}

/**
 * Throws NotImplemented, naming what it was, for a request that asks for more than the embedded server does. `path` is as on the
 * request line, `length` the body's.
 */
export function refuseUnsupported(
  method: string,
  path: string,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
  length: number,
): void {
  const key = keyOf(decode(path));
  if (key !== "") refuseKey(key);
  if (method === "PUT" && length > 0 && !query.has("uploadId") && isForm(headers)) {
    throw notImplemented(
      "an object of the type application/x-www-form-urlencoded, which it would read as a form. Send another Content-Type",
    );
  }
  const copied = headers["x-amz-copy-source"];
  if (copied !== undefined) {
    const [source, version] = String(copied).split("?");
    if (version !== undefined) throw notImplemented(`x-amz-copy-source with ${version}`);
    refuseKey(keyOf(decode(source!)));
    for (const name of ["if-match", "if-none-match"]) if (headers[name] !== undefined) throw notImplemented(`${name} on a copy`);
  }
  if (method === "POST" && query.has("uploadId")) {
    const whole = Object.keys(headers).find((name) => checksumsOfObjects.test(name));
    if (whole) throw notImplemented(`${whole} of an object made of parts`);
  }
  if (method === "PUT" && key === "" && [...query.keys()].every((name) => name === "x-id" || name.startsWith("X-Amz-")))
    checkBucketName(decode(path).replaceAll("/", ""));
  // It would be a folder.
  if (method === "PUT" && key.endsWith("/") && length > 0)
    throw notImplemented(`an object with content under a key that ends in a slash: ${key}`);
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith("x-amz-") || honoured.has(name) || honouredPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    throw notImplemented(`${name}: ${String(value)}`);
  }
  if ((headers["x-amz-acl"] ?? "private") !== "private") throw notImplemented(`x-amz-acl: ${String(headers["x-amz-acl"])}`);
  if ((headers["x-amz-storage-class"] ?? "STANDARD") !== "STANDARD") {
    throw notImplemented(`x-amz-storage-class: ${String(headers["x-amz-storage-class"])}`);
  }
  for (const name of query.keys()) {
    if (subresources.has(name)) throw notImplemented(`?${name}`);
  }
  if (query.has("partNumber") && !query.has("uploadId")) throw notImplemented("?partNumber without an upload");
}
