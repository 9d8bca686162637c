/** A real cluster of fleets, made, looked at and changed by the aws CLI while a job runs on nodes of two types. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { engineCluster } from "./engine-cluster.ts";
import { startHowdah, until } from "./howdah.ts";

const howdah = await startHowdah();
after(() => howdah.stop());

/** Runs until a folder in HDFS says that it is enough. */
const job = `
import time
from pyspark.sql import SparkSession
sc = SparkSession.builder.getOrCreate().sparkContext
fs = sc._jvm.org.apache.hadoop.fs.FileSystem.get(sc._jsc.hadoopConfiguration())
path = sc._jvm.org.apache.hadoop.fs.Path
giveUp = time.time() + 400
while not fs.exists(path("/tmp/enough")) and time.time() < giveUp:
    assert sc.parallelize(range(1000), 4).sum() == sum(range(1000))
    time.sleep(2)
`;

test("a cluster of fleets runs a job while its capacities grow and shrink", { timeout: 600_000 }, async (t) => {
  const types = [
    { InstanceType: "m5.xlarge", WeightedCapacity: 1, Priority: 1 },
    { InstanceType: "m5.2xlarge", WeightedCapacity: 2, Priority: 0 },
  ];
  const prioritized = { OnDemandSpecification: { AllocationStrategy: "prioritized" } };
  const fleets = [
    { InstanceFleetType: "MASTER", TargetOnDemandCapacity: 1, InstanceTypeConfigs: [{ InstanceType: "m5.xlarge" }] },
    { InstanceFleetType: "CORE", TargetOnDemandCapacity: 2, InstanceTypeConfigs: types, LaunchSpecifications: prioritized },
  ];
  const cluster = await engineCluster(howdah, { applications: ["Spark"], fleets, bucket: "fleets" });
  const { id } = cluster;
  const emr = async (command: string, ...args: string[]) => howdah.aws("emr", command, "--cluster-id", id, ...args);
  const fleet = async (type: string) =>
    (await emr("list-instance-fleets")).InstanceFleets.find((one: any) => one.InstanceFleetType === type);
  const has = async (type: string) => {
    const { Status, ProvisionedOnDemandCapacity, ProvisionedSpotCapacity } = await fleet(type);
    return `${Status.State} ${ProvisionedOnDemandCapacity} ${ProvisionedSpotCapacity}`;
  };
  assert.equal((await howdah.cluster(id)).InstanceCollectionType, "INSTANCE_FLEET");
  assert.equal(await has("CORE"), "RUNNING 2 0");

  const { MasterPublicDnsName: master } = await howdah.cluster(id);
  /** Of the NodeManagers in service. */
  async function memories(): Promise<number[]> {
    const { nodes }: any = await (await fetch(`http://${master}:8088/ws/v1/cluster/nodes?states=RUNNING`)).json();
    return (nodes?.node ?? []).map((one: any) => one.availMemoryMB + one.usedMemoryMB).toSorted((a: number, b: number) => a - b);
  }
  assert.deepEqual(await memories(), [24_576], "one m5.2xlarge");
  const file = join(howdah.data.root, "job.py");
  writeFileSync(file, job);
  await howdah.aws("s3", "cp", file, "s3://fleets/job.py");
  const running = cluster.step("spark-submit", "--conf", "spark.executor.memory=2g", "s3://fleets/job.py");
  // Its application master keeps the node that it is on: it is to be on the one that stays.
  await until("the job's application master", async () => {
    const { apps }: any = await (await fetch(`http://${master}:8088/ws/v1/cluster/apps?states=RUNNING`)).json();
    return apps?.app?.length > 0;
  });

  let begun = performance.now();
  const took = (what: string) => t.diagnostic(`${what}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  const { Id } = await fleet("CORE");
  await emr("modify-instance-fleet", "--instance-fleet", `InstanceFleetId=${Id},TargetOnDemandCapacity=3`);
  const task = { InstanceFleetType: "TASK", TargetSpotCapacity: 1, InstanceTypeConfigs: types.slice(0, 1) };
  assert.match((await emr("add-instance-fleet", "--instance-fleet", JSON.stringify(task))).InstanceFleetId, /^if-/);
  await until("more capacity", async () => (await has("CORE")) === "RUNNING 3 0" && (await has("TASK")) === "RUNNING 0 1");
  await until("their NodeManagers", async () => (await memories()).length === 3);
  assert.deepEqual(await memories(), [12_288, 12_288, 24_576], "each node has the memory of its type");
  took("one core node of another type and a task node on spot");
  const { Instances } = await emr("list-instances", "--instance-fleet-type", "TASK");
  assert.deepEqual(
    Instances.map((one: any) => [one.InstanceType, one.Market]),
    [["m5.xlarge", "SPOT"]],
  );

  begun = performance.now();
  await emr("modify-instance-fleet", "--instance-fleet", `InstanceFleetId=${Id},TargetOnDemandCapacity=2`);
  await until("less capacity", async () => (await has("CORE")) === "RUNNING 2 0");
  assert.deepEqual(await memories(), [12_288, 24_576]);
  took("the core node that is too many leaves");
  cluster.onMaster("hdfs dfs -mkdir -p /tmp/enough");
  assert.equal((await running).state, "COMPLETED");
  await cluster.terminate();
});
