/** An S3 request's body on its way to the store: decoded, counted and checked, its last bytes held back until all is proven. */
import type { IncomingHttpHeaders } from "node:http";
import { AwsError } from "../aws/errors.ts";
import { unsignedPayload } from "../aws/sigv4.ts";
import type { Verified } from "../aws/sigv4-verify.ts";
import { type Checksum, checksumPrefix, checksums } from "./checksums.ts";
import { type ChunkSigning, decodeChunked } from "./chunked.ts";

/** `verified` are the checksums found right, by header name; complete when the stream has ended. `length` is that of the decoded body. */
export interface CheckedBody {
  stream: AsyncGenerator<Buffer>;
  length: number;
  verified: Map<string, string>;
}

interface Check {
  checksum: Checksum;
  /** Asked for at the end, because a trailer comes last. Throws AwsError where the digest is not what the client said. */
  finish(digest: Buffer): void;
}

const streaming: Record<string, { signed: boolean; trailer: boolean }> = {
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": { signed: true, trailer: false },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": { signed: true, trailer: true },
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": { signed: false, trailer: true },
};

/**
 * `declared` is x-amz-content-sha256, as it was signed; `proof` is undefined for a request without a signature. `checksumsOfObject`: checksum headers are of the object that the request
 * completes, not of its body. Throws AwsError for headers that contradict one another.
 */
export function checkedBody(
  source: AsyncIterable<Buffer>,
  headers: IncomingHttpHeaders,
  declared: string,
  proof: Verified | undefined,
  checksumsOfObject = false,
): CheckedBody {
  const mode = streaming[declared];
  if (!mode && declared !== unsignedPayload && !/^[0-9a-f]{64}$/.test(declared)) {
    throw new AwsError(
      "InvalidArgument",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a valid sha256 value, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or STREAMING-UNSIGNED-PAYLOAD-TRAILER.",
      400,
      { ArgumentName: "x-amz-content-sha256" },
    );
  }
  const trailers = new Map<string, string>();
  const verified = new Map<string, string>();
  const checks: Check[] = checksumsOfObject ? [] : declaredChecksums(headers, verified);
  const length = bodyLength(headers, mode !== undefined);
  let stream = source;
  if (mode) {
    // Nobody has signed the chunks of a request without a signature.
    if (mode.signed && !proof) throw new AwsError("AccessDenied", "Access Denied", 403);
    stream = decodeChunked(source, mode.signed ? chunkSigning(proof!) : undefined, trailers);
    if (mode.trailer) checks.push(...trailingChecksums(headers, trailers, verified));
  } else if (declared !== unsignedPayload) {
    checks.push({
      checksum: checksums.sha256!(),
      finish(digest) {
        const computed = digest.toString("hex");
        if (computed === declared) return;
        const said = { ClientComputedContentSHA256: declared, S3ComputedContentSHA256: computed };
        throw new AwsError(
          "XAmzContentSHA256Mismatch",
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
          400,
          said,
        );
      },
    });
  }
  return { stream: lastHeldBack(checked(stream, length, checks)), length, verified };
}

function chunkSigning({ claim, signingKey }: Verified): ChunkSigning {
  return { key: signingKey, date: claim.date, scope: claim.scope, seed: claim.signature };
}

function bodyLength(headers: IncomingHttpHeaders, chunked: boolean): number {
  const text = chunked ? headers["x-amz-decoded-content-length"] : headers["content-length"];
  if (text === undefined && (chunked || headers["transfer-encoding"] !== undefined)) {
    throw new AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411);
  }
  if (!/^\d{1,15}$/.test(String(text ?? "0"))) throw new AwsError("InvalidArgument", "The length of the body is not a number.");
  return Number(text ?? 0);
}

/** Checksums in headers: Content-MD5 and x-amz-checksum-ALGORITHM. */
function declaredChecksums(headers: IncomingHttpHeaders, verified: Map<string, string>): Check[] {
  const md5 = headers["content-md5"];
  const checks = Object.keys(headers)
    .filter((name) => name.startsWith(checksumPrefix) && Object.hasOwn(checksums, name.slice(checksumPrefix.length)))
    .map((name) => checksumCheck(name, () => headers[name] as string, verified));
  if (typeof md5 !== "string") return checks;
  const finish = (digest: Buffer) => {
    if (digest.toString("base64") !== md5) throw new AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.");
  };
  return [...checks, { checksum: checksums.md5!(), finish }];
}

/** Checksums that x-amz-trailer announces. */
function trailingChecksums(headers: IncomingHttpHeaders, trailers: Map<string, string>, verified: Map<string, string>): Check[] {
  const announced = String(headers["x-amz-trailer"] ?? "").split(",");
  return announced
    .map((text) => text.trim().toLowerCase())
    .filter((name) => name !== "")
    .map((name) => {
      if (!name.startsWith(checksumPrefix) || !Object.hasOwn(checksums, name.slice(checksumPrefix.length))) {
        throw new AwsError("InvalidRequest", `The value specified in the x-amz-trailer header is not supported: ${name}`);
      }
      return checksumCheck(name, () => trailers.get(name), verified);
    });
}

function checksumCheck(name: string, given: () => string | undefined, verified: Map<string, string>): Check {
  const algorithm = name.slice(checksumPrefix.length);
  return {
    checksum: checksums[algorithm]!(),
    finish(digest) {
      const said = given();
      if (said === undefined)
        throw new AwsError(
          "MalformedTrailerError",
          "The request contained trailing data that was not well-formed or did not conform to our published schema.",
        );
      const computed = digest.toString("base64");
      if (said !== computed)
        throw new AwsError("BadDigest", `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`);
      verified.set(name, computed);
    },
  };
}

async function* checked(source: AsyncIterable<Buffer>, length: number, checks: Check[]): AsyncGenerator<Buffer> {
  let seen = 0;
  for await (const piece of source) {
    seen += piece.length;
    if (seen > length) break;
    for (const { checksum } of checks) checksum.update(piece);
    yield piece;
  }
  if (seen !== length)
    throw new AwsError("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.");
  for (const { checksum, finish } of checks) finish(checksum.digest());
}

/** A store that never gets the last bytes never makes an object of the others. */
async function* lastHeldBack(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer | undefined;
  for await (const piece of source) {
    if (piece.length === 0) continue;
    if (held) yield held;
    held = piece;
  }
  if (held) yield held;
}
