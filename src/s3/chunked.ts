/**
 * aws-chunked bodies: `SIZE;chunk-signature=…\r\n DATA \r\n … 0;chunk-signature=…\r\n [trailers] \r\n`. Source: AWS's "Signature
 * calculations for the Authorization header: transferring payload in multiple chunks", and "… including trailing headers".
 */
import { createHash } from "node:crypto";
import { AwsError } from "../aws/errors.ts";
import { hmac, type Scope, scopeText, sha256Hex } from "../aws/sigv4.ts";
import { sameText, type Verified } from "../aws/sigv4-verify.ts";

/** Each chunk's signature signs the one before it; the first signs the request's. */
export interface ChunkSigning {
  key: Verified["signingKey"];
  date: string;
  scope: Scope;
  seed: string;
}

const emptyHash = sha256Hex("");
/** A line is a size, or a trailer: nothing honest is longer. */
const longestLine = 1024;

const mismatch = () =>
  new AwsError(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    403,
  );
const malformed = () => new AwsError("InvalidChunkSizeError", "The body is not in the aws-chunked encoding that its headers declare.", 400);
const incomplete = () => new AwsError("IncompleteBody", "The request body terminated unexpectedly", 400);

/** Reads lines and runs of bytes from a stream, whatever the pieces it comes in. */
class Reader {
  private rest: Buffer = Buffer.alloc(0);
  private readonly source: AsyncIterator<Buffer>;

  constructor(source: AsyncIterable<Buffer>) {
    this.source = source[Symbol.asyncIterator]();
  }

  private async more(): Promise<void> {
    const { done, value } = await this.source.next();
    if (done) throw incomplete();
    this.rest = this.rest.length === 0 ? value : Buffer.concat([this.rest, value]);
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.rest.indexOf("\n");
      if (end > longestLine || (end < 0 && this.rest.length > longestLine)) throw malformed();
      if (end >= 0) {
        const text = this.rest.toString("latin1", 0, end);
        this.rest = this.rest.subarray(end + 1);
        return text.endsWith("\r") ? text.slice(0, -1) : text;
      }
      await this.more();
    }
  }

  async *bytes(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0;) {
      if (this.rest.length === 0) await this.more();
      const piece = this.rest.subarray(0, left);
      this.rest = this.rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** Runs out a source that has nothing more to say. */
  async finish(): Promise<void> {
    if (this.rest.length > 0 || !(await this.source.next()).done) throw malformed();
  }
}

/**
 * The data of an aws-chunked body. Trailers are in `trailers`, names in lower case, once the data has ended. A chunk's last bytes
 * come before its signature is checked: the consumer must hold the last piece back. Without `signing` chunks are unsigned.
 * Throws AwsError.
 */
export async function* decodeChunked(
  source: AsyncIterable<Buffer>,
  signing: ChunkSigning | undefined,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const reader = new Reader(source);
  let previous = signing?.seed ?? "";
  const check = (kind: string, hashes: string[], given: string | undefined): void => {
    if (!signing) return;
    const text = [`AWS4-HMAC-SHA256-${kind}`, signing.date, scopeText(signing.scope), previous, ...hashes].join("\n");
    const expected = hmac(signing.key, text).toString("hex");
    if (!sameText(expected, given ?? "")) throw mismatch();
    previous = expected;
  };
  for (;;) {
    const header = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(await reader.line());
    if (!header) throw malformed();
    const size = Number.parseInt(header[1]!, 16);
    const hash = signing && createHash("sha256");
    for await (const piece of reader.bytes(size)) {
      hash?.update(piece);
      yield piece;
    }
    if (hash) check("PAYLOAD", [emptyHash, hash.digest("hex")], header[2]);
    if (size === 0) break;
    if ((await reader.line()) !== "") throw malformed();
  }
  let signed = "";
  let signature: string | undefined;
  for (let line = await reader.line(); line !== ""; line = await reader.line()) {
    const at = line.indexOf(":");
    if (at < 0) throw malformed();
    const [name, value] = [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()];
    if (name === "x-amz-trailer-signature") signature = value;
    else {
      trailers.set(name, value);
      signed += `${name}:${value}\n`;
    }
  }
  if (signed !== "") check("TRAILER", [sha256Hex(signed)], signature);
  await reader.finish();
}
