/** What is for the agents' link: handed to its server as it is, and its answer back. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { Agent, request as httpRequest } from "../node-http.ts";
import type { WholeAnswer } from "../api/http.ts";

/** The longest silence before an answer, far above what the link needs: agents wait 25 s for a manifest. */
const silence = 10 * 60_000;
/** A client that takes nothing of its answer for so long has gone. */
const clientSilence = 60_000;

/**
 * A function that passes requests to the server at this unix socket. A client whose body is not there after `bodyMs` is cut off, answered or not;
 * `fault` is told why the server was not reached.
 */
export function agentsLink(socketPath: string, bodyMs: number, fault: (error: Error) => void) {
  const agent = new Agent({ keepAlive: true, timeout: 4000 });

  /** Streams both ways; a client that goes away takes the request to the link with it. */
  return function forward(req: IncomingMessage, res: ServerResponse): void {
    const headers = passedOn(req.rawHeaders);
    const upstream = httpRequest({ socketPath, agent, method: req.method, path: req.url, headers });
    upstream.setTimeout(silence, () => upstream.destroy(new Error("silent")));
    res.once("close", () => upstream.destroy());
    const late = setTimeout(() => req.socket.destroy(), bodyMs);
    req.once("close", () => clearTimeout(late));
    upstream.once("response", (answer) => {
      res.setTimeout(clientSilence, () => res.destroy());
      res.writeHead(answer.statusCode ?? 502, answer.statusMessage, passedOn(answer.rawHeaders));
      res.flushHeaders();
      pipeline(answer, res).catch(() => res.destroy());
    });
    upstream.once("error", (error) => {
      if (res.headersSent) res.destroy();
      if (res.destroyed) return;
      fault(error);
      refuse(res);
    });
    // Not a pipeline: it would cut the client off when the link answers before it has read the whole body.
    upstream.once("close", () => req.unpipe(upstream).resume());
    req.pipe(upstream);
  };
}

/** Expect is answered at this door; the rest are of one connection only. */
const ownHeaders = new Set(["connection", "keep-alive", "expect", "proxy-connection", "te", "upgrade"]);

function passedOn(rawHeaders: string[]): string[] {
  const passed: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (!ownHeaders.has(rawHeaders[i]!.toLowerCase())) passed.push(rawHeaders[i]!, rawHeaders[i + 1]!);
  }
  return passed;
}

/** A form that JSON clients read and people too; AWS clients try again after it. */
export const noAnswer: WholeAnswer = {
  status: 502,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ __type: "ServiceUnavailable", message: "Howdah's control plane does not answer. Its log has the reason." }),
};

function refuse(res: ServerResponse): void {
  const { status, headers, body } = noAnswer;
  res.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body), connection: "close" });
  res.end(body);
}
