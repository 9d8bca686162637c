/** Spot instances that are taken back: their notice, their two minutes, who comes in their place, and what becomes of their clusters. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { giveNotice } from "../../src/reconcile/interruption.ts";
import { nodeMetadata } from "../../src/reconcile/node-info.ts";
import { createWaits } from "../../src/reconcile/waits.ts";
import { findCluster } from "../../src/store/clusters.ts";
import { eventsOf } from "../../src/store/events.ts";
import { findInstance, instancesOf } from "../../src/store/instances.ts";
import { create, type Harness, harness, makeReady, state } from "./control-plane-harness.ts";

const noticeMs = 120_000;

const group = (InstanceRole: "MASTER" | "CORE" | "TASK", InstanceCount: number, Market: "SPOT" | "ON_DEMAND") => ({
  InstanceRole,
  InstanceCount,
  InstanceType: "m5.xlarge",
  Market,
});

/** A ready cluster: one master, one core node on demand and two task nodes on spot, where nothing else is said. */
async function ready(h: Harness, groups = [group("MASTER", 1, "ON_DEMAND"), group("CORE", 1, "ON_DEMAND"), group("TASK", 2, "SPOT")]) {
  const id = await create(h, { Instances: { InstanceGroups: groups, KeepJobFlowAliveWhenNoSteps: true, TerminationProtected: true } });
  await makeReady(h, id);
  return { id, all: await instancesOf(h.store.db, id) };
}

const notice = async (h: Harness, id: string) => {
  const problem = await h.store.transaction((tx) => giveNotice(tx, id, noticeMs, "a test"));
  await h.settle();
  return problem;
};
const row = async (h: Harness, id: string) => (await findInstance(h.store.db, id))!;
const pass = async (h: Harness, seconds: number) => {
  h.advance(seconds * 1000);
  await h.settle();
};
const groupState = async (h: Harness, ClusterId: string, role: string) =>
  (await h.handlers.ListInstanceGroups!({ ClusterId } as never, h.request)).InstanceGroups!.find((one) => one.InstanceGroupType === role)
    ?.Status?.State;

test("a task node has its notice: told, in its metadata, it leaves in order, another takes its place at once, and it ends at its time", async () => {
  const h = await harness();
  const { id, all } = await ready(h);
  const last = all.at(-1)!;
  assert.equal(await notice(h, last.id), undefined);
  const endsAt = h.store.now() + noticeMs;
  const text = new Date(endsAt).toISOString().replace(".000Z", "Z");
  const messages = (await eventsOf(h.store.db, id)).map(({ message }) => message);
  assert.ok(messages.includes(`${last.id} (task): EC2 Spot Instance Interruption Warning: a test. It is terminated at ${text}`));
  const metadata = nodeMetadata((await findCluster(h.store.db, id))!, await row(h, last.id));
  assert.deepEqual(JSON.parse(metadata["meta-data/spot/instance-action"]!), { action: "terminate", time: text });
  assert.equal(metadata["meta-data/spot/termination-time"], text);
  const other = nodeMetadata((await findCluster(h.store.db, id))!, all[0]!);
  assert.deepEqual(
    Object.keys(other).filter((path) => path.includes("spot/")),
    [],
  );

  const leaving = await row(h, last.id);
  assert.deepEqual([leaving.leaving, leaving.decommission_seconds, leaving.wanted], ["decommissioning", 100, 1]);
  const fresh = (await instancesOf(h.store.db, id)).at(-1)!;
  assert.notEqual(fresh.id, last.id);
  assert.equal(fresh.market, "SPOT");
  assert.equal(await groupState(h, id, "TASK"), "RESIZING");
  await h.report(fresh.id, {});

  // It is drained, and has its two minutes all the same.
  await h.report(all[0]!.id, { decommission: { [last.id]: "DECOMMISSIONED" } });
  await h.settle();
  await pass(h, 99);
  assert.equal((await row(h, last.id)).leaving, "decommissioning");
  await pass(h, 2);
  assert.equal((await row(h, last.id)).leaving, "stopping");
  await h.report(last.id, { phase: "stopped" });
  await h.settle();
  const gone = await row(h, last.id);
  assert.equal(gone.status, "terminated");
  assert.deepEqual([gone.end_code, gone.end_message], ["INSTANCE_FAILURE", "Server.SpotInstanceTermination: Spot instance termination"]);
  assert.equal(await groupState(h, id, "TASK"), "RUNNING");
  assert.equal((await instancesOf(h.store.db, id)).length, all.length + 1, "replaced once");
});

test("what has not left in two minutes is ended, with another control plane and whatever the clock says; a core node's blocks are seen to", async () => {
  const h = await harness();
  const { id, all } = await ready(h, [group("MASTER", 1, "ON_DEMAND"), group("CORE", 2, "SPOT")]);
  const core = all.at(-1)!;
  await notice(h, core.id);
  await h.report((await instancesOf(h.store.db, id)).at(-1)!.id, {});
  h.setClock(3600_000);
  await pass(h, 60);
  assert.equal((await row(h, core.id)).status, "launched", "a clock that is set ends no wait");
  h.setClock(-3600_000);
  h.context.waits = createWaits(h.store.steady);
  await h.reconcile("instance", core.id);
  await pass(h, 59);
  assert.deepEqual([(await row(h, core.id)).status, (await row(h, core.id)).leaving], ["launched", "decommissioning"]);
  await pass(h, 2);
  await h.settle();
  const gone = await row(h, core.id);
  assert.deepEqual([gone.status, gone.leaving, h.provider.observations.has(core.id)], ["terminated", "gone", false]);
  assert.equal((await state(h, id))?.State, "WAITING");
  const warnings = (await eventsOf(h.store.db, id)).filter(({ kind }) => kind === "warning").map(({ message }) => message);
  assert.ok(warnings.some((text) => text.includes("HDFS keeps one copy of each block")));
});

test("a cluster ends with its master that is taken back, termination protection or not, and not before", async () => {
  const h = await harness();
  const { id, all } = await ready(h, [group("MASTER", 1, "SPOT"), group("CORE", 1, "ON_DEMAND")]);
  assert.equal(await notice(h, all[0]!.id), undefined);
  await pass(h, 119);
  assert.equal((await state(h, id))?.State, "WAITING");
  await pass(h, 2);
  const { State, StateChangeReason } = (await state(h, id))!;
  assert.deepEqual([State, StateChangeReason?.Code], ["TERMINATING", "INSTANCE_FAILURE"]);
  assert.match(StateChangeReason?.Message ?? "", /The master instance i-\w+ was lost: Server\.SpotInstanceTermination/);
});

test("who is on demand, not in use or has its notice has none", async () => {
  const h = await harness();
  const { all } = await ready(h);
  assert.match((await notice(h, all[1]!.id)) ?? "", /is on demand/);
  assert.match((await notice(h, "i-none")) ?? "", /there is no instance/);
  assert.equal(await notice(h, all[2]!.id), undefined);
  assert.match((await notice(h, all[2]!.id)) ?? "", /has its notice already/);
  const fresh = (await instancesOf(h.store.db, all[0]!.cluster_id)).at(-1)!;
  assert.match((await notice(h, fresh.id)) ?? "", /is not in use/);
});

test("one that is leaving already leaves within its two minutes", async () => {
  const h = await harness();
  const { id, all } = await ready(h);
  const last = all.at(-1)!;
  await h.handlers.ModifyInstanceGroups!(
    { ClusterId: id, InstanceGroups: [{ InstanceGroupId: last.group_id, InstanceCount: 1 }] } as never,
    h.request,
  );
  await h.settle();
  assert.equal((await row(h, last.id)).decommission_seconds, 3600);
  await notice(h, last.id);
  assert.equal((await row(h, last.id)).decommission_seconds, 100);
  await pass(h, 121);
  await h.settle();
  assert.equal((await row(h, last.id)).status, "terminated");
  assert.equal((await instancesOf(h.store.db, id)).length, all.length, "its group was to be smaller");
});

test("spot on core and master nodes is warned of when it is asked for, on task nodes it is not", async () => {
  const h = await harness();
  const warnings = async (id: string) =>
    (await eventsOf(h.store.db, id))
      .filter(({ kind, message }) => kind === "warning" && message.includes("Spot"))
      .map(({ message }) => message);
  const { id } = await ready(h, [group("MASTER", 1, "SPOT"), group("CORE", 1, "SPOT"), group("TASK", 1, "SPOT")]);
  assert.deepEqual(
    (await warnings(id)).map((text) => /^(.*?) Spot/.exec(text)?.[1]),
    ["the master is a", "core nodes are"],
  );
  const fleet = (InstanceFleetType: string, TargetOnDemandCapacity: number, TargetSpotCapacity: number) => ({
    InstanceFleetType,
    TargetOnDemandCapacity,
    TargetSpotCapacity,
    InstanceTypeConfigs: [{ InstanceType: "m5.xlarge" }],
  });
  const InstanceFleets = [fleet("MASTER", 1, 0), fleet("CORE", 1, 0), fleet("TASK", 0, 1)] as never;
  const other = await create(h, { Instances: { InstanceFleets, KeepJobFlowAliveWhenNoSteps: true } });
  await makeReady(h, other);
  assert.deepEqual(await warnings(other), []);
  const fleets = (await h.handlers.ListInstanceFleets!({ ClusterId: other } as never, h.request)).InstanceFleets!;
  const InstanceFleetId = fleets.find((one) => one.InstanceFleetType === "CORE")!.Id;
  await h.handlers.ModifyInstanceFleet!(
    { ClusterId: other, InstanceFleet: { InstanceFleetId, TargetSpotCapacity: 1 } } as never,
    h.request,
  );
  assert.equal((await warnings(other)).length, 1);
});
