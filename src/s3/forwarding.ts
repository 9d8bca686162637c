/** One S3 request in terms of another: what of the client's goes on to the server, and what of the server's comes back. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { uriEncode } from "../aws/sigv4.ts";
import type { SignedRequest } from "../aws/sigv4-verify.ts";
import { checksumPrefix } from "./checksums.ts";
import { isForm } from "./unsupported.ts";
import type { S3Server, UpstreamRequest } from "./upstream.ts";

/** Parameters of a presigned URL that prove it. */
const proofParameters =
  /^(X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token|Content-Sha256)|AWSAccessKeyId|Signature|Expires)$/i;
const hoistedParameter = /^(x-amz-|content-(md5|type)$)/i;

/**
 * A presigned URL carries in its query what would have been headers. Checksums are left out: an SDK that makes the URL before there
 * is a body puts that of an empty one there.
 */
export function withHoisted(headers: IncomingHttpHeaders, query: URLSearchParams): IncomingHttpHeaders {
  const all: IncomingHttpHeaders = { ...headers };
  for (const [name, value] of query) {
    const lower = name.toLowerCase();
    if (!hoistedParameter.test(name) || proofParameters.test(name)) continue;
    if (!lower.startsWith(checksumPrefix) && lower !== "x-amz-sdk-checksum-algorithm") all[lower] ??= value;
  }
  return all;
}

/** Of this connection, of the client's signature, or settled here. */
const notForwarded = new Set([
  "authorization",
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-decoded-content-length",
  "x-amz-expected-bucket-owner",
  "x-amz-security-token",
  "x-amz-source-expected-bucket-owner",
  "x-amz-trailer",
]);

/** `length` is that of the body as it goes on, decoded. */
export function upstreamRequest(signed: SignedRequest, given: IncomingHttpHeaders, server: S3Server, length: number): UpstreamRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (notForwarded.has(name) || value === undefined) continue;
    // Of a listing: whether objects are being restored from an archive, where none is. The embedded server refuses to be asked.
    if (!server.external && name === "x-amz-optional-object-attributes") continue;
    // Checked here, and not kept by the embedded server; but without one it does not take a multi-object delete.
    if (
      !server.external &&
      !/(^|&)delete(=|&|$)/.test(signed.query) &&
      (name.startsWith(checksumPrefix) || name === "x-amz-sdk-checksum-algorithm")
    )
      continue;
    headers[name] = Array.isArray(value) ? value.join(",") : value;
  }
  // Of a part or a list, it says nothing that S3 keeps.
  if (!server.external && length > 0 && isForm(given)) delete headers["content-type"];
  const encodings = (headers["content-encoding"] ?? "").split(",").map((text) => text.trim());
  const left = encodings.filter((text) => text !== "" && text !== "aws-chunked").join(",");
  if (left) headers["content-encoding"] = left;
  else delete headers["content-encoding"];
  const hasBody = length > 0 || signed.method === "PUT" || signed.method === "POST";
  return {
    method: signed.method,
    // Encoded anew, so that both servers and both signatures see the same key whatever the client chose to encode.
    path: signed.path
      .split("/")
      .map((segment) => uriEncode(decodeURIComponent(segment)))
      .join("/"),
    query: signed.query
      .split("&")
      .filter((part) => {
        const name = decodeURIComponent(part.split("=", 1)[0] ?? "");
        return part !== "" && !proofParameters.test(name) && !hoistedParameter.test(name);
      })
      .join("&"),
    headers,
    length: hasBody ? length : undefined,
  };
}

/** `requestId` is the one that the log knows. */
export function answerHeaders(answer: IncomingMessage, requestId: string): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !["connection", "keep-alive", "transfer-encoding", "server", "date"].includes(name)) headers[name] = value;
  }
  return { ...headers, server: "Howdah", "x-amz-request-id": requestId };
}
