/**
 * The floor of a cluster's start: its daemons' JVMs, each as soon as what it is after is ready, and the tasks that they may wait for (Hive's folders in HDFS);
 * nothing else.
 */
import { type ExecFileOptions, execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { nodeLayout } from "../src/agent/layout.ts";
import type { ManifestFile, NodeRole, Task } from "../src/agent/manifest.ts";
import type { ClusterFacts } from "../src/engines/engine.ts";
import type { Installation } from "../src/engines/installation.ts";
import { planNode } from "../src/engines/plan-node.ts";
import { allHold } from "../src/agent/probe.ts";
import { type KnownProcess, endProcess, spawnDetached } from "../src/process/known.ts";
import { instanceType } from "../src/releases/instance-types.ts";

const roles: NodeRole[] = ["MASTER", "CORE", "CORE", "TASK"];
/** Outside Howdah's own range is no option: the preload library serves 127.64.0.0/10. The last /24 of it is never given to a cluster first. */
const network = "127.127.254";

export async function startBare(options: {
  installation: Installation;
  applications: string[];
  endpoint: string;
  folder: string;
}): Promise<number> {
  const type = instanceType("m5.xlarge");
  if (!type) throw new Error("m5.xlarge is not in the table of instance types");
  const nodes = roles.map((role, index) => ({ instanceId: `i-${index}`, role, address: `${network}.${index + 1}`, instanceType: type }));
  const cluster: ClusterFacts = {
    id: "j-BARE",
    region: "us-east-1",
    endpoint: options.endpoint,
    applications: options.applications,
    master: { address: `${network}.1`, hostname: "bare-1" },
    nodes,
    leaving: [],
    gone: [],
    excluded: [],
    emptied: [],
    awaited: [...roles],
  };
  const plans = nodes.map((node) => {
    const layout = nodeLayout(join(options.folder, node.instanceId));
    for (const folder of [layout.run, layout.conf, layout.data, layout.logs, layout.steps, layout.tmp, layout.home])
      mkdirSync(folder, { recursive: true });
    const volumes = [{ folder: layout.data, reservedBytes: 2 ** 30 }];
    const plan = planNode({ ...node, isLeaving: false, cluster, configurations: [], layout, volumes, installation: options.installation });
    for (const file of plan.files) write(file);
    // What a node's agent adds for the preload library: without it all daemons would be at one address.
    const own = {
      HOWDAH_NODE_IP: node.address,
      HOWDAH_NODE_NAME: `ip-${node.address.replaceAll(".", "-")}`,
      LD_PRELOAD: options.installation.native.preload,
    };
    const gates = { daemons: plan.daemons.filter(({ gate }) => gate), tasks: plan.tasks.filter(({ gate }) => gate) };
    return { layout, env: { ...plan.env, ...own, PATH: plan.path.join(":") }, ...gates };
  });

  const from = performance.now();
  const started: KnownProcess[] = [];
  const giveUpAt = from + 120_000;
  const over = new AbortController();
  try {
    await Promise.all(
      plans.flatMap(({ layout, env, daemons, tasks }) => {
        const ready = new Map([...daemons, ...tasks].map(({ name }) => [name, Promise.withResolvers<void>()]));
        for (const task of tasks)
          void ready
            .get(task.after)
            ?.promise.then(() => untilDone(task, { cwd: layout.root, env: { ...env, ...task.env } }, over.signal))
            .then(ready.get(task.name)?.resolve);
        return daemons.map(async (daemon) => {
          await Promise.all((daemon.after ?? []).map((name) => ready.get(name)?.promise));
          mkdirSync(dirname(daemon.log), { recursive: true });
          started.push(spawnDetached(daemon.argv, { cwd: daemon.cwd ?? layout.root, env: { ...env, ...daemon.env }, log: daemon.log }));
          while (!(await allHold(daemon.ready))) {
            if (performance.now() > giveUpAt) throw new Error(`${daemon.name} is not ready after 120 s: see ${daemon.log}`);
            await sleep(50);
          }
          ready.get(daemon.name)?.resolve();
        });
      }),
    );
    return (performance.now() - from) / 1000;
  } finally {
    over.abort();
    await Promise.all(started.map((known) => endProcess(known, { graceMs: 1_000 })));
  }
}

async function untilDone({ argv: [command = "", ...args] }: Task, options: ExecFileOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const isDone = await promisify(execFile)(command, args, { ...options, signal, timeout: 60_000 }).then(
      () => true,
      () => false,
    );
    if (isDone) return;
    await sleep(500);
  }
}

export function write({ path, content, copyFrom, once, mode }: ManifestFile): void {
  if (once && existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  if (copyFrom !== undefined) copyFileSync(copyFrom, path);
  else writeFileSync(path, content ?? "", { mode });
}
