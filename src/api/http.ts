/** A request of an API as a whole, and how it comes over HTTP: read to its end before anything is done for it, so that a slow client waits for itself alone. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Origin, originOfSocket } from "../aws/origin.ts";

/** AWS's limit for a request of such services, as sent and once more after decompression. */
export const bodyLimit = 1 << 20;

/** How much of a body that is too large is read on, so that the client comes to reading the refusal. */
const drainLimit = 16 << 20;

/** A client must have sent its whole request within so long. */
const bodyMs = 30_000;

/** Plain data: it goes from one thread to another. */
export interface WholeRequest {
  method: string;
  /** As it is on the request line. */
  url: string;
  /** Node's flat list of names and values. */
  rawHeaders: string[];
  /** As sent, because that is what is signed; or why it is not there. */
  body: Uint8Array | BodyFault;
  origin: Origin;
}

/** The body is larger than `bodyLimit`, did not come in time, or its client went away. */
export type BodyFault = "too-large" | "late" | "aborted";

export interface WholeAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Answers every request, whatever happens. */
export type Answerer = (request: WholeRequest) => Promise<WholeAnswer>;

/** A request listener; `origin`, where the request came through a door that knows it better than the socket. `withinMs`: how long a body may take. */
export function overHttp(answer: Answerer, withinMs = bodyMs) {
  async function serve(req: IncomingMessage, res: ServerResponse, origin: Origin): Promise<void> {
    const body = await readBody(req, withinMs);
    send(res, await answer({ method: req.method ?? "", url: req.url ?? "/", rawHeaders: req.rawHeaders, body, origin }), !req.complete);
  }
  return (req: IncomingMessage, res: ServerResponse, origin = originOfSocket(req.socket)): void => void serve(req, res, origin);
}

/** What is too large is read on and forgotten, up to a limit. */
async function readBody(req: IncomingMessage, withinMs: number): Promise<Uint8Array | BodyFault> {
  const chunks: Buffer[] = [];
  let size = 0;
  const { promise, resolve } = Promise.withResolvers<BodyFault | undefined>();
  const late = setTimeout(() => resolve("late"), withinMs);
  const aborted = () => resolve("aborted");
  req
    .on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > drainLimit) resolve("too-large");
      if (size <= bodyLimit) chunks.push(chunk);
    })
    .once("end", () => resolve(undefined))
    .once("error", aborted)
    .once("close", aborted);
  const fault = await promise;
  clearTimeout(late);
  req.removeAllListeners("data").resume();
  if (fault !== undefined) return fault;
  if (size > bodyLimit) return "too-large";
  // Not of Node's pool, all of which would go to the other thread.
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** `close`: where the body was not read to its end, what follows on this connection cannot be told from it. */
function send(res: ServerResponse, { status, headers, body }: WholeAnswer, close: boolean): void {
  if (res.destroyed) return;
  res.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body), ...(close ? { connection: "close" } : {}) });
  res.end(body);
}
