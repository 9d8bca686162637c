/** Groups of a real cluster grow and shrink while a job runs and HDFS has data: no block and no job is lost. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { engineCluster, type EngineCluster, resized } from "./engine-cluster.ts";
import { startHowdah, until } from "./howdah.ts";

const howdah = await startHowdah();
after(() => howdah.stop());

const json = async (url: string): Promise<any> => (await fetch(url)).json();

/** Shuffle output that is read again and again, until a folder in HDFS says that it is enough. */
const job = `
import time
from pyspark.sql import SparkSession
sc = SparkSession.builder.getOrCreate().sparkContext
fs = sc._jvm.org.apache.hadoop.fs.FileSystem.get(sc._jsc.hadoopConfiguration())
path = sc._jvm.org.apache.hadoop.fs.Path
pairs = sc.parallelize(range(200_000), 12).map(lambda n: (n % 500, n)).reduceByKey(lambda a, b: a + b, 12)
passes, giveUp = 0, time.time() + 400
while not fs.exists(path("/tmp/enough")) and time.time() < giveUp:
    assert pairs.values().sum() == sum(range(200_000))
    passes += 1
    time.sleep(2)
tracker = sc.statusTracker()
stages = [tracker.getStageInfo(stage) for job in tracker.getJobIdsForGroup(None) for stage in tracker.getJobInfo(job).stageIds]
print("passes", passes, "stage attempts", max(one.currentAttemptId for one in stages if one) + 1)
`;

test("core and task nodes come and go while a job runs, and nothing is lost", { timeout: 600_000 }, async (t) => {
  const cluster: EngineCluster = await engineCluster(howdah, { applications: ["Spark"], core: 1, bucket: "resize" });
  const { id } = cluster;
  const { MasterPublicDnsName: master } = await howdah.cluster(id);
  const file = join(howdah.data.root, "job.py");
  writeFileSync(file, job);
  await howdah.aws("s3", "cp", file, "s3://resize/job.py");
  const sum = cluster.onMaster(
    "head -c 30000000 /dev/urandom > /tmp/f && hdfs dfs -Ddfs.blocksize=1048576 -put /tmp/f /user/hadoop/f && md5sum < /tmp/f",
  );
  const conf = ["spark.dynamicAllocation.minExecutors=4", "spark.executor.memory=4g", "spark.executor.cores=1"];
  const running = cluster.step("spark-submit", ...conf.flatMap((one) => ["--conf", one]), "s3://resize/job.py");
  await until("the job to run", async () => (await json(`http://${master}:8088/ws/v1/cluster/metrics`)).clusterMetrics.appsRunning === 1);

  const groups = await howdah.groups(id);
  const core = groups.find((one) => one.InstanceGroupType === "CORE")!.Id;
  let begun = performance.now();
  const took = (what: string) => t.diagnostic(`${what}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  await howdah.aws("emr", "modify-instance-groups", "--cluster-id", id, "--instance-groups", `InstanceGroupId=${core},InstanceCount=3`);
  await howdah.aws(
    "emr",
    "add-instance-groups",
    "--cluster-id",
    id,
    "--instance-groups",
    "InstanceCount=2,InstanceGroupType=task,InstanceType=m5.xlarge",
  );
  await Promise.all([resized(howdah, id, "CORE", 3), resized(howdah, id, "TASK", 2)]);
  took("1 to 3 core and 0 to 2 task nodes, by the API");
  const metrics = async () => (await json(`http://${master}:8088/ws/v1/cluster/metrics`)).clusterMetrics;
  await until("five NodeManagers", async () => (await metrics()).activeNodes === 5);
  took("all NodeManagers in service");
  assert.match(cluster.on("task1", "getent hosts $(hostname)"), /127\./);
  const names = (await howdah.aws("emr", "list-instances", "--cluster-id", id)).Instances.map((one: any) => one.PrivateDnsName);
  for (const name of names) assert.match(cluster.onMaster(`getent hosts ${name}`), /127\./, "the master knows those that came later");
  // The first copies are on the first node; now some are on those that leave.
  cluster.onMaster("hdfs dfs -Ddfs.blocksize=1048576 -put /tmp/f /user/hadoop/g");
  const nodes = async (): Promise<{ numContainers: number }[]> => (await json(`http://${master}:8088/ws/v1/cluster/nodes`)).nodes.node;
  await until("an executor on each node", async () => (await nodes()).every(({ numContainers }) => numContainers > 0));

  begun = performance.now();
  const task = (await howdah.groups(id)).find((one) => one.InstanceGroupType === "TASK")!.Id;
  await howdah.aws(
    "emr",
    "modify-instance-groups",
    "--cluster-id",
    id,
    "--instance-groups",
    `InstanceGroupId=${core},InstanceCount=1`,
    `InstanceGroupId=${task},InstanceCount=0`,
  );
  await resized(howdah, id, "TASK", 0);
  took("2 to 0 task nodes");
  await resized(howdah, id, "CORE", 1);
  took("3 to 1 core nodes");
  cluster.onMaster("hdfs dfs -mkdir /tmp/enough");
  const { state, log } = await running;
  assert.equal(state, "COMPLETED");
  t.diagnostic(await log("stdout"));
  for (const name of ["f", "g"]) assert.equal(cluster.onMaster(`hdfs dfs -cat /user/hadoop/${name} | md5sum`), sum);
  const fsck = cluster.onMaster("hdfs fsck / 2>/dev/null | tail -30");
  assert.match(fsck, /is HEALTHY/);
  assert.equal((await metrics()).activeNodes, 1);

  // Nodes that come again have new addresses, and work.
  begun = performance.now();
  await howdah.aws("emr", "modify-instance-groups", "--instance-groups", `InstanceGroupId=${task},InstanceCount=1`);
  took("the aws CLI's modify-instance-groups alone");
  await until("its NodeManager", async () => (await metrics()).activeNodes === 2);
  took("from before the aws CLI's start to a NodeManager in service");
  await resized(howdah, id, "TASK", 1);
  await cluster.terminate();
});
