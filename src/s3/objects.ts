/** One S3 request through the front door: verified, re-signed, streamed to the server and back. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { KeyLookup } from "../access/keys.ts";
import { AwsError } from "../aws/errors.ts";
import { refusalError } from "../aws/refusals.ts";
import { unsignedPayload } from "../aws/sigv4.ts";
import { readClaim, SignatureRefusal, type SignedRequest, type Verified, verifyClaim } from "../aws/sigv4-verify.ts";
import { escapeXml } from "../aws/xml.ts";
import { type CheckedBody, checkedBody } from "./body.ts";
import { type BuiltInObject, builtInAnswer, builtInSource } from "./emr-bucket.ts";
import { checksumPrefix } from "./checksums.ts";
import { s3ErrorBody } from "./error-body.ts";
import { answerHeaders, upstreamRequest, withHoisted } from "./forwarding.ts";
import { moving } from "./moving.ts";
import { verifyV2 } from "./signature-v2.ts";
import { nameClash } from "./name-clash.ts";
import { refuseUnsupported, refuseUnsupportedDelete } from "./unsupported.ts";
import { answerOf, openUpstream, type S3Server, type UpstreamRequest } from "./upstream.ts";

export interface ObjectsOptions {
  keys: KeyLookup;
  server: () => S3Server;
  now: () => Date;
  /** Told what went wrong behind the front door; the client learns only that something did. */
  fault: (requestId: string, error: unknown) => void;
}

/** A client that sends or takes nothing for so long has gone. */
const clientSilence = 60_000;
/** How much of a refused body is read on, so that the client comes to reading the refusal. */
const drainLimit = 64 << 20;

/** Answers one request, whatever happens. `proceed` tells a client that waits with its body to send it. */
export async function serveObjects(
  req: IncomingMessage,
  res: ServerResponse,
  options: ObjectsOptions,
  proceed: (() => void) | undefined,
): Promise<void> {
  const requestId = randomBytes(8).toString("hex").toUpperCase();
  let waiting = proceed !== undefined;
  const begin = () => {
    waiting = false;
    proceed?.();
  };
  req.setTimeout(clientSilence, () => req.destroy());
  try {
    await forward(req, res, options, requestId, begin);
  } catch (thrown) {
    if (res.headersSent || res.destroyed) {
      res.destroy();
      return;
    }
    let error: AwsError;
    if (thrown instanceof AwsError) error = thrown;
    else if (thrown instanceof SignatureRefusal) error = refusalError(thrown, "s3");
    else {
      options.fault(requestId, thrown);
      error = new AwsError("ServiceUnavailable", "The S3 server behind Howdah did not answer. Howdah's log has the reason.", 503);
    }
    if (!waiting) await drain(req);
    sendError(req, res, error, requestId);
  }
}

async function forward(
  req: IncomingMessage,
  res: ServerResponse,
  options: ObjectsOptions,
  requestId: string,
  begin: () => void,
): Promise<void> {
  const signed = signedPart(req);
  const query = new URLSearchParams(signed.query);
  const server = options.server();
  const { proof, declared } = prove(signed, query, req.headers, options);
  const headers = withHoisted(req.headers, query);
  checkOwner(headers, proof);
  const builtIn = builtInAnswer(signed.method, signed.path, query, headers);
  if (builtIn) {
    begin();
    res.writeHead(builtIn.status, {
      ...builtIn.headers,
      "content-length": builtIn.body.length,
      server: "Howdah",
      "x-amz-request-id": requestId,
    });
    res.end(signed.method === "HEAD" ? undefined : builtIn.body);
    return;
  }
  const completes = signed.method === "POST" && query.has("uploadId");
  const source = moving(req.iterator({ destroyOnReturn: false }));
  const copied = signed.method === "PUT" ? builtInSource(headers["x-amz-copy-source"]) : undefined;
  const body = copied ? contentOf(copied, query, headers) : checkedBody(source, headers, declared, proof, completes);
  if (!server.external) {
    refuseUnsupported(signed.method, signed.path, query, headers, body.length);
    if (query.has("delete")) body.stream = checkedDelete(body.stream);
  }
  const upstream = upstreamRequest(signed, headers, server, body.length);
  begin();
  const answer = await exchange(server, upstream, body, req, res);
  const { verified } = body;
  const refused = server.external ? undefined : await nameClash(server, upstream, answer);
  if (refused) throw refused;
  res.setTimeout(clientSilence, () => res.destroy());
  if (copied && answer.statusCode === 200) {
    answer.resume();
    const result = `<CopyObjectResult><ETag>${escapeXml(answer.headers.etag ?? copied.etag)}</ETag><LastModified>${options.now().toISOString()}</LastModified></CopyObjectResult>`;
    res.writeHead(200, { "content-type": "application/xml", server: "Howdah", "x-amz-request-id": requestId });
    res.end(result);
    return;
  }
  const answered = answerHeaders(answer, requestId);
  // S3 answers an upload with the checksums that it found right, and clients pass them on when they complete a multipart upload.
  if (req.method === "PUT" && answer.statusCode === 200) for (const [name, value] of verified) answered[name] ??= value;
  res.writeHead(answer.statusCode ?? 502, answered);
  await pipeline(answer, res);
}

/** A copy of a built-in object is an upload of its content: the server behind has no such object. Takes from `headers` what says otherwise. */
function contentOf({ content }: BuiltInObject, query: URLSearchParams, headers: IncomingHttpHeaders): CheckedBody {
  if (query.has("uploadId")) throw new AwsError("NotImplemented", "Howdah's built-in bucket is not copied in parts.", 501);
  for (const name of Object.keys(headers)) {
    if (name.startsWith("x-amz-copy-source-"))
      throw new AwsError("NotImplemented", `${name} is not there for Howdah's built-in bucket.`, 501);
    if (name === "x-amz-copy-source" || name === "x-amz-metadata-directive" || name.startsWith(checksumPrefix)) delete headers[name];
  }
  async function* whole() {
    yield content;
  }
  return { stream: whole(), length: content.length, verified: new Map() };
}

/** S3's own limit for the list of a multi-object delete. */
const deleteLimit = 2 << 20;

/** The list of a multi-object delete, once all of it is proven and looked at. */
async function* checkedDelete(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream) {
    size += piece.length;
    if (size > deleteLimit)
      throw new AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
    pieces.push(piece);
  }
  const body = Buffer.concat(pieces, size);
  refuseUnsupportedDelete(body.toString("utf8"));
  yield body;
}

function signedPart(req: IncomingMessage): SignedRequest {
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

/** Who asks, and what the body's hash is said to be. Throws SignatureRefusal or AwsError. */
function prove(signed: SignedRequest, query: URLSearchParams, headers: IncomingHttpHeaders, options: ObjectsOptions) {
  const now = options.now();
  if (!isEncoded(`${signed.path}?${signed.query}`)) throw new SignatureRefusal("bad-uri");
  const old = verifyV2(signed, query, options.keys, now);
  if (old) return { proof: old, declared: unsignedPayload };
  const claim = readClaim(signed);
  const header = headers["x-amz-content-sha256"];
  let declared: string;
  if (typeof header === "string") declared = header;
  else if (claim.expires !== undefined) declared = query.get("X-Amz-Content-Sha256") ?? unsignedPayload;
  else throw new AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  return { proof: verifyClaim(signed, claim, declared, options.keys, now), declared };
}

/** The one account of this Howdah owns every bucket. */
function checkOwner(headers: IncomingHttpHeaders, proof: Verified): void {
  for (const name of ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"]) {
    if (headers[name] !== undefined && headers[name] !== proof.key.principal.accountId)
      throw new AwsError("AccessDenied", "Access Denied", 403);
  }
}

/** Sends the request as its body is proven, and resolves with the answer. The upstream request ends with the client's. */
async function exchange(
  server: S3Server,
  request: UpstreamRequest,
  body: CheckedBody,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<IncomingMessage> {
  let upstream: ClientRequest | undefined;
  let answer: Promise<IncomingMessage> | undefined;
  let answered = false;
  const connect = () => {
    upstream = openUpstream(server, request);
    answer = answerOf(upstream);
    upstream.once("response", () => (answered = true));
    return upstream;
  };
  const abandon = () => upstream?.destroy();
  res.once("close", abandon);
  try {
    for await (const piece of body.stream) {
      // An answer before the end is a refusal: what is left of the body goes nowhere.
      if (answered) break;
      upstream ??= connect();
      if (!upstream.write(piece) && !upstream.destroyed) await Promise.race([once(upstream, "drain"), answer]);
      if (upstream.destroyed) break;
    }
    // From here on it is the client that waits.
    req.setTimeout(0);
    const empty = upstream === undefined;
    upstream ??= connect();
    if (!answered) upstream.end();
    return await answer!.catch((error: unknown) => {
      // The server closed an idle connection just as it was taken up again.
      if (!empty || !upstream?.reusedSocket || res.destroyed) throw error;
      connect().end();
      return answer!;
    });
  } catch (error) {
    abandon();
    throw error;
  }
}

/** Reads what a refused client still sends, up to a limit: closing at once would reset the connection before it reads why. */
async function drain(req: IncomingMessage): Promise<void> {
  let left = drainLimit;
  try {
    for await (const chunk of moving(req.iterator({ destroyOnReturn: false }))) {
      left -= chunk.length;
      if (left < 0) return;
    }
  } catch {
    // It has gone.
  }
}

function sendError(req: IncomingMessage, res: ServerResponse, error: AwsError, requestId: string): void {
  const path = (req.url ?? "/").split("?", 1)[0] ?? "/";
  const body = s3ErrorBody(error, path, requestId);
  res.writeHead(error.status, {
    "content-type": "application/xml",
    "content-length": Buffer.byteLength(body),
    "x-amz-request-id": requestId,
    server: "Howdah",
    ...(req.complete ? {} : { connection: "close" }),
  });
  res.end(req.method === "HEAD" ? undefined : body);
}
