/** Who sends an S3 request, by whichever kind of signature; or nobody. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { KeyLookup } from "../access/keys.ts";
import { AwsError } from "../aws/errors.ts";
import type { Origin } from "../aws/origin.ts";
import { unsignedPayload } from "../aws/sigv4.ts";
import { headerValues, readClaim, SignatureRefusal, type SignedRequest, type Verified, verifyClaim } from "../aws/sigv4-verify.ts";
import type { S3Asked } from "./request.ts";
import { verifyV2 } from "./signature-v2.ts";

/** `proof` is undefined for a request without a signature: the bucket's policy says what it may do. `declared`: what the body's hash is said to be. */
export interface Sender {
  proof: Verified | undefined;
  declared: string;
  /** The condition keys of its signature. */
  keys: S3Asked["keys"];
}

export function signedPart(req: IncomingMessage): SignedRequest {
  const url = req.url ?? "/";
  const at = url.indexOf("?");
  const [path, query] = at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
  return { method: req.method ?? "", path, query, rawHeaders: req.rawHeaders };
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Throws SignatureRefusal for a signature that does not hold, AwsError for a request that lacks what goes with one. */
export function prove(signed: SignedRequest, query: URLSearchParams, headers: IncomingHttpHeaders, keys: KeyLookup, now: Date): Sender {
  if (!isEncoded(`${signed.path}?${signed.query}`)) throw new SignatureRefusal("bad-uri");
  const old = verifyV2(signed, query, keys, now);
  if (old)
    return {
      proof: old,
      declared: unsignedPayload,
      keys: [
        ["s3:signatureversion", "AWS"],
        ["s3:authType", "REST-QUERY-STRING"],
      ],
    };
  const header = headers["x-amz-content-sha256"];
  const all = headerValues(signed.rawHeaders);
  if (!all.has("authorization") && !/(^|&)X-Amz-Algorithm=/.test(signed.query))
    return { proof: undefined, declared: typeof header === "string" ? header : unsignedPayload, keys: [] };
  const claim = readClaim(signed, all);
  let declared: string;
  if (typeof header === "string") declared = header;
  else if (claim.expires !== undefined) declared = query.get("X-Amz-Content-Sha256") ?? unsignedPayload;
  else throw new AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  const proof = verifyClaim(signed, claim, declared, keys, now);
  const signedAt = Date.parse(claim.date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  return {
    proof,
    declared,
    keys: [
      ["s3:signatureversion", "AWS4-HMAC-SHA256"],
      ["s3:authType", claim.expires === undefined ? "REST-HEADER" : "REST-QUERY-STRING"],
      ["s3:signatureAge", String(Math.max(0, now.getTime() - signedAt))],
    ],
  };
}

/** `1.3`, as conditions have it. */
export const tlsKeys = ({ tls }: Origin): S3Asked["keys"] => [["s3:TlsVersion", tls && /[\d.]+$/.exec(tls.version)?.[0]]];
