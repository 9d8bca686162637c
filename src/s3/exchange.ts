/** A request to the S3 server, whose body is on its way while it is proven. */
import { once } from "node:events";
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { CheckedBody } from "./body.ts";
import { answerOf, openUpstream, type S3Server, type UpstreamRequest } from "./upstream.ts";

/** Sends the request as its body is proven, and resolves with the answer. The upstream request ends with the client's. */
export async function exchange(
  server: S3Server,
  request: UpstreamRequest,
  body: Pick<CheckedBody, "stream">,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<IncomingMessage> {
  let upstream: ClientRequest | undefined;
  let answer: Promise<IncomingMessage> | undefined;
  let answered = false;
  const connect = () => {
    upstream = openUpstream(server, request);
    answer = answerOf(upstream);
    upstream.once("response", () => (answered = true));
    return upstream;
  };
  const abandon = () => upstream?.destroy();
  res.once("close", abandon);
  try {
    for await (const piece of body.stream) {
      // An answer before the end is a refusal: what is left of the body goes nowhere.
      if (answered) break;
      upstream ??= connect();
      if (!upstream.write(piece) && !upstream.destroyed) await Promise.race([once(upstream, "drain"), answer]);
      if (upstream.destroyed) break;
    }
    // From here on it is the client that waits.
    req.setTimeout(0);
    const empty = upstream === undefined;
    upstream ??= connect();
    if (!answered) upstream.end();
    return await answer!.catch((error: unknown) => {
      // The server closed an idle connection just as it was taken up again.
      if (!empty || !upstream?.reusedSocket || res.destroyed) throw error;
      connect().end();
      return answer!;
    });
  } catch (error) {
    abandon();
    throw error;
  }
}

/** For a request without a body whose answer is small: status and text. */
export async function ask(server: S3Server, method: string, path: string, query: string): Promise<{ statusCode: number; text: string }> {
  const upstream = openUpstream(server, { method, path, query, headers: {}, length: undefined });
  const answered = answerOf(upstream);
  upstream.end();
  const answer = await answered;
  return { statusCode: answer.statusCode ?? 0, text: await textOf(answer) };
}

export async function textOf(answer: IncomingMessage): Promise<string> {
  let text = "";
  answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await once(answer, "end");
  return text;
}
