/** A real cluster of fleets, made, looked at and changed by the aws CLI while a job runs on nodes of two types; the market takes its task node back, and in the end its master. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { calm, createSpotMarket } from "../../src/market/spot.ts";
import { onDemandPrice } from "../../src/releases/prices.ts";
import { engineCluster } from "./engine-cluster.ts";
import { eventMessages, startHowdah, until } from "./howdah.ts";

const [type, zone, minute] = ["m5.xlarge", "us-east-1a", 60_000];
/** Prices that change every minute, and only rise while the test runs. */
function risingMarket() {
  for (let seed = 1; ; seed++) {
    const settings = { ...calm, seed, price: 0.4, moves: 0.8, changeMinutes: 1, interruptions: true, noticeSeconds: 10 };
    const prices = Array.from({ length: 7 }, (_, n) => createSpotMarket(settings).price(type, zone, Date.now() + n * minute));
    if (prices.every((price, n) => n === 0 || price > prices[n - 1]!)) return settings;
  }
}
const settings = risingMarket();
const howdah = await startHowdah({ config: { spot: settings } });
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

test(
  "a cluster of fleets runs a job while its capacities grow and shrink, and ends when the market takes its master back",
  { timeout: 600_000 },
  async (t) => {
    const types = [
      { InstanceType: "m5.xlarge", WeightedCapacity: 1, Priority: 1 },
      { InstanceType: "m5.2xlarge", WeightedCapacity: 2, Priority: 0 },
    ];
    const prioritized = { OnDemandSpecification: { AllocationStrategy: "prioritized" } };
    const fleets = [
      { InstanceFleetType: "MASTER", TargetSpotCapacity: 1, InstanceTypeConfigs: [{ InstanceType: "m5.xlarge" }] },
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
    async function memories(without = ""): Promise<number[]> {
      const { nodes }: any = await (await fetch(`http://${master}:8088/ws/v1/cluster/nodes?states=RUNNING`)).json();
      const counted = (nodes?.node ?? []).filter((one: any) => !without || !one.nodeHostName.startsWith(without));
      return counted.map((one: any) => one.availMemoryMB + one.usedMemoryMB).toSorted((a: number, b: number) => a - b);
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
    // Below a price that is to come, but not before its node is in use.
    const market = createSpotMarket(settings);
    const rises = market.began(Date.now() + minute + 25_000);
    const bid = (market.price(type, zone, rises - 1) + market.price(type, zone, rises)) / 2;
    const BidPriceAsPercentageOfOnDemandPrice = (100 * bid) / onDemandPrice(type);
    const cheap = { InstanceType: type, WeightedCapacity: 1, BidPriceAsPercentageOfOnDemandPrice };
    const task = { InstanceFleetType: "TASK", TargetSpotCapacity: 1, InstanceTypeConfigs: [cheap] };
    assert.match((await emr("add-instance-fleet", "--instance-fleet", JSON.stringify(task))).InstanceFleetId, /^if-/);
    await until("more capacity", async () => (await has("CORE")) === "RUNNING 3 0" && (await has("TASK")) === "RUNNING 0 1");
    await until("their NodeManagers", async () => (await memories()).length === 3);
    assert.deepEqual(await memories(), [12_288, 12_288, 24_576], "each node has the memory of its type");
    took("one core node of another type and a task node on spot");
    const { Instances } = await emr("list-instances", "--instance-fleet-type", "TASK");
    assert.deepEqual(
      Instances.map((one: any) => [one.InstanceType, one.Market]),
      [[type, "SPOT"]],
    );
    const [{ Ec2InstanceId: taken, PrivateDnsName }] = Instances;

    begun = performance.now();
    await emr("modify-instance-fleet", "--instance-fleet", `InstanceFleetId=${Id},TargetOnDemandCapacity=2`);
    await until("less capacity", async () => (await has("CORE")) === "RUNNING 2 0");
    assert.deepEqual(await memories(PrivateDnsName.replace(/\..*/, "")), [24_576]);
    took("the core node that is too many leaves");

    // While the job runs on it.
    const told = (text: RegExp) => eventMessages(howdah, id, "instance").some((message) => text.test(message));
    const notice = new RegExp(`^${taken} .*Interruption Warning: the price of ${type} in ${zone} is [\\d.]+, and the bid [\\d.]+\\.`);
    await until("the market to take the task node back", async () => told(notice));
    took("its notice, since the core node was asked to leave");
    await until("its end", async () => told(new RegExp(`^${taken} terminated`)));
    assert.equal(await has("TASK"), "RESIZING 0 0", "no other comes at that price");
    assert.ok(eventMessages(howdah, id, "warning").some((text) => /bid/.test(text)));
    cluster.onMaster("hdfs dfs -mkdir -p /tmp/enough");
    assert.equal((await running).state, "COMPLETED");

    assert.ok(
      eventMessages(howdah, id, "warning").some((text) => text.includes("the master is a")),
      "it was warned of at its start",
    );
    const argv = ["drill", "spot", id, "master", "--anyway", "--json", "--data", howdah.data.root];
    const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, "..", "..", "bin", "howdah.js"), ...argv]);
    t.diagnostic(stdout);
    const { State, StateChangeReason } = (await howdah.cluster(id)).Status;
    assert.deepEqual([State, StateChangeReason.Code], ["TERMINATED_WITH_ERRORS", "INSTANCE_FAILURE"]);
    assert.match(StateChangeReason.Message, /^The master instance i-\w+ was lost: Server\.SpotInstanceTermination/);
  },
);
