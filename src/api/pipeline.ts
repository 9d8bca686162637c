/** The way of every API request, stage by stage. Nothing else answers AWS clients but S3's front door. */
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Authoriser } from "../access/authorise.ts";
import type { KeyLookup } from "../access/keys.ts";
import { notServed } from "../aws/absent-services.ts";
import { AwsError, internalError, noRoom, notBuiltYet } from "../aws/errors.ts";
import type { Origin } from "../aws/origin.ts";
import type { RequestContext, Operation, Protocol, Service } from "../aws/operations.ts";
import { type Answer, type Call, type Parsed, protocols } from "../aws/protocols.ts";
import { refusalError } from "../aws/refusals.ts";
import { sha256Hex } from "../aws/sigv4.ts";
import { isNoRoom } from "../store/no-room.ts";
import type { AuditedCall } from "../observe/record.ts";
import { headerValues, readClaim, SignatureRefusal, type SignedRequest, type Verified, verifyClaim } from "../aws/sigv4-verify.ts";
import { type Answerer, type BodyFault, bodyLimit, type WholeRequest } from "./http.ts";

/** A handler as the pipeline sees it; `Handlers<typeof emr>` has the types of each operation. */
export type AnyHandler = (input: never, context: RequestContext) => unknown;

export interface Loaded {
  service: Service;
  handlers: Partial<Record<string, AnyHandler>>;
  /** What to do instead of an operation that has no handler. */
  instead?: (operation: string) => string;
}

/** What loads a service and its handlers, by signing name. */
export type Services = Record<string, () => Promise<Loaded>>;

export interface PipelineOptions {
  /** By signing name: `elasticmapreduce`, `sts`. */
  services: Services;
  keys: KeyLookup;
  authorise: Authoriser;
  now: () => Date;
  /** Asked, by the operation's name, before it is carried out: throws where it could not be recorded. */
  admit?: (operation: string) => void;
  /** Awaited before an answer, or a handler's refusal, is told: what it rests on is on the disk. Where it rejects, nothing is told. */
  durable?: () => Promise<void>;
  /** Told of each call whose signature is right, before it is answered: the answer waits until it is written down. */
  audit?: (call: AuditedCall) => Promise<void> | void;
  /** Told of each request when its answer is ready, and of what a handler threw that is not an AwsError. */
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
  headers: Map<string, string[]>;
  protocol: Protocol;
  call: Call;
  verified?: Verified;
  service?: Service;
  operation?: Operation;
  handlers?: Loaded["handlers"];
  instead?: Loaded["instead"];
  parsed?: Parsed;
  output?: unknown;
}

/** For all APIs but S3. It answers every request, whatever happens. */
export function createPipeline(options: PipelineOptions): Answerer {
  const { services, keys, authorise, now, log } = options;

  const stages: ((exchange: Exchange) => Promise<void> | void)[] = [recognise, authenticate, unpack, route, parse, allow];

  function authenticate(exchange: Exchange): void {
    const { request, headers } = exchange;
    const claim = readClaim(request, headers);
    exchange.verified = verifyClaim(request, claim, sha256Hex(exchange.call.body), keys, now(), headers);
  }

  async function route(exchange: Exchange): Promise<void> {
    const { service: name } = exchange.verified!.claim.scope;
    const load = Object.hasOwn(services, name) ? services[name] : undefined;
    if (!load) throw new AwsError("UnknownService", notServed(name, [...Object.keys(services), "s3"]), 404);
    const { service, handlers, instead } = await load();
    exchange.service = service;
    exchange.handlers = handlers;
    exchange.instead = instead;
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
    if (!handler) throw notBuiltYet(service.signingName, operation.name, exchange.instead?.(operation.name));
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
    options.admit?.(operation.name);
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
  async function record(exchange: Exchange, error: AwsError | undefined): Promise<unknown> {
    const { requestId, verified, service, operation, origin, userAgent, parsed, output } = exchange;
    if (!verified || !service || !operation) return undefined;
    const { principal, accessKeyId } = verified.key;
    const { region } = verified.claim.scope;
    const host = exchange.headers.get("host")?.[0] ?? "";
    const who = { requestId, now: now(), principal, accessKeyId, region, origin, host, userAgent };
    try {
      await options.audit?.({ ...who, service, operation, input: parsed?.input, output, error });
      return undefined;
    } catch (unwritten) {
      return unwritten;
    }
  }

  return async (whole) => {
    const started = performance.now();
    const exchange = open(whole);
    const { requestId } = exchange;
    let [status, answer, error, fault]: [number, Answer | undefined, AwsError | undefined, unknown] = [
      200,
      undefined,
      undefined,
      undefined,
    ];
    try {
      if (typeof whole.body === "string") throw bodyError(whole.body);
      for (const stage of stages) await stage(exchange);
      answer = await handle(exchange);
    } catch (thrown) {
      if (thrown instanceof AwsError) error = thrown;
      else if (thrown instanceof SignatureRefusal) error = refusalError(thrown, dialects[exchange.protocol]);
      else [error, fault] = [isNoRoom(thrown) ? noRoom() : internalError(), thrown];
      status = error.status;
      answer = protocols[exchange.protocol].error(exchange.service, error, requestId);
    }
    const unrecorded = await record(exchange, error);
    log({
      requestId,
      service: exchange.service?.signingName,
      operation: exchange.operation?.name,
      accessKeyId: exchange.verified?.key.accessKeyId,
      sourceIp: whole.origin.sourceIp,
      status,
      error: error?.code,
      fault: fault ?? unrecorded,
      milliseconds: performance.now() - started,
    });
    return { status, headers: { "content-type": answer.contentType, "x-amzn-requestid": requestId }, body: answer.body };
  };
}

const dialects = { awsJson1_1: "json", awsQuery: "query", ec2Query: "ec2" } as const;

/** EC2's errors have a form of their own, also where a request is refused before its service is known: its version tells. */
function recognise(exchange: Exchange): void {
  const { request, call, protocol } = exchange;
  if (protocol === "awsQuery" && /(^|&)Version=2016-11-15(&|$)/.test(call.form ? call.body.toString("latin1") : request.query))
    exchange.protocol = "ec2Query";
}

async function unpack({ call, headers }: Exchange): Promise<void> {
  call.body = await decompress(call.body, headers.get("content-encoding")?.[0]?.toLowerCase() ?? "identity");
  // Those of the URL count too: a presigned one may have them all.
  if (call.form) for (const [name, value] of new URLSearchParams(call.body.toString("utf8"))) call.parameters.append(name, value);
}

function parse(exchange: Exchange): void {
  exchange.parsed = protocols[exchange.protocol].parse(exchange.service!, exchange.operation!, exchange.call);
}

/** Until the service is known, errors take the form of the protocol that the request looks like. */
function open({ method, url, rawHeaders, body, origin }: WholeRequest): Exchange {
  const at = url.indexOf("?");
  const [path, query] = at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
  const headers = headerValues(rawHeaders);
  const target = headers.get("x-amz-target")?.join(", ");
  const contentType = (headers.get("content-type")?.[0] ?? "").trim().toLowerCase();
  const form = contentType.startsWith("application/x-www-form-urlencoded");
  const bytes = typeof body === "string" ? Buffer.alloc(0) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return {
    requestId: randomUUID(),
    origin,
    userAgent: headers.get("user-agent")?.[0] ?? "",
    request: { method, path, query, rawHeaders },
    headers,
    protocol: target === undefined && (form || query !== "") ? "awsQuery" : "awsJson1_1",
    call: { method, contentType, target, form, parameters: new URLSearchParams(query), body: bytes },
  };
}

const tooLarge = () => new AwsError("RequestEntityTooLargeException", `A request's body may have ${bodyLimit} bytes.`, 413);

function bodyError(fault: BodyFault): AwsError {
  if (fault === "too-large") return tooLarge();
  if (fault === "late") return new AwsError("RequestTimeoutException", "The request's body did not come in time.", 408);
  return new AwsError("RequestAbortedException", "The client went away before its request was complete.");
}

const unzip = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);

async function decompress(body: Buffer, encoding: string): Promise<Buffer> {
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
