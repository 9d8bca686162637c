import assert from "node:assert/strict";
import { test } from "node:test";
import { checkStep, stepOrder, stepWarning, type StepToRun } from "../../src/engines/step-command.ts";
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
  assert.deepEqual(order({ jar: "/var/lib/aws/emr/command-runner.jar", args: ["true", ""] }).argv, ["true", ""]);
});

test("a step of Spark's Scala examples, as AWS's page has it, is that of the example in Python, and says so", () => {
  const typed =
    "spark-submit --deploy-mode cluster --class org.apache.spark.examples.SparkPi --conf a=b /usr/lib/spark/examples/jars/spark-examples.jar 10";
  const args = typed.split(" ");
  const made = "spark-example --deploy-mode cluster --conf a=b org.apache.spark.examples.SparkPi 10";
  assert.deepEqual(order({ args }).argv, made.split(" "));
  assert.match(stepWarning(step({ args })) ?? "", /in Python/);
  for (const other of [
    typed.replace("org.apache.spark.examples", "mine"),
    typed.replace("/usr/lib", "/mine"),
    typed.replace("spark-submit", "echo"),
  ]) {
    assert.deepEqual(order({ args: other.split(" ") }).argv, other.split(" "));
    assert.equal(stepWarning(step({ args: other.split(" ") })), undefined);
  }
});

test("script-runner of every region fetches and runs the script", () => {
  const jars = [
    "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar",
    "s3://ap-southeast-2.elasticmapreduce/libs/script-runner/script-runner.jar",
    "s3n://elasticmapreduce/libs/script-runner/script-runner.jar",
    "s3://elasticmapreduce/libs/script-runner/script-runner.jar",
    "/var/lib/aws/emr/scripts/script-runner.jar",
    "script-runner.jar",
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

test("JARs come from the web and from the cluster's own HDFS", () => {
  const web = order({ jar: "https://example.com/dir/run.sh?version=1" });
  assert.deepEqual(web.fetch, [{ uri: "https://example.com/dir/run.sh?version=1", to: script }]);
  for (const jar of ["hdfs:///a b/run.sh", "hdfs://127.77.9.1:8020/a b/run.sh", "hdfs://ip-127-77-9-1/a b/run.sh"]) {
    const url = "http://127.77.9.1:9870/webhdfs/v1/a%20b/run.sh?op=OPEN&user.name=hadoop";
    assert.deepEqual(order({ jar }).fetch, [{ uri: url, to: script, name: jar }]);
  }
  assert.equal(order({ jar: "hdfs://elsewhere:8020/run.sh" }).fetch[0]?.uri, "hdfs://elsewhere:8020/run.sh");
});

test("JARs of EMR's nodes are the commands that they are there", () => {
  for (const jar of [
    "/usr/share/aws/emr/s3-dist-cp/lib/s3-dist-cp.jar",
    "/home/hadoop/lib/emr-s3distcp-1.0.jar",
    "s3://eu-west-1.elasticmapreduce/libs/s3distcp/1.latest/s3distcp.jar",
  ])
    assert.deepEqual(order({ jar, args: ["--src", "a"] }).argv, ["s3-dist-cp", "--src", "a"]);
  for (const jar of ["/home/hadoop/contrib/streaming/hadoop-streaming.jar", "file:///usr/lib/hadoop-mapreduce/hadoop-streaming-3.4.2.jar"])
    assert.deepEqual(order({ jar, args: ["-input", "a"] }).argv, ["hadoop-streaming", "-input", "a"]);
});

test("the step of --enable-debugging is accepted, with one warning", () => {
  const older = {
    jar: "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar",
    args: ["s3://us-east-1.elasticmapreduce/libs/state-pusher/0.1/fetch"],
  };
  for (const given of [{ args: ["state-pusher-script"] }, older]) {
    assert.equal(checkStep(step(given)), undefined);
    assert.match(stepWarning(step(given))!, /no debugging console/);
    assert.match(order(given).fetch[0]!.uri, /^s3:\/\/([\w-]+\.)?elasticmapreduce\/libs\/state-pusher\/0\.1\/fetch$/);
  }
  assert.equal(stepWarning(step({ args: ["true"] })), undefined);
});

test("what cannot be run is refused with the reason", () => {
  assert.match(checkStep(step({}))!, /needs a command/);
  assert.match(checkStep(step({ jar: "ftp://example.com/a.jar" }))!, /cannot be fetched/);
  assert.match(checkStep(step({ jar: "s3://bucket" }))!, /cannot be fetched/);
  assert.match(checkStep(step({ jar: "s3://elasticmapreduce/libs/script-runner/script-runner.jar" }))!, /first argument/);
  assert.match(checkStep(step({ jar: "s3://b/a.jar", properties: { k: "a b" } }))!, /'k' or its value has a blank/);
  assert.equal(checkStep(step({ args: ["true"] })), undefined);
});
