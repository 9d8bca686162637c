/** Stands in for the control plane behind the front door: asks an HTTP server of the test, which says what it was given and holds its answers as it likes. */
import { request as httpRequest } from "node:http";
import type { Answerer } from "../../src/api/http.ts";

/** What is of the client's connection, or of how the body came. */
const framing = new Set(["connection", "upgrade", "expect", "content-length", "transfer-encoding"]);

/** `seen`: told of each request. A body that is not there is answered as the pipeline does. */
export function answerOver(socketPath: string, seen: (request: Parameters<Answerer>[0]) => void = () => {}): Answerer {
  return (request) =>
    new Promise((resolve, reject) => {
      seen(request);
      const { method, url, rawHeaders, body } = request;
      if (typeof body === "string") return void resolve({ status: 408, headers: {}, body });
      const headers: string[] = ["content-length", String(body.length)];
      for (let i = 0; i + 1 < rawHeaders.length; i += 2)
        if (!framing.has(rawHeaders[i]!.toLowerCase())) headers.push(rawHeaders[i]!, rawHeaders[i + 1]!);
      const asked = httpRequest({ socketPath, method, path: url, headers, agent: false }, (res) => {
        let text = "";
        res.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        res.on("error", reject).on("end", () => resolve({ status: res.statusCode!, headers: {}, body: text }));
      });
      asked.on("error", reject).end(body);
    });
}
