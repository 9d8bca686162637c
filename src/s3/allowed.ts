/** The first half of an S3 request: who asks, for what, and whether it may. Nothing of the body is read before that is decided. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { S3Place } from "../access/emrfs-mappings.ts";
import type { Actor, EmrfsRoles } from "../access/emrfs-roles.ts";
import type { KeyLookup } from "../access/keys.ts";
import type { PolicySource, Principal } from "../access/principal.ts";
import { AwsError } from "../aws/errors.ts";
import { originOfSocket } from "../aws/origin.ts";
import { type Access, accessDenied, accessOf } from "./access.ts";
import type { CheckedBody } from "./body.ts";
import { type Buckets, exists, noSuchBucket } from "./buckets.ts";
import { isBuiltIn } from "./emr-bucket.ts";
import { withHoisted } from "./forwarding.ts";
import { prove, type Sender, signedPart, tlsKeys } from "./prove.ts";
import type { Recorder, Seen } from "./recorder.ts";
import { readRequest, type S3Request, sourceHeader } from "./request.ts";
import type { Verified } from "../aws/sigv4-verify.ts";
import type { S3Server } from "./upstream.ts";

export interface ObjectsOptions {
  keys: KeyLookup;
  policies: PolicySource;
  emrfs: EmrfsRoles;
  buckets: Buckets;
  /** Throws an AwsError where there is none. */
  server: () => S3Server;
  now: () => Date;
  /** Told what went wrong behind the front door; the client learns only that something did. */
  fault: (requestId: string, error: unknown) => void;
  /** Told why a signature was refused. */
  refused?: (kind: string, sourceIp: string) => void;
  /** Where requests are recorded. */
  record?: Recorder | undefined;
  /** Told of each request that its policies allow. */
  used?: (by: Verified) => void;
}

/** A request that may be carried out, and what it takes. */
export interface Allowed {
  req: IncomingMessage;
  res: ServerResponse;
  options: ObjectsOptions;
  requestId: string;
  /** The client may send its body. */
  begin: () => void;
  server: S3Server;
  signed: ReturnType<typeof signedPart>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  request: S3Request;
  sender: Sender;
  /** Who it is authorised as: who signs, or the role to which EMRFS's mappings lead. Undefined for a request without a signature. */
  principal: Principal | undefined;
  access: Access;
  /** The same for an object that its body names. Throws AccessDenied where EMRFS cannot take the object's role. */
  accessTo(key: string): { principal: Principal | undefined; access: Access };
  seen: Seen;
}

/** Proves who asks and decides whether it may, before a byte of the body is read. Throws what refuses it. */
export async function allowed(
  req: IncomingMessage,
  res: ServerResponse,
  options: ObjectsOptions,
  requestId: string,
  begin: () => void,
  seen: Seen,
): Promise<Allowed> {
  const signed = signedPart(req);
  const query = new URLSearchParams(signed.query);
  const sender = prove(signed, query, req.headers, options.keys, options.now());
  Object.assign(seen, { sender, query });
  const server = options.server();
  const headers = withHoisted(req.headers, query);
  const request = unlessUnknown(sender, () => readRequest(signed.method, signed.path, query, headers, server.external === true));
  seen.request = request;
  if (request.source) headers["x-amz-copy-source"] = sourceHeader(request.source);
  checkOwner(headers, request, options.buckets);
  const origin = originOfSocket(req.socket);
  const circumstances = {
    ...origin,
    userAgent: req.headers["user-agent"] ?? "",
    now: options.now(),
    region: sender.proof?.claim.scope.region ?? "",
  };
  const as = accessAs(sender.proof?.key.principal, options, (principal) =>
    accessOf(principal, circumstances, [...sender.keys, ...tlsKeys(origin)], options.policies, options.buckets),
  );
  const { principal, access } = as(placeOf(signed.method, request, query));
  seen.principal = principal;
  try {
    access.check(request.asked);
  } catch (error) {
    // Names of buckets are everybody's: one that nobody has made is not there, and that is no secret.
    const { bucket } = request;
    const isNobodys = bucket !== "" && principal !== undefined && !options.buckets.find(bucket).known;
    if (isNobodys && options.buckets.find(bucket).accountId !== principal.accountId && !(await exists(server, bucket)))
      throw noSuchBucket(bucket);
    throw error;
  }
  const accessTo = (key: string) => as({ bucket: request.bucket, key });
  return { req, res, options, requestId, begin, server, signed, query, headers, request, sender, principal, access, accessTo, seen };
}

/** Who asks for a place, and its access: made once for each role that EMRFS takes. */
function accessAs(signer: Principal | undefined, { emrfs }: ObjectsOptions, make: (as: Principal | undefined) => Access) {
  const actorOf = signer && emrfs.actorsOf(signer);
  const made = new Map<Actor | undefined, Access>();
  return (place: S3Place | undefined): { principal: Principal | undefined; access: Access } => {
    const principal = place ? actorOf?.(place) : signer;
    if (principal && "problem" in principal) throw accessDenied(principal.problem);
    const access = made.get(principal) ?? make(principal);
    made.set(principal, access);
    return { principal, access };
  };
}

/** What of S3 the request is about: of a listing, what it lists; of a copy, what it makes. Undefined where its body says it, object by object. */
function placeOf(method: string, { bucket, key, subresource }: S3Request, query: URLSearchParams): S3Place | undefined {
  if (key === "" && subresource === "delete") return undefined;
  const lists = method === "GET" && key === "" && (subresource === undefined || subresource === "uploads" || subresource === "versions");
  return { bucket, key: lists ? (query.get("prefix") ?? "") : key };
}

/** Whoever does not say who it is, is not told what is wrong with its request either. */
function unlessUnknown<T>({ proof }: Sender, read: () => T): T {
  if (proof) return read();
  try {
    return read();
  } catch {
    throw accessDenied();
  }
}

/** Whoever says whose a bucket is must be right. */
function checkOwner(headers: IncomingHttpHeaders, { bucket, source }: S3Request, buckets: Buckets): void {
  for (const [header, name] of [
    ["x-amz-expected-bucket-owner", bucket],
    ["x-amz-source-expected-bucket-owner", source?.bucket ?? ""],
  ] as const) {
    const expected = headers[header];
    if (expected !== undefined && name !== "" && !isBuiltIn(name) && expected !== buckets.find(name).accountId) throw accessDenied();
  }
}

/** All of a small body, once it is proven. */
export async function wholeOf(body: CheckedBody, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body.stream) {
    size += piece.length;
    if (size > limit)
      throw new AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size);
}

/** `length`, where it is that of a body which is not sent. */
export function send(
  res: ServerResponse,
  status: number,
  headers: Record<string, string | string[]>,
  body: string | Buffer | undefined,
  requestId: string,
  length = body === undefined ? undefined : Buffer.byteLength(body),
): void {
  res.writeHead(status, {
    ...headers,
    ...(length === undefined ? {} : { "content-length": length }),
    server: "Howdah",
    "x-amz-request-id": requestId,
  });
  res.end(body);
}
