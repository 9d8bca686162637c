/** AddInstanceGroups and ModifyInstanceGroups, and what the cluster's reconciler makes of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { InstanceGroup, ShrinkPolicy } from "@aws-sdk/client-emr";
import { manifestFor } from "../../src/reconcile/manifest.ts";
import { eventsOf } from "../../src/store/events.ts";
import { insertInstance, type InstanceRow, instancesOf } from "../../src/store/instances.ts";
import { stateChangesOf } from "../../src/store/state-changes.ts";
import { create, type Harness, harness, m5, makeReady, state } from "./control-plane-harness.ts";
import { installation } from "./engine-facts.ts";

const group = (InstanceRole: "MASTER" | "CORE" | "TASK", InstanceCount: number, more: object = {}) => ({
  InstanceRole,
  InstanceCount,
  InstanceType: "m5.xlarge",
  ...more,
});

/** A ready cluster with so many core and task nodes. */
async function ready(h: Harness, core: number, task: number, change: object = {}): Promise<string> {
  const InstanceGroups = [group("MASTER", 1), group("CORE", core), group("TASK", task)];
  const id = await create(h, { Instances: { InstanceGroups, KeepJobFlowAliveWhenNoSteps: true }, ...change });
  await makeReady(h, id);
  return id;
}

async function groups(h: Harness, ClusterId: string): Promise<Record<string, InstanceGroup>> {
  const { InstanceGroups = [] } = await h.handlers.ListInstanceGroups!({ ClusterId } as never, h.request);
  return Object.fromEntries(InstanceGroups.map((one) => [one.InstanceGroupType, one]));
}

const sizes = ({ Status, RequestedInstanceCount, RunningInstanceCount }: InstanceGroup = {} as never) => [
  Status?.State,
  RequestedInstanceCount,
  RunningInstanceCount,
];

async function modify(h: Harness, ClusterId: string, role: string, change: object): Promise<void> {
  const InstanceGroupId = (await groups(h, ClusterId))[role]?.Id;
  await h.handlers.ModifyInstanceGroups!({ ClusterId, InstanceGroups: [{ InstanceGroupId, ...change }] } as never, h.request);
}

const living = async (h: Harness, id: string) => (await instancesOf(h.store.db, id)).filter(({ status }) => status !== "terminated");
const ofRole = async (h: Harness, id: string, role: string): Promise<InstanceRow[]> => {
  const found = (await groups(h, id))[role]?.Id;
  return (await instancesOf(h.store.db, id)).filter((one) => one.group_id === found);
};
const here = (instances: InstanceRow[]) => instances.filter(({ status }) => status !== "terminated").map(({ id }) => id);
const messages = async (h: Harness, id: string, kind: string) =>
  (await eventsOf(h.store.db, id)).filter((event) => event.kind === kind).map(({ message }) => message);

/** The master says that all that leave are out of service, and they say that they have stopped. */
async function letLeave(h: Harness, id: string): Promise<void> {
  const [master, ...others] = await living(h, id);
  const leaving = others.filter((one) => one.leaving === "decommissioning").map((one) => one.id);
  await h.report(master!.id, { decommission: Object.fromEntries(leaving.map((one) => [one, "DECOMMISSIONED"])) });
  await h.settle();
  for (const one of leaving) await h.report(one, { phase: "stopped" });
  await h.settle();
}

test("a group grows: RESIZING until its new nodes are ready, and the cluster goes on WAITING", async () => {
  const h = await harness();
  const id = await ready(h, 1, 0);
  await modify(h, id, "TASK", { InstanceCount: 2 });
  assert.deepEqual(sizes((await groups(h, id)).TASK), ["RESIZING", 2, 0], "before any reconciler ran");
  await h.settle();
  const task = await ofRole(h, id, "TASK");
  assert.equal(task.length, 2);
  assert.ok(task.every((one) => h.provider.launched.has(one.id)));
  await h.report(task[0]!.id, {});
  await h.settle();
  assert.deepEqual(sizes((await groups(h, id)).TASK), ["RESIZING", 2, 1]);
  await h.report(task[1]!.id, {});
  await h.settle();
  assert.deepEqual(sizes((await groups(h, id)).TASK), ["RUNNING", 2, 2]);
  assert.equal((await state(h, id))?.State, "WAITING");
  const told = (await stateChangesOf(h.store.db, id)).map(({ event }) => event.detail);
  const ofGroup = told.filter(({ instanceGroupId }) => instanceGroupId === task[0]!.group_id).slice(-2);
  assert.match(
    ofGroup[0]!.message,
    /^A resize for instance group ig-\w+ in Amazon EMR cluster j-\w+ \(test\) started at .* UTC\. It is resizing from an instance count of 0 to 2\.$/,
  );
  assert.match(
    ofGroup[1]!.message,
    /^The resizing operation for instance group ig-\w+ .* is complete\. It now has an instance count of 2\. The resize started at .* UTC and took 0 minutes to complete\.$/,
  );
});

test("nothing of the nodes that are there is started anew when a group grows", async () => {
  const h = await harness();
  const id = await ready(h, 3, 0);
  const sources = {
    endpoint: "http://127.0.0.1:1",
    nodeFolder: (one: string) => `/data/nodes/${one}`,
    hostDisk: { bytes: 1e12, keptBytes: 5e10 },
    installation: () => installation,
    catalog: () => ({ url: "", user: "", password: "" }),
  };
  const before = await living(h, id);
  const told = async () => Promise.all(before.map(async (one) => (await manifestFor(h.store.db, one.id, id, sources))!));
  const what = (manifests: Awaited<ReturnType<typeof told>>) =>
    manifests.map(({ env, daemons, files, tasks }) => ({
      env,
      files,
      tasks,
      daemons: daemons.map((daemon) => ({ ...daemon, ready: [] })),
    }));
  const old = what(await told());
  await modify(h, id, "CORE", { InstanceCount: 12 });
  await modify(h, id, "TASK", { InstanceCount: 30 });
  await h.settle();
  assert.deepEqual(what(await told()), old);
  await makeReady(h, id);
  assert.deepEqual(what(await told()), old);
  const [added] = (await ofRole(h, id, "CORE")).slice(-1);
  const site = (await manifestFor(h.store.db, added!.id, id, sources))!.files.find(({ path }) => path.endsWith("hdfs-site.xml"))!.content!;
  assert.match(site, /<name>dfs.replication<\/name>\s*<value>1<\/value>/, "as the cluster was created");
});

test("a group shrinks by steps: out of service, last logs, removed; the newest leave", async () => {
  const h = await harness();
  const id = await ready(h, 3, 0);
  const [first, second, third] = await ofRole(h, id, "CORE");
  await modify(h, id, "CORE", { InstanceCount: 1 });
  await h.settle();
  assert.deepEqual(sizes((await groups(h, id)).CORE), ["RESIZING", 1, 3]);
  h.advance(3600_000 * 5);
  await h.settle();
  assert.equal((await living(h, id)).length, 4, "a core node stays until HDFS lets it go");
  assert.ok((await messages(h, id, "warning")).some((text) => text.includes(`${third!.id} is to leave`)));
  const [master] = await living(h, id);
  await h.report(master!.id, { decommission: { [second!.id]: "DECOMMISSIONING", [third!.id]: "DECOMMISSIONED" } });
  await h.settle();
  assert.deepEqual(
    (await living(h, id)).map((one) => one.leaving),
    [null, null, "decommissioning", "stopping"],
  );
  assert.ok(h.provider.observations.has(third!.id), "it ships its last logs");
  await h.report(third!.id, { phase: "stopped" });
  await h.settle();
  assert.deepEqual(sizes((await groups(h, id)).CORE), ["RESIZING", 1, 2]);
  await letLeave(h, id);
  assert.deepEqual(here(await ofRole(h, id, "CORE")), [first!.id]);
  assert.deepEqual(sizes((await groups(h, id)).CORE), ["RUNNING", 1, 1]);
  assert.deepEqual([...h.provider.observations.keys()].toSorted(), [master!.id, first!.id].toSorted());
  const { Instances = [] } = await h.handlers.ListInstances!({ ClusterId: id, InstanceStates: ["TERMINATED"] } as never, h.request);
  assert.deepEqual(
    Instances.map(({ Status }) => Status?.StateChangeReason),
    [1, 2].map(() => ({ Message: "Removed by a resize of its instance group" })),
  );
  assert.equal((await state(h, id))?.State, "WAITING");
});

test("a task node that does not get out of service in its time is ended by force", async () => {
  const h = await harness();
  const id = await ready(h, 1, 2);
  await modify(h, id, "TASK", { InstanceCount: 1, ShrinkPolicy: { DecommissionTimeout: 100 } });
  await h.settle();
  h.advance(120_000);
  await h.settle();
  assert.equal(here(await ofRole(h, id, "TASK")).length, 2, "YARN has a while to end what is left");
  h.advance(60_000);
  await h.settle();
  h.advance(5 * 60_000);
  await h.settle();
  assert.equal(here(await ofRole(h, id, "TASK")).length, 1);
  assert.ok((await messages(h, id, "instance")).some((text) => text.includes("by force: it had 100 s")));
});

test("a shrink takes those that are named first, and never those that are protected", async () => {
  const h = await harness();
  const id = await ready(h, 1, 5);
  const [a, b, c, d, e] = (await ofRole(h, id, "TASK")).map((one) => one.id);
  const ShrinkPolicy: ShrinkPolicy = {
    DecommissionTimeout: 500,
    InstanceResizePolicy: { InstancesToTerminate: [a!], InstancesToProtect: [e!, d!], InstanceTerminationTimeout: 20 },
  };
  await modify(h, id, "TASK", { InstanceCount: 3, ShrinkPolicy });
  assert.deepEqual((await groups(h, id)).TASK?.ShrinkPolicy, ShrinkPolicy);
  await h.settle();
  const leaving = (await living(h, id)).filter((one) => one.leaving !== null);
  assert.deepEqual(
    leaving.map((one) => [one.id, one.decommission_seconds]),
    [
      [a, 20],
      [c, 500],
    ],
  );
  await letLeave(h, id);
  assert.deepEqual(here(await ofRole(h, id, "TASK")), [b, d, e]);
});

test("EC2InstanceIdsToTerminate ends instances at once, and the group stays smaller", async () => {
  const h = await harness();
  const id = await ready(h, 2, 3);
  const [first, second] = await ofRole(h, id, "TASK");
  await modify(h, id, "TASK", { EC2InstanceIdsToTerminate: [second!.id] });
  assert.deepEqual(sizes((await groups(h, id)).TASK), ["RESIZING", 2, 3]);
  await h.settle();
  assert.deepEqual(sizes((await groups(h, id)).TASK), ["RUNNING", 2, 2]);
  assert.ok(!h.provider.observations.has(second!.id));
  // One that is on its way out is ended all the same; the group does not become smaller twice.
  await modify(h, id, "TASK", { InstanceCount: 1 });
  await h.settle();
  const [leaving] = (await living(h, id)).filter((one) => one.leaving !== null);
  await modify(h, id, "TASK", { EC2InstanceIdsToTerminate: [leaving!.id] });
  await h.settle();
  assert.deepEqual(sizes((await groups(h, id)).TASK), ["RUNNING", 1, 1]);
  assert.deepEqual(here(await ofRole(h, id, "TASK")), [first!.id]);
  const [core] = await ofRole(h, id, "CORE");
  await modify(h, id, "CORE", { EC2InstanceIdsToTerminate: [core!.id] });
  assert.ok((await messages(h, id, "warning")).some((text) => text.includes("ends core nodes at once")));
});

test("a later node that fails ends no cluster: it is tried again, three times, then the group is SUSPENDED until somebody asks again", async () => {
  const h = await harness();
  const id = await ready(h, 1, 0, { BootstrapActions: [{ Name: "b", ScriptBootstrapAction: { Path: "s3://b/a" } }] });
  await modify(h, id, "TASK", { InstanceCount: 1 });
  await h.settle();
  for (let n = 1; n <= 3; n++) {
    const [coming] = here(await ofRole(h, id, "TASK"));
    await h.report(coming!, { phase: "failed", failure: { kind: "bootstrap-exit", ordinal: 1, exitCode: 7, message: `exit ${n}` } });
    await h.settle();
    assert.equal((await state(h, id))?.State, "WAITING");
  }
  assert.equal(here(await ofRole(h, id, "TASK")).length, 0);
  const { TASK } = await groups(h, id);
  assert.deepEqual([TASK?.Status?.State, TASK?.Status?.StateChangeReason?.Code], ["SUSPENDED", "INSTANCE_FAILURE"]);
  assert.match(TASK?.Status?.StateChangeReason?.Message ?? "", /^i-\w+: exit 3$/);
  const { Instances = [] } = await h.handlers.ListInstances!({ ClusterId: id, InstanceGroupTypes: ["TASK"] } as never, h.request);
  assert.deepEqual(
    Instances.map(({ Status }) => Status?.StateChangeReason?.Code),
    ["BOOTSTRAP_FAILURE", "BOOTSTRAP_FAILURE", "BOOTSTRAP_FAILURE"],
  );
  const last = (await stateChangesOf(h.store.db, id)).at(-1)!.event.detail;
  assert.deepEqual([last.severity, last.state], ["ERROR", "SUSPENDED"]);
  assert.match(last.message, /^Instance group ig-\w+ .* was arrested at .* for the following reason: i-\w+: exit 3\.$/);

  await modify(h, id, "TASK", { InstanceCount: 1 });
  await h.settle();
  await makeReady(h, id);
  assert.deepEqual(sizes((await groups(h, id)).TASK), ["RUNNING", 1, 1]);
});

test("a later node that cannot be launched is one that fails", async () => {
  const h = await harness();
  const id = await ready(h, 1, 0);
  h.provider.failLaunches = 5;
  await modify(h, id, "TASK", { InstanceCount: 1 });
  for (let n = 0; n < 12; n++) {
    await h.settle();
    h.advance(10_000);
  }
  await h.settle();
  assert.equal((await state(h, id))?.State, "WAITING");
  assert.equal((await ofRole(h, id, "TASK")).length, 2, "the second one could be");
  assert.deepEqual(sizes((await groups(h, id)).TASK), ["RESIZING", 1, 0]);
});

test("a node that is lost while it leaves is gone, and nobody takes its place", async () => {
  const h = await harness();
  const id = await ready(h, 1, 1);
  await modify(h, id, "TASK", { InstanceCount: 0 });
  await h.settle();
  const [leaving] = await ofRole(h, id, "TASK");
  h.provider.observations.delete(leaving!.id);
  await h.reconcile("instance", leaving!.id);
  await h.settle();
  assert.deepEqual(sizes((await groups(h, id)).TASK), ["RUNNING", 0, 0]);
  assert.equal((await ofRole(h, id, "TASK")).length, 1);
});

test("task groups are added to a running cluster, of other types and markets, with what RunJobFlow's may have", async () => {
  const h = await harness();
  const id = await ready(h, 1, 0);
  const more = { Market: "SPOT", BidPrice: "0.2", Name: "cheap", InstanceType: "m5.2xlarge" };
  const ebs = { EbsConfiguration: { EbsBlockDeviceConfigs: [{ VolumeSpecification: { VolumeType: "gp3", SizeInGB: 50 } }] } };
  const configurations = { Configurations: [{ Classification: "yarn-site", Properties: { a: "b" } }] };
  const InstanceGroups = [group("TASK", 2, { ...more, ...ebs, ...configurations }), group("TASK", 0)];
  const output = await h.handlers.AddInstanceGroups!({ JobFlowId: id, InstanceGroups } as never, h.request);
  assert.equal(output.JobFlowId, id);
  assert.match(output.ClusterArn ?? "", new RegExp(`:cluster/${id}$`));
  const [added, empty] = output.InstanceGroupIds ?? [];
  const shown = async (wanted?: string) =>
    (await h.handlers.ListInstanceGroups!({ ClusterId: id } as never, h.request)).InstanceGroups?.find((one) => one.Id === wanted);
  assert.deepEqual(sizes(await shown(added)), ["PROVISIONING", 2, 0]);
  assert.deepEqual(sizes(await shown(empty)), ["RUNNING", 0, 0]);
  const { Name, Market, BidPrice, InstanceType, Configurations } = (await shown(added))!;
  assert.deepEqual({ Name, Market, BidPrice, InstanceType, Configurations }, { ...more, ...configurations });
  await h.settle();
  const mine = (await instancesOf(h.store.db, id)).filter((one) => one.group_id === added);
  await h.report(mine[0]!.id, { phase: "bootstrapping" });
  await h.settle();
  assert.equal((await shown(added))?.Status?.State, "BOOTSTRAPPING");
  await makeReady(h, id);
  assert.deepEqual(sizes(await shown(added)), ["RUNNING", 2, 2]);
  assert.ok((await shown(added))?.Status?.Timeline?.ReadyDateTime);
});

test("what cannot be is refused, in words that name the member, and changes nothing", async () => {
  const h = await harness();
  const id = await ready(h, 4, 2);
  const { MASTER, CORE, TASK } = await groups(h, id);
  const [task, other] = (await ofRole(h, id, "TASK")).map((one) => one.id);
  const [core] = (await ofRole(h, id, "CORE")).map((one) => one.id);
  const change = (InstanceGroupId: string | undefined, more: object) => ({ InstanceGroups: [{ InstanceGroupId, ...more }] });
  const policy = (InstanceResizePolicy: object) => ({ InstanceCount: 1, ShrinkPolicy: { InstanceResizePolicy } });
  const refused: [object, RegExp][] = [
    [{}, /^InstanceGroups: at least one/],
    [change("ig-NOBODY", { InstanceCount: 1 }), /^Instance group id 'ig-NOBODY' is not valid/],
    [change(TASK?.Id, {}), /InstanceGroups\[0\]\.InstanceCount, .* is required/],
    [change(MASTER?.Id, { InstanceCount: 3 }), /MASTER group cannot be changed/],
    [change(TASK?.Id, { InstanceCount: -1 }), /InstanceCount must be at least 0/],
    [change(CORE?.Id, { InstanceCount: 0 }), /must have at least one instance/],
    [change(CORE?.Id, { InstanceCount: 1 }), /the 2 copies .*dfs\.replication/],
    [change(TASK?.Id, { InstanceCount: 246 }), /251 instances do not fit/],
    [change(TASK?.Id, { InstanceCount: 1, EC2InstanceIdsToTerminate: [task] }), /exclude one another/],
    [change(TASK?.Id, { EC2InstanceIdsToTerminate: [core] }), /EC2InstanceIdsToTerminate: i-\w+ is no instance of this group/],
    [
      change(TASK?.Id, { InstanceCount: 1, Configurations: [{ Classification: "yarn-site" }] }),
      /^Configurations: .*cannot be reconfigured yet/,
    ],
    [change(TASK?.Id, { InstanceCount: 1, ReconfigurationType: "MERGE" }), /^ReconfigurationType: /],
    [change(TASK?.Id, { InstanceCount: 1, ShrinkPolicy: { DecommissionTimeout: -1 } }), /DecommissionTimeout must be at least 0/],
    [change(TASK?.Id, policy({ InstanceTerminationTimeout: -1 })), /InstanceTerminationTimeout must be at least 0/],
    [change(TASK?.Id, policy({ InstancesToTerminate: [core] })), /InstancesToTerminate: i-\w+ is no instance/],
    [change(TASK?.Id, policy({ InstancesToProtect: ["i-1"] })), /InstancesToProtect: i-1 is no instance/],
    [change(TASK?.Id, policy({ InstancesToProtect: [task], InstancesToTerminate: [task] })), /is in both/],
    [change(TASK?.Id, policy({ InstancesToProtect: [task, other] })), /2 instances are to stay in a group of 1/],
    [{ InstanceGroups: [1, 2].map(() => ({ InstanceGroupId: TASK?.Id, InstanceCount: 1 })) }, /InstanceGroups\[1\].* is named twice/],
    [
      {
        InstanceGroups: [
          { InstanceGroupId: TASK?.Id, InstanceCount: 1 },
          { InstanceGroupId: CORE?.Id, InstanceCount: 0 },
        ],
      },
      /InstanceGroups\[1\]\.InstanceCount/,
    ],
  ];
  for (const [input, words] of refused) {
    await assert.rejects(
      async () => h.handlers.ModifyInstanceGroups!(input as never, h.request),
      ({ name, message }: Error) => /^(ValidationException|InvalidRequestException)$/.test(name) && words.test(message),
      JSON.stringify(input),
    );
  }
  const foreign = { ...h.request, accountId: "210987654321" };
  await assert.rejects(
    async () => h.handlers.ModifyInstanceGroups!(change(TASK?.Id, { InstanceCount: 1 }) as never, foreign),
    /is not valid/,
  );
  for (const [InstanceGroups, words] of [
    [[], /at least one/],
    [[group("CORE", 1)], /InstanceGroups\[0\]\.InstanceRole: only TASK groups/],
    [[group("TASK", 1), group("MASTER", 1)], /InstanceGroups\[1\]\.InstanceRole/],
    [[group("TASK", 1, { InstanceType: "x" })], /InstanceGroups\[0\]\.InstanceType/],
    [Array.from({ length: 48 }, () => group("TASK", 0)), /at most 48/],
    [[group("TASK", 250)], /do not fit/],
  ] as const)
    await assert.rejects(async () => h.handlers.AddInstanceGroups!({ JobFlowId: id, InstanceGroups } as never, h.request), words);
  await assert.rejects(
    async () => h.handlers.AddInstanceGroups!({ JobFlowId: "j-NOBODY", InstanceGroups: [group("TASK", 1)] } as never, h.request),
    /job flow ID does not exist/,
  );
  assert.deepEqual(await groups(h, id), { MASTER, CORE, TASK });

  const starting = await create(h);
  const its = (await groups(h, starting)).CORE;
  await assert.rejects(
    async () => h.handlers.ModifyInstanceGroups!(change(its?.Id, { InstanceCount: 5 }) as never, h.request),
    /An instance group may only be modified when the cluster is running or waiting/,
  );
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await assert.rejects(modify(h, id, "TASK", { InstanceCount: 1 }), /only be modified when the cluster is running or waiting/);
});

test("addresses are used again only when no other is left, the longest unused first, and never one of a node that lives", async () => {
  const h = await harness();
  const id = await ready(h, 1, 0);
  const [first] = await living(h, id);
  const network = first!.address.slice(0, first!.address.lastIndexOf("."));
  const group_id = (await groups(h, id)).TASK!.Id!;
  await h.store.transaction(async (tx) => {
    for (let n = 3; n <= 250; n++) {
      const of = { ...m5, cluster_id: id, group_id, cluster_instance_id: `ci-${n}`, agent_token: "t" };
      await insertInstance(tx, { ...of, id: `i-${n}`, ordinal: n, address: `${network}.${n}` });
      const ended_at = tx.now + (n === 77 ? 1 : 1000 + n);
      await tx.db.updateTable("instances").set({ status: "terminated", wanted: 0, ended_at }).where("id", "=", `i-${n}`).execute();
    }
  });
  await modify(h, id, "TASK", { InstanceCount: 6 });
  await h.settle();
  const added = (await living(h, id)).slice(2);
  assert.deepEqual(
    added.map(({ address, ordinal }) => [address.slice(network.length + 1), ordinal]),
    ["251", "252", "253", "254", "77", "3"].map((host, index) => [host, 251 + index]),
  );
});

test("a host without memory for a node takes it later, and says so", async () => {
  const h = await harness();
  const id = await ready(h, 1, 0);
  let free = 500;
  h.context.freeMemoryMb = () => free;
  await modify(h, id, "TASK", { InstanceCount: 4 });
  await h.settle();
  assert.equal((await ofRole(h, id, "TASK")).length, 2, "200 MiB each");
  assert.ok((await messages(h, id, "warning")).some((text) => text.includes("no memory for all instances")));
  await makeReady(h, id);
  free = 5_000;
  h.advance(20_000);
  await h.settle();
  assert.equal((await ofRole(h, id, "TASK")).length, 4);
});

test("a resize that is under way when the cluster ends ends with it", async () => {
  const h = await harness();
  const id = await ready(h, 3, 1);
  await modify(h, id, "CORE", { InstanceCount: 1 });
  await modify(h, id, "TASK", { InstanceCount: 3 });
  await h.settle();
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.settle();
  for (const one of await living(h, id)) await h.report(one.id, { phase: "stopped" });
  await h.settle();
  assert.equal((await state(h, id))?.State, "TERMINATED");
  assert.equal(h.provider.observations.size, 0);
});
