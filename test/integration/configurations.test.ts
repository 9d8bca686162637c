/** Configurations as they reach the real daemons, schedulers and jobs, and the history of applications while their cluster runs and when it has ended. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { nodeLayout } from "../../src/agent/layout.ts";
import { nodeVariable, ownerVariable } from "../../src/data-folder.ts";
import { findByEnvironment } from "../../src/process/known.ts";
import { type Howdah, releaseLabel, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let files: string;

before(async () => {
  howdah = await startHowdah();
  files = mkdtempSync(join(tmpdir(), "howdah-configurations-test-"));
  await howdah.aws("s3", "mb", "s3://work");
  await put(
    "job.py",
    `
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("elephants").getOrCreate()
print("sum", spark.range(1000).repartition(4).groupBy().sum().collect()[0][0])
names = ["executor.instances", "executor.memory", "driver.memory", "default.parallelism", "dynamicAllocation.enabled"]
print("sizes", [spark.sparkContext.getConf().get("spark." + name) for name in names])
print("metastore", spark._jsparkSession.sharedState().hadoopConf().get("hive.metastore.uris"))
spark.stop()
`,
  );
});
after(async () => {
  await howdah?.stop();
  if (files) rmSync(files, { recursive: true, force: true });
});

const put = async (key: string, content: string) => {
  writeFileSync(join(files, "upload"), content);
  await howdah.aws("s3", "cp", join(files, "upload"), `s3://work/${key}`);
};
const exported = (Classification: string, Properties: Record<string, string>) => ({
  Classification,
  Configurations: [{ Classification: "export", Properties }],
});
const command = (Name: string, ...Args: string[]) => ({
  Name,
  Type: "CUSTOM_JAR",
  Jar: "command-runner.jar",
  ActionOnFailure: "CONTINUE",
  Args,
});
const group = (InstanceGroupType: string) => ({ InstanceGroupType, InstanceCount: 1, InstanceType: "m5.xlarge" });

async function create(groups: object[], configurations: object[], ...more: string[]): Promise<string> {
  const { ClusterId } = await howdah.aws(
    "emr",
    "create-cluster",
    "--release-label",
    releaseLabel,
    "--applications",
    "Name=Spark",
    "--use-default-roles",
    "--log-uri",
    "s3://work/logs/",
    "--instance-groups",
    JSON.stringify(groups),
    "--configurations",
    JSON.stringify(configurations),
    ...more,
  );
  return ClusterId;
}

const untilState = (id: string, ...states: string[]) =>
  until(`${id} to be ${states}`, async () => states.includes((await howdah.cluster(id)).Status.State), 600_000);
const ended = ["TERMINATED", "TERMINATED_WITH_ERRORS"];

async function completed(id: string): Promise<Record<string, string>> {
  const { Steps } = await howdah.aws("emr", "list-steps", "--cluster-id", id);
  for (const { Id } of Steps) {
    const step = await until(`the end of ${Id}`, async () => {
      const now = await howdah.step(id, Id);
      return !["PENDING", "RUNNING"].includes(now.Status.State) && now;
    });
    assert.equal(step.Status.State, "COMPLETED", JSON.stringify(step, null, 1));
  }
  return Object.fromEntries(Steps.map((step: any) => [step.Name, step.Id]));
}

const json = async (url: string): Promise<any> => {
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  assert.equal(answer.status, 200, `${url}: ${answer.status}`);
  return answer.json();
};

/** The nodes of a cluster, by their role. */
async function nodesOf(id: string): Promise<Record<string, { id: string; address: string; logs: string }>> {
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", id);
  const { Cluster } = await howdah.aws("emr", "describe-cluster", "--cluster-id", id);
  const roles = new Map(Cluster.InstanceGroups.map((one: any) => [one.Id, one.InstanceGroupType]));
  return Object.fromEntries(
    Instances.map(({ Ec2InstanceId, InstanceGroupId, PrivateIpAddress }: any) => [
      roles.get(InstanceGroupId),
      { id: Ec2InstanceId, address: PrivateIpAddress, logs: nodeLayout(howdah.data.node(Ec2InstanceId)).logs },
    ]),
  );
}

/** The command line of a node's daemon, as the kernel has it. */
function commandLine(instance: string, daemon: string): string[] {
  for (const { pid } of findByEnvironment(nodeVariable, instance)) {
    const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    if (line.includes(`-Dproc_${daemon}`)) return line;
  }
  throw new Error(`${instance} has no ${daemon}`);
}

/** The contents of all files below a folder whose names end so. */
const contents = (folder: string, end: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(end))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
    .map((bytes) => (end.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8"))
    .join("");

/** `howdah history ID --json` until `look` is over: its servers, by name. */
async function withHistory<T>(
  id: string,
  look: (servers: Record<string, string>) => Promise<T>,
  end: "SIGTERM" | "SIGKILL" = "SIGTERM",
): Promise<T> {
  const main = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
  const child = spawn(process.execPath, [main, "history", id, "--json", "--data", howdah.data.root], { stdio: ["ignore", "pipe", "pipe"] });
  const gone = new Promise((resolve) => child.on("exit", resolve));
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  try {
    let first = "";
    for await (const line of createInterface(child.stdout)) {
      first = line;
      break;
    }
    assert.ok(first, `howdah history ended: ${errors}`);
    return await look(Object.fromEntries(JSON.parse(first).servers.map(({ name, url }: any) => [name.split(" ")[0], url])));
  } finally {
    child.kill(end);
    await gone;
    // Whoever started them was killed: they notice it, and end.
    if (end === "SIGKILL") await until("the end of the history servers", async () => historyServers().length === 0);
    assert.deepEqual(historyServers(), []);
  }
}

/** Those that howdah history has started: no node's. */
const historyServers = () =>
  findByEnvironment(ownerVariable, howdah.data.root).filter(({ pid }) => {
    try {
      const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, "latin1");
      return read("cmdline").includes("HistoryServer") && !read("environ").includes(`${nodeVariable}=`);
    } catch {
      return false; // Ended since.
    }
  });

const jobsOf = async (historyServer: string): Promise<any[]> =>
  (await json(`${new URL("/ws/v1/history/mapreduce/jobs", historyServer)}`)).jobs?.job ?? [];
const applicationsOf = async (historyServer: string): Promise<any[]> => json(`${new URL("/api/v1/applications", historyServer)}`);

let clusterId = "";
let steps: Record<string, string> = {};
let nodes: Awaited<ReturnType<typeof nodesOf>> = {};
const seen = { job: "", application: "" };

test("a cluster with every kind of classification runs a MapReduce job in a queue of its own, and a Spark job", async () => {
  clusterId = await create(
    ["MASTER", "CORE", "TASK"].map(group),
    [
      exported("hadoop-env", { HADOOP_DATANODE_OPTS: "$HADOOP_DATANODE_OPTS -Dmark.datanode=1" }),
      exported("hdfs-env", { HADOOP_NAMENODE_HEAPSIZE: "288" }),
      exported("yarn-env", { YARN_RESOURCEMANAGER_HEAPSIZE: "333", YARN_NODEMANAGER_OPTS: "-Dmark.nodemanager=1" }),
      exported("mapred-env", { HADOOP_JOB_HISTORYSERVER_HEAPSIZE: "222" }),
      exported("spark-env", { SPARK_DAEMON_MEMORY: "444m" }),
      { Classification: "hadoop-log4j", Properties: { "log4j.appender.RFA.layout.ConversionPattern": "HADOOP %p %m%n" } },
      { Classification: "container-log4j", Properties: { "log4j.appender.CLA.layout.ConversionPattern": "CONTAINER %p %m%n" } },
      { Classification: "spark-log4j2", Properties: { "appender.console.layout.pattern": "SPARK %p %m%n%ex" } },
      {
        Classification: "spark-metrics",
        Properties: { "driver.sink.csv.class": "org.apache.spark.metrics.sink.CsvSink", "driver.sink.csv.directory": "." },
      },
      { Classification: "spark-hive-site", Properties: { "hive.metastore.uris": "thrift://nowhere:9083" } },
      { Classification: "spark", Properties: { maximizeResourceAllocation: "true" } },
      {
        Classification: "yarn-site",
        Properties: { "yarn.node-labels.enabled": "true", "yarn.node-labels.am.default-node-label-expression": "CORE" },
      },
      {
        Classification: "capacity-scheduler",
        Properties: {
          "yarn.scheduler.capacity.root.queues": "default,etl",
          "yarn.scheduler.capacity.root.default.capacity": "40",
          "yarn.scheduler.capacity.root.etl.capacity": "60",
          "yarn.scheduler.capacity.root.default.accessible-node-labels.CORE.capacity": "40",
          "yarn.scheduler.capacity.root.etl.accessible-node-labels.CORE.capacity": "60",
        },
      },
    ],
    "--steps",
    JSON.stringify([
      command("mapreduce", "hadoop-mapreduce-examples", "pi", "-Dmapreduce.job.queuename=etl", "2", "10"),
      command("spark", "bash", "-c", "spark-submit s3://work/job.py && ls"),
      command(
        "commands",
        "bash",
        "-c",
        "yarn version >&2; echo $YARN_RESOURCEMANAGER_HEAPSIZE; . $HADOOP_CONF_DIR/yarn-env.sh; echo $YARN_RESOURCEMANAGER_HEAPSIZE",
      ),
    ]),
  );
  await untilState(clusterId, "WAITING", ...ended);
  steps = await completed(clusterId);
  nodes = await nodesOf(clusterId);
});

test("daemons have the heaps and options that the variables say", () => {
  const { MASTER, CORE, TASK } = nodes;
  const heap = (daemon: string) => commandLine(MASTER!.id, daemon).findLast((word) => word.startsWith("-Xmx"));
  assert.equal(heap("hadoop-hdfs-namenode"), "-Xmx288m");
  assert.equal(heap("hadoop-yarn-resourcemanager"), "-Xmx333m");
  assert.equal(heap("hadoop-mapreduce-historyserver"), "-Xmx222m");
  assert.equal(heap("spark-history-server"), "-Xmx444m");
  assert.ok(commandLine(CORE!.id, "hadoop-hdfs-datanode").includes("-Dmark.datanode=1"));
  assert.ok(commandLine(TASK!.id, "hadoop-yarn-nodemanager").includes("-Dmark.nodemanager=1"));
});

test("logs of daemons, containers and Spark have the formats of their classifications", async () => {
  const { MASTER } = nodes;
  assert.match(contents(join(MASTER!.logs, "hadoop-yarn"), ".log"), /^HADOOP INFO /m);
  // YARN removes a container's logs from its node two minutes after the application's end.
  const to = join(files, "containers");
  const containers = `s3://work/logs/${clusterId}/containers/`;
  const syslog = await until("a container's syslog in S3", async () => {
    await howdah.aws("s3", "cp", "--recursive", "--exclude", "*", "--include", "*/syslog.gz", containers, to);
    return existsSync(to) && contents(to, "syslog.gz");
  });
  assert.match(syslog, /^CONTAINER INFO /m);
  assert.match(readFileSync(join(MASTER!.logs, "steps", steps.spark!, "stderr"), "utf8"), /^SPARK INFO /m);
});

test("maximizeResourceAllocation, hive-site and metrics reach a job", () => {
  const said = readFileSync(join(nodes.MASTER!.logs, "steps", steps.spark!, "stdout"), "utf8");
  assert.match(said, /^sum 499500$/m);
  assert.match(said, /^sizes \['2', '9486M', '9486M', '16', 'false'\]$/m);
  assert.match(said, /^metastore thrift:\/\/nowhere:9083$/m);
  assert.match(said, /^application_\d+_\d+\.driver\..*\.csv$/m);
  assert.match(readFileSync(join(nodes.MASTER!.logs, "steps", steps.commands!, "stdout"), "utf8"), /^\n333$/m);
});

test("node labels: core nodes have CORE, application masters run there; the job was in its queue", async () => {
  const { MASTER, CORE } = nodes;
  const base = `http://${MASTER!.address}:8088/ws/v1/cluster`;
  /** NodeManagers are known by their address or by its name. */
  const isCore = (host: string) => host.startsWith(`${CORE!.address}:`) || host.startsWith(`ip-${CORE!.address.replaceAll(".", "-")}.`);
  const labelled = (await json(`${base}/nodes`)).nodes.node.filter((node: any) => node.nodeLabels?.includes("CORE"));
  assert.equal(labelled.length, 1);
  assert.ok(isCore(labelled[0].nodeHTTPAddress), labelled[0].nodeHTTPAddress);
  const apps: any[] = (await json(`${base}/apps`)).apps.app;
  assert.equal(apps.length, 2);
  for (const app of apps) assert.ok(isCore(app.amHostHttpAddress), `${app.name} at ${app.amHostHttpAddress}`);
  const [job, spark] = ["MAPREDUCE", "SPARK"].map((type) => apps.find((app) => app.applicationType === type));
  assert.equal(job.queue, "root.etl");
  assert.equal(spark.queue, "root.default");
  seen.job = job.id.replace("application", "job");
  seen.application = spark.id;
});

test("history of a running cluster is at its own servers, and the ResourceManager's page of a Spark application leads there", async () => {
  await withHistory(clusterId, async ({ Spark, MapReduce }) => {
    assert.equal(new URL(Spark!).hostname, nodes.MASTER!.address);
    // It may be known from the log of its run first: that has another name now, and its page is not there until the server looks again.
    const isWhole = ({ id, attempts }: { id: string; attempts: { completed: boolean }[] }) =>
      id === seen.application && attempts[0]!.completed;
    await until("the Spark job's history", async () => (await applicationsOf(Spark!)).some(isWhole));
    assert.deepEqual(
      (await jobsOf(MapReduce!)).map(({ id, state, queue }) => [id, state, queue]),
      [[seen.job, "SUCCEEDED", "root.etl"]],
    );
  });
  const answer = await fetch(`http://${nodes.MASTER!.address}:8088/proxy/${seen.application}/`, { signal: AbortSignal.timeout(30_000) });
  assert.equal(answer.status, 200);
  assert.equal(new URL(answer.url).host, `${nodes.MASTER!.address}:18080`);
});

test("history of an ended cluster: in S3, and by howdah history, which leaves no process", async () => {
  await howdah.aws("emr", "terminate-clusters", "--cluster-ids", clusterId);
  await untilState(clusterId, ...ended);
  const listing: string = await howdah.aws("s3", "ls", "--recursive", `s3://work/logs/${clusterId}/`);
  assert.match(listing, new RegExp(`hadoop-mapreduce/history/\\d{4}/\\d\\d/\\d\\d/000000/${seen.job}-.*\\.jhist\\.gz`));
  // What of a save or of the last logs was not whole is a warning of the cluster.
  const { warnings } = JSON.parse(await cli("status", clusterId, "--json"));
  assert.match(listing, new RegExp(`spark/history/${seen.application}(\\.\\w+)*\\.gz`), `${warnings.join("\n")}\n${listing}`);
  await withHistory(clusterId, async ({ Spark, MapReduce }) => {
    for (const url of [Spark!, MapReduce!]) assert.equal(new URL(url).hostname, "127.0.0.1");
    const [application, ...others] = await applicationsOf(Spark!);
    assert.deepEqual(others, []);
    assert.deepEqual([application.id, application.name, application.attempts[0].completed], [seen.application, "elephants", true]);
    const stages = await json(`${new URL(`/api/v1/applications/${seen.application}/stages`, Spark!)}`);
    assert.ok(stages.length > 0);
    assert.deepEqual(
      (await jobsOf(MapReduce!)).map(({ id, state }) => [id, state]),
      [[seen.job, "SUCCEEDED"]],
    );
    const { job } = await json(`${new URL(`/ws/v1/history/mapreduce/jobs/${seen.job}`, MapReduce!)}`);
    assert.equal(job.mapsCompleted, 2);
  });
});

test("the fair scheduler with a bootstrap action's queues, in a transient cluster of one node; event logs in S3 outlive it", async () => {
  await put(
    "queues.sh",
    `#!/bin/bash
cat >$HOME/queues.xml <<'END'
<?xml version="1.0"?>
<allocations>
  <queueMaxAppsDefault>3</queueMaxAppsDefault>
  <queue name="reports"><weight>2.0</weight></queue>
</allocations>
END
`,
  );
  const id = await create(
    [group("MASTER")],
    [
      {
        Classification: "yarn-site",
        Properties: {
          "yarn.resourcemanager.scheduler.class": "org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.FairScheduler",
          "yarn.scheduler.fair.allocation.file": "${env.HOME}/queues.xml",
          "yarn.node-labels.enabled": "true",
        },
      },
      { Classification: "spark-defaults", Properties: { "spark.eventLog.dir": "s3://work/events/mine" } },
    ],
    "--bootstrap-actions",
    "Path=s3://work/queues.sh",
    "--auto-terminate",
    "--steps",
    JSON.stringify([
      command("spark", "spark-submit", "--queue", "reports", "--deploy-mode", "cluster", "s3://work/job.py"),
      command(
        "look",
        "bash",
        "-c",
        'curl -sf "http://$(hostname -i):8088/ws/v1/cluster/scheduler"; curl -sf "http://$(hostname -i):8088/ws/v1/cluster/apps"',
      ),
    ]),
  );
  await untilState(id, ...ended);
  const { Status } = await howdah.cluster(id);
  assert.deepEqual([Status.State, Status.StateChangeReason.Code], ["TERMINATED", "ALL_STEPS_COMPLETED"]);
  const { look } = await completed(id);
  const { MASTER } = await nodesOf(id);
  const said = readFileSync(join(MASTER!.logs, "steps", look!, "stdout"), "utf8");
  const [scheduler, apps] = said.split(/(?<=\})(?=\{"apps")/).map((text) => JSON.parse(text));
  assert.equal(scheduler.scheduler.schedulerInfo.type, "fairScheduler");
  const queues: any[] = scheduler.scheduler.schedulerInfo.rootQueue.childQueues.queue;
  assert.equal(queues.find(({ queueName }) => queueName === "root.reports").maxApps, 3);
  const [app] = apps.apps.app;
  assert.deepEqual([app.queue, app.finalStatus], ["root.reports", "SUCCEEDED"]);
  const status = JSON.parse(await cli("status", id, "--json"));
  assert.ok(status.warnings.some((warning: string) => /no effect under FairScheduler/.test(warning)));

  await withHistory(
    id,
    async ({ Spark }) => {
      assert.deepEqual(
        (await applicationsOf(Spark!)).map(({ id, name }) => [id, name]),
        [[app.id, "elephants"]],
      );
    },
    "SIGKILL",
  );
});

async function cli(...args: string[]): Promise<string> {
  const main = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
  const child = spawn(process.execPath, [main, ...args, "--data", howdah.data.root], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const chunk of child.stdout) text += String(chunk);
  return text;
}
