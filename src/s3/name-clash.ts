/** The embedded server keeps objects as files, so that it cannot hold both `a` and `a/b`. It reports an internal error, which clients repeat in vain. */
import type { IncomingMessage } from "node:http";
import { AwsError } from "../aws/errors.ts";
import { ask } from "./exchange.ts";
import type { S3Server, UpstreamRequest } from "./upstream.ts";

/** The refusal that stands for an internal error, where a name in the way is its cause. The answer is used up where there is one. */
export async function nameClash(server: S3Server, request: UpstreamRequest, answer: IncomingMessage): Promise<AwsError | undefined> {
  if (answer.statusCode !== 500 || (request.method !== "PUT" && request.method !== "POST")) return undefined;
  const [, bucket, ...segments] = request.path.split("/");
  for (let length = 1; length < segments.length; length++) {
    const parent = segments.slice(0, length).join("/");
    const { statusCode } = await ask(server, "HEAD", `/${bucket}/${parent}`, "");
    if (statusCode === 200) return clash(answer, parent, segments.join("/"));
  }
  const { text } = await ask(server, "GET", `/${bucket}`, `list-type=2&max-keys=1&prefix=${segments.join("%2F")}%2F`);
  return text.includes("<Key>") ? clash(answer, segments.join("/"), `${segments.join("/")}/\u2026`) : undefined;
}

function clash(answer: IncomingMessage, parent: string, child: string): AwsError {
  answer.resume();
  const names = `'${decodeURIComponent(parent)}' and '${decodeURIComponent(child)}'`;
  return new AwsError("NotImplemented", `Howdah's embedded S3 server keeps objects as files and cannot hold both ${names}.`, 501);
}
