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

/** Sub-resources and parameters that it has no notion of. */
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
  const message = `A header or query you provided implies functionality that is not implemented: ${what}. Howdah's embedded S3 server does not have it.`;
  return new AwsError("NotImplemented", message, 501);
}

/** Throws NotImplemented, naming what it was, for a request that asks for more than the embedded server does. */
export function refuseUnsupported(headers: IncomingHttpHeaders, query: URLSearchParams): void {
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
