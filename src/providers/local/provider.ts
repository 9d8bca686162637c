/**
 * Nodes on this machine. A node is a howdah-init (native/init.c) with the agent under it, in one of two degrees: `view` has namespaces with EMR's
 * own paths (native/view.c), `plain` only folders. Either way it has a loopback address of its own, by the preload library.
 */
import { spawn } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, openSync, closeSync, readFileSync, readdirSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type NodeLayout, nodeLayout } from "../../agent/layout.ts";
import { type NodeRecord, readNodeRecord } from "../../agent/node-record.ts";
import { type DataFolder, nodeVariable } from "../../data-folder.ts";
import { writeWhole } from "../../files.ts";
import type { Native } from "../../native/build.ts";
import { type KnownProcess, bootId, endProcess, findByEnvironment, hasInEnvironment, isAlive } from "../../process/known.ts";
import { AddressTaken, type InstanceObservation, type LaunchSpec, type Provider } from "../provider.ts";
import { agentProgram, copyAgent } from "./agent-copy.ts";
import type { Degree } from "./degree.ts";
import { createNetworkClaims, heldAddresses } from "./network.ts";
import { writeSkeleton } from "./skeleton.ts";
import { loopsOf, withVolumes } from "./volumes.ts";

export interface LocalProviderOptions {
  data: DataFolder;
  /** undefined where nodes are only looked at and removed, never launched. */
  native: Native | undefined;
  degree: Degree;
  /** The machine's cache of engines: nodes see it at its own path, and what each writes there is its own. */
  engines: string;
  /** Environment that marks everything started for this data folder: HOWDAH_OWNER. */
  owner: Record<string, string>;
}

export { bestDegree } from "./degree.ts";

const project = resolve(import.meta.dirname, "../../..");
/** Exit code of howdah-init. */
const addressTaken = 75;
const launchMs = 30_000;
/** The kernel writes what is not on the disk yet when it takes volumes away. */
const unmountMs = 30_000;
/** A process that ends gives its environment back before its claim: for so long a taken address may still be our own. */
const dyingMs = 1_000;

export function createLocalProvider(options: LocalProviderOptions): Provider {
  const { data, degree } = options;
  const networks = createNetworkClaims();
  const layoutOf = (instanceId: string) => nodeLayout(data.node(instanceId));

  /** Those of a copy of this data folder have the same instance id. */
  const marked = (instanceId: string) =>
    findByEnvironment(nodeVariable, instanceId).filter(({ pid }) =>
      Object.entries(options.owner).every(([name, value]) => hasInEnvironment(pid, name, value)),
    );

  const instances = async () => (await readdir(data.nodes).catch(() => [])).filter((id) => existsSync(layoutOf(id).spec));

  async function livingAddresses(clusterId: string): Promise<string[]> {
    const records = (await instances()).filter((id) => isAlive(initOf(layoutOf(id)))).map((id) => readNodeRecord(layoutOf(id)));
    return records.filter((record) => record.clusterId === clusterId).map((record) => record.address);
  }

  function prepare(spec: LaunchSpec, layout: NodeLayout, native: Native): void {
    mkdirSync(layout.root, { recursive: true, mode: 0o700 });
    const { run, conf, data: nodeData, logs, steps, tmp, home, upper, work, mount } = layout;
    for (const folder of [run, conf, nodeData, logs, steps, tmp, home]) mkdirSync(folder, { recursive: true });
    chmodSync(tmp, 0o1777);
    if (degree === "view") {
      for (const folder of [upper, work, mount]) mkdirSync(folder, { recursive: true });
      writeSkeleton(layout, spec);
    }
    copyAgent(layout);
    const record: NodeRecord = { ...spec, degree, owner: options.owner, endpointFile: data.endpoint, preload: native.preload };
    writeWhole(layout.spec, JSON.stringify(record));
    mkdirSync(data.link, { recursive: true });
  }

  function startInit(spec: LaunchSpec, layout: NodeLayout, native: Native): Promise<number | string> {
    const binds = [...new Set([project, dirname(process.execPath)])].filter((path) => existsSync(path));
    const view = ["--view", spec.hostname, data.root, data.link, options.engines, ...binds];
    const agent = [process.execPath, agentProgram(layout), layout.root];
    // Only what is named here: a node must not inherit the operator's credentials.
    const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", ...options.owner, [nodeVariable]: spec.instanceId };
    const log = openSync(initLog(layout), "a");
    try {
      const args = [layout.root, spec.address, ...(degree === "view" ? view : []), "--", ...agent];
      const [program, ...all] = withVolumes(spec, layout, degree, [native.init, ...args]);
      const child = spawn(program!, all, { cwd: "/", env, detached: true, stdio: ["ignore", log, log] });
      child.unref();
      return new Promise<number | string>((ended) => {
        child.on("error", (error) => ended(error.message));
        child.on("exit", (code, signal) => ended(code ?? signal ?? "unknown"));
      });
    } finally {
      closeSync(log);
    }
  }

  return {
    name: "local",

    async claimNetwork(clusterId, current) {
      return networks.claim(clusterId, current, await livingAddresses(clusterId));
    },

    releaseNetwork: (clusterId) => networks.release(clusterId),

    async launch(spec) {
      const layout = layoutOf(spec.instanceId);
      if (isAlive(initOf(layout))) return;
      const { native } = options;
      if (!native) throw new Error("this provider was made without the native programs: it cannot launch nodes");
      prepare(spec, layout, native);
      let ended: number | string | undefined;
      const start = () => {
        ended = undefined;
        void startInit(spec, layout, native).then((code) => (ended = code));
      };
      start();
      const giveUpAt = performance.now() + launchMs;
      let takenSince: number | undefined;
      while (!isAlive(initOf(layout))) {
        if (ended === addressTaken && marked(spec.instanceId).length === 0) {
          takenSince ??= performance.now();
          if (!heldAddresses().includes(spec.address)) start();
          else if (performance.now() - takenSince > dyingMs) throw new AddressTaken(spec.address);
        } else if (ended === addressTaken) {
          // An earlier launch of this very instance, cut off by a crash, is on its way, or an earlier init is about to end: either is waited for.
          takenSince = undefined;
        } else if (ended !== undefined) {
          throw new Error(`node ${spec.instanceId} did not start (${ended}): ${tail(initLog(layout))}`);
        }
        if (performance.now() > giveUpAt)
          throw new Error(`node ${spec.instanceId} did not start in ${launchMs / 1000} s: ${tail(initLog(layout))}`);
        await sleep(10);
      }
    },

    async observe(instanceId): Promise<InstanceObservation> {
      const layout = layoutOf(instanceId);
      if (!existsSync(layout.spec)) return "absent";
      const init = initOf(layout);
      if (init && init.bootId !== bootId()) return "rebooted";
      return isAlive(init) ? "running" : "stopped";
    },

    async terminate(instanceId) {
      const layout = layoutOf(instanceId);
      // howdah-init gives the processes 2 s, then kills them.
      await endProcess(initOf(layout), { graceMs: 10_000 });
      // In plain, processes can be left when both of init's processes were killed at once; and an init that had not written its record.
      for (let left = marked(instanceId); left.length; left = marked(instanceId)) {
        await Promise.all(left.map((known) => endProcess(known, { graceMs: 0 })));
      }
      for (const giveUpAt = performance.now() + unmountMs; loopsOf(layout).length > 0 && performance.now() < giveUpAt;) await sleep(20);
      await rm(initRecord(layout), { force: true });
    },

    list: instances,

    async reclaim(instanceId) {
      const layout = layoutOf(instanceId);
      if (isAlive(initOf(layout))) throw new Error(`node ${instanceId} runs: terminate it first`);
      for (const entry of await readdir(layout.root).catch(() => [])) {
        const path = join(layout.root, entry);
        if (path === layout.logs || path === layout.spec) continue;
        await rm(path, { recursive: true, force: true }).catch(async () => {
          makeRemovable(path);
          await rm(path, { recursive: true, force: true });
        });
      }
      await rm(layout.spec, { force: true }); // Last: until then the instance is listed.
    },
  };
}

const initRecord = (layout: NodeLayout) => join(layout.run, "init.json");
const initLog = (layout: NodeLayout) => join(layout.logs, "howdah-agent.log");

/** The init of a node, as this machine sees it; undefined where it has none yet. */
export function initOf(layout: NodeLayout): KnownProcess | undefined {
  try {
    return JSON.parse(readFileSync(initRecord(layout), "utf8")) as KnownProcess;
  } catch {
    return undefined;
  }
}

function tail(file: string): string {
  try {
    return readFileSync(file, "utf8").trim().split("\n").slice(-5).join("\n");
  } catch {
    return "no log";
  }
}

/** Overlays leave folders of mode 000, and programs leave read-only ones: an unprivileged user cannot empty them as they are. */
function makeRemovable(path: string): void {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path)) makeRemovable(join(path, entry));
}
