/** One S3 request through the front door: verified, authorised, re-signed, streamed to the server and back. */
import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { AwsError } from "../aws/errors.ts";
import { originOfSocket } from "../aws/origin.ts";
import { refusalError } from "../aws/refusals.ts";
import { SignatureRefusal } from "../aws/sigv4-verify.ts";
import { escapeXml } from "../aws/xml.ts";
import { accessDenied } from "./access.ts";
import { errorOf } from "./answer-errors.ts";
import { type Allowed, allowed, type ObjectsOptions, send } from "./allowed.ts";
import { type CheckedBody, checkedBody } from "./body.ts";
import { answerPolicy } from "./bucket-policy.ts";
import { answerSetting, isSetting } from "./bucket-settings.ts";
import { deleteBucket, makeBucket, ownBuckets } from "./buckets.ts";
import { checksumPrefix } from "./checksums.ts";
import { deleteMany } from "./delete-many.ts";
import { type BuiltInObject, builtInAnswer, builtInSource } from "./emr-bucket.ts";
import { s3ErrorBody } from "./error-body.ts";
import { exchange, textOf } from "./exchange.ts";
import { answerHeaders, upstreamRequest } from "./forwarding.ts";
import { moving } from "./moving.ts";
import { nameClash } from "./name-clash.ts";
import type { Seen } from "./recorder.ts";
import { listVersions } from "./object-versions.ts";
import { listAsked } from "./request.ts";
import { refuseUnsupported } from "./unsupported.ts";

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
  const seen: Seen = {};
  options.record?.(req, res, requestId, seen);
  req.setTimeout(clientSilence, () => req.destroy());
  try {
    const asked = await allowed(req, res, options, requestId, begin, seen);
    if (asked.sender.proof) options.used?.(asked.sender.proof);
    await answer(asked);
  } catch (thrown) {
    if (res.headersSent || res.destroyed) {
      res.destroy();
      return;
    }
    let error: AwsError;
    if (thrown instanceof AwsError) error = thrown;
    else if (thrown instanceof SignatureRefusal) {
      options.refused?.(thrown.kind, originOfSocket(req.socket).sourceIp);
      error = refusalError(thrown, "s3");
    } else {
      options.fault(requestId, thrown);
      error = new AwsError("ServiceUnavailable", "The S3 server behind Howdah did not answer. Howdah's log has the reason.", 503);
    }
    seen.error = error;
    if (!waiting) await drain(req);
    sendError(req, res, error, requestId);
  }
}

async function answer(asked: Allowed): Promise<void> {
  const { signed, query, headers, request, res, requestId, begin } = asked;
  const builtIn = builtInAnswer(signed.method, signed.path, query, headers);
  if (builtIn) {
    begin();
    send(res, builtIn.status, builtIn.headers, signed.method === "HEAD" ? undefined : builtIn.body, requestId, builtIn.body.length);
  } else if (request.key === "" && (request.subresource === "policy" || request.subresource === "policyStatus")) await answerPolicy(asked);
  else if (isSetting(asked)) await answerSetting(asked);
  else if (request.subresource === "versions" && signed.method === "GET" && !asked.server.external) await listVersions(asked);
  else if (request.subresource === "delete") await deleteMany(asked);
  else await forward(asked);
}

async function forward(asked: Allowed): Promise<void> {
  const { req, res, options, requestId, begin, server, signed, query, headers, request, sender, access, seen } = asked;
  const completes = signed.method === "POST" && query.has("uploadId");
  const source = moving(req.iterator({ destroyOnReturn: false }));
  const copied = request.source ? builtInSource(headers["x-amz-copy-source"]) : undefined;
  const body = copied ? contentOf(copied, query, headers) : checkedBody(source, headers, sender.declared, sender.proof, completes);
  if (!server.external) refuseUnsupported(signed.method, signed.path, query, headers, body.length);
  const upstream = upstreamRequest(signed, headers, server, body.length);
  begin();
  const answer = await sent(asked, () => exchange(server, upstream, body, req, res));
  const refused = server.external ? undefined : await nameClash(server, upstream, answer);
  if (refused) throw refused;
  // Whoever may not list a bucket is not told what is not in it.
  if (
    answer.statusCode === 404 &&
    request.key !== "" &&
    /^(GET|HEAD)$/.test(signed.method) &&
    !access.isAllowed(listAsked(request.bucket, request.key))
  ) {
    answer.resume();
    throw accessDenied();
  }
  res.setTimeout(clientSilence, () => res.destroy());
  if (copied && answer.statusCode === 200) {
    answer.resume();
    const result = `<CopyObjectResult><ETag>${escapeXml(answer.headers.etag ?? copied.etag)}</ETag><LastModified>${options.now().toISOString()}</LastModified></CopyObjectResult>`;
    send(res, 200, { "content-type": "application/xml" }, result, requestId);
    return;
  }
  const answered = answerHeaders(answer, requestId);
  if (request.bucket === "" && answer.statusCode === 200) {
    delete answered["content-length"];
    const own = ownBuckets(await textOf(answer), options.buckets, asked.principal?.accountId ?? "");
    send(res, 200, answered, own, requestId);
    return;
  }
  // S3 answers an upload with the checksums that it found right, and clients pass them on when they complete a multipart upload.
  if (req.method === "PUT" && answer.statusCode === 200) for (const [name, value] of body.verified) answered[name] ??= value;
  const status = answer.statusCode ?? 502;
  if (status >= 400 && req.method !== "HEAD") {
    const text = await textOf(answer);
    seen.error = errorOf(text, status);
    delete answered["content-length"];
    send(res, status, answered, text, requestId);
    return;
  }
  res.writeHead(status, answered);
  await pipeline(answer, res);
}

/** The server's answer; of a bucket that is made or deleted, once it is written down. */
async function sent(
  { request, signed, server, options, principal }: Allowed,
  send: () => Promise<IncomingMessage>,
): Promise<IncomingMessage> {
  const { bucket, key, subresource } = request;
  if (bucket === "" || key !== "" || subresource !== undefined) return send();
  if (signed.method === "PUT") return makeBucket(options.buckets, server, bucket, principal?.accountId ?? "", send);
  return signed.method === "DELETE" ? deleteBucket(options.buckets, bucket, send) : send();
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
