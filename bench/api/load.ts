/**
 * The load generator's own process, which generator.ts starts: sends requests that are ready over connections that stay open, and times each
 * answer. It knows of HTTP/1.1 no more than where an answer ends, so that it takes little of the machine from the server that it measures.
 */
import { connect } from "node:net";
import type { Job, Load } from "./generator.ts";
import { wholeAnswer } from "./whole-answer.ts";

process.on("message", (job: Job) => {
  drive(job).then(
    (load) => process.send?.({ load }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});

async function drive({ port, requests, connections, end }: Job): Promise<Load> {
  const ready = requests.map((text) => Buffer.from(text));
  const times: number[] = [];
  const answers: string[] = [];
  const from = performance.now();
  const until = "seconds" in end ? from + end.seconds * 1000 : Infinity;
  const most = "count" in end ? end.count : Infinity;
  let sent = 0;
  const next = () => (sent < most && performance.now() < until ? ready[sent++ % ready.length] : undefined);
  const answered = (milliseconds: number, body: Buffer) => {
    times.push(milliseconds);
    if ("keep" in end) answers.push(body.toString("utf8"));
  };
  await Promise.all(Array.from({ length: connections }, () => converse(port, next, answered)));
  const seconds = (performance.now() - from) / 1000;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99), answers };
}

/**
 * One request after the other, over one connection for as long as the server keeps it open; a new one is part of the next request's time. Rejects with
 * what an answer says whose status is not 200.
 */
function converse(port: number, next: () => Buffer | undefined, answered: (milliseconds: number, body: Buffer) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const open = (first: Buffer, from: number): void => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let received: Buffer = Buffer.alloc(0);
    let sentAt = from;
    let isLast = false;
    socket.write(first);
    socket.on("data", (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const answer = wholeAnswer(received);
      if (!answer) return;
      received = Buffer.alloc(0);
      answered(performance.now() - sentAt, answer.body);
      if (answer.status !== 200) return void socket.destroy(new Error(`${answer.status}: ${answer.body.toString("utf8").slice(0, 1000)}`));
      const request = next();
      sentAt = performance.now();
      isLast = !request || answer.closes;
      if (isLast) socket.destroy();
      else socket.write(request!);
      if (!request) resolve();
      else if (answer.closes) open(request, sentAt);
    });
    socket.once("error", reject);
    socket.once("close", () => isLast || reject(new Error("the server has closed the connection without an answer")));
  };
  const request = next();
  if (request) open(request, performance.now());
  else resolve();
  return promise;
}
