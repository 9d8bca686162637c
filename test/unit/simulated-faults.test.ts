/** What is scripted and ordered of the server for unit tests, by its own command: rules, names, faults, and what a kill -9 leaves of them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { AddInstanceGroupsCommand, CancelStepsCommand, ListInstancesCommand, ListStepsCommand } from "@aws-sdk/client-emr";
import { faultPath, recordPath, spotPath } from "../../src/running.ts";
import { type Server, startServer } from "./simulated-server.ts";

const cli = join(import.meta.dirname, "../../src/cli/main.ts");
const howdah = async (...args: string[]) =>
  (await promisify(execFile)(process.execPath, ["--disable-warning=ExperimentalWarning", cli, ...args])).stdout;

describe("rules and faults", () => {
  let server: Server;
  const folder = mkdtempSync(join(tmpdir(), "howdah-rules-"));
  const fault = (...args: string[]) => howdah("fault", ...args, "--data", server.data.root);
  before(async () => {
    const rules = join(folder, "rules.json");
    writeFileSync(
      rules,
      JSON.stringify({
        steps: [{ name: "load *", exitCode: 4, message: "no such table: orders" }],
        bootstrapActions: [{ name: "broken", exitCode: 2 }],
      }),
    );
    server = await startServer({ rules }, { spot: { noticeSeconds: 5 } });
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  test("a step fails by a rule, with its message, and by its name", async () => {
    const id = await server.run(["load orders", "report [exits 3]", "other"], { keepAlive: false });
    await server.reaches(id, "TERMINATED");
    assert.deepEqual(
      (await server.steps(id)).map(({ state, failure }) => [state, failure?.Reason, failure?.Message]),
      [
        ["FAILED", "Step exited with a non-zero code 4.", "no such table: orders"],
        ["FAILED", "Step exited with a non-zero code 3.", undefined],
        ["COMPLETED", undefined, undefined],
      ],
    );
  });

  test("a bootstrap action that fails ends its cluster as on EMR", async () => {
    const id = await server.run([], { actions: ["broken"] });
    const { StateChangeReason } = await server.reaches(id, "TERMINATED_WITH_ERRORS");
    assert.equal(StateChangeReason?.Code, "BOOTSTRAP_FAILURE");
    assert.match(StateChangeReason?.Message ?? "", /bootstrap action 1 returned a non-zero return code \(2\)/);
  });

  test("a step that hangs runs until it is cancelled, or a fault ends it", async () => {
    const id = await server.run(["a [hangs]"]);
    await server.stepReaches(id, "a [hangs]", "RUNNING");
    const [step] = await server.stepIds(id);
    await server.client.send(new CancelStepsCommand({ ClusterId: id, StepIds: [step!], StepCancellationOption: "TERMINATE_PROCESS" }));
    await server.stepReaches(id, "a [hangs]", "CANCELLED");
    assert.match(await fault("step-hangs", "b *"), /the next step that is called b \* does not end by itself/);
    await server.add(id, ["b 1"]);
    await server.stepReaches(id, "b 1", "RUNNING");
    assert.match(
      await fault("step-exits", "b 1", "--exit-code", "7", "--message", "killed"),
      /s-\w+ \(b 1\), which runs, ends with exit code 7/,
    );
    await server.stepReaches(id, "b 1", "FAILED");
    assert.equal((await server.steps(id)).at(-1)?.failure?.Message, "killed");
    await server.add(id, ["b 2"]);
    await server.stepReaches(id, "b 2", "COMPLETED");
  });

  test("kill -9 and up again: steps that run go on and are run once; a fault that waits still comes", async () => {
    const long = "long [takes 2s]";
    const [id, other] = [await server.run([long]), await server.run(["held [hangs]"])];
    await server.stepReaches(id, long, "RUNNING");
    await server.stepReaches(other, "held [hangs]", "RUNNING");
    await fault("step-exits", "next");
    await server.kill();
    await server.up();
    assert.equal((await server.steps(other))[0]?.state, "RUNNING");
    await server.stepReaches(id, long, "COMPLETED");
    assert.deepEqual(await server.states(id, long), ["PENDING", "RUNNING", "COMPLETED"]);
    const { Steps = [] } = await server.client.send(new ListStepsCommand({ ClusterId: id }));
    const { StartDateTime, EndDateTime } = Steps[0]?.Status?.Timeline ?? {};
    const ran = EndDateTime!.getTime() - StartDateTime!.getTime();
    // Node counts a timer from the begin of its turn, which may have been long.
    assert.ok(ran >= 1_000, `it ran for ${ran} ms only: it was cut off`);
    assert.match(await fault("step-exits", "held*", "--exit-code", "0"), /which runs, ends with exit code 0/);
    await server.stepReaches(other, "held [hangs]", "COMPLETED");
    await server.add(id, ["next"]);
    await server.stepReaches(id, "next", "FAILED");
    assert.equal(await fault("list", "--json"), "[]\n");
  });

  test("an instance that dies says so itself, and is replaced; without its master a cluster ends by INSTANCE_FAILURE", async () => {
    const id = await server.run([]);
    await server.reaches(id, "WAITING");
    const said = await fault("instance-dies", id, "core2");
    const instance = /^i-\w+/.exec(said)?.[0] ?? "";
    const instances = async () => (await server.client.send(new ListInstancesCommand({ ClusterId: id }))).Instances ?? [];
    const running = async () => (await instances()).filter(({ Status }) => Status?.State === "RUNNING").length;
    while ((await instances()).length < 4 || (await running()) < 3) await sleep(50);
    const dead = (await instances()).find(({ Ec2InstanceId }) => Ec2InstanceId === instance);
    assert.deepEqual([dead?.Status?.State, dead?.Status?.StateChangeReason?.Code], ["TERMINATED", "INSTANCE_FAILURE"]);
    const told = async (text: RegExp) => {
      for (let n = 0; n < 200; n++, await sleep(50)) if (text.test(await howdah("events", id, "--data", server.data.root))) return;
      assert.fail(`${text} is not told of`);
    };
    assert.match(await fault("disk-read-only", id, "core1"), /the disk of i-\w+ is read-only, until/);
    await told(/is unhealthy: hadoop-yarn-nodemanager: ERROR volume \/mnt takes no writes: Read-only file system/);
    assert.match(await fault("disk-full", id, "core1"), /is full, until/);
    await told(/is unhealthy: hadoop-yarn-nodemanager: 1\/1 local-dirs usable space is below/);
    await fault("disk-well", id, "core1");
    await told(/is healthy again/);
    await assert.rejects(fault("disk-full", id, instance), /does not run: it has no disk/);
    await assert.rejects(fault("instance-dies", id, instance), /does not run: only an instance that runs can die/);
    await fault("instance-dies", id, "master");
    const { StateChangeReason } = await server.reaches(id, "TERMINATED_WITH_ERRORS");
    assert.equal(StateChangeReason?.Code, "INSTANCE_FAILURE");
    assert.match(StateChangeReason?.Message ?? "", /The master instance i-\w+ was lost: nothing of it is left on its host/);
  });

  test("a spot instance has its notice by a fault; its time goes on over a kill -9, and it is replaced once", async () => {
    const id = await server.run([]);
    await server.reaches(id, "WAITING");
    const group = { InstanceRole: "TASK" as const, InstanceType: "m5.xlarge", InstanceCount: 1, Market: "SPOT" as const };
    await server.client.send(new AddInstanceGroupsCommand({ JobFlowId: id, InstanceGroups: [group] }));
    const tasks = async () =>
      (await server.client.send(new ListInstancesCommand({ ClusterId: id, InstanceGroupTypes: ["TASK"] }))).Instances ?? [];
    const states = async () => (await tasks()).map(({ Status }) => Status?.State).toSorted();
    while ((await states()).join() !== "RUNNING") await sleep(50);
    assert.match(await fault("spot-interruption", id, "task1"), /^i-\w+ has its interruption notice: it is terminated in 5 s/);
    await server.kill();
    await server.up();
    while ((await states()).join() !== "RUNNING,TERMINATED") await sleep(50);
    const gone = (await tasks()).find(({ Status }) => Status?.State === "TERMINATED")?.Status?.StateChangeReason;
    assert.deepEqual([gone?.Code, gone?.Message], ["INSTANCE_FAILURE", "Server.SpotInstanceTermination: Spot instance termination"]);
  });

  test("an instance that cannot be launched ends its cluster before it was ready; the next cluster is well", async () => {
    await fault("launch-fails", "--message", "We currently do not have sufficient m5.xlarge capacity");
    const id = await server.run([]);
    const { StateChangeReason } = await server.reaches(id, "TERMINATED_WITH_ERRORS");
    assert.match(StateChangeReason?.Message ?? "", /could not be launched: We currently do not have sufficient m5\.xlarge capacity/);
    await server.reaches(await server.run([]), "WAITING");
  });

  test("faults that wait are listed and taken back", async () => {
    await fault("clear"); // Of a test that failed.
    await fault("step-hangs", "never");
    await fault("launch-fails");
    assert.equal(await fault("list"), "step-hangs  never\nlaunch-fails\n");
    assert.match(await fault("clear"), /^2 that waited/);
    assert.equal(await fault("list"), "");
  });

  test("what is not well said is refused; and nobody without the data folder's secret orders faults", async () => {
    await assert.rejects(fault("step-exits"), /howdah fault step-exits NAME \[--exit-code N\]/);
    await assert.rejects(fault("launch-fails", "j-1"), /howdah fault launch-fails/);
    await assert.rejects(fault("step-hangs", "x", "--exit-code", "1"), /--exit-code is for step-exits/);
    await assert.rejects(fault("step-exits", "x", "--exit-code", "256"), /exitCode/);
    await assert.rejects(fault("instance-dies", "j-NONE", "master"), /there is no cluster j-NONE/);
    const drill = (...words: string[]) => howdah("drill", ...words, "--data", server.data.root);
    await assert.rejects(drill("kill-node", "last"), /are simulated: howdah fault says/);
    await assert.rejects(fault("spot-interruption", "last"), /howdah fault spot-interruption CLUSTER NODE/);
    await assert.rejects(fault("spot-interruption", "last", "master"), /is on demand: only instances of the market SPOT/);
    await assert.rejects(drill("kill-node", "last", "--seconds", "3"), /--seconds is for freeze-node, slow-node, disk-full/);
    const { endpoint } = await server.credentials();
    const body = JSON.stringify({ kind: "launch-fails" });
    for (const headers of [{}, { authorization: "Bearer x" }])
      for (const path of [faultPath, spotPath]) assert.equal((await fetch(endpoint + path, { method: "POST", headers, body })).status, 403);
    assert.equal(statSync(recordPath(server.data)).mode & 0o077, 0);
  });

  test("a rule that is wrong is told before anything starts", async () => {
    const path = join(folder, "wrong.json");
    writeFileSync(path, '{"steps": [{"name": "a", "exitCode": "1"}]}');
    const up = howdah("up", "--provider", "simulated", "--rules", path, "--data", join(folder, "data"));
    await assert.rejects(up, /wrong\.json:[^]*steps\[0\]\.exitCode/);
    await assert.rejects(howdah("up", "--rules", path, "--data", join(folder, "data")), /--rules is for simulated nodes/);
  });
});

test("at EMR's pace a step that runs can be ended by a fault, and a node that boots when it was killed boots on", async () => {
  const server = await startServer({ pace: "real" });
  try {
    const id = await server.run([]);
    await sleep(200);
    await server.kill();
    await server.up();
    assert.equal((await server.cluster(id)).Status?.State, "STARTING");
    const said = await howdah("fault", "instance-dies", id, "master", "--data", server.data.root);
    assert.match(said, /is gone/);
    await server.reaches(id, "TERMINATED_WITH_ERRORS");
  } finally {
    await server.stop();
  }
});
