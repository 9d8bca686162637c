/**
 * `howdah drill WHAT CLUSTER [NODE]`: does to a node of a real cluster what people rehearse, and tells what the cluster makes of it, and when. The fault is real: processes
 * are killed and stopped from outside, and Howdah is told nothing; a spot interruption comes from the market, which is Howdah's own. Simulated nodes have `howdah fault`.
 */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type NodeLayout, nodeLayout } from "../agent/layout.ts";
import { type DataFolder, dataFolder, nodeVariable } from "../data-folder.ts";
import { findByEnvironment, signal } from "../process/known.ts";
import { initOf } from "../providers/local/provider.ts";
import { ownFilesystems } from "../providers/local/volumes.ts";
import { type ControlPlaneRecord, providerOf, runningControlPlane } from "../running.ts";
import { chooseCluster, chooseNode, nodesOf, placeOf, withStore } from "./find.ts";
import { interrupt } from "./fault.ts";
import { followDrill, outsideOf, type Happening, type Scene } from "./drill-follow.ts";
import { age, paint, printJson } from "./terminal.ts";

export const drills = ["kill-node", "kill-daemon", "freeze-node", "slow-node", "disk-full", "spot"] as const;

type Drill = (typeof drills)[number];

export interface DrillOptions {
  data?: string;
  /** Of kill-daemon. */
  daemon?: string;
  /** How long those last that end by themselves. */
  seconds?: number;
  /** Though the cluster would end. */
  anyway?: boolean;
  json?: boolean;
}

/** What is left in DATA/drills/. Seconds are since the fault; null: it did not happen while the drill looked. */
export interface DrillReport {
  drill: Drill;
  cluster: string;
  node: string;
  role: string;
  /** ISO 8601 */
  at: string;
  seconds: Record<"noticed" | "drained" | "fenced" | "replaced" | "yarn" | "hdfs", number | null>;
  /** Applications of YARN that failed or were killed meanwhile; null where the ResourceManager did not say. */
  failedApplications: number | null;
  /** How it ended, for people. */
  outcome: string;
  happenings: Happening[];
}

const [slowMs, runMs] = [900, 100];
const defaultSeconds = 30;
const lasting: readonly Drill[] = ["freeze-node", "slow-node", "disk-full"];

export async function drill(what: Drill, clusterText: string, nodeText: string | undefined, options: DrillOptions): Promise<void> {
  if (options.daemon !== undefined && what !== "kill-daemon") throw new Error("--daemon is for kill-daemon");
  if (options.seconds !== undefined && !lasting.includes(what)) throw new Error(`--seconds is for ${lasting.join(", ")}`);
  const data = dataFolder(options.data);
  if (providerOf(data) === "simulated")
    throw new Error(`the nodes of ${data.root} are simulated: howdah fault says what is to go wrong on them`);
  const running = runningControlPlane(data);
  if (!running) throw new Error(`no control plane runs for ${data.root}, so nobody would see to it. Run: howdah up --detach`);
  const scene = await withStore(data, ({ db }) => chooseScene(db, what, clusterText, nodeText));
  if (what === "kill-node" || what === "freeze-node" || what === "spot") refuseEnd(scene, what, options);
  const fault = faults[what](data, scene, options, running);
  const say = (text: string) => options.json || console.log(text);
  const { clusterId, node, place } = scene;
  say(`${what} of ${place} (${node.id}, ${node.address}) of ${clusterId}: ${fault.what}`);
  const first = await outsideOf(scene);
  const at = Date.now();
  const over = new AbortController();
  const end = () => {
    over.abort();
    fault.end();
  };
  // Nothing stays frozen behind a drill that is ended.
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => {
      end();
      process.exit(130);
    });
  const begun = fault.begin(over.signal);
  // Followed only where it has begun.
  if (fault.takes) await begun;
  const tell = (one: Happening) => say(`${tenths(one.seconds)}  ${one.what}`);
  const { happenings, seconds, outcome, failedApplications } = await followDrill(data, scene, first, at, fault, tell).finally(end);
  await begun;
  const report: DrillReport = {
    drill: what,
    cluster: clusterId,
    node: node.id,
    role: node.role,
    at: new Date(at).toISOString(),
    seconds,
    failedApplications,
    outcome,
    happenings,
  };
  const folder = join(data.root, "drills");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${report.at.replaceAll(/[:.]/g, "-")}-${what}-${clusterId}.json`);
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
  if (options.json) return printJson(report);
  const known = Object.entries(seconds).filter(([, value]) => value !== null);
  say(
    paint(
      "bold",
      `${outcome}${known.length > 0 ? `; ${known.map(([name, value]) => `${name} after ${value!.toFixed(1)} s`).join(", ")}` : ""}`,
    ),
  );
  say(`The report: ${file}`);
}

const tenths = (seconds: number) => `${seconds.toFixed(1).padStart(7)} s`;

async function chooseScene(
  db: Parameters<typeof chooseCluster>[0],
  what: Drill,
  clusterText: string,
  nodeText: string | undefined,
): Promise<Scene> {
  const cluster = await chooseCluster(db, clusterText);
  if (cluster.phase !== "ready") throw new Error(`${cluster.id} is not ready: a drill is of a cluster that is RUNNING or WAITING`);
  const nodes = (await nodesOf(db, cluster.id)).filter(({ instance }) => instance.status !== "terminated");
  const last =
    what === "spot"
      ? nodes.findLast(({ instance }) => instance.market === "SPOT" && instance.interrupted_at === null)
      : (nodes.findLast(({ role }) => role === "CORE") ?? nodes.at(-1)!);
  if (!last) throw new Error(`${cluster.id} has no spot instance: groups have a Market, fleets a TargetSpotCapacity`);
  const node = nodeText === undefined ? last : chooseNode(nodes, nodeText);
  if (node.instance.status !== "launched" || node.instance.observed?.phase !== "ready")
    throw new Error(`${node.id} is not in use: choose another`);
  return { clusterId: cluster.id, master: nodes[0]!.address, node, place: placeOf(nodes, node), nodes };
}

function refuseEnd({ node, nodes, clusterId }: Scene, what: Drill, { anyway }: DrillOptions): void {
  const cores = nodes.filter(({ role }) => role === "CORE").length;
  const ends = (node.role === "MASTER" && what !== "freeze-node") || (node.role === "CORE" && cores < 2 && what !== "spot");
  if (ends && !anyway)
    throw new Error(
      `without ${node.role === "MASTER" ? "its master" : "its only core node"} ${clusterId} ends. Say --anyway where that is what you rehearse`,
    );
}

export interface Fault {
  /** What is done, for people. */
  what: string;
  /** Resolves when it is over; it may end by itself. */
  begin(over: AbortSignal): Promise<void>;
  /** Puts right what may be left. */
  end(): void;
  /** Milliseconds that it lasts; 0: at once. */
  lasts: number;
  /** Of kill-daemon. */
  daemon?: string;
  /** The node ends by it in any case, though not at once. */
  takes?: boolean;
}

/** Shorter where `over` ends it. */
const pause = (ms: number, over: AbortSignal) => sleep(ms, undefined, { signal: over }).catch(() => {});

const processesOf = (id: string) => findByEnvironment(nodeVariable, id);
const signalAll = (id: string, name: NodeJS.Signals) => {
  for (const known of processesOf(id)) signal(known, name);
};

const faults: Record<Drill, (data: DataFolder, scene: Scene, options: DrillOptions, running: ControlPlaneRecord) => Fault> = {
  "kill-node": (data, { node }) => ({
    what: "its disk is gone, and all of its processes",
    lasts: 0,
    async begin() {
      rmSync(nodeLayout(data.node(node.id)).spec);
      signalAll(node.id, "SIGKILL");
    },
    end() {},
  }),

  "kill-daemon"(_data, { node }, { daemon = node.role === "MASTER" ? "hadoop-yarn-resourcemanager" : "hadoop-yarn-nodemanager" }) {
    const known = node.instance.observed?.daemons ?? [];
    const found = known.find(({ name }) => name === daemon || name.endsWith(`-${daemon}`));
    if (!found?.pid) throw new Error(`${node.id} runs no daemon ${daemon}. There are: ${known.map(({ name }) => name).join(", ")}`);
    const victim = processesOf(node.id).find(({ pid }) => innerPid(pid) === found.pid);
    if (!victim) throw new Error(`the process of ${found.name} (${found.pid} on the node) is not to be found`);
    return { what: `kill -9 of ${found.name}`, lasts: 0, daemon: found.name, begin: async () => signal(victim, "SIGKILL"), end() {} };
  },

  "freeze-node"(_data, { node }, { seconds = defaultSeconds }) {
    const thaw = () => signalAll(node.id, "SIGCONT");
    return {
      what: `all of its processes are stopped for ${age(seconds * 1000)}`,
      lasts: seconds * 1000,
      async begin(over) {
        signalAll(node.id, "SIGSTOP");
        await pause(seconds * 1000, over);
        thaw();
      },
      end: thaw,
    };
  },

  "disk-full"(data, { node, clusterId }, { seconds = defaultSeconds }) {
    const files = filesOnVolumes(nodeLayout(data.node(node.id)), clusterId);
    const free = () => {
      for (const file of files) rmSync(file, { force: true });
    };
    return {
      what: `its ${files.length === 1 ? "volume is" : `${files.length} volumes are`} full for ${age(seconds * 1000)}`,
      lasts: seconds * 1000,
      async begin(over) {
        for (const file of files) {
          const { bavail, bsize } = statfsSync(dirname(file));
          // What it needs besides for the file's own blocks is not there: it ends with ENOSPC, and nothing is left then.
          await promisify(execFile)("fallocate", ["--length", String(bavail * bsize), file]).catch((error: Error) => {
            if (statfsSync(dirname(file)).bavail > 0) throw error;
          });
        }
        await pause(seconds * 1000, over);
        free();
      },
      end: free,
    };
  },

  "slow-node"(_data, { node }, { seconds = defaultSeconds }) {
    return {
      what: `it has a tenth of its time for ${age(seconds * 1000)}`,
      lasts: seconds * 1000,
      async begin(over) {
        for (const until = performance.now() + seconds * 1000; performance.now() < until && !over.aborted;) {
          signalAll(node.id, "SIGSTOP");
          await pause(slowMs, over);
          signalAll(node.id, "SIGCONT");
          await pause(runMs, over);
        }
      },
      end: () => signalAll(node.id, "SIGCONT"),
    };
  },

  spot: (_data, { node }, _options, running) => ({
    what: "the market takes it back, with a notice",
    lasts: 0,
    takes: true,
    begin: async () => void (await interrupt(running, node.id)),
    end() {},
  }),
};

/** Of a node's volumes, as its own processes see them. Throws where they are folders: this host's disk is not to be filled. */
function filesOnVolumes(layout: NodeLayout, clusterId: string): string[] {
  const init = initOf(layout);
  const volumes = ownFilesystems(layout);
  if (!init || volumes.length === 0)
    throw new Error(
      `volumes of ${clusterId} are folders of this host's disk, which no drill fills. Say "volumes": "loop" in howdah.json, and create a cluster then (docs/volumes.md)`,
    );
  return volumes.map((name) => join(`/proc/${init.pid}/root`, layout.root, name, "howdah-drill-disk-full"));
}

/** As the process itself sees it, in its own namespace. */
function innerPid(pid: number): number | undefined {
  try {
    const line = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return line === undefined ? undefined : Number(line.split(/\s+/).at(-1));
  } catch {
    return undefined; // It has ended.
  }
}
