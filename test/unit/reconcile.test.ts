import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestFor } from "../../src/reconcile/manifest.ts";
import { takeReport } from "../../src/reconcile/reports.ts";
import { findKey } from "../../src/store/access-keys.ts";
import { endAllClusters, findCluster, keepAllClusters, moveCluster } from "../../src/store/clusters.ts";
import { instanceCredentials } from "../../src/store/instance-credentials.ts";
import { findInstance, instancesOf } from "../../src/store/instances.ts";
import { eventsOf } from "../../src/store/events.ts";
import { stateChangesOf } from "../../src/store/state-changes.ts";
import { installation } from "./engine-facts.ts";
import { create, harness, makeReady, state, step, stepStates } from "./control-plane-harness.ts";

test("a cluster goes from STARTING over BOOTSTRAPPING to WAITING as its nodes report, and ends by the user's wish", async () => {
  const h = await harness();
  const id = await create(h);
  assert.equal(h.provider.launched.size, 3);
  assert.equal((await state(h, id))?.State, "STARTING");
  const instances = await instancesOf(h.store.db, id);
  for (const instance of instances) await h.report(instance.id, { phase: "bootstrapping" });
  await h.settle();
  assert.equal((await state(h, id))?.State, "BOOTSTRAPPING");
  await makeReady(h, id);
  assert.equal((await state(h, id))?.State, "WAITING");

  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  assert.equal((await state(h, id))?.State, "TERMINATING", "shown before any reconciler ran");
  await h.settle();
  assert.equal(h.provider.observations.size, 3, "nodes may ship their last logs first");
  for (const instance of instances) await h.report(instance.id, { phase: "stopped" });
  await h.settle();
  assert.equal(h.provider.observations.size, 0);
  assert.equal(h.provider.networks.size, 0);
  assert.deepEqual(await state(h, id).then((s) => [s?.State, s?.StateChangeReason?.Code]), ["TERMINATED", "USER_REQUEST"]);
});

test("a cluster's other nodes are told to stop when its master has saved, or is no more", async () => {
  const h = await harness();
  const sources = {
    endpoint: "http://127.0.0.1:1",
    nodeFolder: (one: string) => `/data/nodes/${one}`,
    hostDisk: { bytes: 1e12, keptBytes: 5e10 },
    installation: () => installation,
    catalog: () => ({ url: "", user: "", password: "" }),
  };
  for (const end of ["saved", "lost"]) {
    const id = await create(h);
    await makeReady(h, id);
    const [master, ...others] = (await instancesOf(h.store.db, id)).map((instance) => instance.id);
    const stopping = async (one: string) => (await manifestFor(h.store.db, one, id, sources))?.stopping;
    await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
    await h.settle();
    assert.deepEqual([await stopping(master!), ...(await Promise.all(others.map(stopping)))], [true, false, false]);
    const before = (await findCluster(h.store.db, id))?.generation ?? 0;
    if (end === "saved") {
      const instance = (await findInstance(h.store.db, master!))!;
      await takeReport(h.context, instance, { ...instance.observed!, seq: instance.observed!.seq + 1, phase: "saved" });
      assert.ok(((await findCluster(h.store.db, id))?.generation ?? 0) > before, "their agents are answered at once");
    } else await h.store.db.updateTable("instances").set({ status: "lost" }).where("id", "=", master!).execute();
    assert.deepEqual(await Promise.all(others.map(stopping)), [true, true]);
  }
});

test("a cluster ends to its last instance when its roles are gone", async () => {
  const h = await harness();
  const id = await create(h);
  await makeReady(h, id);
  for (const table of ["iam_attachments", "iam_entities"] as const) await h.store.db.deleteFrom(table).execute();
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.settle();
  for (const { id: instance } of await instancesOf(h.store.db, id)) await h.report(instance, { phase: "stopped" });
  await h.settle();
  assert.equal((await state(h, id))?.State, "TERMINATED");
  assert.equal(h.provider.observations.size, 0);
  assert.equal(h.provider.networks.size, 0);
});

test("nodes that never say that they have stopped are removed after a while, with a warning", async () => {
  const h = await harness();
  const id = await create(h);
  await makeReady(h, id);
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.settle();
  h.advance(6 * 60_000);
  await h.settle();
  assert.equal((await state(h, id))?.State, "TERMINATED");
  const warnings = (await eventsOf(h.store.db, id)).filter((event) => event.kind === "warning");
  assert.ok(warnings.some(({ message }) => message.includes("did not ship its last logs")));
});

test("a report that comes when its instance has ended makes nothing ready", async () => {
  const h = await harness();
  const id = await create(h);
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.settle();
  const [first] = await instancesOf(h.store.db, id);
  assert.equal(first?.status, "terminated");
  h.advance(1000);
  await h.report(first.id, { phase: "ready" });
  assert.equal((await findInstance(h.store.db, first.id))?.first_ready_at, null);
});

test("steps run one after the other; a transient cluster ends with its last one", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("one"), step("two")] }, false);
  const master = await makeReady(h, id);
  assert.deepEqual(await stepStates(h, id), ["RUNNING", "PENDING"]);
  assert.equal((await state(h, id))?.State, "RUNNING");
  const [first, second] = (await h.handlers.ListSteps!({ ClusterId: id } as never, h.request)).Steps!.toReversed().map((s) => s.Id ?? "");
  await h.report(master, { steps: [{ id: first!, state: "exited", exitCode: 0 }] });
  await h.settle();
  assert.deepEqual(await stepStates(h, id), ["COMPLETED", "RUNNING"]);
  await h.report(master, { steps: [{ id: second!, state: "exited", exitCode: 3, message: "boom" }] });
  await h.settle();
  assert.deepEqual(await stepStates(h, id), ["COMPLETED", "FAILED"]);
  const described = await h.handlers.DescribeStep!({ ClusterId: id, StepId: second! }, h.request);
  assert.deepEqual(described.Step?.Status?.FailureDetails, {
    Reason: "Step exited with a non-zero code 3.",
    Message: "boom",
    LogFile: `s3://logs/x/${id}/steps/${second}/stderr.gz`,
  });
  assert.deepEqual(await state(h, id).then((s) => [s?.State, s?.StateChangeReason?.Code]), ["TERMINATING", "ALL_STEPS_COMPLETED"]);
});

for (const [action, rest, cluster] of [
  ["CONTINUE", "RUNNING", "RUNNING"],
  ["CANCEL_AND_WAIT", "CANCELLED", "WAITING"],
  ["TERMINATE_CLUSTER", "CANCELLED", "TERMINATING"],
] as const)
  test(`a failed step with ActionOnFailure ${action}: the next is ${rest}, the cluster ${cluster}`, async () => {
    const h = await harness();
    const id = await create(h, { Steps: [step("bad", action), step("next")] });
    const master = await makeReady(h, id);
    const failing = (await h.handlers.ListSteps!({ ClusterId: id } as never, h.request)).Steps!.at(-1)!.Id!;
    await h.report(master, { steps: [{ id: failing, state: "lost" }] });
    await h.settle();
    assert.deepEqual(await stepStates(h, id), ["FAILED", rest]);
    assert.equal((await state(h, id))?.State, cluster);
  });

test("a failed bootstrap action ends the cluster with BOOTSTRAP_FAILURE, naming node and log", async () => {
  const h = await harness();
  const id = await create(h);
  const instances = await instancesOf(h.store.db, id);
  const [master] = instances;
  await h.report(master!.id, { phase: "failed", failure: { kind: "bootstrap-exit", ordinal: 1, exitCode: 7, message: "exit 7" } });
  await h.settle();
  const status = await state(h, id);
  assert.equal(status?.StateChangeReason?.Code, "BOOTSTRAP_FAILURE");
  assert.match(
    status?.StateChangeReason?.Message ?? "",
    /On the master instance \(i-[0-9a-f]{17}\), bootstrap action 1 returned a non-zero return code/,
  );
  assert.equal(status?.ErrorDetails?.[0]?.ErrorCode, "BOOTSTRAP_FAILURE_PRIMARY_WITH_NON_ZERO_CODE");
  h.advance(6 * 60_000);
  await h.settle();
  assert.equal((await state(h, id))?.State, "TERMINATED_WITH_ERRORS");
});

test("a launch that fails is tried again; an init that stopped is started again", async () => {
  const h = await harness();
  h.provider.failLaunches = 2;
  const id = await create(h);
  h.advance(1000);
  await h.settle();
  assert.equal(h.provider.launched.size, 3);
  const master = await makeReady(h, id);
  h.provider.observations.set(master, "stopped");
  h.advance(10_000);
  await h.settle();
  assert.equal(h.provider.observations.get(master), "running");
});

test("an instance that cannot be launched ends the cluster, which says why", async () => {
  const h = await harness();
  h.provider.failLaunches = 1000;
  const id = await create(h);
  for (let n = 0; n < 10; n++) {
    h.advance(5_000);
    await h.settle();
  }
  const status = await state(h, id);
  assert.equal(status?.State, "TERMINATED_WITH_ERRORS");
  assert.match(status?.StateChangeReason?.Message ?? "", /could not be launched: the host could not do it this time/);
});

test("a cluster whose daemons never answer ends, naming them; an init that keeps stopping is not started for ever", async () => {
  const h = await harness();
  const id = await create(h);
  for (const instance of await instancesOf(h.store.db, id))
    await h.report(instance.id, { phase: "starting", daemons: [{ name: "hadoop-hdfs-namenode", state: "starting", restarts: 0 }] });
  await h.settle();
  assert.equal((await state(h, id))?.State, "BOOTSTRAPPING");
  h.advance(61 * 60_000);
  await h.settle();
  assert.match((await state(h, id))?.StateChangeReason?.Message ?? "", /Still waiting for i-[0-9a-f]+ \(hadoop-hdfs-namenode\)/);

  const other = await create(h);
  const master = await makeReady(h, other);
  for (let n = 0; n < 30; n++) {
    h.provider.observations.set(master, "stopped");
    h.advance(5_000);
    await h.settle();
  }
  assert.match((await state(h, other))?.StateChangeReason?.Message ?? "", /stopped by itself more than 20 times/);
});

test("an instance whose host was started again is lost, and the cluster says so", async () => {
  const h = await harness();
  const id = await create(h);
  const master = await makeReady(h, id);
  h.provider.observations.set(master, "rebooted");
  h.advance(10_000);
  await h.settle();
  assert.equal((await state(h, id))?.StateChangeReason?.Code, "INSTANCE_FAILURE");
});

test("a termination-protected cluster refuses TerminateJobFlows until the protection is off", async () => {
  const h = await harness();
  const id = await create(h);
  await h.handlers.SetTerminationProtection!({ JobFlowIds: [id], TerminationProtected: true }, h.request);
  await assert.rejects(async () => h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request), /termination protected/);
  await h.handlers.SetTerminationProtection!({ JobFlowIds: [id], TerminationProtected: false }, h.request);
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  assert.equal((await state(h, id))?.State, "TERMINATING");
  await assert.rejects(
    async () => h.handlers.AddJobFlowSteps!({ JobFlowId: id, Steps: [step("late")] } as never, h.request),
    /may not be modified/,
  );
});

test("a host without the memory says so", async () => {
  const h = await harness();
  h.context.freeMemoryMb = () => 100;
  const id = await create(h);
  const status = await state(h, id);
  assert.equal(status?.ErrorDetails?.[0]?.ErrorCode, "INTERNAL_ERROR_EC2_INSUFFICIENT_CAPACITY_AZ");
  assert.equal(status?.State, "TERMINATED_WITH_ERRORS");
});

test("a report that is older than the one known changes nothing", async () => {
  const h = await harness();
  const id = await create(h);
  const master = await makeReady(h, id);
  await h.report(master, { seq: 1, phase: "bootstrapping" });
  const [instance] = await instancesOf(h.store.db, id);
  assert.equal(instance?.observed?.phase, "ready");
});

test("a step that the end of its cluster cuts off is INTERRUPTED, not FAILED; none begins any more", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("long"), step("next")] });
  const master = await makeReady(h, id);
  const running = (await h.handlers.ListSteps!({ ClusterId: id } as never, h.request)).Steps!.at(-1)!.Id!;
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.report(master, { steps: [{ id: running, state: "exited", exitCode: 143, endedAt: h.store.now() + 1 }] });
  await h.settle();
  assert.deepEqual(await stepStates(h, id), ["INTERRUPTED", "CANCELLED"]);
});

test("no step begins between the wish to terminate a cluster and its reconciler", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("one"), step("two")] });
  const master = await makeReady(h, id);
  const first = (await h.handlers.ListSteps!({ ClusterId: id } as never, h.request)).Steps!.at(-1)!.Id!;
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.report(master, { steps: [{ id: first, state: "exited", exitCode: 0, endedAt: h.store.now() }] });
  await h.reconcile("steps", id);
  assert.deepEqual(await stepStates(h, id), ["COMPLETED", "PENDING"]);
  await h.settle();
  assert.deepEqual(await stepStates(h, id), ["COMPLETED", "CANCELLED"]);
});

test("an agent that never reports ends its cluster, which says why; one that falls silent is warned of", async () => {
  const h = await harness();
  const id = await create(h);
  const [, ...workers] = await instancesOf(h.store.db, id);
  for (const worker of workers) await h.report(worker.id, { phase: "bootstrapping" });
  for (let minute = 0; minute < 6; minute++) {
    h.advance(60_000);
    await h.settle();
  }
  const status = await state(h, id);
  assert.equal(status?.StateChangeReason?.Code, "INSTANCE_FAILURE");
  assert.match(status?.StateChangeReason?.Message ?? "", /master instance .* has not reported in 5 minutes/);
  const warnings = (await eventsOf(h.store.db, id)).filter((event) => event.kind === "warning");
  assert.ok(warnings.some(({ message }) => message.includes("did not report for 5 minutes")));
});

test("an instance's folder is removed even where its removal failed at first", async () => {
  const h = await harness();
  h.provider.failReclaims = 1;
  const id = await create(h, {
    Instances: { MasterInstanceType: "m5.xlarge", InstanceCount: 1, KeepJobFlowAliveWhenNoSteps: true },
  } as never);
  const master = await makeReady(h, id);
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.settle();
  await h.report(master, { phase: "stopped" });
  await h.settle();
  assert.deepEqual(h.provider.reclaimed, []);
  h.advance(60_000);
  await h.settle();
  assert.deepEqual(h.provider.reclaimed, [master]);
});

test("howdah down ends clusters, cuts off their steps, and disables the keys of their nodes", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("one"), step("two")] });
  await makeReady(h, id);
  const [master] = await instancesOf(h.store.db, id);
  const { access_key_id } = (await instanceCredentials(h.store, h.context.ids, master!))!;
  const isDisabled = async () => (await findKey(h.store.db, access_key_id))?.disabled_at !== null;
  assert.equal(await isDisabled(), false);
  assert.equal(await endAllClusters(h.store, "down"), 1);
  assert.equal(await isDisabled(), true);
  assert.equal(await instanceCredentials(h.store, h.context.ids, master!), undefined);
  assert.equal((await state(h, id))?.State, "TERMINATED");
  assert.deepEqual(await stepStates(h, id), ["INTERRUPTED", "CANCELLED"]);
});

test("howdah down --keep: nodes are launched again on any boot of the machine, steps that ran have failed and run no second time", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("cut"), step("ended"), step("waits")], StepConcurrencyLevel: 2 });
  const master = await makeReady(h, id);
  const ending = await create(h);
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [ending] }, h.request);
  h.advance(1_000);
  const { kept, ended } = await keepAllClusters(h.store, "down");
  assert.deepEqual([kept.map((cluster) => cluster.id), ended], [[id], 1]);
  assert.equal((await state(h, ending))?.State, "TERMINATED");
  assert.deepEqual(
    [(await state(h, id))?.State, (await state(h, id))?.StateChangeReason?.Message],
    ["STARTING", "Starts again after howdah down --keep."],
  );

  h.advance(24 * 3600_000);
  for (const instance of await instancesOf(h.store.db, id)) h.provider.observations.set(instance.id, "rebooted");
  h.provider.launched.clear();
  await h.store.transaction(async (tx) => {
    for (const instance of await instancesOf(tx.db, id)) await tx.wake("instance", instance.id);
  });
  await h.settle();
  assert.equal(h.provider.launched.size, 3);
  assert.deepEqual(await stepStates(h, id), ["RUNNING", "RUNNING", "PENDING"], "no other begins before the nodes are ready");
  await makeReady(h, id);
  const [cut, done] = (await h.handlers.ListSteps!({ ClusterId: id } as never, h.request)).Steps!.toReversed().map((s) => s.Id!);
  await h.report(master, {
    steps: [
      { id: cut!, state: "exited", exitCode: 143, endedAt: h.store.now() },
      { id: done!, state: "exited", exitCode: 0 },
    ],
  });
  await h.settle();
  assert.deepEqual(await stepStates(h, id), ["FAILED", "COMPLETED", "RUNNING"]);
  const described = await h.handlers.DescribeStep!({ ClusterId: id, StepId: cut! }, h.request);
  assert.match(described.Step?.Status?.FailureDetails?.Reason ?? "", /howdah down --keep ended its node while it ran/);
});

test("a kept cluster that does not become ready is warned of and not ended: it has data", async () => {
  const h = await harness();
  const id = await create(h);
  const master = await makeReady(h, id);
  await keepAllClusters(h.store, "down");
  await h.report(master, { phase: "starting", daemons: [{ name: "hadoop-hdfs-namenode", state: "down", restarts: 9 }] });
  await h.settle();
  h.advance(3600_000);
  await h.settle();
  assert.equal((await state(h, id))?.State, "STARTING");
  const warnings = (await eventsOf(h.store.db, id)).filter((event) => event.kind === "warning");
  assert.match(warnings.map(({ message }) => message).join("\n"), /Not ready after 60 minutes.*hadoop-hdfs-namenode/);
});

test("a cluster whose network another one has taken has all its instances in the new one", async () => {
  const h = await harness();
  const id = await create(h);
  const before = (await findCluster(h.store.db, id))!;
  await h.store.transaction((tx) => moveCluster(tx, before, "127.77.7"));
  const after = (await findCluster(h.store.db, id))!;
  assert.ok(after.generation > before.generation, "nodes get another manifest");
  assert.deepEqual(
    (await instancesOf(h.store.db, id)).map(({ address }) => address),
    ["127.77.7.1", "127.77.7.2", "127.77.7.3"],
  );
});

test("a clock that is set, forwards or back, ends no wait and delays nothing", async () => {
  const h = await harness();
  const id = await create(h);
  await h.settle();
  for (const jump of [7 * 24 * 3600_000, -14 * 24 * 3600_000]) {
    h.setClock(jump);
    h.advance(5_000);
    await h.settle();
    assert.equal((await state(h, id))?.State, "STARTING");
  }
  const master = await makeReady(h, id);
  h.setClock(-3600_000);
  h.provider.observations.set(master, "stopped");
  h.advance(5_000);
  await h.settle();
  assert.equal(h.provider.observations.get(master), "running", "it was looked at in time");
  h.setClock(3600_000);
  await h.settle();
  assert.ok(!(await eventsOf(h.store.db, id)).some(({ message }) => /did not report|Not ready/.test(message)));
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.settle();
  h.setClock(3600_000);
  await h.settle();
  assert.equal((await state(h, id))?.State, "TERMINATING", "its nodes have their time for the last logs");
});

test("two clusters that are asked for at once do not both count on the same memory", async () => {
  const h = await harness();
  h.context.freeMemoryMb = () => 2_000;
  const one = await create(h);
  const two = await create(h);
  assert.equal((await state(h, one))?.State, "STARTING");
  assert.equal((await state(h, two))?.ErrorDetails?.[0]?.ErrorCode, "INTERNAL_ERROR_EC2_INSUFFICIENT_CAPACITY_AZ");
  await makeReady(h, one);
  assert.equal((await state(h, await create(h)))?.State, "STARTING", "once it is ready, the host shows what it takes");
});

test("a daemon that cannot come up ends its cluster, which names the program on its port", async () => {
  const h = await harness();
  h.context.portsTaken = (message) => (message.includes(":8088") ? ["Port 8088 is taken on all addresses by httpd (process 42)"] : []);
  const id = await create(h);
  const message = "hadoop-yarn-resourcemanager ended 5 times soon after its start: java.net.BindException: Port in use: 127.64.1.1:8088";
  const [master] = await instancesOf(h.store.db, id);
  await h.report(master!.id, { phase: "failed", failure: { kind: "daemon", message, logFile: "/n/rm.log" } });
  await h.settle();
  const reason = (await state(h, id))?.StateChangeReason;
  assert.equal(reason?.Code, "INSTANCE_FAILURE");
  assert.match(
    reason?.Message ?? "",
    /Port in use: .*8088\. Port 8088 is taken on all addresses by httpd \(process 42\)\. See \/n\/rm\.log$/,
  );
});

test("engines that cannot be brought end a cluster before it begins, saying what to do", async () => {
  const h = await harness();
  h.context.engines = () => ({ failed: "emr-7.13.0 is not set up: Hadoop. Run: howdah engines install" });
  const id = await create(h);
  const status = await state(h, id);
  assert.deepEqual([status?.State, status?.StateChangeReason?.Code], ["TERMINATED_WITH_ERRORS", "INTERNAL_ERROR"]);
  assert.match(status?.StateChangeReason?.Message ?? "", /not set up: Hadoop\. Run: howdah engines install/);
});

test("a cluster waits for engines that are being brought, and says so once", async () => {
  const h = await harness();
  h.context.engines = () => ({ coming: "Hadoop and ZooKeeper are brought" });
  const id = await create(h, { Applications: [{ Name: "zookeeper" }] });
  h.advance(1_000);
  await h.settle();
  assert.equal((await state(h, id))?.State, "STARTING");
  assert.equal(h.provider.launched.size, 0);
  assert.equal((await eventsOf(h.store.db, id)).filter(({ message }) => message === "Hadoop and ZooKeeper are brought").length, 1);
  let asked: readonly string[] = [];
  h.context.engines = (_label, applications) => {
    asked = applications;
    return "there";
  };
  h.advance(1_000);
  await h.settle();
  assert.deepEqual(asked, ["Hadoop", "ZooKeeper"]);
  assert.equal(h.provider.launched.size, 3);
});

test("a node that has data and cannot be launched, on a full disk say, is tried until it can, with a warning", async () => {
  const h = await harness();
  const id = await create(h);
  const master = await makeReady(h, id);
  await keepAllClusters(h.store, "down");
  h.provider.launched.clear();
  h.provider.failLaunches = 60;
  await h.store.transaction((tx) => tx.wake("instance", master));
  for (let n = 0; n < 60; n++) {
    h.advance(10_000);
    await h.settle();
  }
  assert.equal((await state(h, id))?.State, "STARTING");
  const warnings = (await eventsOf(h.store.db, id)).filter((event) => event.kind === "warning");
  assert.match(warnings.map(({ message }) => message).join("\n"), /could not be launched, will be tried again: the host could not do it/);
  h.advance(10_000);
  await h.settle();
  assert.ok(h.provider.launched.has(master));
});

test("a clock that is set back turns no timeline round", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("one"), step("two")] });
  h.setClock(-3600_000);
  const master = await makeReady(h, id);
  const [one] = (await h.handlers.ListSteps!({ ClusterId: id } as never, h.request)).Steps!.toReversed().map((s) => s.Id!);
  h.setClock(-3600_000);
  await h.report(master, { steps: [{ id: one!, state: "exited", exitCode: 0, startedAt: h.store.now(), endedAt: h.store.now() + 5 }] });
  await h.settle();
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  h.setClock(-3600_000);
  await h.settle();
  for (const { id: instance } of await instancesOf(h.store.db, id)) await h.report(instance, { phase: "stopped" });
  await h.settle();
  const described = (await h.handlers.DescribeCluster!({ ClusterId: id }, h.request)).Cluster!;
  const { Steps } = await h.handlers.ListSteps!({ ClusterId: id } as never, h.request);
  const { Instances } = await h.handlers.ListInstances!({ ClusterId: id } as never, h.request);
  assert.equal(described.Status?.State, "TERMINATED");
  for (const { Status } of [described, ...Steps!, ...Instances!]) {
    const { CreationDateTime, EndDateTime, ...between } = Status!.Timeline!;
    const middle = Object.values(between)[0];
    assert.ok(CreationDateTime! <= (middle ?? CreationDateTime!) && (middle ?? CreationDateTime!) <= EndDateTime!, JSON.stringify(Status));
  }
});

test("nor that of a group whose cluster ends before it is ready", async () => {
  const h = await harness();
  const id = await create(h);
  h.advance(60_000);
  const [, ...core] = await instancesOf(h.store.db, id);
  for (const instance of core) await h.report(instance.id, {});
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  h.setClock(-30_000);
  await h.settle();
  for (const instance of await instancesOf(h.store.db, id)) await h.report(instance.id, { phase: "stopped" });
  await h.settle();
  assert.equal((await state(h, id))?.State, "TERMINATED");
  const { InstanceGroups } = await h.handlers.ListInstanceGroups!({ ClusterId: id } as never, h.request);
  const { CreationDateTime, ReadyDateTime, EndDateTime } = InstanceGroups!.find((group) => group.InstanceGroupType === "CORE")!.Status!
    .Timeline!;
  assert.ok(CreationDateTime! <= ReadyDateTime! && ReadyDateTime! <= EndDateTime!, `${ReadyDateTime} ${EndDateTime}`);
});

test("an instance whose init is started again stays RUNNING, as its cluster does", async () => {
  const h = await harness();
  const id = await create(h);
  const master = await makeReady(h, id);
  h.provider.observations.set(master, "stopped");
  h.advance(10_000);
  await h.settle();
  await h.report(master, { phase: "starting" });
  const states = (await h.handlers.ListInstances!({ ClusterId: id } as never, h.request)).Instances!.map(({ Status }) => Status?.State);
  assert.deepEqual(states, ["RUNNING", "RUNNING", "RUNNING"]);
  assert.equal((await state(h, id))?.State, "WAITING");
});

test("an instance that was never ready is not RUNNING when its cluster's end has stopped it", async () => {
  const h = await harness();
  const id = await create(h);
  const [master] = await instancesOf(h.store.db, id);
  await h.report(master!.id, { phase: "bootstrapping" });
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.report(master!.id, { phase: "stopped" });
  const { Instances } = await h.handlers.ListInstances!({ ClusterId: id } as never, h.request);
  assert.equal(Instances?.[0]?.Status?.State, "BOOTSTRAPPING");
  const { InstanceGroups } = await h.handlers.ListInstanceGroups!({ ClusterId: id } as never, h.request);
  assert.equal(InstanceGroups?.[0]?.RunningInstanceCount, 0);
});

test("an instance of which nothing is left is lost: on a new disk its step would run twice", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("one")] });
  const master = await makeReady(h, id);
  await h.provider.terminate(master);
  h.provider.launched.clear();
  h.advance(10_000);
  await h.settle();
  assert.deepEqual([...h.provider.launched.keys()], []);
  assert.match((await state(h, id))?.StateChangeReason?.Message ?? "", /master instance .* was lost: nothing of it is left on its host/);
});

test("a group that was RUNNING does not go back to BOOTSTRAPPING when an instance of it is lost before its cluster is ready", async () => {
  const h = await harness();
  const id = await create(h);
  const [master, ...workers] = await instancesOf(h.store.db, id);
  await h.report(master!.id, { phase: "starting" });
  for (const worker of workers) await h.report(worker.id, {});
  await h.settle();
  h.provider.observations.set(workers[0]!.id, "rebooted");
  h.advance(10_000);
  await h.settle();
  const core = (await stateChangesOf(h.store.db, id)).flatMap(({ event: { detail } }) =>
    detail["instanceGroupType"] === "CORE" ? [detail.state] : [],
  );
  assert.deepEqual(core, ["PROVISIONING", "RUNNING", "TERMINATING"]);
});
