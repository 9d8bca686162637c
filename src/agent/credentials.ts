/**
 * The credentials of everything on the node: the container-credentials endpoint that every AWS SDK knows, on the node's address. What a step with a
 * runtime role has started asks at a path of its own, with a token of its own. EMRFS says which user of the node it asks for, and the user's groups:
 * ?user=ann&group=ann&group=analysts; what comes of that the control plane decides.
 * SDKs show the secret of a token file of mode 0600; nothing is in an environment variable or in XML.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer } from "../node-http.ts";
import { writeWhole } from "../files.ts";
import type { AgentContext } from "./context.ts";
import { exchange } from "./http.ts";
import { agentPaths, credentialsPort, roleRefused, sessionHeader } from "./layout.ts";
import { createMetadata, type MetadataHttpTokens } from "./metadata.ts";
import { bearer, controlPlaneUrl } from "./link.ts";

/** As SDKs expect it, and as the control plane answers it. */
interface ContainerCredentials {
  AccessKeyId: string;
  SecretAccessKey: string;
  Token?: string;
  /** ISO 8601. */
  Expiration: string;
}

/** The control plane says why there are none: nothing that is still there may take their place. */
class Refused extends Error {}

const freshMs = 300_000;
/** SDKs ask again so long before what they have ends. After a laptop's sleep it may have ended, though no time has passed by the steady clock. */
const leastLeftMs = 15 * 60_000;
/** One for the node, for each step with a role, and for each user of EMRFS. */
const mostCached = 1000;

export function createCredentials(context: AgentContext) {
  /** By what the control plane was asked for. */
  const cached = new Map<string, { at: number; value: ContainerCredentials }>();
  const tokenFile = (stepId: string | undefined) =>
    stepId === undefined ? context.layout.credentialsToken : join(context.layout.stepTokens, stepId);

  /** Whole: an empty token, left by a kill between two writes, would let in whoever shows none. */
  function ensureToken(stepId: string | undefined): void {
    if (!existsSync(tokenFile(stepId))) writeWhole(tokenFile(stepId), randomBytes(32).toString("hex"));
  }

  /** Not older than 5 minutes; older ones that are still valid where the control plane does not answer. `stepId`: of that step's runtime role. */
  const current = (stepId?: string): Promise<ContainerCredentials> => fresh(stepId === undefined ? [] : [["step", stepId]]);

  async function fresh(asked: [name: string, value: string][]): Promise<ContainerCredentials> {
    const name = String(new URLSearchParams(asked));
    const known = cached.get(name);
    const leftMs = Date.parse(known?.value.Expiration ?? "") - Date.now();
    if (known && performance.now() - known.at < freshMs && leftMs > leastLeftMs) return known.value;
    try {
      const url = controlPlaneUrl(context, agentPaths.credentials);
      for (const [parameter, value] of asked) url.searchParams.append(parameter, value);
      const { status, text } = await exchange(url, { headers: bearer(context), timeoutMs: 5_000 });
      if (status === roleRefused) throw new Refused(text);
      if (status !== 200) throw new Error(`the control plane answered ${status}`);
      const value = JSON.parse(text) as ContainerCredentials;
      cached.set(name, { at: performance.now(), value });
      for (const oldest of cached.keys()) if (cached.size > mostCached) cached.delete(oldest);
      return value;
    } catch (error) {
      if (error instanceof Refused || !known || leftMs <= 0) throw error;
      return known.value;
    }
  }

  /** Of a session that GetClusterSessionCredentials has given a user name and a password for. Undefined where they are wrong, or it has ended. */
  async function ofSession(basic: string): Promise<ContainerCredentials | undefined> {
    const headers = { ...bearer(context), [sessionHeader]: basic };
    const { status, text } = await exchange(controlPlaneUrl(context, agentPaths.credentials), { headers, timeoutMs: 5_000 });
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`the control plane answered ${status}`);
    return JSON.parse(text) as ContainerCredentials;
  }

  function isToken(shown: string | undefined, stepId: string | undefined): boolean {
    try {
      return timingSafeEqual(digest(shown ?? ""), digest(readFileSync(tokenFile(stepId), "utf8")));
    } catch {
      return false; // The step runs no more.
    }
  }

  return {
    current,

    /** These steps run and have runtime roles; no other step's processes are answered. */
    letSteps(ids: readonly string[]): void {
      const { stepTokens } = context.layout;
      mkdirSync(stepTokens, { recursive: true, mode: 0o700 });
      for (const id of ids) ensureToken(id);
      for (const name of readdirSync(stepTokens)) {
        if (ids.some((id) => name.startsWith(id))) continue;
        rmSync(join(stepTokens, name));
        cached.delete(String(new URLSearchParams({ step: name })));
      }
    },

    /**
     * Serves for ever, and EC2's metadata beside; tries again where the port is still held by an agent that is just ending. Resolves with the server
     * when it listens.
     */
    async serve(metadata: () => { paths: Record<string, string>; tokens: MetadataHttpTokens }): Promise<Server> {
      ensureToken(undefined);
      const answerMetadata = createMetadata();
      const server = createServer((request, response) => {
        if (request.url?.startsWith("/latest/")) {
          const { paths, tokens } = metadata();
          const { method = "GET", url: path, headers } = request;
          const { status, text, headers: own } = answerMetadata(paths, tokens, { method, path, headers });
          response.writeHead(status, { "content-type": "text/plain", ...own }).end(text);
          return;
        }
        const { authorization } = request.headers;
        const basic = /^Basic ([\w+/=]+)$/.exec(authorization ?? "")?.[1];
        const [path = "", query] = (request.url ?? "").split("?", 2);
        const asked = new URLSearchParams(query);
        const stepId = /^\/credentials\/(s-[A-Z0-9]+)$/.exec(path)?.[1];
        const ofToken = () => (stepId === undefined && asked.has("user") ? fresh(userOf(asked)) : current(stepId));
        const found = basic !== undefined ? ofSession(basic) : isToken(authorization, stepId) ? ofToken() : Promise.resolve(undefined);
        found.then(
          (value) => {
            if (value) response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
            else response.writeHead(403).end("the token of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE is needed");
          },
          (error: Error) => response.writeHead(error instanceof Refused ? 403 : 503).end(`no credentials: ${error.message}`),
        );
      });
      for (;;) {
        const failure = await new Promise<Error | undefined>((resolve) => {
          server.once("error", resolve);
          server.listen(credentialsPort, context.record.address, () => resolve(undefined));
        });
        if (!failure) return server;
        context.log(`credentials endpoint: ${failure.message}`);
        await sleep(1_000);
      }
    },
  };
}

/** Of whom EMRFS asks; a step's runtime role is the same for all of them. */
const userOf = (asked: URLSearchParams): [string, string][] => [
  ["user", asked.get("user") ?? ""],
  ...asked.getAll("group").map((group): [string, string] => ["group", group]),
];

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
