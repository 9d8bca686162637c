/** A private path of the control plane, for who has the secret of its data folder (ControlPlaneRecord): the CLI's orders. */
import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/** An order is a few lines. */
const largest = 64 << 10;

/** What is asked for cannot be; says why. */
export class Refused extends Error {}

/** What `answer` gives is sent as JSON, a refusal as 400. The handler is true where the request was for this path. */
export function privatePath(path: string, secret: string, answer: (request: IncomingMessage) => Promise<unknown>) {
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.url !== path) return false;
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (!isSecret(request.headers.authorization, secret)) send(403, "not the secret of this data folder");
    else
      answer(request).then(
        (body) => send(200, body),
        (error: Error) => send(error instanceof Refused || error instanceof SyntaxError ? 400 : 500, error.message),
      );
    return true;
  };
}

function isSecret(header: string | undefined, secret: string): boolean {
  const [given, right] = [Buffer.from(header ?? ""), Buffer.from(`Bearer ${secret}`)];
  return given.length === right.length && timingSafeEqual(given, right);
}

/** Parsed, whatever it is. */
export async function readOrder(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) {
    text += piece;
    if (text.length > largest) throw new Refused("an order is not so long");
  }
  return JSON.parse(text);
}
