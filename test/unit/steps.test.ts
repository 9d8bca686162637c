/** The life of steps: cancellation, concurrency, and what a failure does, as EMR's clients see it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StepCancellationOption, StepState } from "@aws-sdk/client-emr";
import type { StepReport } from "../../src/agent/manifest.ts";
import { endAllClusters } from "../../src/store/clusters.ts";
import { eventsOf } from "../../src/store/events.ts";
import { stepsOf } from "../../src/store/steps.ts";
import { create, type Harness, harness, makeReady, state, step, stepStates } from "./control-plane-harness.ts";

const stepIds = async (h: Harness, clusterId: string) => (await stepsOf(h.store.db, clusterId)).map(({ id }) => id);
const cancel = async (h: Harness, ClusterId: string, StepIds: string[], StepCancellationOption?: StepCancellationOption) =>
  (await h.handlers.CancelSteps!({ ClusterId, StepIds, StepCancellationOption }, h.request)).CancelStepsInfoList!;
const modify = (h: Harness, ClusterId: string, StepConcurrencyLevel: number) =>
  h.handlers.ModifyCluster!({ ClusterId, StepConcurrencyLevel }, h.request);
const filtered = async (h: Harness, ClusterId: string, ...StepStates: StepState[]) =>
  (await h.handlers.ListSteps!({ ClusterId, StepStates } as never, h.request)).Steps!.map(({ Name }) => Name).toReversed();
/** What the agent says of some steps. */
async function ended(h: Harness, master: string, ...steps: StepReport[]): Promise<void> {
  await h.report(master, { steps });
  await h.settle();
}

test("CancelSteps answers for each step by itself, shows at once, and may only become stronger", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("done"), step("runs"), step("waits"), step("next")] });
  const master = await makeReady(h, id);
  const [done, runs, waits] = await stepIds(h, id);
  await ended(h, master, { id: done!, state: "exited", exitCode: 0 });
  assert.deepEqual(await cancel(h, id, [done!, runs!, waits!, "s-NOBODY"]), [
    { StepId: done, Status: "FAILED", Reason: "Cannot cancel step. It is already COMPLETED." },
    { StepId: runs, Status: "SUBMITTED" },
    { StepId: waits, Status: "SUBMITTED" },
    { StepId: "s-NOBODY", Status: "FAILED", Reason: "Step id 's-NOBODY' is not valid." },
  ]);
  assert.deepEqual(await stepStates(h, id), ["COMPLETED", "CANCEL_PENDING", "CANCEL_PENDING", "PENDING"], "before any reconciler ran");
  assert.deepEqual(await filtered(h, id, "CANCEL_PENDING"), ["runs", "waits"]);
  assert.deepEqual(await filtered(h, id, "RUNNING", "PENDING"), ["next"]);
  await h.settle();
  assert.deepEqual(await stepStates(h, id), ["COMPLETED", "CANCEL_PENDING", "CANCELLED", "PENDING"], "the node has not said anything yet");
  assert.equal((await state(h, id))?.State, "RUNNING");

  const option = async () => (await stepsOf(h.store.db, id))[1]!.cancel_option;
  assert.equal(await option(), "SEND_INTERRUPT");
  assert.equal((await cancel(h, id, [runs!], "TERMINATE_PROCESS"))[0]?.Status, "SUBMITTED");
  assert.equal(await option(), "TERMINATE_PROCESS");
  assert.equal((await cancel(h, id, [runs!], "SEND_INTERRUPT"))[0]?.Status, "SUBMITTED");
  assert.equal(await option(), "TERMINATE_PROCESS");

  await ended(h, master, { id: runs!, state: "cancelled", exitCode: 137 });
  assert.deepEqual(await stepStates(h, id), ["COMPLETED", "CANCELLED", "CANCELLED", "RUNNING"]);
  await assert.rejects(async () => cancel(h, id, []), /StepIds must hold at least one/);
  await assert.rejects(async () => cancel(h, id, Array.from({ length: 257 }, String)), /at most 256/);
  await assert.rejects(async () => cancel(h, "j-NOBODY", [runs!]), /is not valid/);
});

test("a cancelled step does not act on failure; one that ended by itself before the signal ends as it did", async () => {
  const h = await harness();
  const id = await create(h, {
    Steps: [step("cancelled", "TERMINATE_CLUSTER"), step("faster"), step("worse", "CANCEL_AND_WAIT"), step("next")],
  });
  const master = await makeReady(h, id);
  const [cancelled, faster, worse] = await stepIds(h, id);
  await cancel(h, id, [cancelled!]);
  await ended(h, master, { id: cancelled!, state: "cancelled", exitCode: 143 });
  assert.deepEqual(await stepStates(h, id), ["CANCELLED", "RUNNING", "PENDING", "PENDING"]);
  assert.equal((await state(h, id))?.State, "RUNNING");
  await cancel(h, id, [faster!]);
  await ended(h, master, { id: faster!, state: "exited", exitCode: 0 });
  await cancel(h, id, [worse!]);
  await ended(h, master, { id: worse!, state: "exited", exitCode: 1 });
  assert.deepEqual(await stepStates(h, id), ["CANCELLED", "COMPLETED", "FAILED", "CANCELLED"]);
  assert.equal((await state(h, id))?.State, "WAITING");
  const gone = await create(h, { Steps: [step("gone", "TERMINATE_CLUSTER")] });
  const node = await makeReady(h, gone);
  await cancel(h, gone, await stepIds(h, gone));
  await ended(h, node, { id: (await stepIds(h, gone))[0]!, state: "lost" });
  assert.deepEqual(await stepStates(h, gone), ["CANCELLED"]);
});

test("a transient cluster whose last step is cancelled ends, whether it ran or not", async () => {
  for (const runs of [true, false]) {
    const h = await harness();
    const id = await create(h, { Steps: [step("only")] }, false);
    const [only] = await stepIds(h, id);
    if (!runs) await cancel(h, id, [only!]);
    const master = await makeReady(h, id);
    if (runs) {
      await cancel(h, id, [only!]);
      await h.settle();
      assert.equal((await state(h, id))?.State, "RUNNING");
      await ended(h, master, { id: only!, state: "cancelled" });
    }
    assert.deepEqual(await stepStates(h, id), ["CANCELLED"]);
    assert.deepEqual(await state(h, id).then((s) => [s?.State, s?.StateChangeReason?.Code]), ["TERMINATING", "ALL_STEPS_COMPLETED"]);
  }
});

test("a step that is being cancelled when its cluster ends is CANCELLED, not INTERRUPTED", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("one")] });
  const master = await makeReady(h, id);
  const [one] = await stepIds(h, id);
  await cancel(h, id, [one!]);
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.settle();
  await ended(h, master, { id: one!, state: "exited", exitCode: 143, endedAt: h.store.now() + 1 });
  assert.deepEqual(await stepStates(h, id), ["CANCELLED"]);

  const other = await create(h, { Steps: [step("one")] });
  await makeReady(h, other);
  await cancel(h, other, await stepIds(h, other));
  await endAllClusters(h.store, "down");
  assert.deepEqual(await stepStates(h, other), ["CANCELLED"]);
  assert.equal((await cancel(h, other, await stepIds(h, other)))[0]?.Status, "FAILED");
});

test("a step that is being cancelled counts among the 256 active ones", async () => {
  const h = await harness();
  const id = await create(h, { Steps: Array.from({ length: 256 }, (_, n) => step(`s${n}`)) });
  const master = await makeReady(h, id);
  const [first] = await stepIds(h, id);
  const add = async () => h.handlers.AddJobFlowSteps!({ JobFlowId: id, Steps: [step("more")] } as never, h.request);
  await cancel(h, id, [first!]);
  await h.settle();
  await assert.rejects(add, /Maximum number of active steps/);
  await ended(h, master, { id: first!, state: "cancelled" });
  assert.equal((await add()).StepIds?.length, 1);
});

test("StepConcurrencyLevel: as many run as it says, in their order; lowered, those that run go on; raised, more begin", async () => {
  const h = await harness();
  const id = await create(h, { StepConcurrencyLevel: 3, Steps: ["a", "b", "c", "d", "e"].map((name) => step(name)) });
  const master = await makeReady(h, id);
  const [a, b, c] = await stepIds(h, id);
  assert.deepEqual(await stepStates(h, id), ["RUNNING", "RUNNING", "RUNNING", "PENDING", "PENDING"]);
  assert.deepEqual(await modify(h, id, 1), { StepConcurrencyLevel: 1 });
  await ended(h, master, { id: b!, state: "exited", exitCode: 0 }, { id: c!, state: "exited", exitCode: 1 });
  assert.deepEqual(await stepStates(h, id), ["RUNNING", "COMPLETED", "FAILED", "PENDING", "PENDING"]);
  await ended(h, master, { id: a!, state: "exited", exitCode: 0 });
  assert.deepEqual(await stepStates(h, id), ["COMPLETED", "COMPLETED", "FAILED", "RUNNING", "PENDING"]);
  await modify(h, id, 256);
  await h.settle();
  assert.deepEqual(await filtered(h, id, "RUNNING"), ["d", "e"]);
  assert.equal((await h.handlers.DescribeCluster!({ ClusterId: id }, h.request)).Cluster?.StepConcurrencyLevel, 256);
  for (const level of [0, 257, -1]) await assert.rejects(async () => modify(h, id, level), /StepConcurrencyLevel must be from 1 to 256/);
});

test("above 1 only CONTINUE is taken, and the action of a step that was there before has no effect, then or later", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("fatal", "TERMINATE_JOB_FLOW"), step("cautious", "CANCEL_AND_WAIT"), step("next")] });
  const master = await makeReady(h, id);
  const [fatal, cautious] = await stepIds(h, id);
  await modify(h, id, 2);
  await h.settle();
  const warnings = (await eventsOf(h.store.db, id)).filter(({ kind }) => kind === "warning").map(({ message }) => message);
  assert.ok(warnings.includes(`ActionOnFailure TERMINATE_JOB_FLOW of ${fatal} has no effect while StepConcurrencyLevel is above 1`));
  await assert.rejects(
    async () => h.handlers.AddJobFlowSteps!({ JobFlowId: id, Steps: [step("no", "CANCEL_AND_WAIT")] } as never, h.request),
    /ActionOnFailure: with a StepConcurrencyLevel above 1 only CONTINUE is allowed, not CANCEL_AND_WAIT/,
  );
  await ended(h, master, { id: fatal!, state: "exited", exitCode: 1 }, { id: cautious!, state: "exited", exitCode: 1 });
  assert.deepEqual(await stepStates(h, id), ["FAILED", "FAILED", "RUNNING"]);
  await modify(h, id, 1);
  await h.settle();
  assert.equal((await state(h, id))?.State, "RUNNING");
});

for (const [action, next, cluster] of [
  ["TERMINATE_CLUSTER", "CANCELLED", "TERMINATING"],
  ["CANCEL_AND_WAIT", "PENDING", "RUNNING"],
] as const)
  test(`lowered to 1 while others run, ${action} leaves the next step ${next} and the cluster ${cluster}`, async () => {
    const h = await harness();
    const id = await create(h, { Steps: [step("fails", action), step("other"), step("next")] });
    const master = await makeReady(h, id);
    await modify(h, id, 2);
    await h.settle();
    await modify(h, id, 1);
    const [fails] = await stepIds(h, id);
    await ended(h, master, { id: fails!, state: "exited", exitCode: 1 });
    assert.deepEqual(await stepStates(h, id), ["FAILED", "RUNNING", next]);
    assert.equal((await state(h, id))?.State, cluster);
  });

test("CANCEL_AND_WAIT on a transient cluster ends it; TERMINATE_CLUSTER does not end a protected one", async () => {
  const h = await harness();
  const transient = await create(h, { Steps: [step("fails", "CANCEL_AND_WAIT"), step("next")] }, false);
  await ended(h, await makeReady(h, transient), { id: (await stepIds(h, transient))[0]!, state: "exited", exitCode: 1 });
  assert.deepEqual(await stepStates(h, transient), ["FAILED", "CANCELLED"]);
  assert.equal((await state(h, transient))?.StateChangeReason?.Message, "Steps completed with errors");

  const locked = await create(h, { Steps: [step("fails", "TERMINATE_CLUSTER"), step("next")] });
  const master = await makeReady(h, locked);
  await h.handlers.SetTerminationProtection!({ JobFlowIds: [locked], TerminationProtected: true }, h.request);
  await ended(h, master, { id: (await stepIds(h, locked))[0]!, state: "exited", exitCode: 1 });
  assert.deepEqual(await stepStates(h, locked), ["FAILED", "CANCELLED"]);
  await h.handlers.SetTerminationProtection!({ JobFlowIds: [locked], TerminationProtected: false }, h.request);
  await h.settle();
  assert.equal((await state(h, locked))?.State, "WAITING");
});

test("KeepJobFlowAliveWhenNoSteps and VisibleToAllUsers change, and are shown", async () => {
  const h = await harness();
  const id = await create(h, { Steps: [step("one")] }, false);
  const master = await makeReady(h, id);
  const cluster = async () => (await h.handlers.DescribeCluster!({ ClusterId: id }, h.request)).Cluster!;
  assert.deepEqual([(await cluster()).AutoTerminate, (await cluster()).VisibleToAllUsers], [true, true]);
  const keep = (KeepJobFlowAliveWhenNoSteps: boolean) =>
    h.handlers.SetKeepJobFlowAliveWhenNoSteps!({ JobFlowIds: [id], KeepJobFlowAliveWhenNoSteps }, h.request);
  await keep(true);
  await h.handlers.SetVisibleToAllUsers!({ JobFlowIds: [id], VisibleToAllUsers: false }, h.request);
  await h.handlers.ModifyCluster!({ ClusterId: id, ExtendedSupport: true }, h.request);
  assert.deepEqual(
    [(await cluster()).AutoTerminate, (await cluster()).VisibleToAllUsers, (await cluster()).ExtendedSupport],
    [false, false, true],
  );
  assert.ok((await eventsOf(h.store.db, id)).some(({ kind, message }) => kind === "warning" && message.includes("ExtendedSupport")));
  await ended(h, master, { id: (await stepIds(h, id))[0]!, state: "exited", exitCode: 0 });
  assert.equal((await state(h, id))?.State, "WAITING");
  await keep(false);
  await h.settle();
  assert.deepEqual(await state(h, id).then((s) => [s?.State, s?.StateChangeReason?.Code]), ["TERMINATING", "ALL_STEPS_COMPLETED"]);
  await assert.rejects(async () => keep(true), /may not be modified/);
  await assert.rejects(async () => modify(h, id, 2), /may not be modified/);
});

test("a parameter that the model does not have is refused by every operation but RunJobFlow, which warns", async () => {
  const h = await harness();
  h.request.unknownMembers.push("Colour");
  const id = await create(h);
  await assert.rejects(async () => modify(h, id, 2), /Colour: not a parameter of ModifyCluster/);
});
