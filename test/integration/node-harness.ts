/** A local provider in a folder of its own, and a control plane that is just a small HTTP server: what agents of real nodes are tested against. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type IncomingMessage, createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { agentPaths, nodeLayout } from "../../src/agent/layout.ts";
import type { Manifest, Report } from "../../src/agent/manifest.ts";
import { cacheFolder, dataFolder, nodeVariable, ownerVariable } from "../../src/data-folder.ts";
import { writeWhole } from "../../src/files.ts";
import { ensureNative } from "../../src/native/build.ts";
import { type KnownProcess, findByEnvironment } from "../../src/process/known.ts";
import { createLocalProvider } from "../../src/providers/local/provider.ts";
import type { LaunchSpec, Provider } from "../../src/providers/provider.ts";

/** Polls until `look` gives something; generous, because the machine may be busy. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  for (const giveUpAt = Date.now() + withinMs; ;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > giveUpAt) throw new Error(`did not come: ${what}`);
    await sleep(30);
  }
}

export const tokenOf = (instanceId: string): string => `token-of-${instanceId}`;

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Answers agents, and S3 at every other path. `endpoint` is written for the agents as the real one does. */
export async function startFakeControlPlane(endpointFile: string) {
  const manifests = new Map<string, Manifest>();
  const reports = new Map<string, Report>();
  const objects = new Map<string, Buffer>();
  const refused: string[] = [];
  let polls: (() => void)[] = [];
  let isS3Up = true;

  const server = createServer((request, response) => {
    const url = new URL(request.url!, "http://fake");
    const instance = url.searchParams.get("instance") ?? "";
    const isAgent = url.pathname.startsWith("/_howdah/");
    if (isAgent && request.headers.authorization !== `Bearer ${tokenOf(instance)}`) {
      refused.push(url.pathname);
      response.writeHead(403).end();
      return;
    }
    void answer(request, url, instance).then(
      ({ status, content }) => response.writeHead(status).end(content),
      () => response.destroy(),
    );
  });

  async function answer(request: IncomingMessage, url: URL, instance: string): Promise<{ status: number; content?: string | Buffer }> {
    switch (url.pathname) {
      case agentPaths.manifest: {
        const newer = () => {
          const manifest = manifests.get(instance);
          return manifest && manifest.generation > Number(url.searchParams.get("generation")) ? manifest : undefined;
        };
        if (!newer()) await Promise.race([new Promise<void>((resolve) => polls.push(resolve)), sleep(5_000, undefined, { ref: false })]);
        const manifest = newer();
        return manifest ? { status: 200, content: JSON.stringify(manifest) } : { status: 204 };
      }
      case agentPaths.report: {
        const report = JSON.parse((await body(request)).toString()) as Report;
        if (report.seq > (reports.get(report.instanceId)?.seq ?? 0)) reports.set(report.instanceId, report);
        return { status: 204 };
      }
      case agentPaths.credentials:
        return {
          status: 200,
          content: JSON.stringify({ AccessKeyId: "AKIDTEST", SecretAccessKey: "secret", Expiration: "2099-01-01T00:00:00Z" }),
        };
      default: {
        const content = await body(request);
        if (!isS3Up) throw new Error("S3 is down");
        if (!request.headers.authorization?.startsWith("AWS4-HMAC-SHA256 Credential=AKIDTEST/")) return { status: 403 };
        const key = decodeURIComponent(url.pathname.slice(1));
        if (request.method === "PUT") objects.set(key, content);
        const found = objects.get(key);
        return found
          ? { status: 200, ...(request.method === "GET" ? { content: found } : {}) }
          : { status: 404, content: "<Code>NoSuchKey</Code>" };
      }
    }
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  writeWhole(endpointFile, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, 0o644);

  return {
    objects,
    /** Paths that were asked for with a wrong token. */
    refused,
    text: (key: string) => (objects.has(key) ? gunzipSync(objects.get(key)!).toString() : undefined),
    setS3(up: boolean) {
      isS3Up = up;
    },
    order(manifest: Manifest) {
      manifests.set(manifest.instanceId, manifest);
      for (const wake of polls.splice(0)) wake();
      polls = [];
    },
    report: (instanceId: string) => reports.get(instanceId),
    /** Waits for a report that answers the newest manifest and fits. */
    reported: (instanceId: string, what: string, fits: (report: Report) => boolean) =>
      eventually(`a report of ${instanceId}: ${what}`, () => {
        const report = reports.get(instanceId);
        return report && report.generation >= (manifests.get(instanceId)?.generation ?? 0) && fits(report) ? report : undefined;
      }).catch((error: Error) => {
        throw new Error(`${error.message}; the last one is ${JSON.stringify(reports.get(instanceId))}`);
      }),
    stop() {
      for (const wake of polls.splice(0)) wake();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

export type FakeControlPlane = Awaited<ReturnType<typeof startFakeControlPlane>>;

/** A data folder with one provider kind over it. `dispose` ends and removes everything. */
export async function createNodeHarness(degree: "view" | "plain") {
  const data = dataFolder(mkdtempSync(join(tmpdir(), "howdah-nodes-")));
  for (const folder of [data.link, data.nodes]) mkdirSync(folder, { recursive: true });
  const native = await ensureNative(cacheFolder());
  const create = (): Provider =>
    createLocalProvider({ data, native, degree, engines: cacheFolder(), owner: { [ownerVariable]: data.root } });
  const provider = create();
  let control = await startFakeControlPlane(data.endpoint);
  const layout = (instanceId: string) => nodeLayout(data.node(instanceId));

  return {
    data,
    provider,
    /** A provider as a control plane that was started again would make it. */
    create,
    layout,
    control: () => control,
    /** The control plane ends, and another one comes up at another port. */
    async restartControl() {
      await control.stop();
      control = await startFakeControlPlane(data.endpoint);
      return control;
    },
    processes: (instanceId: string): KnownProcess[] => findByEnvironment(nodeVariable, instanceId),
    init: (instanceId: string): KnownProcess => JSON.parse(readFileSync(join(layout(instanceId).run, "init.json"), "utf8")) as KnownProcess,
    /** The agent's process, as the host sees it. */
    agent(instanceId: string): KnownProcess | undefined {
      return findByEnvironment(nodeVariable, instanceId).find(({ pid }) => {
        try {
          const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
          return argv[0] === process.execPath && argv.some((word) => word.endsWith("agent/main.js"));
        } catch {
          return false;
        }
      });
    },
    async dispose() {
      for (const id of await provider.list()) await provider.terminate(id);
      for (const id of await provider.list()) await provider.reclaim(id);
      await control.stop();
      rmSync(data.root, { recursive: true, force: true });
    },
  };
}

export type NodeHarness = Awaited<ReturnType<typeof createNodeHarness>>;

export function launchSpec(network: string, ordinal: number, clusterId: string, instanceId: string): LaunchSpec {
  const address = `${network}.${ordinal}`;
  return {
    clusterId,
    instanceId,
    address,
    hostname: `ip-${address.replaceAll(".", "-")}.ec2.internal`,
    region: "us-east-1",
    agentToken: tokenOf(instanceId),
  };
}

/** A manifest of nothing; tests say what they need over it. */
export function manifest(spec: LaunchSpec, parts: Partial<Manifest> = {}): Manifest {
  return {
    generation: 1,
    clusterId: spec.clusterId,
    instanceId: spec.instanceId,
    role: "MASTER",
    address: spec.address,
    region: spec.region,
    metadata: {},
    env: {},
    base: [],
    files: [],
    bootstrapActions: [],
    daemons: [],
    tasks: [],
    saves: [],
    steps: [],
    roleSteps: [],
    logs: null,
    stopping: false,
    ...parts,
  };
}
