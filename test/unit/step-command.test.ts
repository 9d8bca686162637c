import assert from "node:assert/strict";
import { test } from "node:test";
import { checkStep, stepOrder, type StepToRun } from "../../src/engines/step-command.ts";
import { factsOf } from "./engine-facts.ts";

const facts = factsOf(["MASTER"], 0);
const step = (more: Partial<StepToRun>): StepToRun => ({
  id: "s-1",
  name: "n",
  jar: "command-runner.jar",
  args: [],
  properties: {},
  ...more,
});
const order = (more: Partial<StepToRun>) => stepOrder({ step: step(more), facts });
const script = "/data/nodes/i-0/steps/s-1/files/run.sh";

test("command-runner takes its arguments as they are", () => {
  assert.deepEqual(order({ args: ["bash", "-c", "echo $A  'b'"] }).argv, ["bash", "-c", "echo $A  'b'"]);
});

test("script-runner of every region fetches and runs the script", () => {
  const jars = [
    "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar",
    "s3://elasticmapreduce/libs/script-runner/script-runner.jar",
  ];
  for (const jar of [...jars, "/usr/share/aws/emr/scripts-runner/lib/script-runner.jar"]) {
    const made = order({ jar, args: ["s3a://b/run.sh", "1"] });
    assert.deepEqual(made.fetch, [{ uri: "s3://b/run.sh", to: script }]);
    assert.deepEqual(made.argv, [script, "1"]);
  }
});

test("a JAR runs by hadoop jar, with its class, arguments and properties", () => {
  const made = order({ jar: "s3://b/dir/run.sh", mainClass: "a.B", args: ["in"], properties: { k: "v" } });
  assert.deepEqual(made.argv, ["hadoop", "jar", script, "a.B", "in"]);
  assert.equal(made.env.HADOOP_CLIENT_OPTS, "-Dk=v");
  assert.deepEqual(order({ jar: "file:///opt/x.jar" }).argv, ["hadoop", "jar", "/opt/x.jar"]);
});

test("what cannot be run is refused with the reason", () => {
  assert.match(checkStep(step({}))!, /needs a command/);
  assert.match(checkStep(step({ jar: "https://example.com/a.jar" }))!, /cannot be fetched/);
  assert.match(checkStep(step({ jar: "hdfs:///a.jar" }))!, /cannot be fetched/);
  assert.match(checkStep(step({ jar: "s3://elasticmapreduce/libs/script-runner/script-runner.jar" }))!, /first argument/);
  assert.equal(checkStep(step({ args: ["true"] })), undefined);
});
