/** emr-spark-8.0.0: Spark 4 on YARN, by a step and by commands on the master, over s3:// and over HDFS. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type EngineCluster, engineCluster } from "./engine-cluster.ts";
import { type Howdah, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let cluster: EngineCluster;
before(async () => {
  howdah = await startHowdah();
  cluster = await engineCluster(howdah, { release: "emr-spark-8.0.0", applications: ["Spark"], bucket: "four" });
});
after(() => howdah?.stop());

const job = `
import sys
from pyspark.sql import SparkSession, functions as f
spark = SparkSession.builder.getOrCreate()
assert spark.version == "4.0.2", spark.version
people = spark.createDataFrame([("ann", 3), ("bob", 4), ("ann", 5)], ["name", "n"])
people.write.mode("overwrite").partitionBy("name").parquet(sys.argv[1])
double = f.udf(lambda n: n * 2, "int")
rows = spark.read.parquet(sys.argv[1]).withColumn("n", double("n")).groupBy("name").sum("n").orderBy("name").collect()
print("sums", [(row[0], row[1]) for row in rows])
variant = spark.sql("select variant_get(parse_json('{\\"a\\": 7}'), '$.a', 'int') as a").first()
print("variant", variant.a)
`;

test("a step in cluster mode writes and reads s3://, with Python's own functions on executors", async () => {
  const file = join(howdah.data.root, "job.py");
  writeFileSync(file, job);
  await howdah.aws("s3", "cp", file, "s3://four/job.py");
  const step = await cluster.step("spark-submit", "--deploy-mode", "cluster", "s3://four/job.py", "s3://four/people/");
  assert.equal(step.state, "COMPLETED", step.state === "COMPLETED" ? "" : await step.log("stderr"));
  const { Contents } = await howdah.aws("s3api", "list-objects-v2", "--bucket", "four", "--prefix", "people/");
  const names = Contents.map(({ Key }: { Key: string }) => Key);
  assert.ok(names.some((name: string) => /^people\/name=ann\/.*\.parquet$/.test(name)) && names.includes("people/_SUCCESS"), names.join());
});

test("on the master the same job runs in client mode over HDFS, and spark-sql is ANSI's, as Spark 4 has it", () => {
  const out = cluster.onMaster("spark-submit s3://four/job.py hdfs:///people 2>/dev/null");
  assert.match(out, /sums \[\('ann', 16\), \('bob', 8\)\]\nvariant 7\n/);
  assert.match(cluster.onMaster("spark-sql -e 'select version()' 2>/dev/null"), /^4\.0\.2 /m);
  assert.match(cluster.onMaster("spark-sql -e \"select cast('x' as int)\" 2>&1 || true"), /CAST_INVALID_INPUT/);
});

test("the history server has both applications, and a cluster the version that runs", async () => {
  const { MasterPublicDnsName } = await howdah.cluster(cluster.id);
  assert.ok(MasterPublicDnsName);
  await until("the applications' history", async () => {
    const answer = await fetch(`http://${MasterPublicDnsName}:18080/api/v1/applications`);
    const all = (await answer.json()) as { attempts: { completed: boolean; appSparkVersion: string }[] }[];
    return all.filter(({ attempts }) => attempts.some((one) => one.completed && one.appSparkVersion === "4.0.2")).length >= 2;
  });
  assert.deepEqual((await howdah.cluster(cluster.id)).Applications, [{ Name: "Spark", Version: "4.0.2" }]);
  await cluster.terminate();
});
