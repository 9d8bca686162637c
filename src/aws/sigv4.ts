/**
 * Signature Version 4: what is signed, and how. The source is AWS's "Create a signed AWS API request".
 * node:crypto only, because the node agent signs with it too and must start fast. Verifying is in sigv4-verify.ts.
 */
import { createHmac, hash, type KeyObject } from "node:crypto";

export const algorithm = "AWS4-HMAC-SHA256";
/** Payload hash of a request whose body is not signed. */
export const unsignedPayload = "UNSIGNED-PAYLOAD";

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

/** What a signature is good for. `day` is YYYYMMDD. */
export interface Scope {
  day: string;
  region: string;
  service: string;
}

export interface CanonicalInput {
  method: string;
  /** As it is on the request line, percent-encoded. */
  path: string;
  /** As it is on the request line, without the question mark. */
  query: string;
  /** Names in lower case, in signed order; a value per occurrence of the header. */
  headers: [name: string, values: string[]][];
  payloadHash: string;
}

export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data, "hex");
}

export function hmac(key: string | Uint8Array | KeyObject, data: string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

export function scopeText(scope: Scope): string {
  return `${scope.day}/${scope.region}/${scope.service}/aws4_request`;
}

/** ISO 8601 basic format: YYYYMMDDTHHMMSSZ. */
export function amzDate(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d{3}/g, "");
}

/** RFC 3986: everything but the unreserved characters. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** S3 signs the path as it is, encoded once. All others remove dot segments and empty ones, and encode what is already encoded again. */
function canonicalPath(path: string, service: string): string {
  if (service === "s3")
    return (
      path
        .split("/")
        .map((segment) => uriEncode(decodeURIComponent(segment)))
        .join("/") || "/"
    );
  if (path === "/") return path;
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(uriEncode(segment));
  }
  const tail = kept.length > 0 && /\/(\.{1,2})?$/.test(path) ? "/" : "";
  return `/${kept.join("/")}${tail}`;
}

/** Text of a query, whichever characters the client chose to encode, encoded as it is signed. */
function reencode(text: string): string {
  return uriEncode(decodeURIComponent(text.replaceAll("+", "%20")));
}

function canonicalQuery(query: string): string {
  const pairs = query
    .split("&")
    .filter((part) => part !== "")
    .map((part): [string, string] => {
      const at = part.indexOf("=");
      return at < 0 ? [reencode(part), ""] : [reencode(part.slice(0, at)), reencode(part.slice(at + 1))];
    })
    .filter(([name]) => name !== "X-Amz-Signature");
  // By name, then by value: joined text would sort "a-b=" before "a=".
  pairs.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Throws URIError for a path or query that is not percent-encoded UTF-8. */
export function canonicalRequest(input: CanonicalInput, service: string): string {
  const headers = input.headers.map(([name, values]) => `${name}:${values.map((value) => value.trim().replace(/\s+/g, " ")).join(",")}\n`);
  const names = input.headers.map(([name]) => name).join(";");
  return [input.method, canonicalPath(input.path, service), canonicalQuery(input.query), headers.join(""), names, input.payloadHash].join(
    "\n",
  );
}

export function stringToSign(date: string, scope: Scope, canonical: string): string {
  // Signed are the bytes on the wire: Node has a header's bytes as the characters of the same numbers.
  return [algorithm, date, scopeText(scope), sha256Hex(Buffer.from(canonical, "latin1"))].join("\n");
}

/** A derived key serves a whole day, so that a signature costs two hashes and not six. */
const derivedKeys = new Map<string, Buffer>();
const derivedKeysKept = 512;

export function signingKey(secretAccessKey: string, scope: Scope): Buffer {
  const name = `${secretAccessKey}\n${scopeText(scope)}`;
  let key = derivedKeys.get(name);
  if (!key) {
    key = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, scope.day), scope.region), scope.service), "aws4_request");
    if (derivedKeys.size >= derivedKeysKept) derivedKeys.clear();
    derivedKeys.set(name, key);
  }
  return key;
}

export interface SignOptions {
  method: string;
  /** A URL, or its raw parts where a path must not be normalised (an S3 key may hold `..`). */
  url: Pick<URL, "host" | "pathname" | "search">;
  headers: Record<string, string>;
  /** SHA-256 of the body in hex, or UNSIGNED-PAYLOAD. */
  payloadHash: string;
  credentials: Credentials;
  region: string;
  service: string;
  now: Date;
}

/**
 * All headers to send, names in lower case: those given, and authorization, x-amz-date, x-amz-content-sha256 and, for temporary
 * credentials, x-amz-security-token. The host is signed as the HTTP client will send it (`url.host`) and is not among them.
 */
export function signRequest(options: SignOptions): Record<string, string> {
  const { method, url, credentials, payloadHash, region, service } = options;
  const date = amzDate(options.now);
  const scope: Scope = { day: date.slice(0, 8), region, service };
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers)) headers[name.toLowerCase()] = value;
  headers["x-amz-date"] = date;
  headers["x-amz-content-sha256"] = payloadHash;
  if (credentials.sessionToken) headers["x-amz-security-token"] = credentials.sessionToken;
  const { host = url.host, ...rest } = headers;
  const signed = Object.entries({ ...rest, host })
    .filter(([name]) => !unsignedHeaders.has(name))
    .toSorted((a, b) => compare(a[0], b[0]))
    .map(([name, value]): [string, string[]] => [name, [value]]);
  const canonical = canonicalRequest({ method, path: url.pathname, query: url.search.slice(1), headers: signed, payloadHash }, service);
  const signature = hmac(signingKey(credentials.secretAccessKey, scope), stringToSign(date, scope, canonical)).toString("hex");
  const names = signed.map(([name]) => name).join(";");
  headers["authorization"] =
    `${algorithm} Credential=${credentials.accessKeyId}/${scopeText(scope)}, SignedHeaders=${names}, Signature=${signature}`;
  return headers;
}

/** HTTP clients and proxies change these on the way. */
const unsignedHeaders = new Set([
  "authorization",
  "connection",
  "content-length",
  "expect",
  "transfer-encoding",
  "user-agent",
  "accept-encoding",
]);
