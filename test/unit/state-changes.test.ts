/** State-change events against what users see: everything is described after every transaction, and the events are compared with it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { endAllClusters, keepAllClusters } from "../../src/store/clusters.ts";
import { instancesOf } from "../../src/store/instances.ts";
import { migrations } from "../../src/store/schema.ts";
import { stateChangesOf } from "../../src/store/state-changes.ts";
import { setStepStatus } from "../../src/store/steps.ts";
import { openStore } from "../../src/store/store.ts";
import { create, type Harness, harness, makeReady, step } from "./control-plane-harness.ts";

/** Every visible state of every cluster, step and group, by id. */
async function visible(h: Harness): Promise<Map<string, string>> {
  const states = new Map<string, string>();
  for (const { id: ClusterId } of await h.store.db.selectFrom("clusters").select("id").execute()) {
    states.set(ClusterId, (await h.handlers.DescribeCluster!({ ClusterId }, h.request)).Cluster!.Status!.State!);
    const { InstanceGroups } = await h.handlers.ListInstanceGroups!({ ClusterId } as never, h.request);
    for (const group of InstanceGroups!) states.set(group.Id!, group.Status!.State!);
    for (let Marker: string | undefined; ;) {
      const page = await h.handlers.ListSteps!({ ClusterId, Marker } as never, h.request);
      for (const one of page.Steps!) states.set(one.Id!, one.Status!.State!);
      Marker = page.Marker;
      if (!Marker) break;
    }
  }
  return states;
}

/** Looks after each transaction. With `dies`, every other one is the last of its process: what was to come after it is cut off. */
function watch(h: Harness, dies = false): Map<string, string[]> {
  const seen = new Map<string, string[]>();
  const { transaction } = h.store;
  let looking = false;
  let count = 0;
  h.store.transaction = async (work) => {
    const result = await transaction(work);
    if (looking) return result;
    looking = true;
    const said = new Map<string, string[]>();
    for (const { id } of await h.store.db.selectFrom("clusters").select("id").execute())
      for (const [of, states] of await told(h, id)) said.set(of, states);
    for (const [id, state] of await visible(h)) {
      const states = seen.get(id) ?? [];
      if (states.at(-1) !== state) seen.set(id, [...states, state]);
      // At once, not with a later transaction. Not asserted here: a reconciler's error would only make it try again.
      if (said.get(id)?.at(-1) !== state) seen.set(id, [...states, `${state}, of which no event told`]);
    }
    looking = false;
    count += 1;
    if (dies && count % 2 === 0) throw new Error("the control plane dies");
    return result;
  };
  return seen;
}

async function told(h: Harness, clusterId: string): Promise<Map<string, string[]>> {
  const states = new Map<string, string[]>();
  for (const { event } of await stateChangesOf(h.store.db, clusterId)) {
    const { stepId, instanceGroupId, clusterId: cluster, state } = event.detail;
    const id = stepId ?? instanceGroupId ?? cluster;
    states.set(id, [...(states.get(id) ?? []), state]);
  }
  return states;
}

const sorted = (states: Map<string, string[]>) => [...states].toSorted(([a], [b]) => (a < b ? -1 : 1));

async function settled(h: Harness): Promise<void> {
  for (let n = 0; n < 30; n++) {
    await h.settle();
    h.advance(250);
  }
}

/** From birth to end: steps that complete, fail, are cancelled and cut off. `insist`: a request or report whose answer was lost is sent again. */
async function live(h: Harness, insist: (work: () => unknown) => Promise<unknown>): Promise<string> {
  await insist(() => create(h));
  const { id } = await h.store.db.selectFrom("clusters").select("id").executeTakeFirstOrThrow();
  await settled(h);
  const instances = await instancesOf(h.store.db, id);
  for (const phase of ["bootstrapping", "ready"] as const)
    for (const instance of instances) {
      await insist(() => h.report(instance.id, { phase }));
      await settled(h);
    }
  const Steps = [step("one"), step("two"), step("three"), step("four", "CANCEL_AND_WAIT"), step("five")];
  await insist(() => h.handlers.AddJobFlowSteps!({ JobFlowId: id, Steps } as never, h.request));
  await settled(h);
  const rows = await h.store.db.selectFrom("steps").select("id").orderBy("seq").execute();
  const [one, two, three, four] = rows.map((row) => row.id) as [string, string, string, string];
  await insist(() => h.handlers.CancelSteps!({ ClusterId: id, StepIds: [three] } as never, h.request));
  await settled(h);
  const master = instances[0]!.id;
  for (const [stepId, exitCode] of [
    [one, 0],
    [two, 1],
    [four, 1],
  ] as const) {
    await insist(() => h.report(master, { steps: [{ id: stepId, state: "exited", exitCode }] }));
    await settled(h);
  }
  await insist(() => h.handlers.AddJobFlowSteps!({ JobFlowId: id, Steps: [step("last")] } as never, h.request));
  await settled(h);
  await insist(() => h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request));
  await settled(h);
  for (const instance of instances) await insist(() => h.report(instance.id, { phase: "stopped" }));
  await settled(h);
  return id;
}

test("each visible state change of a cluster, its steps and groups has one event, and none is without a change", async () => {
  const h = await harness();
  const seen = watch(h);
  const id = await live(h, async (work) => work());
  assert.deepEqual(sorted(await told(h, id)), sorted(seen));
  const cluster = ["STARTING", "BOOTSTRAPPING", "WAITING", "RUNNING", "WAITING", "RUNNING", "TERMINATING", "TERMINATED"];
  assert.deepEqual(seen.get(id), cluster);
  const steps = await h.store.db.selectFrom("steps").select("id").orderBy("seq").execute();
  assert.deepEqual(
    steps.map((row) => seen.get(row.id)?.at(-1)),
    ["COMPLETED", "FAILED", "CANCELLED", "FAILED", "CANCELLED", "INTERRUPTED"],
  );
});

test("so it is when the control plane stops after every other transaction", async () => {
  const h = await harness();
  const seen = watch(h, true);
  let lost = 0;
  const id = await live(h, async (work) => {
    try {
      return await work();
    } catch (error) {
      assert.equal((error as Error).message, "the control plane dies");
      lost += 1;
      return undefined;
    }
  });
  assert.ok(lost > 0);
  assert.equal(seen.get(id)?.at(-1), "TERMINATED");
  assert.deepEqual(sorted(await told(h, id)), sorted(seen));
});

test("howdah down, with and without --keep, and a store that is opened again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-state-changes-"));
  const path = join(folder, "howdah.db");
  try {
    const h = await harness(path);
    const seen = watch(h);
    const id = await create(h, { Steps: [step("one"), step("two")] });
    await makeReady(h, id);
    const before = await told(h, id);
    const second = await openStore(path);
    await second.transaction(async (tx) => {
      await setStepStatus(tx, (await tx.db.selectFrom("steps").select("id").orderBy("seq").executeTakeFirstOrThrow()).id, {
        state: "RUNNING",
      });
    });
    assert.deepEqual(await told(h, id), before, "what is written anew and is the same is no change");
    await second.close();
    await keepAllClusters(h.store, "down");
    await endAllClusters(h.store, "down");
    assert.deepEqual(sorted(await told(h, id)), sorted(seen));
    await h.store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a transaction that fails leaves no event, nor does the next one write its own", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("one")] });
  const before = await told(h, id);
  const { id: stepId } = await h.store.db.selectFrom("steps").select("id").executeTakeFirstOrThrow();
  const failing = h.store.transaction(async (tx) => {
    await setStepStatus(tx, stepId, { state: "FAILED" });
    throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  await h.store.transaction((tx) => tx.wake("steps", id));
  assert.deepEqual(await told(h, id), before);
});

test("the envelope is EventBridge's, with EMR's severities, words and counts as text", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("load", "TERMINATE_CLUSTER")] });
  const master = await makeReady(h, id);
  const { id: stepId } = await h.store.db.selectFrom("steps").select("id").executeTakeFirstOrThrow();
  await h.report(master, { steps: [{ id: stepId, state: "exited", exitCode: 1 }] });
  await h.settle();
  h.advance(6 * 60_000);
  await h.settle();
  const events = (await stateChangesOf(h.store.db, id)).map(({ event }) => event);
  assert.equal(new Set(events.map((event) => event.id)).size, events.length);
  const which = `Amazon EMR cluster ${id} (test)`;
  const { id: uuid, ...failed } = events.find(({ detail }) => detail.state === "FAILED")!;
  assert.match(uuid, /^[0-9a-f-]{36}$/);
  assert.deepEqual(failed, {
    version: "0",
    "detail-type": "EMR Step Status Change",
    source: "aws.emr",
    account: "123456789012",
    time: "2026-01-01T00:00:00Z",
    region: "us-east-1",
    resources: [],
    detail: {
      severity: "ERROR",
      actionOnFailure: "TERMINATE_CLUSTER",
      stepId,
      name: "load",
      clusterId: id,
      state: "FAILED",
      message: `Step ${stepId} (load) in ${which} failed at 2026-01-01 00:00 UTC.`,
    },
  });
  assert.deepEqual(events[0]?.detail, {
    severity: "INFO",
    stateChangeReason: '{"code":""}',
    name: "test",
    clusterId: id,
    state: "STARTING",
    message: `${which} was requested at 2026-01-01 00:00 UTC and is being created.`,
  });
  const ended = events.find(({ detail }) => detail.state === "TERMINATED_WITH_ERRORS")!;
  assert.equal(ended.detail.severity, "CRITICAL");
  const { code, message } = JSON.parse(ended.detail.stateChangeReason!);
  assert.equal(code, "STEP_FAILURE");
  assert.match(message, /^Shut down as step failed/);
  assert.equal(
    ended.detail.message,
    `Amazon EMR Cluster ${id} (test) has terminated with errors at 2026-01-01 00:06 UTC with a reason of STEP_FAILURE.`,
  );
  const core = events.find(({ detail }) => detail.instanceGroupType === "CORE" && detail.state === "RUNNING")!;
  assert.deepEqual([core.detail.requestedInstanceCount, core.detail.runningInstanceCount, core.detail.market], ["2", "2", "ON_DEMAND"]);
});

test("a step's life, a cancellation and a cluster's end in the Management Guide's words", async () => {
  const h = await harness();
  const groups = [
    { InstanceRole: "MASTER", InstanceType: "m5.xlarge", InstanceCount: 1 },
    { InstanceRole: "CORE", InstanceType: "m5.xlarge", InstanceCount: 2, Market: "SPOT", BidPrice: "0.5" },
  ] as const;
  const id = await create(h, {
    Name: "nightly",
    Instances: { InstanceGroups: [...groups], KeepJobFlowAliveWhenNoSteps: true },
    Steps: [step("a", "CONTINUE"), step("b", "CONTINUE")],
  });
  const [a, b] = (await h.store.db.selectFrom("steps").select("id").orderBy("seq").execute()).map((row) => row.id);
  const master = await makeReady(h, id);
  await h.handlers.CancelSteps!({ ClusterId: id, StepIds: [b] } as never, h.request);
  await h.settle();
  h.advance(120_000);
  await h.report(master, { steps: [{ id: a!, state: "exited", exitCode: 0 }] });
  await h.settle();
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.settle();
  h.advance(6 * 60_000);
  await h.settle();
  const events = (await stateChangesOf(h.store.db, id)).map(({ event }) => event.detail);
  const where = `Amazon EMR cluster ${id} (nightly)`;
  const said = (state: string, of = "clusterId", value = id) => {
    const kind = of === "clusterId" ? events.filter(({ stepId, instanceGroupId }) => !stepId && !instanceGroupId) : events;
    const found = kind.find((detail) => detail[of] === value && detail.state === state)!;
    return [found.severity, found.message];
  };
  assert.deepEqual(said("RUNNING"), ["INFO", `${where} began running steps at 2026-01-01 00:00 UTC.`]);
  assert.deepEqual(said("WAITING"), ["INFO", `${where} finished running all pending steps at 2026-01-01 00:02 UTC.`]);
  assert.deepEqual(said("TERMINATED"), [
    "INFO",
    `Amazon EMR Cluster ${id} (nightly) has terminated at 2026-01-01 00:08 UTC with a reason of USER_REQUEST.`,
  ]);
  const added = `Step ${a} (a) was added to ${where} at 2026-01-01 00:00 UTC and is pending execution.`;
  assert.deepEqual(said("PENDING", "stepId", a), ["INFO", added]);
  assert.deepEqual(said("RUNNING", "stepId", a), ["INFO", `Step ${a} (a) in ${where} started running at 2026-01-01 00:00 UTC.`]);
  assert.deepEqual(said("COMPLETED", "stepId", a), [
    "INFO",
    `Step ${a} (a) in ${where} completed execution at 2026-01-01 00:02 UTC. The step started running at 2026-01-01 00:00 UTC and took 2 minutes to complete.`,
  ]);
  assert.deepEqual(said("CANCELLED", "stepId", b), [
    "WARN",
    `Cancellation request has succeeded for cluster step ${b} (b) in ${where} at 2026-01-01 00:00 UTC, and the step is now cancelled.`,
  ]);
  const end = events.find(({ state }) => state === "TERMINATED")!;
  assert.equal(end.stateChangeReason, '{"code":"USER_REQUEST","message":"Terminated by user request"}');
  const core = events.find(({ instanceGroupType }) => instanceGroupType === "CORE")!;
  assert.deepEqual([core.market, core.bidPrice], ["SPOT", "0.5"]);
});

test("what a store of before holds is noted by its migration: no event tells of a change that was long ago", async () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-state-changes-"));
  const path = join(folder, "howdah.db");
  try {
    const first = await harness(path);
    await live(first, async (work) => work());
    for (const ready of [false, true]) {
      const id = await create(first, { Steps: [step("one"), step("two")] });
      const instances = await instancesOf(first.store.db, id);
      if (ready) await makeReady(first, id);
      else await first.report(instances[0]!.id, {});
    }
    const noted = async () => [
      await first.store.db.selectFrom("noted_states").selectAll().orderBy("id").execute(),
      await first.store.db.selectFrom("clusters").select(["id", "noted_state"]).orderBy("id").execute(),
    ];
    const before = await noted();
    assert.ok(before.every((rows) => rows.length >= 2));
    // The migrations again, on tables as they were before.
    const [made = "", moved = ""] = migrations.filter((text) => text.includes("noted_states"));
    const raw = new DatabaseSync(path);
    raw.exec(`DROP TABLE noted_states; DROP TABLE state_changes; DROP INDEX clusters_by_state; DROP INDEX clusters_by_phase; DROP INDEX wakes_by_due;
      ALTER TABLE clusters DROP COLUMN noted_state; ${migrations.find((text) => text.includes("clusters_by_outcome"))!.split("CREATE INDEX steps_by_state")[0]}`);
    raw.exec(made);
    raw.exec(moved);
    raw.close();
    assert.deepEqual(await noted(), before);
    await first.store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
