/** How much the front door lets in at once. What is above is throttled in the words of its service, and costs next to nothing. */
import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { throttledAnswer } from "../aws/throttled.ts";

export interface Limits {
  /** Open connections; above it a new one is closed at once. */
  connections: number;
  /** Requests that are being answered at one moment: S3's, and all others' together. Agents are not counted. */
  s3Requests: number;
  apiRequests: number;
  /** A client must have sent its headers within so long. */
  headersMs: number;
  /** And the body of what is not S3's within so long; S3's must keep moving (moving.ts). */
  bodyMs: number;
}

export const defaultLimits: Limits = { connections: 8192, s3Requests: 1024, apiRequests: 256, headersMs: 60_000, bodyMs: 60_000 };

/** `throttled` is told the service of each request that was turned away. */
export function createAdmission(limits: Limits, throttled: (service: string) => void) {
  const now = { s3: 0, api: 0 };

  /** false where the request was throttled, and is answered. `waits`: its client sends the body only when told to. */
  return function admit(req: IncomingMessage, res: ServerResponse, service: string, waits: boolean): boolean {
    const kind = service === "s3" ? "s3" : "api";
    if (now[kind] >= (kind === "s3" ? limits.s3Requests : limits.apiRequests)) {
      throttled(service);
      turnAway(req, res, service, waits || !(bodySize(req) <= mostReadOn));
      const late = setTimeout(() => req.socket.destroy(), limits.bodyMs);
      req.once("close", () => clearTimeout(late)).resume();
      return false;
    }
    now[kind] += 1;
    const { socket } = req;
    const leave = () => {
      res.off("close", leave);
      socket.off("close", leave);
      now[kind] -= 1;
    };
    res.once("close", leave);
    // An answer that waits for another one's turn on this connection is not told of its end.
    socket.setMaxListeners(0).once("close", leave);
    return true;
  };
}

/** A body that is no larger is read on, so that the client comes to reading the answer. */
const mostReadOn = 1 << 20;

/** NaN where it is not said. */
function bodySize({ headers }: IncomingMessage): number {
  return headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : Number.NaN;
}

/** `close`: what follows on this connection could not be told from the body. */
function turnAway(req: IncomingMessage, res: ServerResponse, service: string, close: boolean): void {
  const isS3 = service === "s3";
  const requestId = isS3 ? randomBytes(8).toString("hex").toUpperCase() : randomUUID();
  const { status, contentType, body } = throttledAnswer(service, requestId);
  res.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    [isS3 ? "x-amz-request-id" : "x-amzn-requestid"]: requestId,
    ...(close ? { connection: "close" } : {}),
  });
  res.end(req.method === "HEAD" ? undefined : body);
}
