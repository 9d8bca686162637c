import assert from "node:assert/strict";
import { test } from "node:test";
import type { DescribeJobFlowsInput } from "@aws-sdk/client-emr";
import { emrService } from "../../src/aws/services/emr.ts";
import { validate } from "../../src/aws/validate.ts";
import { instancesOf } from "../../src/store/instances.ts";
import { stepsOf } from "../../src/store/steps.ts";
import { create, type Harness, harness, makeReady, step } from "./control-plane-harness.ts";

const dayMs = 24 * 3600_000;
const describe = async (h: Harness, input: DescribeJobFlowsInput = {}) => {
  const output = await h.handlers.DescribeJobFlows!(input, h.request);
  const { output: shape } = emrService.operations.get("DescribeJobFlows")!;
  const document = { JobFlows: output.JobFlows?.map((flow) => JSON.parse(JSON.stringify(flow), asDate) as object) };
  assert.deepEqual(validate(shape, document, emrService.constraints), [], "nothing that the model does not have, and all that it requires");
  return output.JobFlows!;
};
const asDate = (name: string, value: unknown) => (name.endsWith("DateTime") ? new Date(value as string) : value);
const state = async (h: Harness, id: string) => (await describe(h, { JobFlowIds: [id] }))[0]?.ExecutionStatusDetail?.State;
async function stop(h: Harness, id: string): Promise<void> {
  for (const instance of await instancesOf(h.store.db, id)) await h.report(instance.id, { phase: "stopped" });
  await h.settle();
}

test("DescribeJobFlows shows a cluster in the old shape", async () => {
  const h = await harness();
  const id = await create(h, {
    Steps: [step("one", "CANCEL_AND_WAIT")],
    BootstrapActions: [{ Name: "ba", ScriptBootstrapAction: { Path: "s3://b/ba.sh", Args: ["x"] } }],
    ServiceRole: "EMR_DefaultRole",
    JobFlowRole: "EMR_EC2_DefaultRole",
  });
  const master = await makeReady(h, id);
  const [only] = await stepsOf(h.store.db, id);
  await h.handlers.CancelSteps!({ ClusterId: id, StepIds: [only!.id] }, h.request);
  const [flow, ...more] = await describe(h);
  assert.deepEqual(more, []);
  assert.deepEqual([flow?.JobFlowId, flow?.Name, flow?.LogUri, flow?.JobFlowRole], [id, "test", "s3://logs/x/", "EMR_EC2_DefaultRole"]);
  const { Instances, Steps, BootstrapActions } = flow!;
  assert.deepEqual(
    [Instances?.MasterInstanceId, Instances?.InstanceCount, Instances?.SlaveInstanceType, Instances?.HadoopVersion],
    [master, 3, "m5.xlarge", "3.4.2"],
  );
  assert.deepEqual(
    Instances?.InstanceGroups?.map((group) => [group.InstanceRole, group.InstanceRequestCount, group.InstanceRunningCount, group.State]),
    [
      ["MASTER", 1, 1, "RUNNING"],
      ["CORE", 2, 2, "RUNNING"],
    ],
  );
  assert.equal(Steps?.[0]?.ExecutionStatusDetail?.State, "RUNNING", "the old shape has no CANCEL_PENDING");
  assert.deepEqual(Steps?.[0]?.StepConfig?.HadoopJarStep?.Args, ["true"]);
  assert.deepEqual(BootstrapActions?.[0]?.BootstrapActionConfig?.ScriptBootstrapAction, { Path: "s3://b/ba.sh", Args: ["x"] });
});

test("its states are those of EMR's first years", async () => {
  const h = await harness();
  const user = await create(h);
  assert.equal(await state(h, user), "STARTING");
  await makeReady(h, user);
  assert.equal(await state(h, user), "WAITING");
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [user] }, h.request);
  assert.equal(await state(h, user), "SHUTTING_DOWN");
  await h.settle();
  await stop(h, user);
  assert.equal(await state(h, user), "TERMINATED");
  const [flow] = await describe(h, { JobFlowStates: ["TERMINATED"] });
  assert.deepEqual([flow?.JobFlowId, flow?.Instances?.InstanceGroups?.[0]?.State], [user, "ENDED"]);

  const transient = await create(h, {}, false);
  await makeReady(h, transient);
  await stop(h, transient);
  assert.equal(await state(h, transient), "COMPLETED");
  const failing = await create(h);
  const [master] = await instancesOf(h.store.db, failing);
  await h.report(master!.id, { phase: "failed", failure: { kind: "daemon", message: "no" } });
  await h.settle();
  h.advance(6 * 60_000);
  await h.settle();
  assert.equal(await state(h, failing), "FAILED");
  assert.deepEqual(await describe(h, { JobFlowStates: ["RUNNING"] }), []);
});

test("it has the last two months only; asked for nothing, two weeks and what goes on", async () => {
  const h = await harness();
  const ended = await create(h, {}, false);
  await makeReady(h, ended);
  await stop(h, ended);
  const alive = await create(h);
  await makeReady(h, alive);
  const ids = async (input?: DescribeJobFlowsInput) => (await describe(h, input)).map(({ JobFlowId }) => JobFlowId).toSorted();
  const begun = new Date(h.store.now());
  assert.deepEqual(await ids(), [ended, alive].toSorted());
  h.advance(20 * dayMs);
  assert.deepEqual(await ids(), [alive]);
  assert.deepEqual(await ids({ JobFlowIds: [ended, "j-NOBODY"] }), [ended]);
  assert.deepEqual(await ids({ CreatedAfter: new Date(begun.getTime() + 1) }), []);
  assert.deepEqual(await ids({ CreatedBefore: new Date(begun.getTime() + 1) }), [ended, alive].toSorted());
  h.advance(60 * dayMs);
  assert.deepEqual(await ids({ JobFlowIds: [ended, alive] }), []);
});
