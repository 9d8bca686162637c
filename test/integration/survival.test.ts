/** kill -9 of the control plane and of an agent, at the moments that matter, on the real thing: it goes on, nothing runs twice, nothing is left. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runningControlPlane } from "../../src/running.ts";
import { findByEnvironment, signal } from "../../src/process/known.ts";
import { nodeVariable, ownerVariable } from "../../src/data-folder.ts";
import { takeDown } from "../../src/take-down.ts";
import { type Howdah, releaseLabel, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let scratch: string;
before(async () => {
  howdah = await startHowdah();
  scratch = mkdtempSync(join(tmpdir(), "howdah-survival-"));
  await howdah.aws("s3", "mb", "s3://work");
});
after(async () => {
  await howdah?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

async function killControlPlane(): Promise<void> {
  const running = runningControlPlane(howdah.data);
  assert.ok(running, "a control plane runs");
  signal(running, "SIGKILL");
  await until("the control plane's end", async () => !runningControlPlane(howdah.data));
}

const describe = (id: string) => howdah.cluster(id);
const stateOf = async (id: string): Promise<string> => (await describe(id)).Status.State;
const create = async (...more: string[]): Promise<string> =>
  (
    await howdah.aws(
      "emr",
      "create-cluster",
      "--release-label",
      releaseLabel,
      "--instance-type",
      "m5.xlarge",
      "--instance-count",
      "1",
      "--use-default-roles",
      "--log-uri",
      "s3://work/logs/",
      ...more,
    )
  ).ClusterId;
/** Appends to an S3-independent place that the step's own marker makes visible: HDFS would need the cluster to be well. */
const counting = (marker: string) => ({
  Name: marker,
  Type: "CUSTOM_JAR",
  Jar: "command-runner.jar",
  ActionOnFailure: "CONTINUE",
  Args: ["bash", "-c", `echo ran >> $HOME/${marker}; sleep 8; cat $HOME/${marker}`],
});
const addStep = async (id: string, step: object): Promise<string> =>
  (await howdah.aws("emr", "add-steps", "--cluster-id", id, "--steps", JSON.stringify([step]))).StepIds[0];
const stepStatus = async (id: string, stepId: string) => (await howdah.step(id, stepId)).Status;
const stepEnd = (id: string, stepId: string) =>
  until(`the end of ${stepId}`, async () => {
    const status = await stepStatus(id, stepId);
    return !["PENDING", "RUNNING"].includes(status.State) && status;
  });
const stepOutput = async (id: string, stepId: string): Promise<string> => {
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", id);
  return readFileSync(join(howdah.data.node(Instances[0].Ec2InstanceId), "logs", "steps", stepId, "stdout"), "utf8");
};

let clusterId = "";

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
};

const agentsOf = (instanceId: string) =>
  findByEnvironment(nodeVariable, instanceId).filter(({ pid }) => /^\S*\/node .*agent\/main\.(ts|js)/.test(commandOf(pid)));

test("the control plane and an agent die while a cluster starts: their successors bring it to WAITING", async () => {
  clusterId = await create();
  const instanceId = await until("a launched instance", async () => {
    const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", clusterId);
    return Instances.find((instance: any) => agentsOf(instance.Ec2InstanceId).length === 1)?.Ec2InstanceId as string | undefined;
  });
  await killControlPlane();
  signal(agentsOf(instanceId)[0], "SIGKILL");
  await howdah.up();
  await until("WAITING", async () => (await stateOf(clusterId)) === "WAITING");
});

test("the control plane dies while a step runs: the step goes on, and runs once", async () => {
  const stepId = await addStep(clusterId, counting("control-plane-dies"));
  await until("the step to run", async () => (await stepStatus(clusterId, stepId)).State === "RUNNING");
  await killControlPlane();
  await howdah.up();
  assert.equal((await stepEnd(clusterId, stepId)).State, "COMPLETED");
  assert.equal(await stepOutput(clusterId, stepId), "ran\n");
});

test("an agent dies while a step runs: its successor finds the step, which runs once", async () => {
  const stepId = await addStep(clusterId, counting("agent-dies"));
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", clusterId);
  const instanceId: string = Instances[0].Ec2InstanceId;
  await until("the step's process", async () =>
    findByEnvironment(nodeVariable, instanceId).some(({ pid }) => commandOf(pid).includes("agent-dies")),
  );
  const agents = agentsOf(instanceId);
  assert.equal(agents.length, 1, "one agent a node");
  signal(agents[0], "SIGKILL");
  assert.equal((await stepEnd(clusterId, stepId)).State, "COMPLETED");
  assert.equal(await stepOutput(clusterId, stepId), "ran\n");
});

test("the control plane and an agent die while a cluster terminates: it ends all the same, and no process is left", async () => {
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", clusterId);
  await howdah.aws("emr", "terminate-clusters", "--cluster-ids", clusterId);
  await killControlPlane();
  for (const instance of Instances) for (const agent of agentsOf(instance.Ec2InstanceId)) signal(agent, "SIGKILL");
  await howdah.up();
  await until("TERMINATED", async () => (await stateOf(clusterId)) === "TERMINATED");
  for (const instance of Instances) assert.deepEqual(findByEnvironment(nodeVariable, instance.Ec2InstanceId), []);
});

test("two clusters at once do not meet; down ends both with a dead control plane, and up starts clean", async () => {
  const [one, two] = [await create(), await create()];
  await until("both WAITING", async () => (await stateOf(one)) === "WAITING" && (await stateOf(two)) === "WAITING");
  assert.notEqual((await describe(one)).MasterPublicDnsName, (await describe(two)).MasterPublicDnsName);
  writeFileSync(join(scratch, "file"), "kept");
  await howdah.aws("s3", "cp", join(scratch, "file"), "s3://work/file");
  await killControlPlane();
  await takeDown(howdah.data);
  assert.deepEqual(findByEnvironment(ownerVariable, howdah.data.root), []);
  await howdah.up();
  assert.deepEqual([await stateOf(one), await stateOf(two)], ["TERMINATED", "TERMINATED"]);
  assert.match(await howdah.aws("s3", "ls", "s3://work/"), /file/);
});
