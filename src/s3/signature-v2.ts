/**
 * Presigned URLs of signature version 2, which boto3 still makes unless told otherwise, and S3 still takes. Source: AWS's "Signing and
 * authenticating REST requests (signature version 2)". Its Authorization header is not taken: no client in use sends it.
 */
import { createHmac } from "node:crypto";
import type { KeyLookup } from "../access/keys.ts";
import { checkToken, headerValues, sameText, SignatureRefusal, type SignedRequest, type Verified } from "../aws/sigv4-verify.ts";

/** Query parameters that are part of what is signed. */
const signedParameters = new Set([
  "acl",
  "cors",
  "delete",
  "lifecycle",
  "location",
  "logging",
  "notification",
  "partNumber",
  "policy",
  "requestPayment",
  "response-cache-control",
  "response-content-disposition",
  "response-content-encoding",
  "response-content-language",
  "response-content-type",
  "response-expires",
  "restore",
  "tagging",
  "torrent",
  "uploadId",
  "uploads",
  "versionId",
  "versioning",
  "versions",
  "website",
]);

/** Undefined where the request is not such a URL. Throws SignatureRefusal where it is, and does not hold. */
export function verifyV2(request: SignedRequest, query: URLSearchParams, keys: KeyLookup, now: Date): Verified | undefined {
  const [accessKeyId, signature, expires] = ["AWSAccessKeyId", "Signature", "Expires"].map((name) => query.get(name));
  if (!accessKeyId || !signature || !expires) return undefined;
  const key = keys(accessKeyId);
  if (!key) throw new SignatureRefusal("unknown-key", "", { AWSAccessKeyId: accessKeyId });
  const end = Number(expires) * 1000;
  if (!Number.isSafeInteger(end)) throw new SignatureRefusal("malformed-query", "Expires should be a number of seconds since 1970.");
  const expected = createHmac("sha1", key.secretAccessKey)
    .update(stringToSign(request, query, expires))
    .digest("base64");
  if (!sameText(expected, signature)) throw new SignatureRefusal("mismatch");
  checkToken(key, query.get("x-amz-security-token"), now);
  if (now.getTime() > end) {
    throw new SignatureRefusal("url-expired", "", { Expires: new Date(end).toISOString(), ServerTime: now.toISOString() });
  }
  const scope = { day: "", region: "", service: "s3" };
  const claim = { accessKeyId, scope, date: "", signedHeaders: [], signature, sessionToken: undefined, expires: Number(expires) };
  // Chunks are signed in version 4 only: no key can be right for them.
  return { key, claim, signingKey: Buffer.alloc(0) };
}

function stringToSign(request: SignedRequest, query: URLSearchParams, expires: string): string {
  const headers = headerValues(request.rawHeaders);
  for (const [name, value] of query) {
    const lower = name.toLowerCase();
    if (lower.startsWith("x-amz-") || lower === "content-md5" || lower === "content-type") headers.set(lower, [value]);
  }
  const amazon = [...headers].filter(([name]) => name.startsWith("x-amz-")).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const subresources = [...query].filter(([name]) => signedParameters.has(name)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const resource = subresources.map(([name, value]) => (value === "" ? name : `${name}=${value}`)).join("&");
  return [
    request.method,
    headers.get("content-md5")?.[0] ?? "",
    headers.get("content-type")?.[0] ?? "",
    expires,
    ...amazon.map(([name, values]) => `${name}:${values.map((value) => value.trim()).join(",")}`),
    request.path + (resource ? `?${resource}` : ""),
  ].join("\n");
}
