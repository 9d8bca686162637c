/** A spot node of a real cluster is taken back in the middle of a Spark job: it has its notice, is drained in that time, ended and replaced, and the job ends well. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import type { DrillReport } from "../../src/cli/drill.ts";
import { engineCluster } from "./engine-cluster.ts";
import { eventMessages, startHowdah, until } from "./howdah.ts";

// Longer than EC2's: on a machine that is busy, two minutes are not always enough for its executors to leave in order.
const howdah = await startHowdah({ config: { spot: { noticeSeconds: 210 } } });
after(() => howdah.stop());

const cli = join(import.meta.dirname, "..", "..", "bin", "howdah.js");
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
    time.sleep(0.5)
tracker = sc.statusTracker()
readers = [tracker.getStageInfo(max(tracker.getJobInfo(job).stageIds)) for job in tracker.getJobIdsForGroup(None)]
print("passes", passes, "read again", len([one for one in readers if one and one.currentAttemptId > 0]))
`;

test(
  "a spot node has its notice in the middle of a job: it is drained, ended and replaced, and no job fails",
  { timeout: 600_000 },
  async (t) => {
    const fleet = (InstanceFleetType: string, TargetOnDemandCapacity: number, TargetSpotCapacity: number) => ({
      InstanceFleetType,
      TargetOnDemandCapacity,
      TargetSpotCapacity,
      InstanceTypeConfigs: [{ InstanceType: "m5.xlarge" }],
    });
    const fleets = [fleet("MASTER", 1, 0), fleet("CORE", 1, 0), fleet("TASK", 0, 2)];
    const cluster = await engineCluster(howdah, { applications: ["Spark"], fleets, bucket: "spot" });
    const { id } = cluster;
    const { MasterPublicDnsName: master } = await howdah.cluster(id);
    const file = join(howdah.data.root, "job.py");
    writeFileSync(file, job);
    await howdah.aws("s3", "cp", file, "s3://spot/job.py");
    const conf = ["spark.dynamicAllocation.minExecutors=3", "spark.executor.memory=4g", "spark.executor.cores=1"];
    const running = cluster.step("spark-submit", ...conf.flatMap((one) => ["--conf", one]), "s3://spot/job.py");
    const nodes = async (): Promise<{ numContainers: number }[]> => (await json(`http://${master}:8088/ws/v1/cluster/nodes`)).nodes.node;
    await until("an executor on each node", async () => (await nodes()).every(({ numContainers }) => numContainers > 0));

    const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", id, "--instance-fleet-type", "TASK");
    // An application master keeps its node until its application ends, and a job that has to begin anew is another test.
    const { apps } = await json(`http://${master}:8088/ws/v1/cluster/apps?states=RUNNING`);
    const [app] = apps.app as { amHostHttpAddress: string }[];
    const node: string = Instances.find(
      (one: any) => !app!.amHostHttpAddress.startsWith(one.PrivateDnsName.replace(/\..*/, "")),
    ).Ec2InstanceId;
    const drilled = promisify(execFile)(process.execPath, [cli, "drill", "spot", id, node, "--json", "--data", howdah.data.root]);
    const notice = await until("the notice in the instance metadata", async () => {
      const address = "http://169.254.169.254/latest/meta-data/spot/instance-action";
      return cluster.on(node, `curl -s -o /tmp/notice -w '%{http_code} ' ${address}; cat /tmp/notice`).match(/^200 (.*)$/m)?.[1];
    });
    const { action, time } = JSON.parse(notice) as { action: string; time: string };
    assert.equal(action, "terminate");
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

    const report = JSON.parse((await drilled).stdout) as DrillReport;
    t.diagnostic(`the drill: ${JSON.stringify(report.seconds)}`);
    assert.deepEqual([report.outcome, report.failedApplications], ["replaced, and well again", 0]);
    assert.notEqual(report.seconds.drained, null, JSON.stringify(report.happenings));
    const shown = (await howdah.aws("emr", "list-instances", "--cluster-id", id)).Instances.find((one: any) => one.Ec2InstanceId === node);
    assert.match(shown.Status.StateChangeReason.Message, /^Server\.SpotInstanceTermination/);
    assert.ok(report.seconds.fenced! > 90, "it had its time but for the last 20 s, which are for its logs");
    assert.ok(
      eventMessages(howdah, id, "instance").some((text) => text.startsWith(`${node} (task): EC2 Spot Instance Interruption Warning`)),
    );

    cluster.onMaster("hdfs dfs -mkdir -p /tmp/enough");
    const { state, log } = await running;
    assert.equal(state, "COMPLETED");
    const text = await log("stdout");
    t.diagnostic(text);
    // Of a block that is fetched while it moves, the stage that reads it is tried again, and with it the one that made it.
    assert.ok(Number(/read again (\d+)/.exec(text)?.[1]) <= 1, text);
    await cluster.terminate();
  },
);
