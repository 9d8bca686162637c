/** The S3 server behind the front door: one request to it, signed with its own key. */
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Agent as HttpAgent, request as httpRequest } from "../node-http.ts";
import { signRequest, unsignedPayload } from "../aws/sigv4.ts";

/** `external`: a server of the user's own, which gets every header as it came. Otherwise it is the embedded one. */
export interface S3Server {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
  external?: boolean;
}

export interface UpstreamRequest {
  method: string;
  /** As on the request line: path, and query without the question mark. */
  path: string;
  query: string;
  /** Names in lower case, without those that a signature adds. */
  headers: Record<string, string>;
  /** Undefined for a request that has no body. */
  length: number | undefined;
}

/** Longest silence of the server. Completing a large upload keeps it busy for a while. */
const silence = 120_000;
/** Shorter than any server keeps an idle connection, so that none is used while the server closes it. */
const idle = 8_000;

const agents = {
  http: new HttpAgent({ keepAlive: true, timeout: idle, maxSockets: 128 }),
  https: new HttpsAgent({ keepAlive: true, timeout: idle, maxSockets: 128 }),
};

/**
 * Opens a request; the caller writes the body. The payload is not signed: it is on its way while it is checked, and the server
 * would hold it in memory to check it again.
 */
export function openUpstream(server: S3Server, request: UpstreamRequest): ClientRequest {
  const endpoint = new URL(server.endpoint);
  const search = request.query === "" ? "" : `?${request.query}`;
  const headers = signRequest({
    method: request.method,
    url: { host: endpoint.host, pathname: request.path, search },
    headers: request.headers,
    payloadHash: unsignedPayload,
    credentials: server,
    region: server.region,
    service: "s3",
    now: new Date(),
  });
  if (request.length !== undefined) headers["content-length"] = String(request.length);
  const secure = endpoint.protocol === "https:";
  const upstream = (secure ? httpsRequest : httpRequest)({
    host: endpoint.hostname,
    port: endpoint.port || (secure ? 443 : 80),
    method: request.method,
    path: request.path + search,
    headers: { ...headers, host: endpoint.host },
    agent: secure ? agents.https : agents.http,
  });
  upstream.setTimeout(silence, () => upstream.destroy(new Error(`the S3 server was silent for ${silence / 1000} s`)));
  return upstream;
}

/** The answer, or the connection's error. Attach before writing. */
export function answerOf(upstream: ClientRequest): Promise<IncomingMessage> {
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    upstream.once("response", resolve);
    upstream.once("error", reject);
    upstream.once("close", () => reject(new Error("the S3 server closed the connection")));
  });
  // Whoever waits for it sees the rejection; a caller that gave up before must not bring the thread down.
  answer.catch(() => {});
  upstream.on("error", () => {});
  return answer;
}
