/** The way of every API request, stage by stage. Nothing else answers AWS clients but S3's front door. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Authoriser } from "../access/authorise.ts";
import type { KeyLookup } from "../access/keys.ts";
import { notServed } from "../aws/absent-services.ts";
import { AwsError, internalError, notBuiltYet } from "../aws/errors.ts";
import { type Origin, originOfSocket } from "../aws/origin.ts";
import type { RequestContext, Operation, Protocol, Service } from "../aws/operations.ts";
import { type Answer, type Call, type Parsed, protocols } from "../aws/protocols.ts";
import { refusalError } from "../aws/refusals.ts";
import { sha256Hex } from "../aws/sigv4.ts";
import type { AuditedCall } from "../observe/record.ts";
import { readClaim, SignatureRefusal, type SignedRequest, type Verified, verifyClaim } from "../aws/sigv4-verify.ts";

/** AWS's limit for a request of such services, as sent and once more after decompression. */
const bodyLimit = 1 << 20;

/** How much of a body that is too large is read on, so that the client comes to reading the refusal. */
const drainLimit = 16 << 20;

/** A client must have sent its whole request within so long. */
const bodyMs = 30_000;

/** A handler as the pipeline sees it; `Handlers<typeof emr>` has the types of each operation. */
export type AnyHandler = (input: never, context: RequestContext) => unknown;

/** What loads a service and its handlers, by signing name. */
export type Services = Record<string, () => Promise<{ service: Service; handlers: Partial<Record<string, AnyHandler>> }>>;

export interface PipelineOptions {
  /** By signing name: `elasticmapreduce`, `sts`. */
  services: Services;
  keys: KeyLookup;
  authorise: Authoriser;
  now: () => Date;
  /** Awaited before an answer, or a handler's refusal, is told: what it rests on is on the disk. Where it rejects, nothing is told. */
  durable?: () => Promise<void>;
  /** How long a request's body may take, milliseconds. */
  bodyMs?: number;
  /** Told of each call whose signature is right, before it is answered. */
  audit?: (call: AuditedCall) => void;
  /** Told of each request once it is answered, and of what a handler threw that is not an AwsError. */
  log: (record: RequestRecord) => void;
}

/** Nothing secret: no headers, no bodies. `fault` is an internal error's cause, or why the call is not in the audit trail. */
export interface RequestRecord {
  requestId: string;
  service: string | undefined;
  operation: string | undefined;
  accessKeyId: string | undefined;
  sourceIp: string;
  status: number;
  error: string | undefined;
  fault: unknown;
  milliseconds: number;
}

/** What the stages find out, one after the other. */
interface Exchange {
  requestId: string;
  origin: Origin;
  userAgent: string;
  request: SignedRequest;
  protocol: Protocol;
  call: Call;
  verified?: Verified;
  service?: Service;
  operation?: Operation;
  handlers?: Partial<Record<string, AnyHandler>>;
  parsed?: Parsed;
  output?: unknown;
}

/** `origin`, where the request came through a door that knows it better than the socket. */
export type Pipeline = (req: IncomingMessage, res: ServerResponse, origin?: Origin) => void;

/** The request listener for all APIs but S3. It answers every request, whatever happens. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { services, keys, authorise, now, log } = options;

  const stages: ((exchange: Exchange) => Promise<void> | void)[] = [recognise, authenticate, unpack, route, parse, allow];

  function authenticate(exchange: Exchange): void {
    const claim = readClaim(exchange.request);
    exchange.verified = verifyClaim(exchange.request, claim, sha256Hex(exchange.call.body), keys, now());
  }

  async function route(exchange: Exchange): Promise<void> {
    const { service: name } = exchange.verified!.claim.scope;
    const load = Object.hasOwn(services, name) ? services[name] : undefined;
    if (!load) throw new AwsError("UnknownService", notServed(name, [...Object.keys(services), "s3"]), 404);
    const { service, handlers } = await load();
    exchange.service = service;
    exchange.handlers = handlers;
    exchange.protocol = service.protocol;
    exchange.operation = protocols[exchange.protocol].operation(service, exchange.call);
  }

  function allow({ verified, service, operation, parsed, origin, userAgent }: Exchange): void {
    const { key, claim } = verified!;
    const circumstances = { ...origin, userAgent, now: now(), region: claim.scope.region };
    authorise(key.principal, service!, operation!.name, parsed!.input, circumstances);
  }

  async function handle(exchange: Exchange): Promise<Answer> {
    const { service, operation, handlers, verified, parsed, requestId } = exchange as Required<Exchange>;
    const handler = handlers[operation.name];
    if (!handler) throw notBuiltYet(service.signingName, operation.name);
    const { key, claim } = verified;
    const call = {
      requestId,
      region: claim.scope.region,
      accountId: key.principal.accountId,
      principal: key.principal,
      accessKeyId: key.accessKeyId,
      sourceIp: exchange.origin.sourceIp,
      secure: exchange.origin.secure,
      userAgent: exchange.userAgent,
      now: now(),
      unknownMembers: parsed.unknownMembers,
    };
    let output: unknown;
    try {
      output = await handler(parsed.input as never, call);
    } finally {
      // A refusal tells of what was read, too.
      await options.durable?.();
    }
    exchange.output = output;
    return protocols[exchange.protocol].answer(service, operation, output, requestId);
  }

  /** What could not be recorded; it has been done all the same, and its client is told so. */
  function record(exchange: Exchange, error: AwsError | undefined): unknown {
    const { requestId, verified, service, operation, origin, userAgent, parsed, output } = exchange;
    if (!verified || !service || !operation) return undefined;
    const { principal, accessKeyId } = verified.key;
    const { region } = verified.claim.scope;
    const host = headerOf(exchange.request, "host") ?? "";
    const who = { requestId, now: now(), principal, accessKeyId, region, origin, host, userAgent };
    try {
      options.audit?.({ ...who, service, operation, input: parsed?.input, output, error });
      return undefined;
    } catch (unwritten) {
      return unwritten;
    }
  }

  async function run(req: IncomingMessage, res: ServerResponse, origin: Origin): Promise<void> {
    const started = performance.now();
    const exchange = open(req, origin);
    let [status, answer, error, fault]: [number, Answer | undefined, AwsError | undefined, unknown] = [
      200,
      undefined,
      undefined,
      undefined,
    ];
    try {
      exchange.call.body = await readBody(req, options.bodyMs ?? bodyMs);
      for (const stage of stages) await stage(exchange);
      answer = await handle(exchange);
    } catch (thrown) {
      if (thrown instanceof AwsError) error = thrown;
      else if (thrown instanceof SignatureRefusal) error = refusalError(thrown, dialects[exchange.protocol]);
      else [error, fault] = [internalError(), thrown];
      status = error.status;
      answer = protocols[exchange.protocol].error(exchange.service, error, exchange.requestId);
    }
    const unrecorded = record(exchange, error);
    send(res, status, answer, exchange.requestId, !req.complete);
    log({
      requestId: exchange.requestId,
      service: exchange.service?.signingName,
      operation: exchange.operation?.name,
      accessKeyId: exchange.verified?.key.accessKeyId,
      sourceIp: origin.sourceIp,
      status,
      error: error?.code,
      fault: fault ?? unrecorded,
      milliseconds: performance.now() - started,
    });
  }

  return (req, res, origin = originOfSocket(req.socket)) => void run(req, res, origin);
}

const dialects = { awsJson1_1: "json", awsQuery: "query", ec2Query: "ec2" } as const;

/** EC2's errors have a form of their own, also where a request is refused before its service is known: its version tells. */
function recognise(exchange: Exchange): void {
  const { request, call, protocol } = exchange;
  if (protocol === "awsQuery" && /(^|&)Version=2016-11-15(&|$)/.test(call.form ? call.body.toString("latin1") : request.query))
    exchange.protocol = "ec2Query";
}

async function unpack({ call, request }: Exchange): Promise<void> {
  call.body = await decompress(call.body, request);
  // Those of the URL count too: a presigned one may have them all.
  if (call.form) for (const [name, value] of new URLSearchParams(call.body.toString("utf8"))) call.parameters.append(name, value);
}

function parse(exchange: Exchange): void {
  exchange.parsed = protocols[exchange.protocol].parse(exchange.service!, exchange.operation!, exchange.call);
}

/** Until the service is known, errors take the form of the protocol that the request looks like. */
function open(req: IncomingMessage, origin: Origin): Exchange {
  const url = req.url ?? "/";
  const at = url.indexOf("?");
  const [path, query] = at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
  const target = req.headers["x-amz-target"] as string | undefined;
  const contentType = (req.headers["content-type"] ?? "").trim().toLowerCase();
  const form = contentType.startsWith("application/x-www-form-urlencoded");
  return {
    requestId: randomUUID(),
    origin,
    userAgent: req.headers["user-agent"] ?? "",
    request: { method: req.method ?? "", path, query, rawHeaders: req.rawHeaders },
    protocol: target === undefined && (form || query !== "") ? "awsQuery" : "awsJson1_1",
    call: { method: req.method ?? "", contentType, target, form, parameters: new URLSearchParams(query), body: Buffer.alloc(0) },
  };
}

const tooLarge = () => new AwsError("RequestEntityTooLargeException", `A request's body may have ${bodyLimit} bytes.`, 413);

/** The body as sent, because that is what is signed. What is too large is read on and forgotten, up to a limit. */
async function readBody(req: IncomingMessage, withinMs: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new AwsError("RequestTimeoutException", "The request's body did not come in time.", 408)), withinMs);
  const aborted = () => reject(new AwsError("RequestAbortedException", "The client went away before its request was complete."));
  req
    .on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > drainLimit) reject(tooLarge());
      if (size <= bodyLimit) chunks.push(chunk);
    })
    .once("end", resolve)
    .once("error", aborted)
    .once("close", aborted);
  try {
    await ended;
  } finally {
    clearTimeout(late);
    req.removeAllListeners("data").resume();
  }
  if (size > bodyLimit) throw tooLarge();
  return Buffer.concat(chunks, size);
}

const unzip = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);

async function decompress(body: Buffer, request: SignedRequest): Promise<Buffer> {
  const encoding = headerOf(request, "content-encoding")?.toLowerCase() ?? "identity";
  if (encoding === "identity") return body;
  if (encoding !== "gzip")
    throw new AwsError("SerializationException", `The content encoding '${encoding}' is not supported: gzip is.`, 415);
  try {
    return await unzip(body, { maxOutputLength: bodyLimit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new AwsError("SerializationException", "The request's body is not in the content encoding that it names.");
  }
}

function headerOf({ rawHeaders }: SignedRequest, name: string): string | undefined {
  const at = rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name);
  return at < 0 ? undefined : rawHeaders[at + 1];
}

function send(res: ServerResponse, status: number, answer: Answer, requestId: string, close: boolean): void {
  if (res.destroyed) return;
  res.writeHead(status, {
    "content-type": answer.contentType,
    "content-length": Buffer.byteLength(answer.body),
    "x-amzn-requestid": requestId,
    // Where the body was not read to its end, what follows on this connection cannot be told from it.
    ...(close ? { connection: "close" } : {}),
  });
  res.end(answer.body);
}
