/**
 * The control plane's side of the agent link: a long poll for the node's manifest, its reports, and its cluster's credentials.
 * An agent shows the token of its own node; it sees nothing of any other.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { z } from "zod";
import { agentPaths, roleRefused, sessionHeader } from "../agent/layout.ts";
import type { Report } from "../agent/manifest.ts";
import { manifestFor, type ManifestSources } from "../reconcile/manifest.ts";
import type { ReconcileContext } from "../reconcile/context.ts";
import { takeReport } from "../reconcile/reports.ts";
import { addWarnings } from "../store/events.ts";
import type { Ids } from "../store/ids.ts";
import { emrfsCredentials, instanceCredentials, sessionCredentials, stepCredentials } from "../store/instance-credentials.ts";
import { findInstance, type InstanceRow } from "../store/instances.ts";

/** Below the 30 s after which many proxies give up on a silent connection. */
const longPollMs = 25_000;
const largestReport = 1 << 20;

/** The fields that the control plane acts on; the rest is kept as it came. */
const reportSchema = z.looseObject({
  instanceId: z.string(),
  seq: z.number(),
  generation: z.number(),
  phase: z.enum(["bootstrapping", "starting", "ready", "failed", "saved", "stopped"]),
  steps: z.array(z.looseObject({ id: z.string(), state: z.string() })),
  warnings: z.array(z.string()),
});

export interface AgentLink {
  /** true where the request was for this link, and is being answered. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
}

export function createAgentLink(
  context: Pick<ReconcileContext, "store" | "silence">,
  ids: Ids,
  sources: ManifestSources,
  log: Logger,
): AgentLink {
  const { store } = context;
  const waiting = new Map<string, Set<() => void>>();
  store.onManifest = (clusterId) => {
    for (const look of waiting.get(clusterId) ?? []) look();
  };

  /** Resolves when the cluster's manifest may have changed, at the end of the long poll, or when the agent hangs up. */
  function change(clusterId: string, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const looks = waiting.get(clusterId) ?? new Set();
      waiting.set(clusterId, looks);
      const finish = () => {
        clearTimeout(timer);
        response.off("close", finish);
        looks.delete(finish);
        if (looks.size === 0) waiting.delete(clusterId);
        resolve();
      };
      const timer = setTimeout(finish, longPollMs);
      looks.add(finish);
      response.on("close", finish);
    });
  }

  async function answerManifest(instance: InstanceRow, has: number, response: ServerResponse): Promise<void> {
    const latest = () =>
      manifestFor(store.db, instance.id, instance.cluster_id, sources).catch(async (error: Error) => {
        // Engines that were removed or damaged while a cluster runs: its nodes go on as they are, and ask again.
        await store.transaction((tx) =>
          addWarnings(tx, instance.cluster_id, [`its nodes cannot be told what to do next: ${error.message}`]),
        );
        throw error;
      });
    // Listening begins before the look: a change between the two must not be missed.
    const changed = change(instance.cluster_id, response);
    let manifest = await latest();
    if (!manifest || manifest.generation <= has) {
      await changed;
      manifest = await latest();
    }
    await store.durable();
    if (response.closed) return;
    if (!manifest || manifest.generation <= has) response.writeHead(204).end();
    else sendJson(response, manifest);
  }

  async function answerReport(instance: InstanceRow, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parsed = reportSchema.safeParse(JSON.parse(await readBody(request)));
    if (!parsed.success || parsed.data.instanceId !== instance.id) {
      response.writeHead(400).end(parsed.success ? "the report is of another instance" : z.prettifyError(parsed.error));
      return;
    }
    await takeReport(context, instance, parsed.data as unknown as Report);
    await store.durable();
    response.writeHead(204).end();
  }

  /**
   * Of the node; with `step` of what that step has started; with `user` (and `group`, as often as the user has one) of EMRFS; with `basic` of a session
   * that was asked for (user:password in base64).
   */
  async function credentialsFor(instance: InstanceRow, asked: URLSearchParams, basic: string | undefined) {
    const [step, user] = [asked.get("step"), asked.get("user")];
    if (step !== null) return stepCredentials(store, ids, instance, step);
    if (user !== null) return emrfsCredentials(store, ids, instance, { name: user, groups: asked.getAll("group") });
    if (basic === undefined) return instanceCredentials(store, ids, instance);
    const [id = "", ...password] = Buffer.from(basic, "base64").toString("utf8").split(":");
    return sessionCredentials(store, instance, id, password.join(":"));
  }

  async function answerCredentials(instance: InstanceRow, request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const basic = request.headers[sessionHeader];
    const key = await credentialsFor(instance, url.searchParams, typeof basic === "string" ? basic : undefined);
    if (!key) {
      response.writeHead(404).end("what they are for has ended, or the role is not to be had any more");
      return;
    }
    if ("problem" in key) {
      response.writeHead(roleRefused).end(key.problem);
      return;
    }
    sendJson(response, {
      AccessKeyId: key.access_key_id,
      SecretAccessKey: key.secret_access_key,
      Token: key.session_token,
      Expiration: new Date(key.expires_at ?? 0).toISOString(),
    });
  }

  async function answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const instance = await findInstance(store.db, url.searchParams.get("instance") ?? "");
    if (!instance || !tokenMatches(request.headers.authorization, instance.agent_token)) {
      response.writeHead(403).end("no such instance, or not its token");
      return;
    }
    if (url.pathname === agentPaths.manifest) await answerManifest(instance, Number(url.searchParams.get("generation") ?? 0), response);
    else if (url.pathname === agentPaths.report && request.method === "POST") await answerReport(instance, request, response);
    else if (url.pathname === agentPaths.credentials) await answerCredentials(instance, request, url, response);
    else response.writeHead(404).end("no such path of the agent link");
  }

  return {
    handle(request, response) {
      // Looked at before it is parsed: what else clients send need not be a URL at all.
      if (!request.url?.startsWith("/_howdah/agent/")) return false;
      const url = new URL(request.url, "http://agent-link");
      answer(request, response, url).catch((error: unknown) => {
        log.error({ err: error, path: url.pathname }, "an agent's request failed");
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
      return true;
    },
  };
}

function tokenMatches(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}

function sendJson(response: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) }).end(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestReport) throw new Error(`a report of over ${largestReport} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
