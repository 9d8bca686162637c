/** HTTP as the agent needs it, on node:http alone: it loads faster than fetch, and says how long each step may take. */
import { createWriteStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { request as httpRequest } from "../node-http.ts";

export interface HttpRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Readable;
  /** Longest silence, in ms: of the connection, the answer and between its parts. */
  timeoutMs: number;
  signal?: AbortSignal;
}

function open(url: URL, options: HttpRequest): Promise<IncomingMessage> {
  const { method = "GET", headers = {}, body, timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const request = send(url, { method, headers, timeout: timeoutMs, ...(signal ? { signal } : {}) }, resolve);
    request.on("timeout", () => request.destroy(new Error(`no answer from ${url.host} in ${timeoutMs} ms`)));
    request.on("error", reject);
    if (typeof body === "object") pipeline(body, request).catch(reject);
    else request.end(body);
  });
}

/** Status and text of the answer. Throws only where there is no answer. */
export async function exchange(url: URL, options: HttpRequest): Promise<{ status: number; text: string }> {
  const response = await open(url, options);
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") };
}

/** Streams a 200 answer to `file`; any other status comes back with its text and where it points to, and the file is not touched. */
export async function download(
  url: URL,
  options: HttpRequest,
  file: string,
): Promise<{ status: number; text: string; location?: string | undefined }> {
  const response = await open(url, options);
  if (response.statusCode === 200) {
    await pipeline(response, createWriteStream(file));
    return { status: 200, text: "" };
  }
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8"), location: response.headers.location };
}
