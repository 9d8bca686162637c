/** What the control plane itself asks of the S3 server, as the account's own: few and small requests. */
import { noServer } from "./no-server.ts";
import { answerOf, openUpstream, type S3Server, type UpstreamRequest } from "./upstream.ts";
import { uriEncode } from "../aws/sigv4.ts";

/** `code` is S3's (NoSuchBucket), or says that there was no answer. */
export class S3Failure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** S3, wherever it is now. Every method throws S3Failure. */
export interface DirectS3 {
  bucketExists(bucket: string): Promise<boolean>;
  put(bucket: string, key: string, body: Buffer, headers: Record<string, string>): Promise<void>;
}

export function directS3(server: () => S3Server | undefined): DirectS3 {
  const path = (bucket: string, key = "") => `/${bucket}${key === "" ? "" : `/${key.split("/").map(uriEncode).join("/")}`}`;

  async function ask(
    request: Omit<UpstreamRequest, "query" | "length">,
    body: Buffer | undefined,
  ): Promise<{ status: number; text: string }> {
    const current = server();
    if (!current) throw new S3Failure(noServer.code, noServer.message);
    try {
      const upstream = openUpstream(current, { ...request, query: "", length: body?.length });
      const answer = answerOf(upstream);
      upstream.end(body);
      const { statusCode: status = 0 } = await answer;
      const pieces: Buffer[] = [];
      for await (const piece of await answer) pieces.push(piece as Buffer);
      return { status, text: Buffer.concat(pieces).toString("utf8") };
    } catch (error) {
      throw new S3Failure("ServiceUnavailable", `the S3 server did not answer: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  return {
    async bucketExists(bucket) {
      const { status } = await ask({ method: "HEAD", path: path(bucket), headers: {} }, undefined);
      if (status === 404) return false;
      if (status < 300) return true;
      throw new S3Failure(
        status === 403 ? "AccessDenied" : "ServiceUnavailable",
        `the S3 server answered ${status} for the bucket ${bucket}`,
      );
    },
    async put(bucket, key, body, headers) {
      const { status, text } = await ask({ method: "PUT", path: path(bucket, key), headers }, body);
      if (status === 200) return;
      const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? `HTTP ${status}`;
      throw new S3Failure(code, `s3://${bucket}/${key}: ${/<Message>([^<]*)</.exec(text)?.[1] ?? code}`);
    },
  };
}
