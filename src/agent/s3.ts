/** The agent's S3: whole objects to and from files, path style, through the control plane's own port, with the cluster's credentials. */
import { createReadStream } from "node:fs";
import { signRequest, unsignedPayload } from "../aws/sigv4.ts";
import { download, exchange } from "./http.ts";

const timeoutMs = 20_000;

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export interface S3 {
  /** Throws NoSuchObject where trying again cannot help. */
  get(uri: string, toFile: string): Promise<void>;
  /** `size` and `sha256` (hex) are the file's. */
  put(uri: string, file: string, size: number, sha256: string): Promise<void>;
}

/** As the node, and as the runtime role of a step. */
export interface NodeS3 extends S3 {
  ofStep(stepId: string): S3;
}

export class NoSuchObject extends Error {}

/** An answer that is the same however often one asks. */
export const isFinalStatus = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;

export interface S3Options {
  region: string;
  /** URL of the endpoint that is valid now. */
  endpoint(): string;
  credentials(): Promise<S3Credentials>;
}

export function createS3({ region, endpoint, credentials }: S3Options): S3 {
  async function signed(method: string, uri: string, payloadHash: string, headers: Record<string, string>) {
    const url = objectUrl(endpoint(), uri);
    return {
      url,
      headers: signRequest({ method, url, headers, payloadHash, credentials: await credentials(), region, service: "s3", now: new Date() }),
    };
  }

  return {
    async get(uri, toFile) {
      const { url, headers } = await signed("GET", uri, unsignedPayload, { "x-amz-content-sha256": unsignedPayload });
      const { status, text } = await download(url, { headers, timeoutMs }, toFile);
      if (status === 200) return;
      const message = `S3 answered ${status} ${errorCode(text)}`;
      throw isFinalStatus(status) ? new NoSuchObject(message) : new Error(message);
    },

    async put(uri, file, size, sha256) {
      const given = { "content-length": String(size), "x-amz-content-sha256": sha256 };
      const { url, headers } = await signed("PUT", uri, sha256, given);
      const { status, text } = await exchange(url, {
        method: "PUT",
        headers: { ...headers, ...given },
        body: createReadStream(file),
        timeoutMs,
      });
      if (status >= 300) throw new Error(`S3 answered ${status} ${errorCode(text)}`);
    },
  };
}

const encode = (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** s3://bucket/key → ENDPOINT/bucket/key, percent-encoded as SigV4 wants it. */
function objectUrl(endpoint: string, uri: string): URL {
  const match = /^s3[an]?:\/\/([^/]+)\/(.+)$/.exec(uri);
  if (!match) throw new NoSuchObject(`${uri} is not s3://bucket/key`);
  return new URL(`/${match[1]}/${match[2]!.split("/").map(encode).join("/")}`, endpoint);
}

const errorCode = (text: string): string => /<Code>([^<]*)/.exec(text)?.[1] ?? "";
