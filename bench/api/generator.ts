/** The client of both servers: requests signed before the clock runs, sent by a process of its own (load.ts). */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Credentials, sha256Hex, signRequest } from "../../src/aws/sigv4.ts";

export interface Job {
  port: number;
  /** As they go over the wire; sent one after the other, and again from the first. */
  requests: string[];
  /** How many requests are under way at any moment, each on a connection of its own. */
  connections: number;
  /** `keep`: the answers' bodies are wanted. */
  end: { seconds: number } | { count: number; keep?: true };
}

/** Times in milliseconds. */
export interface Load {
  perSecond: number;
  p50: number;
  p99: number;
  answers: string[];
}

export interface Generator {
  /** Rejects where an answer's status is not 200. */
  drive(job: Job): Promise<Load>;
  stop(): void;
}

export function startGenerator(): Generator {
  const child: ChildProcess = fork(join(import.meta.dirname, "load.ts"), [], { execArgv: ["--disable-warning=ExperimentalWarning"] });
  return {
    async drive(job) {
      child.send(job);
      const [{ load, error }] = (await once(child, "message")) as [{ load?: Load; error?: string }];
      if (!load) throw new Error(`the load generator: ${error}`);
      return load;
    },
    stop: () => child.disconnect(),
  };
}

export const region = "us-east-1";

/** A request of EMR as the AWS SDKs send it. It is good for a quarter of an hour, the same one as often as it is sent. */
export function signed(port: number, credentials: Credentials, operation: string, input: object): string {
  const body = JSON.stringify(input);
  const host = `127.0.0.1:${port}`;
  const headers = signRequest({
    method: "POST",
    url: { host, pathname: "/", search: "" },
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `ElasticMapReduce.${operation}`,
      "user-agent": "howdah-bench",
      "amz-sdk-invocation-id": "1d2c9e0f-8a0b-4c7a-9b57-1f6f3f0f7d10",
    },
    payloadHash: sha256Hex(body),
    credentials,
    region,
    service: "elasticmapreduce",
    now: new Date(),
  });
  const lines = Object.entries({ host, ...headers, "content-length": String(Buffer.byteLength(body)) });
  return `POST / HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}
