/** The floor of a cluster's start: its daemons' JVMs and nothing else. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nodeLayout } from "../src/agent/layout.ts";
import type { ManifestFile, NodeRole, Probe } from "../src/agent/manifest.ts";
import type { ClusterFacts } from "../src/engines/engine.ts";
import type { Installation } from "../src/engines/installation.ts";
import { planNode } from "../src/engines/plan-node.ts";
import { probe } from "../src/agent/probe.ts";
import { type KnownProcess, endProcess, spawnDetached } from "../src/process/known.ts";
import { instanceType } from "../src/releases/instance-types.ts";

const roles: NodeRole[] = ["MASTER", "CORE", "CORE", "TASK"];
/** Outside Howdah's own range is no option: the preload library serves 127.64.0.0/10. The last /24 of it is never given to a cluster first. */
const network = "127.127.254";

export async function startBare(options: { installation: Installation; endpoint: string; folder: string }): Promise<number> {
  const type = instanceType("m5.xlarge");
  if (!type) throw new Error("m5.xlarge is not in the table of instance types");
  const nodes = roles.map((role, index) => ({ instanceId: `i-${index}`, role, address: `${network}.${index + 1}`, instanceType: type }));
  const cluster: ClusterFacts = {
    id: "j-BARE",
    region: "us-east-1",
    endpoint: options.endpoint,
    applications: ["Hadoop", "Spark"],
    master: { address: `${network}.1`, hostname: "bare-1" },
    nodes,
  };
  const plans = nodes.map((node) => {
    const layout = nodeLayout(join(options.folder, node.instanceId));
    for (const folder of [layout.run, layout.conf, layout.data, layout.logs, layout.steps, layout.tmp, layout.home])
      mkdirSync(folder, { recursive: true });
    const plan = planNode({ ...node, cluster, configurations: [], layout, installation: options.installation });
    for (const file of plan.files) write(file);
    // What a node's agent adds for the preload library: without it all daemons would be at one address.
    const own = {
      HOWDAH_NODE_IP: node.address,
      HOWDAH_NODE_NAME: `ip-${node.address.replaceAll(".", "-")}`,
      LD_PRELOAD: options.installation.native.preload,
    };
    return { layout, env: { ...plan.env, ...own, PATH: plan.path.join(":") }, daemons: plan.daemons.filter((daemon) => daemon.gate) };
  });

  const from = performance.now();
  const started: KnownProcess[] = [];
  const probes: Probe[] = [];
  for (const { layout, env, daemons } of plans)
    for (const daemon of daemons) {
      mkdirSync(dirname(daemon.log), { recursive: true });
      started.push(spawnDetached(daemon.argv, { cwd: daemon.cwd ?? layout.root, env: { ...env, ...daemon.env }, log: daemon.log }));
      probes.push(...daemon.ready);
    }
  try {
    const giveUpAt = performance.now() + 120_000;
    for (let waiting = probes; waiting.length > 0;) {
      const answers = await Promise.all(waiting.map(async (one) => [one, await probe(one)] as const));
      waiting = answers.filter(([, holds]) => !holds).map(([one]) => one);
      if (performance.now() > giveUpAt) throw new Error(`the bare daemons are not ready after 120 s: ${JSON.stringify(waiting)}`);
      if (waiting.length > 0) await sleep(50);
    }
    return (performance.now() - from) / 1000;
  } finally {
    await Promise.all(started.map((known) => endProcess(known, { graceMs: 1_000 })));
  }
}

function write({ path, content, copyFrom, once, mode }: ManifestFile): void {
  if (once && existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  if (copyFrom !== undefined) copyFileSync(copyFrom, path);
  else writeFileSync(path, content ?? "", { mode });
}
