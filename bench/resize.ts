/** ModifyInstanceGroups to a NodeManager in service, against the bare start of the same JVM for the same ResourceManager. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ListInstanceGroupsCommand, ListInstancesCommand, ModifyInstanceGroupsCommand } from "@aws-sdk/client-emr";
import { nodeLayout } from "../src/agent/layout.ts";
import { planNode } from "../src/engines/plan-node.ts";
import { endProcess, spawnDetached } from "../src/process/known.ts";
import { instanceType } from "../src/releases/instance-types.ts";
import { write } from "./bare.ts";
import type { Bench, BenchContext } from "./context.ts";
import { defaultApplications, type Howdah } from "./howdah.ts";
import { takeTurns, timed } from "./rounds.ts";

/** Of the cluster's network: no instance of a small cluster ever has it. */
const bareHost = 250;

export const resize: Bench = {
  name: "resize",
  about: "a task node for a running cluster: ModifyInstanceGroups to its NodeManager in service",
  always: true,
  async run(context: BenchContext) {
    const { howdah, rounds, say } = context;
    const id = await context.cluster();
    const master = await masterAddress(howdah, id);
    const measured = await takeTurns(
      rounds,
      () => addNode(howdah, id, master),
      (round) => bareNodeManager(howdah, master, join(howdah.data.root, `bare-node-${round}`)),
      say,
    );
    return [
      {
        bench: "resize",
        what: "ModifyInstanceGroups to NodeManager in service",
        unit: "s",
        ours: measured.ours,
        floor: { what: "bare start of its daemon", value: measured.floor },
        goal: { times: 1.3 },
        rounds,
      },
    ];
  },
};

async function masterAddress({ emr }: Howdah, ClusterId: string): Promise<string> {
  const { Instances = [] } = await emr.send(new ListInstancesCommand({ ClusterId, InstanceGroupTypes: ["MASTER"] }));
  return Instances[0]?.PrivateIpAddress ?? "";
}

async function activeNodes(master: string): Promise<number> {
  const answer = await fetch(`http://${master}:8088/ws/v1/cluster/metrics`);
  return ((await answer.json()) as { clusterMetrics: { activeNodes: number } }).clusterMetrics.activeNodes;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 120_000;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`gave up waiting for ${what}`);
    await sleep(50);
  }
}

/** Seconds; the group is as large as before when it resolves. */
async function addNode({ emr }: Howdah, ClusterId: string, master: string): Promise<number> {
  const taskGroup = async () =>
    (await emr.send(new ListInstanceGroupsCommand({ ClusterId }))).InstanceGroups?.find((one) => one.InstanceGroupType === "TASK");
  const { Id: InstanceGroupId, RequestedInstanceCount = 0 } = (await taskGroup())!;
  const modify = (InstanceCount: number) =>
    emr.send(new ModifyInstanceGroupsCommand({ ClusterId, InstanceGroups: [{ InstanceGroupId, InstanceCount }] }));
  const before = await activeNodes(master);
  const seconds = await timed(async () => {
    await modify(RequestedInstanceCount + 1);
    await until("the new NodeManager", async () => (await activeNodes(master)) > before);
  });
  await modify(RequestedInstanceCount);
  await until("the group to be as before", async () => (await taskGroup())?.Status?.State === "RUNNING");
  await until("YARN to be as before", async () => (await activeNodes(master)) === before);
  return seconds;
}

async function bareNodeManager({ installation, endpoint }: Howdah, master: string, folder: string): Promise<number> {
  const type = instanceType("m5.xlarge");
  if (!type) throw new Error("m5.xlarge is not in the table of instance types");
  const address = `${master.slice(0, master.lastIndexOf("."))}.${bareHost}`;
  const layout = nodeLayout(folder);
  for (const made of [layout.run, layout.conf, layout.data, layout.logs, layout.tmp, layout.home]) mkdirSync(made, { recursive: true });
  const plan = planNode({
    cluster: {
      id: "j-BARE",
      region: "us-east-1",
      endpoint,
      applications: defaultApplications,
      master: { address: master, hostname: "bare-1" },
      nodes: (["MASTER", "CORE", "CORE", "TASK"] as const).map((role) => ({ role, instanceType: type })),
      leaving: [],
      gone: [],
      excluded: [],
      emptied: [],
      awaited: [],
    },
    instanceId: "i-bare",
    role: "TASK",
    address,
    instanceType: type,
    isLeaving: false,
    configurations: [],
    layout,
    volumes: [{ folder: layout.data, reservedBytes: 2 ** 30 }],
    installation,
  });
  for (const file of plan.files) if (!existsSync(file.path)) write(file);
  const own = {
    HOWDAH_NODE_IP: address,
    HOWDAH_NODE_NAME: `ip-${address.replaceAll(".", "-")}`,
    LD_PRELOAD: installation.native.preload,
  };
  const [daemon] = plan.daemons;
  mkdirSync(dirname(daemon!.log), { recursive: true });
  const before = await activeNodes(master);
  let started: ReturnType<typeof spawnDetached> | undefined;
  try {
    return await timed(async () => {
      started = spawnDetached(daemon!.argv, {
        cwd: layout.root,
        env: { ...plan.env, ...own, ...daemon!.env, PATH: plan.path.join(":") },
        log: daemon!.log,
      });
      await until("the bare NodeManager", async () => (await activeNodes(master)) > before);
    });
  } finally {
    await endProcess(started, { graceMs: 3_000 });
    await until("YARN to be as before", async () => (await activeNodes(master)) === before);
  }
}
