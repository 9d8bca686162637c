/** Checks Signature Version 4 on a request, whether it is in the Authorization header or in a presigned URL's query. */
import { createSecretKey, hash, type KeyObject, timingSafeEqual } from "node:crypto";
import type { AccessKey, KeyLookup } from "../access/keys.ts";
import { algorithm, amzDate, canonicalRequest, hmac, type Scope, scopeText, signingKey, stringToSign } from "./sigv4.ts";

/** How far a client's clock may be off. */
const tolerance = 15 * 60_000;
/** The longest life of a presigned URL, in seconds: a week. */
const longestLife = 604_800;

/** Why a request is refused; what AWS calls each depends on the service (refusals.ts). */
export type RefusalKind =
  | "missing"
  | "unsupported"
  | "malformed"
  | "malformed-query"
  | "unknown-key"
  | "bad-token"
  | "expired-token"
  | "mismatch"
  | "expired"
  | "early"
  | "url-expired"
  | "unsigned-header"
  | "bad-uri";

export class SignatureRefusal extends Error {
  readonly kind: RefusalKind;
  readonly fields: Record<string, string>;

  constructor(kind: RefusalKind, message = "", fields: Record<string, string> = {}) {
    super(message);
    this.kind = kind;
    this.fields = fields;
  }
}

/** The parts of a request that a signature covers. `rawHeaders` is Node's flat list of names and values. */
export interface SignedRequest {
  method: string;
  path: string;
  query: string;
  rawHeaders: string[];
}

/** What a request says of its own signature; nothing of it is proven. `date` is in ISO 8601 basic format. */
export interface Claim {
  accessKeyId: string;
  scope: Scope;
  date: string;
  signedHeaders: string[];
  signature: string;
  sessionToken: string | undefined;
  /** Seconds, for a presigned URL. */
  expires: number | undefined;
}

/** `signingKey` goes on to sign the chunks of a streamed body. */
export interface Verified {
  key: AccessKey;
  claim: Claim;
  signingKey: KeyObject | Uint8Array;
}

/** Values of each header, by name in lower case, in the order sent. */
export function headerValues(rawHeaders: string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    const known = values.get(name);
    if (known) known.push(rawHeaders[i + 1]!);
    else values.set(name, [rawHeaders[i + 1]!]);
  }
  return values;
}

function parseScope(credential: string): { accessKeyId: string; scope: Scope } | undefined {
  const parts = credential.split("/");
  const [terminal, service, region, day] = parts.splice(-4).toReversed();
  const accessKeyId = parts.join("/");
  if (terminal !== "aws4_request" || !service || !region || !/^\d{8}$/.test(day ?? "") || !accessKeyId) return undefined;
  return { accessKeyId, scope: { day: day!, region, service } };
}

/** The claim in an Authorization header. Throws SignatureRefusal where it is not one of Signature Version 4, or is incomplete. */
export function parseAuthorization(authorization: string, headers: Map<string, string[]>): Claim {
  if (!authorization.startsWith(`${algorithm} `)) throw new SignatureRefusal("unsupported");
  const parameters = new Map<string, string>();
  for (const part of authorization.slice(algorithm.length).split(",")) {
    const at = part.indexOf("=");
    if (at > 0) parameters.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  const date = headers.get("x-amz-date")?.[0] ?? dateHeader(headers.get("date")?.[0]);
  const missing = ["Credential", "Signature", "SignedHeaders"]
    .filter((name) => !parameters.get(name))
    .map((name) => `Authorization header requires '${name}' parameter.`);
  if (!date) missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  if (missing.length > 0) throw new SignatureRefusal("malformed", missing.join(" "));
  const credential = parseScope(parameters.get("Credential")!);
  if (!credential) throw new SignatureRefusal("malformed", "Credential must be KEY/YYYYMMDD/REGION/SERVICE/aws4_request.");
  return {
    ...credential,
    date: date!,
    signedHeaders: parameters.get("SignedHeaders")!.split(";"),
    signature: parameters.get("Signature")!,
    sessionToken: headers.get("x-amz-security-token")?.[0],
    expires: undefined,
  };
}

function dateHeader(value: string | undefined): string | undefined {
  const time = Date.parse(value ?? "");
  return Number.isNaN(time) ? undefined : amzDate(new Date(time));
}

/** The claim in a presigned URL's query. Throws SignatureRefusal. */
export function parsePresigned(query: string): Claim {
  const parameters = new URLSearchParams(query);
  if (parameters.get("X-Amz-Algorithm") !== algorithm) {
    throw new SignatureRefusal("malformed-query", 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
  }
  const required = ["X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"];
  if (required.some((name) => !parameters.get(name))) {
    throw new SignatureRefusal(
      "malformed-query",
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  const credential = parseScope(parameters.get("X-Amz-Credential")!);
  if (!credential) throw new SignatureRefusal("malformed-query", "Error parsing the X-Amz-Credential parameter.");
  const expires = Number(parameters.get("X-Amz-Expires"));
  if (!Number.isInteger(expires) || expires < 0) throw new SignatureRefusal("malformed-query", "X-Amz-Expires should be a number");
  if (expires > longestLife) {
    throw new SignatureRefusal(
      "malformed-query",
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    );
  }
  return {
    ...credential,
    date: parameters.get("X-Amz-Date")!,
    signedHeaders: parameters.get("X-Amz-SignedHeaders")!.split(";"),
    signature: parameters.get("X-Amz-Signature")!,
    sessionToken: parameters.get("X-Amz-Security-Token") ?? undefined,
    expires,
  };
}

/** The claim of a request, from its header or its query. Throws SignatureRefusal: "missing" where it has neither. */
export function readClaim(request: SignedRequest, headers = headerValues(request.rawHeaders)): Claim {
  const authorization = headers.get("authorization")?.[0];
  if (authorization !== undefined) return parseAuthorization(authorization, headers);
  if (/(^|&)X-Amz-Algorithm=/.test(request.query)) return parsePresigned(request.query);
  throw new SignatureRefusal("missing");
}

/**
 * Proves a claim: the key is known, the time is right, the signature and the session token are the key's. `payloadHash` is the
 * SHA-256 of the body as it was sent, or what the request declares where the body is checked later. Throws SignatureRefusal.
 */
export function verifyClaim(
  request: SignedRequest,
  claim: Claim,
  payloadHash: string,
  keys: KeyLookup,
  now: Date,
  headers = headerValues(request.rawHeaders),
): Verified {
  const { scope, signedHeaders } = claim;
  const key = keys(claim.accessKeyId);
  if (!key) throw new SignatureRefusal("unknown-key", "", { AWSAccessKeyId: claim.accessKeyId });
  checkSignedHeaders(signedHeaders, headers, claim);
  checkTime(claim, now);
  let canonical: string;
  try {
    canonical = canonicalRequest(
      {
        ...request,
        headers: signedHeaders.map((name): [string, string[]] => [name, headers.get(name) ?? [""]]),
        payloadHash,
      },
      scope.service,
    );
  } catch {
    throw new SignatureRefusal("bad-uri");
  }
  const derived = signingKeyOf(key, scope);
  if (!sameText(hmac(derived, stringToSign(claim.date, scope, canonical)).toString("hex"), claim.signature))
    throw new SignatureRefusal("mismatch");
  checkToken(key, claim.sessionToken, now);
  return { key, claim, signingKey: derived };
}

/** Of a day, a region and a service each; how many are kept, those that were used last. */
const mostDerived = 1000;
const derivedKeys = new Map<string, KeyObject>();

/** Made of nothing but its key and its scope, so it may be kept: whether the key still counts is asked of the store each time. */
function signingKeyOf({ secretAccessKey }: AccessKey, scope: Scope): KeyObject {
  const name = `${secretAccessKey} ${scopeText(scope)}`;
  const derived = derivedKeys.get(name) ?? createSecretKey(signingKey(secretAccessKey, scope));
  derivedKeys.delete(name);
  derivedKeys.set(name, derived);
  for (const [oldest] of derivedKeys)
    if (derivedKeys.size > mostDerived) derivedKeys.delete(oldest);
    else break;
  return derived;
}

/** After the signature, so that only who has the whole of temporary credentials learns that they have expired. Throws SignatureRefusal. */
export function checkToken(key: AccessKey, token: string | null | undefined, now: Date): void {
  if ((key.sessionToken !== null || token) && !sameText(key.sessionToken ?? "", token ?? "")) throw new SignatureRefusal("bad-token");
  if (key.expiresAt !== null && key.expiresAt <= now.getTime()) throw new SignatureRefusal("expired-token");
}

/** S3 wants every x-amz- header signed, else a presigned URL could be given another meaning; for others the operation's name is what matters. */
function checkSignedHeaders(signed: string[], headers: Map<string, string[]>, claim: Claim): void {
  const host = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
  if (!signed.includes("host")) throw new SignatureRefusal(claim.expires === undefined ? "malformed" : "malformed-query", host);
  const mustBeSigned = (name: string) => (claim.scope.service === "s3" ? name.startsWith("x-amz-") : name === "x-amz-target");
  const left = [...headers.keys()].filter((name) => mustBeSigned(name) && !signed.includes(name));
  if (left.length > 0) throw new SignatureRefusal("unsigned-header", "", { HeadersNotSigned: left.join(", ") });
}

const basicForm = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** NaN for what is no date. */
function timeOf(date: string): number {
  const [, year, month, day, hour, minute, second] = basicForm.exec(date) ?? [];
  return year === undefined ? Date.parse(date) : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function checkTime(claim: Claim, now: Date): void {
  const time = timeOf(claim.date);
  const malformed = claim.expires === undefined ? "malformed" : "malformed-query";
  if (Number.isNaN(time)) throw new SignatureRefusal(malformed, "Date must be in ISO-8601 'basic format'.");
  if (claim.date.slice(0, 8) !== claim.scope.day) {
    const said = `'${claim.scope.day}' != '${claim.date.slice(0, 8)}'`;
    throw new SignatureRefusal(
      "mismatch",
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ${said}.`,
    );
  }
  const times = () => ({ RequestTime: claim.date, ServerTime: now.toISOString(), MaxAllowedSkewMilliseconds: String(tolerance) });
  if (time > now.getTime() + tolerance) {
    const why = `${claim.date} is still later than ${at(now.getTime() + tolerance)} (${at(now.getTime())} + 15 min.)`;
    throw new SignatureRefusal("early", `Signature not yet current: ${why}`, times());
  }
  if (claim.expires !== undefined) {
    const end = time + claim.expires * 1000;
    if (now.getTime() <= end) return;
    throw new SignatureRefusal("url-expired", `Signature expired: ${at(end)} is now earlier than ${at(now.getTime())}`, {
      "X-Amz-Expires": String(claim.expires),
      Expires: new Date(end).toISOString(),
      ServerTime: now.toISOString(),
    });
  }
  if (time < now.getTime() - tolerance) {
    const why = `${claim.date} is now earlier than ${at(now.getTime() - tolerance)} (${at(now.getTime())} - 15 min.)`;
    throw new SignatureRefusal("expired", `Signature expired: ${why}`, times());
  }
}

/** Takes the same time wherever two texts differ. Digests, because timingSafeEqual wants equal lengths. */
export function sameText(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

function at(milliseconds: number): string {
  return amzDate(new Date(milliseconds));
}
