/**
 * EC2's instance metadata, as scripts ask for it: http://169.254.169.254/latest/meta-data/instance-id. The preload library leads connections there to
 * the node's own address. No credentials are there: every user of the machine can ask. Source: EC2 User Guide, "Use the Instance Metadata Service".
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Manifest } from "./manifest.ts";

/** `required`: IMDSv2 alone; `optional`: IMDSv1 too. EC2's words. */
export type MetadataHttpTokens = NonNullable<Manifest["metadataHttpTokens"]>;

export interface MetadataQuestion {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
}

export interface MetadataAnswer {
  status: number;
  text: string;
  headers?: Record<string, string>;
}

const tokenHeader = "x-aws-ec2-metadata-token";
const ttlHeader = "x-aws-ec2-metadata-token-ttl-seconds";
const longestTtl = 21_600;

/** `steady`: milliseconds that only rise. Tokens are good until they expire or the agent ends, and nothing is kept of them. */
export function createMetadata(steady: () => number = () => performance.now()) {
  const key = randomBytes(32);
  const proofOf = (expiresAt: string) => createHmac("sha256", key).update(expiresAt).digest("base64url");

  function isToken(text: string): boolean {
    const [expiresAt = "", proof = ""] = text.split(".");
    const [shown, right] = [Buffer.from(proof), Buffer.from(proofOf(expiresAt))];
    return shown.length === right.length && timingSafeEqual(shown, right) && steady() < Number(expiresAt);
  }

  function giveToken(headers: IncomingHttpHeaders): MetadataAnswer {
    // As EC2 does: a request that came through a proxy is not the node's own.
    if (headers["x-forwarded-for"] !== undefined) return forbidden;
    const ttl = String(headers[ttlHeader] ?? "");
    if (!/^\d{1,5}$/.test(ttl) || Number(ttl) < 1 || Number(ttl) > longestTtl) return badRequest;
    const expiresAt = String(Math.ceil(steady() + Number(ttl) * 1000));
    return { status: 200, text: `${expiresAt}.${proofOf(expiresAt)}`, headers: { [ttlHeader]: ttl } };
  }

  /** `metadata`: paths below /latest/ and their texts. A path that only begins others lists them, as on EC2. */
  return (metadata: Record<string, string>, tokens: MetadataHttpTokens, { method, path, headers }: MetadataQuestion): MetadataAnswer => {
    const name = path.replace(/\?.*/, "").replace(/^\/latest\//, "");
    if (method === "PUT" && name === "api/token") return giveToken(headers);
    if (method !== "GET" && method !== "HEAD") return notAllowed;
    const token = headers[tokenHeader];
    if (token === undefined ? tokens === "required" : !isToken(String(token))) return unauthorized;
    return find(metadata, name);
  };
}

function find(metadata: Record<string, string>, name: string): MetadataAnswer {
  const found = [name, name.replace(/\/$/, "")].find((one) => Object.hasOwn(metadata, one));
  if (found !== undefined) return { status: 200, text: metadata[found]! };
  const folder = name.replace(/\/?$/, "/");
  const below = Object.keys(metadata).filter((one) => one.startsWith(folder));
  const next = (one: string) => /^[^/]+\/?/.exec(one.slice(folder.length))![0];
  return below.length > 0 ? { status: 200, text: [...new Set(below.map(next))].join("\n") } : notFound;
}

const badRequest: MetadataAnswer = { status: 400, text: "400 - Bad Request" };
const unauthorized: MetadataAnswer = { status: 401, text: "401 - Unauthorized" };
const forbidden: MetadataAnswer = { status: 403, text: "403 - Forbidden" };
const notFound: MetadataAnswer = { status: 404, text: "404 - Not Found" };
const notAllowed: MetadataAnswer = { status: 405, text: "405 - Method Not Allowed" };
