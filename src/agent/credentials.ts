/**
 * The cluster's credentials for everything on the node: the container-credentials endpoint that every AWS SDK knows, on the node's address.
 * SDKs show the secret of a token file of mode 0600; nothing is in an environment variable or in XML.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { writeWhole } from "../files.ts";
import type { AgentContext } from "./context.ts";
import { exchange } from "./http.ts";
import { agentPaths, credentialsPort } from "./layout.ts";
import { answerMetadata } from "./metadata.ts";
import { bearer, controlPlaneUrl } from "./link.ts";

/** As SDKs expect it, and as the control plane answers it. */
interface ContainerCredentials {
  AccessKeyId: string;
  SecretAccessKey: string;
  Token?: string;
  /** ISO 8601. */
  Expiration: string;
}

const freshMs = 300_000;

export function createCredentials(context: AgentContext) {
  let cached: { at: number; value: ContainerCredentials } | undefined;

  /** Not older than 5 minutes; older ones that are still valid where the control plane does not answer. */
  async function current(): Promise<ContainerCredentials> {
    if (cached && performance.now() - cached.at < freshMs) return cached.value;
    try {
      const { status, text } = await exchange(controlPlaneUrl(context, agentPaths.credentials), {
        headers: bearer(context),
        timeoutMs: 5_000,
      });
      if (status !== 200) throw new Error(`the control plane answered ${status}`);
      cached = { at: performance.now(), value: JSON.parse(text) as ContainerCredentials };
    } catch (error) {
      if (!cached || Date.parse(cached.value.Expiration) < Date.now()) throw error;
    }
    return cached.value;
  }

  return {
    current,

    /** Serves for ever, and EC2's metadata beside; tries again where the port is still held by an agent that is just ending. */
    async serve(metadata: () => Record<string, string>): Promise<void> {
      const { credentialsToken } = context.layout;
      // Whole: an empty token, left by a kill between two writes, would let in whoever shows none.
      if (!existsSync(credentialsToken)) writeWhole(credentialsToken, randomBytes(32).toString("hex"));
      const token = digest(readFileSync(credentialsToken, "utf8"));
      const server = createServer((request, response) => {
        if (request.url?.startsWith("/latest/")) {
          const { status, text } = answerMetadata(metadata(), request.method ?? "GET", request.url);
          response.writeHead(status, { "content-type": "text/plain" }).end(text);
          return;
        }
        if (!timingSafeEqual(digest(request.headers.authorization ?? ""), token)) {
          response.writeHead(403).end("the token of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE is needed");
          return;
        }
        current().then(
          (value) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value)),
          (error: Error) => response.writeHead(503).end(`no credentials: ${error.message}`),
        );
      });
      for (;;) {
        const failure = await new Promise<Error | undefined>((resolve) => {
          server.once("error", resolve);
          server.listen(credentialsPort, context.record.address, () => resolve(undefined));
        });
        if (!failure) return;
        context.log(`credentials endpoint: ${failure.message}`);
        await sleep(1_000);
      }
    },
  };
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
