/** A whole cluster, as a user of the aws CLI and of boto3 sees it: real daemons, steps of every kind, logs in S3, termination. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { findByEnvironment, signal } from "../../src/process/known.ts";
import { runningControlPlane } from "../../src/running.ts";
import { releaseLabels } from "../../src/releases/release.ts";
import { type Howdah, releaseLabel, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let files: string;
let clusterId = "";

before(async () => {
  howdah = await startHowdah({ config: { jvm: "full" } });
  files = mkdtempSync(join(tmpdir(), "howdah-cluster-test-"));
});
after(async () => {
  await howdah?.stop();
  rmSync(files, { recursive: true, force: true });
});

const put = async (key: string, content: string) => {
  writeFileSync(join(files, "upload"), content);
  await howdah.aws("s3", "cp", join(files, "upload"), `s3://work/${key}`);
};
const getLog = (key: string) => howdah.log("work", key);
const stepEnd = async (stepId: string) =>
  until(`the end of ${stepId}`, async () => {
    const step = await howdah.step(clusterId, stepId);
    return !["PENDING", "RUNNING", "CANCEL_PENDING"].includes(step.Status.State) && step;
  });
const addSteps = async (...steps: object[]): Promise<string[]> =>
  (await howdah.aws("emr", "add-steps", "--cluster-id", clusterId, "--steps", JSON.stringify(steps))).StepIds;
/** boto3's own waiter; the CLI's is the same one, but looks only every 30 seconds. */
const wait = (name: string, id: string) =>
  howdah.boto3(
    `import boto3; boto3.client('emr').get_waiter('${name}').wait(ClusterId='${id}', WaiterConfig={'Delay': 1, 'MaxAttempts': 300})`,
  );
const command = (Name: string, ...Args: string[]) => ({
  Name,
  Type: "CUSTOM_JAR",
  Jar: "command-runner.jar",
  ActionOnFailure: "CONTINUE",
  Args,
});

test("create-cluster with the aws CLI reaches WAITING, and every list says what was asked for", async () => {
  await howdah.aws("s3", "mb", "s3://work");
  await put("bootstrap.sh", '#!/bin/bash\necho "hello $1 from $(hostname)"\naws s3 ls s3://work/ >&2\n');
  const created = await howdah.aws(
    "emr",
    "create-cluster",
    "--name",
    "whole",
    "--release-label",
    releaseLabel,
    "--applications",
    "Name=Hadoop",
    "Name=Spark",
    "--instance-groups",
    JSON.stringify([
      {
        InstanceGroupType: "MASTER",
        InstanceCount: 1,
        InstanceType: "m5.xlarge",
        Configurations: [{ Classification: "core-site", Properties: { "ipc.client.idlethreshold": "4321" } }],
      },
      { InstanceGroupType: "CORE", InstanceCount: 1, InstanceType: "m5.xlarge" },
      { InstanceGroupType: "TASK", InstanceCount: 1, InstanceType: "c5.xlarge", BidPrice: "0.1" },
    ]),
    "--use-default-roles",
    "--log-uri",
    "s3://work/logs/",
    "--bootstrap-actions",
    "Path=s3://work/bootstrap.sh,Name=hello,Args=[world]",
    "--tags",
    "team=elephants",
    "--configurations",
    JSON.stringify([
      { Classification: "core-site", Properties: { "io.file.buffer.size": "77824", "ipc.client.idlethreshold": "1" } },
      { Classification: "hadoop-env", Configurations: [{ Classification: "export", Properties: { ELEPHANT: "Hannibal" } }] },
    ]),
  );
  clusterId = created.ClusterId;
  await wait("cluster_running", clusterId);
  const { Cluster } = await howdah.aws("emr", "describe-cluster", "--cluster-id", clusterId);
  assert.equal(Cluster.Status.State, "WAITING");
  assert.deepEqual(Cluster.Tags, [{ Key: "team", Value: "elephants" }]);
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", clusterId);
  assert.deepEqual(
    Instances.map((instance: any) => instance.Status.State),
    ["RUNNING", "RUNNING", "RUNNING"],
  );
  const task = Cluster.InstanceGroups.find((group: any) => group.InstanceGroupType === "TASK");
  assert.deepEqual([task.Market, task.BidPrice, task.InstanceType, task.RunningInstanceCount], ["SPOT", "0.1", "c5.xlarge", 1]);
  const listed = JSON.parse(
    await howdah.boto3(
      "import boto3,json; print(json.dumps([c['Id'] for p in boto3.client('emr').get_paginator('list_clusters').paginate(ClusterStates=['WAITING']) for c in p['Clusters']]))",
    ),
  );
  assert.deepEqual(listed, [clusterId]);
});

test("steps: any command on the master, arguments verbatim, with Hadoop, Spark, the aws CLI and S3", async () => {
  await put("words.txt", "one two two three three three\n");
  await put(
    "script.sh",
    '#!/bin/bash\necho "args: $1|$2"\nhadoop fs -mkdir -p s3://work/made && hadoop fs -put "$0" s3://work/made/copy\n',
  );
  await put(
    "pi.py",
    "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\nprint('sum', spark.range(1000).groupBy().sum().collect()[0][0])\nspark.range(10).write.mode('overwrite').parquet('s3://work/range')\n",
  );
  const ids = await addSteps(
    command("verbatim", "bash", "-c", 'printf "%s\\n" "a b" \'$HOME\' "*"; aws sts get-caller-identity'),
    command(
      "hdfs",
      "bash",
      "-c",
      "hadoop fs -put /etc/hostname /user/hadoop/h && hdfs dfs -cat /user/hadoop/h && hdfs fsck /user/hadoop/h && yarn node -list",
    ),
    {
      Name: "script",
      Type: "CUSTOM_JAR",
      Jar: "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar",
      ActionOnFailure: "CONTINUE",
      Args: ["s3://work/script.sh", "x y", "z"],
    },
    command(
      "streaming",
      "hadoop-streaming",
      "-mapper",
      "tr ' ' '\\n'",
      "-reducer",
      "uniq -c",
      "-input",
      "s3://work/words.txt",
      "-output",
      "/user/hadoop/counts",
    ),
    command("spark client", "spark-submit", "s3://work/pi.py"),
    command("spark cluster", "spark-submit", "--deploy-mode", "cluster", "s3://work/pi.py"),
  );
  for (const id of ids) {
    const step = await stepEnd(id);
    assert.equal(step.Status.State, "COMPLETED", JSON.stringify(step, null, 1));
  }
  const [verbatim, hdfs, script, , client] = ids;
  const said = await getLog(`logs/${clusterId}/steps/${verbatim}/stdout.gz`);
  assert.match(said, /^a b\n\$HOME\n\*\n/);
  assert.match(said, /assumed-role\/EMR_EC2_DefaultRole\/i-[0-9a-f]{17}"/);
  assert.match(await getLog(`logs/${clusterId}/steps/${hdfs}/stdout.gz`), /is HEALTHY[\s\S]*Total Nodes:2/);
  assert.match(await getLog(`logs/${clusterId}/steps/${script}/stdout.gz`), /args: x y\|z/);
  assert.match(await getLog(`logs/${clusterId}/steps/${client}/stdout.gz`), /sum 499500/);
  assert.ok((await howdah.aws("s3", "ls", "s3://work/range/")).includes(".parquet"));
});

test("the Spark shell, typed on the master as AWS's page has it", () => {
  const typed = [
    'val textFile = sc.textFile("s3://work/words.txt")',
    'val lines = textFile.filter(line => line.contains("three"))',
    "lines.count()",
    ":quit",
  ];
  const argv = [
    join(import.meta.dirname, "..", "..", "bin", "howdah.js"),
    "ssh",
    "--data",
    howdah.data.root,
    clusterId,
    "--",
    "spark-shell",
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { input: typed.join("\n"), encoding: "utf8", timeout: 300_000 });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /: Long = 1/);
});

test("configurations of the cluster and of a group reach the daemons' files; tags change", async () => {
  const [id] = await addSteps(
    command(
      "configured",
      "bash",
      "-c",
      "hdfs getconf -confKey io.file.buffer.size; hdfs getconf -confKey ipc.client.idlethreshold; grep -h ELEPHANT $HADOOP_CONF_DIR/hadoop-env.sh",
    ),
  );
  assert.equal((await stepEnd(id!)).Status.State, "COMPLETED");
  assert.match(await getLog(`logs/${clusterId}/steps/${id}/stdout.gz`), /^77824\n4321\n.*Hannibal/);
  await howdah.aws("emr", "add-tags", "--resource-id", clusterId, "--tags", "herd=north", "team=calves");
  await howdah.aws("emr", "remove-tags", "--resource-id", clusterId, "--tag-keys", "herd");
  const { Cluster } = await howdah.aws("emr", "describe-cluster", "--cluster-id", clusterId);
  assert.deepEqual(Cluster.Tags, [{ Key: "team", Value: "calves" }]);
});

test("a failing step says why; the next one still runs", async () => {
  const [bad, good] = await addSteps(command("bad", "bash", "-c", "echo 'no such elephant' >&2; exit 9"), command("good", "true"));
  const step = await stepEnd(bad!);
  assert.equal(step.Status.State, "FAILED");
  assert.match(step.Status.FailureDetails.Message, /no such elephant/);
  assert.equal(step.Status.FailureDetails.LogFile, `s3://work/logs/${clusterId}/steps/${bad}/stderr.gz`);
  assert.match(await getLog(`logs/${clusterId}/steps/${bad}/stderr.gz`), /no such elephant/);
  assert.equal((await stepEnd(good!)).Status.State, "COMPLETED");
});

test("cancel-steps ends steps that run or wait, by either signal, though the control plane dies before the end", async () => {
  const running = async (...ids: string[]) => {
    for (const id of ids) await until(`${id} to run`, async () => (await howdah.step(clusterId, id)).Status.State === "RUNNING");
  };
  const cancel = async (option: string | undefined, ...ids: string[]) => {
    const how = option ? ["--step-cancellation-option", option] : [];
    const { CancelStepsInfoList } = await howdah.aws("emr", "cancel-steps", "--cluster-id", clusterId, "--step-ids", ...ids, ...how);
    return CancelStepsInfoList.map((info: any) => info.Status);
  };
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", clusterId, "--instance-group-types", "MASTER");
  const inHome = (file: string) => join(howdah.data.node(Instances[0].Ec2InstanceId), "home", file);
  const loop = (name: string) => `touch ~/${name}; while :; do sleep 0.2; done`;
  // What it does on SIGTERM takes until the test lets it, so the control plane is dead by then; its exit code 0 makes it no success.
  const graceful = command("graceful", "bash", "-c", `trap 'until [ -e ~/release ]; do sleep 0.2; done; exit 0' TERM; ${loop("graceful")}`);
  const [first, next] = await addSteps({ ...graceful, ActionOnFailure: "TERMINATE_CLUSTER" }, command("waits", "touch", "never"));
  await running(first!);
  await until("its trap", async () => existsSync(inHome("graceful")));
  assert.deepEqual(await cancel(undefined, first!, next!), ["SUBMITTED", "SUBMITTED"]);
  const { Steps } = await howdah.aws("emr", "list-steps", "--cluster-id", clusterId, "--step-states", "CANCEL_PENDING");
  assert.ok(Steps.some((step: any) => step.Id === first));
  const controlPlane = runningControlPlane(howdah.data);
  signal(controlPlane, "SIGKILL");
  await until("the control plane's end", async () => !runningControlPlane(howdah.data));
  writeFileSync(inHome("release"), "");
  await howdah.up();
  for (const id of [first!, next!]) assert.equal((await stepEnd(id)).Status.State, "CANCELLED");
  assert.deepEqual(await cancel(undefined, first!), ["FAILED"]);

  // In cluster mode the driver is YARN's, and goes on, as in EMR.
  await put("sleeps.py", "from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate()\nimport time\ntime.sleep(3600)\n");
  const [apart] = await addSteps(command("apart", "spark-submit", "--deploy-mode", "cluster", "s3://work/sleeps.py"));
  const yarn = async (...args: string[]) => {
    const [id] = await addSteps(command("yarn", "yarn", ...args));
    return (await stepEnd(id!)) && getLog(`logs/${clusterId}/steps/${id}/stdout.gz`);
  };
  await running(apart!);
  const told = join(howdah.data.node(Instances[0].Ec2InstanceId), "logs", "steps", apart!, "stderr");
  await until("its driver", async () => existsSync(told) && /state: RUNNING/.test(readFileSync(told, "utf8")));
  assert.deepEqual(await cancel("TERMINATE_PROCESS", apart!), ["SUBMITTED"]);
  assert.equal((await stepEnd(apart!)).Status.State, "CANCELLED");
  const [application = ""] = /application_\w+/.exec(await yarn("application", "-list", "-appStates", "RUNNING")) ?? [];
  assert.match(application, /^application_/);
  await yarn("application", "-kill", application);

  const modified = await howdah.aws("emr", "modify-cluster", "--cluster-id", clusterId, "--step-concurrency-level", "2");
  assert.equal(modified.StepConcurrencyLevel, 2);
  const [deaf, sleeps] = await addSteps(
    command("deaf", "bash", "-c", `trap "" TERM; setsid -f sleep 3600; ${loop("deaf")}`),
    command("sleeps", "sleep", "3600"),
  );
  await running(deaf!, sleeps!);
  await until("its child", async () => existsSync(inHome("deaf")));
  assert.deepEqual(await cancel("SEND_INTERRUPT", deaf!, sleeps!), ["SUBMITTED", "SUBMITTED"]);
  assert.equal((await stepEnd(sleeps!)).Status.State, "CANCELLED");
  assert.deepEqual(await cancel("TERMINATE_PROCESS", deaf!), ["SUBMITTED"]);
  assert.equal((await stepEnd(deaf!)).Status.State, "CANCELLED");
  assert.deepEqual(findByEnvironment("HOWDAH_STEP_ID", deaf!), []);
  assert.match(await getLog(`logs/${clusterId}/steps/${deaf}/controller.gz`), /Cancellation: TERMINATE_PROCESS[\s\S]*Step cancelled/);
  const { Cluster } = await howdah.aws("emr", "describe-cluster", "--cluster-id", clusterId);
  assert.deepEqual([Cluster.Status.State, Cluster.StepConcurrencyLevel], ["WAITING", 2]);
});

test("what can be run is told by the real clients: labels, versions, instance types, and the shapes of old", async () => {
  assert.deepEqual((await howdah.aws("emr", "list-release-labels", "--filters", "Application=spark")).ReleaseLabels, releaseLabels());
  const described = await howdah.aws("emr", "describe-release-label", "--release-label", releaseLabel);
  assert.ok(described.Applications.some(({ Name }: any) => Name === "Hadoop"));
  const types = await howdah.aws("emr", "list-supported-instance-types", "--release-label", releaseLabel);
  assert.ok(types.Marker && types.SupportedInstanceTypes.length > 0);
  const flows = await howdah.boto3(
    `import boto3; f = boto3.client('emr').describe_job_flows(JobFlowIds=['${clusterId}'])['JobFlows'][0]; print(f['ExecutionStatusDetail']['State'], len(f['Steps']) > 3)`,
  );
  assert.equal(flows, "WAITING True\n");
  await howdah.boto3(
    `import boto3; e = boto3.client('emr'); e.set_visible_to_all_users(JobFlowIds=['${clusterId}'], VisibleToAllUsers=False); e.set_keep_job_flow_alive_when_no_steps(JobFlowIds=['${clusterId}'], KeepJobFlowAliveWhenNoSteps=True)`,
  );
  const { Cluster } = await howdah.aws("emr", "describe-cluster", "--cluster-id", clusterId);
  assert.deepEqual([Cluster.VisibleToAllUsers, Cluster.AutoTerminate], [false, false]);
});

test("termination leaves logs of bootstrap actions, daemons and containers in S3, and no process", async () => {
  const { Cluster } = await howdah.aws("emr", "describe-cluster", "--cluster-id", clusterId);
  await howdah.aws("emr", "terminate-clusters", "--cluster-ids", clusterId);
  await wait("cluster_terminated", clusterId);
  const listing: string = await howdah.aws("s3", "ls", "--recursive", `s3://work/logs/${clusterId}/`);
  for (const part of [
    /node\/i-[0-9a-f]{17}\/bootstrap-actions\/1\/stdout\.gz/,
    /node\/i-[0-9a-f]{17}\/applications\/hadoop-hdfs\//,
    /containers\/application_\d+_\d+\/container_/,
  ])
    assert.match(listing, part);
  const after = (await howdah.aws("emr", "describe-cluster", "--cluster-id", clusterId)).Cluster;
  assert.equal(after.Status.State, "TERMINATED");
  assert.equal(after.Status.StateChangeReason.Code, "USER_REQUEST");
  await assert.rejects(fetch(`http://${Cluster.MasterPublicDnsName}:8088/`), "the ResourceManager is gone");
});

test("a bootstrap action that fails ends the cluster with BOOTSTRAP_FAILURE", async () => {
  await put("fails.sh", "#!/bin/bash\necho 'I will not' >&2\nexit 3\n");
  const { ClusterId } = await howdah.aws(
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
    "--bootstrap-actions",
    "Path=s3://work/fails.sh,Name=fails",
  );
  const { Status } = await until("the cluster's end", async () => {
    const cluster = await howdah.cluster(ClusterId);
    return cluster.Status.State.startsWith("TERMINATED") && cluster;
  });
  assert.equal(Status.State, "TERMINATED_WITH_ERRORS");
  assert.equal(Status.StateChangeReason.Code, "BOOTSTRAP_FAILURE");
  const log = /s3:\/\/work\/(\S+stderr\.gz)/.exec(Status.StateChangeReason.Message)?.[1];
  assert.ok(log, Status.StateChangeReason.Message);
  assert.match(await getLog(log), /I will not/);
});
