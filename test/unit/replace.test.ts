/** Nodes of a ready cluster that are lost: what becomes of them, of their groups and of the cluster. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Instance } from "@aws-sdk/client-emr";
import type { NodePhase } from "../../src/agent/manifest.ts";
import { clusterWish } from "../../src/reconcile/node-wish.ts";
import { takeReport } from "../../src/reconcile/reports.ts";
import { createSilence } from "../../src/reconcile/silence.ts";
import { createWaits } from "../../src/reconcile/waits.ts";
import { eventsOf } from "../../src/store/events.ts";
import { type InstanceRow, instancesOf } from "../../src/store/instances.ts";
import { stateChangesOf } from "../../src/store/state-changes.ts";
import { create, type Harness, harness, makeReady, state } from "./control-plane-harness.ts";

const group = (InstanceRole: "MASTER" | "CORE" | "TASK", InstanceCount: number) => ({
  InstanceRole,
  InstanceCount,
  InstanceType: "m5.xlarge",
});
const replicated = (copies: number) => ({
  Configurations: [{ Classification: "hdfs-site", Properties: { "dfs.replication": String(copies) } }],
});

/** A ready cluster with so many core and task nodes. */
async function ready(h: Harness, core: number, task: number, change: { Instances?: object; Configurations?: object[] } = {}) {
  const InstanceGroups = [group("MASTER", 1), group("CORE", core), ...(task > 0 ? [group("TASK", task)] : [])];
  const id = await create(h, { ...change, Instances: { InstanceGroups, KeepJobFlowAliveWhenNoSteps: true, ...change.Instances } });
  await makeReady(h, id);
  return id;
}

async function groupOf(h: Harness, ClusterId: string, role: string) {
  const { InstanceGroups = [] } = await h.handlers.ListInstanceGroups!({ ClusterId } as never, h.request);
  const found = InstanceGroups.find((one) => one.InstanceGroupType === role)!;
  const mine = (await instancesOf(h.store.db, ClusterId)).filter((one) => one.group_id === found.Id);
  return { sizes: [found.Status?.State, found.RequestedInstanceCount, found.RunningInstanceCount], mine, id: found.Id! };
}

const shown = async (h: Harness, ClusterId: string, id: string): Promise<Instance> =>
  (await h.handlers.ListInstances!({ ClusterId } as never, h.request)).Instances!.find((one) => one.Ec2InstanceId === id)!;
const messages = async (h: Harness, id: string, kind: string) =>
  (await eventsOf(h.store.db, id)).filter((event) => event.kind === kind).map(({ message }) => message);

/** Its host is gone, and the watch has seen it. */
async function lose(h: Harness, { id }: InstanceRow): Promise<void> {
  h.provider.observations.delete(id);
  await h.reconcile("instance", id);
}

test("a lost node is replaced once: its group is RESIZING meanwhile, and its cluster goes on", async () => {
  const h = await harness();
  const id = await ready(h, 2, 1, replicated(2));
  for (const role of ["TASK", "CORE"]) {
    const [first] = (await groupOf(h, id, role)).mine;
    const before = (await groupOf(h, id, role)).mine.length;
    await lose(h, first!);
    assert.deepEqual((await groupOf(h, id, role)).sizes, ["RESIZING", before, before - 1]);
    await h.settle();
    await h.settle();
    const { mine, sizes } = await groupOf(h, id, role);
    assert.deepEqual(sizes, ["RESIZING", before, before - 1]);
    assert.equal(mine.length, before + 1);
    const fresh = mine.at(-1)!;
    assert.ok(h.provider.launched.has(fresh.id));
    assert.notEqual(fresh.address, first!.address);
    const { Status } = await shown(h, id, first!.id);
    assert.deepEqual([Status?.State, Status?.StateChangeReason?.Code], ["TERMINATED", "INSTANCE_FAILURE"]);
    assert.match(Status?.StateChangeReason?.Message ?? "", /nothing of it is left on its host/);
    h.advance(120_000);
    await h.report(fresh.id, {});
    await h.settle();
    assert.deepEqual((await groupOf(h, id, role)).sizes, ["RUNNING", before, before]);
    const told = (await stateChangesOf(h.store.db, id)).map(({ event }) => event.detail);
    const ofGroup = told.filter(({ instanceGroupId }) => instanceGroupId === first!.group_id).slice(-2);
    assert.match(ofGroup[0]!.message, new RegExp(`It is resizing from an instance count of ${before - 1} to ${before}\\.$`));
    assert.match(ofGroup[1]!.message, /It now has an instance count of \d\. The resize started at .* and took 2 minutes to complete\.$/);
  }
  assert.equal((await state(h, id))?.State, "WAITING");
  assert.ok(!(await messages(h, id, "warning")).some((text) => text.includes("HDFS")), "it has two copies of each block");
});

test("nobody takes the place of a lost node that could not be ended yet", async () => {
  const h = await harness();
  const id = await ready(h, 1, 1);
  const [lost] = (await groupOf(h, id, "TASK")).mine;
  const { terminate } = h.provider;
  h.provider.terminate = () => Promise.reject(new Error("the host does not answer"));
  h.provider.observations.set(lost!.id, "rebooted");
  await h.reconcile("instance", lost!.id);
  await h.settle();
  assert.deepEqual(
    (await groupOf(h, id, "TASK")).mine.map(({ status }) => status),
    ["lost"],
  );
  h.provider.terminate = terminate;
  h.advance(60_000);
  await h.settle();
  assert.deepEqual(
    (await groupOf(h, id, "TASK")).mine.map(({ status }) => status),
    ["terminated", "launched"],
  );
});

test("YARN may not use a lost node's address, HDFS is not to empty it; when HDFS has its copies again an event says so", async () => {
  const h = await harness();
  const id = await ready(h, 3, 1, replicated(2));
  const [[core], [task], [master]] = [
    (await groupOf(h, id, "CORE")).mine,
    (await groupOf(h, id, "TASK")).mine,
    await instancesOf(h.store.db, id),
  ];
  await lose(h, core!);
  await lose(h, task!);
  await h.settle();
  const wish = async () => (await clusterWish(h.store.db, id))!;
  const { excluded, emptied, gone } = await wish();
  assert.deepEqual([excluded, emptied], [[core!.address, task!.address].toSorted(), []]);
  assert.deepEqual(
    gone.map((one) => one.id),
    [core!.id],
    "a task node has no blocks",
  );
  await h.report(master!.id, { decommission: { [core!.id]: "DECOMMISSIONED" }, blocks: { short: 0, missing: 0 } });
  await h.settle();
  assert.deepEqual((await wish()).gone, []);
  assert.deepEqual((await wish()).excluded, excluded);
  assert.ok((await messages(h, id, "instance")).includes(`HDFS has all copies again of what ${core!.id} had`));
});

test("a node in use that does not answer is told of, and when it answers again; after the grace it is lost, ended and replaced once, a master is not", async () => {
  const h = await harness();
  h.context.silence = createSilence(h.store.steady, { told: 15_000, lost: 60_000, late: 5_000 });
  const id = await ready(h, 2, 1);
  const all = await instancesOf(h.store.db, id);
  const [master, first, second, task] = all;
  /** All agents but these report every three seconds; the watch looks as often. */
  let seq = 1_000;
  async function pass(seconds: number, ...silent: (InstanceRow | undefined)[]): Promise<void> {
    for (let at = 0; at < seconds; at += 3) {
      h.advance(3_000);
      for (const one of await instancesOf(h.store.db, id))
        if (one.status === "launched" && one.observed && !silent.some((other) => other?.id === one.id))
          await takeReport(h.context, one, { ...one.observed, seq: ++seq });
      await h.settle();
    }
  }
  await h.settle();
  await pass(40, first, master);
  const told = async (one: InstanceRow) => (await messages(h, id, "instance")).filter((text) => text.startsWith(`${one.id} `)).slice(1);
  assert.deepEqual(await told(first!), [`${first!.id} does not answer: nothing of it for 15 s`]);
  await pass(3, master);
  assert.match((await told(first!)).at(-1)!, /answers again, after 4\d s$/);
  assert.equal((await instancesOf(h.store.db, id)).length, 4, "nothing is replaced");
  await pass(66, task, master);
  const ofTask = (await groupOf(h, id, "TASK")).mine;
  assert.deepEqual(
    ofTask.map(({ status }) => status),
    ["terminated", "launched"],
  );
  assert.ok(!h.provider.observations.has(task!.id), "none of its processes is left");
  assert.match(ofTask[0]!.end_message!, /^it runs, but its agent has not answered for 6\d s/);
  // One that comes back too late changes nothing.
  await takeReport(h.context, ofTask[0]!, { ...ofTask[0]!.observed!, seq: 1_000_000 });
  await pass(100, master);
  assert.deepEqual((await instancesOf(h.store.db, id)).filter(({ status }) => status !== "terminated").length, 4);
  const { State, StateChangeReason } = (await state(h, id))!;
  assert.equal(State, "WAITING", StateChangeReason?.Message);
  assert.equal((await told(second!)).length, 0);
  assert.deepEqual(await told(master!), [`${master!.id} does not answer: nothing of it for 15 s`]);
  await pass(200, master);
  assert.ok(
    (await messages(h, id, "warning")).some((text) => text.startsWith(`${master!.id} runs, but its agent did not report for 5 minutes`)),
  );
});

test("a control plane that was stopped for a while takes nobody for silent", async () => {
  const h = await harness();
  h.context.silence = createSilence(h.store.steady, { told: 15_000, lost: 60_000, late: 5_000 });
  const id = await ready(h, 1, 1);
  await h.settle();
  h.advance(3_000);
  await h.settle();
  h.advance(3600_000);
  await h.settle();
  h.advance(3_000);
  await h.settle();
  assert.deepEqual(
    (await instancesOf(h.store.db, id)).map(({ status }) => status),
    ["launched", "launched", "launched"],
  );
  assert.ok(!(await messages(h, id, "instance")).some((text) => text.includes("does not answer")));
});

test("with one copy of each block, a core node's loss is a warning, and so is how many blocks HDFS misses, when it knows", async () => {
  const h = await harness();
  const id = await ready(h, 2, 0);
  const [[core], [master]] = [(await groupOf(h, id, "CORE")).mine, await instancesOf(h.store.db, id)];
  await lose(h, core!);
  await h.settle();
  assert.ok(
    (await messages(h, id, "warning")).some((text) => text.startsWith(`${core!.id}, a core node, was lost, and HDFS keeps one copy`)),
  );
  await h.report(master!.id, { decommission: { [core!.id]: "DECOMMISSIONED" }, blocks: { short: 0, missing: 7 } });
  await h.settle();
  assert.ok((await messages(h, id, "warning")).some((text) => text.startsWith(`HDFS has no copy of 7 blocks since ${core!.id} is gone`)));
  assert.deepEqual(
    (await messages(h, id, "instance")).filter((text) => text.includes("all copies again")),
    [],
  );
});

test("HDFS that does not get its copies in half an hour is a warning with their number, and nobody waits any longer", async () => {
  const h = await harness();
  const id = await ready(h, 3, 0, replicated(3));
  const [[core], [master]] = [(await groupOf(h, id, "CORE")).mine, await instancesOf(h.store.db, id)];
  await lose(h, core!);
  await h.settle();
  await h.report(master!.id, { decommission: { [core!.id]: "DECOMMISSIONING" }, blocks: { short: 12, missing: 0 } });
  for (let n = 0; n < 4; n++) {
    h.advance(10 * 60_000);
    await h.settle();
  }
  const told = (await messages(h, id, "warning")).filter((text) => text.includes("has not made all copies"));
  assert.deepEqual(told, [
    `HDFS has not made all copies of what ${core!.id} had in 30 minutes: 12 blocks have fewer than they are to have`,
  ]);
  assert.deepEqual((await clusterWish(h.store.db, id))?.gone, []);
});

test("a master that is lost ends its cluster; so does the last core node, which EMR calls NO_SLAVE_LEFT, protection or not", async () => {
  const h = await harness();
  const [master] = await instancesOf(h.store.db, await ready(h, 2, 1));
  await lose(h, master!);
  await h.settle();
  const ofMaster = await state(h, master!.cluster_id);
  assert.equal(ofMaster?.StateChangeReason?.Code, "INSTANCE_FAILURE");
  assert.match(ofMaster?.StateChangeReason?.Message ?? "", /^The master instance i-\w+ was lost/);

  const id = await ready(h, 2, 1, { Instances: { TerminationProtected: true } });
  const [first, second] = (await groupOf(h, id, "CORE")).mine;
  await lose(h, first!);
  await h.settle();
  assert.equal((await state(h, id))?.State, "WAITING");
  // Its successor is not in use yet.
  await lose(h, second!);
  await h.settle();
  const { State, StateChangeReason } = (await state(h, id))!;
  assert.deepEqual([State, StateChangeReason?.Code], ["TERMINATING", "INSTANCE_FAILURE"]);
  assert.match(
    StateChangeReason?.Message ?? "",
    new RegExp(`^NO_SLAVE_LEFT: all core instances were lost \\(${second!.id}: nothing of it is left`),
  );
});

test("a node in use that stopped and cannot be launched again is tried for as long as one may be silent, then replaced; a master is tried for ever", async () => {
  const h = await harness();
  h.context.silence = createSilence(h.store.steady, { told: 15_000, lost: 60_000, late: 5_000 });
  const id = await ready(h, 2, 1, replicated(2));
  const [master] = await instancesOf(h.store.db, id);
  const [task] = (await groupOf(h, id, "TASK")).mine;
  const { launch } = h.provider;
  h.provider.launch = (spec) =>
    [master!.id, task!.id].includes(spec.instanceId) ? Promise.reject(new Error("no loop device is free")) : launch.call(h.provider, spec);
  for (const { id: one } of [master!, task!]) {
    h.provider.observations.set(one, "stopped");
    await h.store.transaction((tx) => tx.wake("instance", one));
  }
  const pass = async (seconds: number) => {
    for (let n = 0; n < seconds; n += 5) {
      h.advance(5_000);
      for (const { id: one } of (await groupOf(h, id, "CORE")).mine) h.context.silence.begin(one);
      await h.settle();
    }
  };
  await pass(50);
  assert.equal((await groupOf(h, id, "TASK")).mine.length, 1);
  await pass(20);
  const { mine } = await groupOf(h, id, "TASK");
  assert.deepEqual(
    mine.map(({ status }) => status),
    ["terminated", "launched"],
  );
  const { StateChangeReason } = (await shown(h, id, task!.id)).Status!;
  assert.match(StateChangeReason?.Message ?? "", /^it had stopped, and could not be launched again for 6\d s: no loop device is free$/);
  await h.report(mine[1]!.id, {});
  await pass(600);
  assert.equal((await state(h, id))?.State, "WAITING");
  const told = (await eventsOf(h.store.db, id)).filter(({ message }) => message.startsWith(master!.id));
  assert.equal(told.filter(({ message }) => message.includes("had stopped by itself")).length, 1);
  assert.deepEqual(
    told.filter(({ kind }) => kind === "warning").map(({ message }) => message),
    [`${master!.id} could not be launched, will be tried again: no loop device is free`],
  );
  h.provider.launch = launch;
  await pass(20);
  assert.equal(h.provider.observations.get(master!.id), "running");
});

test("a node that says it is unhealthy is told of, and after 45 minutes another takes its place while it leaves in order", async () => {
  const h = await harness();
  const id = await ready(h, 2, 1, { Instances: { TerminationProtected: true } });
  const [[core], [task], [master]] = [
    (await groupOf(h, id, "CORE")).mine,
    (await groupOf(h, id, "TASK")).mine,
    await instancesOf(h.store.db, id),
  ];
  const say = async (one: InstanceRow, unhealthy?: string, phase: NodePhase = "ready") => {
    const row = (await instancesOf(h.store.db, id)).find((other) => other.id === one.id)!;
    const daemon = { name: "hadoop-yarn-nodemanager", state: "ready" as const, restarts: 0, ...(unhealthy ? { unhealthy } : {}) };
    await takeReport(h.context, row, { ...row.observed!, seq: row.observed_seq + 1_000, phase, daemons: [daemon] });
    await h.settle();
  };
  const pass = async (minutes: number) => {
    h.advance(minutes * 60_000);
    await h.settle();
  };
  await say(core!, "1/1 local-dirs are bad");
  await pass(40);
  await say(core!);
  const events = await messages(h, id, "instance");
  assert.ok(events.includes(`${core!.id} is unhealthy: hadoop-yarn-nodemanager: 1/1 local-dirs are bad`));
  assert.ok(events.includes(`${core!.id} is healthy again`));
  await say(core!, "1/1 local-dirs are bad");
  await pass(40);
  assert.equal((await groupOf(h, id, "CORE")).mine.length, 2, "its 45 minutes begin anew");
  // For another control plane they do not.
  h.context.waits = createWaits(h.store.steady);
  await pass(6);
  const { mine, sizes } = await groupOf(h, id, "CORE");
  assert.deepEqual(sizes, ["RESIZING", 2, 2], "it is there until HDFS has its blocks elsewhere");
  assert.deepEqual(
    mine.map(({ leaving }) => leaving),
    ["decommissioning", null, null],
  );
  await h.report(mine[2]!.id, {});
  await h.report(master!.id, { decommission: { [core!.id]: "DECOMMISSIONED" } });
  await h.settle();
  await say(core!, undefined, "stopped");
  assert.deepEqual((await groupOf(h, id, "CORE")).sizes, ["RUNNING", 2, 2]);
  const { StateChangeReason } = (await shown(h, id, core!.id)).Status!;
  assert.deepEqual(StateChangeReason, {
    Code: "INSTANCE_FAILURE",
    Message: "It was unhealthy: hadoop-yarn-nodemanager: 1/1 local-dirs are bad",
  });

  // Off: core nodes stay, task nodes do not.
  await h.handlers.SetUnhealthyNodeReplacement!({ JobFlowIds: [id], UnhealthyNodeReplacement: false }, h.request);
  const second = (await groupOf(h, id, "CORE")).mine[1]!;
  await say(second, "no space");
  await say(task!, "no space");
  await pass(50);
  assert.deepEqual(
    (await groupOf(h, id, "CORE")).mine.map(({ leaving }) => leaving),
    ["stopping", null, null],
  );
  assert.deepEqual(
    (await groupOf(h, id, "TASK")).mine.map(({ leaving }) => leaving),
    ["decommissioning", null],
  );
  const warned = (await messages(h, id, "warning")).filter((text) => text.includes("UnhealthyNodeReplacement is off"));
  assert.deepEqual(warned.length, 1);
});

test("what replaces lost nodes and fails suspends their group after three, and not after three in all of a cluster's life", async () => {
  const h = await harness();
  const id = await ready(h, 1, 1);
  const current = async () => (await groupOf(h, id, "TASK")).mine.at(-1)!;
  const fail = async () => {
    const failure = { kind: "daemon" as const, message: "no port" };
    await h.report((await current()).id, { phase: "failed", failure });
    await h.settle();
  };
  for (let n = 0; n < 3; n++) {
    await lose(h, await current());
    await h.settle();
    await fail();
    assert.equal((await groupOf(h, id, "TASK")).sizes[0], "RESIZING", `${n + 1} have failed, and others were ready in between`);
    await h.report((await current()).id, {});
    await h.settle();
    assert.equal((await groupOf(h, id, "TASK")).sizes[0], "RUNNING");
  }
  await lose(h, await current());
  await h.settle();
  for (let n = 0; n < 3; n++) await fail();
  assert.equal((await groupOf(h, id, "TASK")).sizes[0], "SUSPENDED");
  assert.equal((await state(h, id))?.State, "WAITING");
});
