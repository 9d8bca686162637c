/** Trino as an application: tpch, tables of the cluster's metastore in HDFS and in s3://, a connector by its classification, and a worker that comes and goes. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type EngineCluster, engineCluster, resized } from "./engine-cluster.ts";
import { type Howdah, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let cluster: EngineCluster;
before(async () => {
  howdah = await startHowdah();
  cluster = await engineCluster(howdah, {
    applications: ["Trino", "Spark"],
    bucket: "stable",
    configurations: [
      { Classification: "trino-config", Properties: { "query.max-run-time": "54m" } },
      { Classification: "trino-log", Properties: { "io.trino.herd": "DEBUG" } },
      { Classification: "trino-node", Properties: { "node.environment": "herd" } },
      { Classification: "trino-connector-blackhole", Properties: { "connector.name": "blackhole" } },
      {
        Classification: "trino-env",
        Properties: {},
        Configurations: [{ Classification: "export", Properties: { TRINO_OPTS: "-Dherd=nine" } }],
      },
    ],
  });
});
after(() => howdah?.stop());

const trino = (sql: string) => cluster.onMaster(`trino-cli --execute "${sql}" 2>/tmp/trino.err || { cat /tmp/trino.err; exit 1; }`);
/** undefined where the query itself was on a node that leaves. */
const workers = (): string | undefined => {
  const sql = "SELECT count(*) FROM system.runtime.nodes WHERE NOT coordinator AND state = 'active'";
  return /^"(\d+)"$/m.exec(cluster.onMaster(`trino-cli --execute "${sql}" 2>&1 || true`))?.[1];
};

test("a step asks tpch by a file of s3://, and the core node does the work", async () => {
  const file = join(howdah.data.root, "orders.sql");
  writeFileSync(
    file,
    `CREATE TABLE hive.default.orders WITH (format = 'PARQUET') AS SELECT orderkey, orderstatus, totalprice FROM tpch.tiny.orders;
     SELECT count(*), min(orderstatus) FROM hive.default.orders;\n`,
  );
  await howdah.aws("s3", "cp", file, "s3://stable/orders.sql");
  const { state, log } = await cluster.step("bash", "-c", "aws s3 cp s3://stable/orders.sql . && trino-cli -f orders.sql");
  assert.equal(state, "COMPLETED", state === "COMPLETED" ? "" : await log("stderr"));
  assert.match(await log("stdout"), /^"15000","F"$/m);
  assert.equal(workers(), "1");
  assert.match(cluster.onMaster("hdfs dfs -stat %u /user/hive/warehouse/orders"), /^hadoop$/m);
});

test("a table in s3:// is Spark's, too, and a table of Spark's is Trino's", async () => {
  trino("CREATE SCHEMA hive.herd WITH (location = 's3://stable/herd/')");
  trino("CREATE TABLE hive.herd.nations WITH (format = 'PARQUET') AS SELECT name, regionkey FROM tpch.tiny.nation");
  assert.match(await howdah.aws("s3", "ls", "--recursive", "s3://stable/herd/nations/"), /nations\//);
  const sql =
    "SELECT count(*) FROM herd.nations WHERE regionkey = 3; CREATE TABLE of_spark USING parquet AS SELECT * FROM orders WHERE orderkey < 8";
  assert.match(cluster.onMaster(`spark-sql -e "${sql}" 2>/dev/null`), /^5$/m);
  assert.equal(trino("SELECT count(*) FROM hive.default.of_spark"), '"7"\n');
});

test("iceberg's tables change row by row, in s3://", () => {
  trino("CREATE TABLE iceberg.herd.cows AS SELECT * FROM (VALUES ('Berta', 1), ('Elsa', 2)) AS t (name, n)");
  trino("UPDATE iceberg.herd.cows SET n = 7 WHERE name = 'Elsa'");
  assert.equal(trino("SELECT sum(n) FROM iceberg.herd.cows"), '"8"\n');
});

test("a query that is wrong is a failed step", async () => {
  const { state, log } = await cluster.step("trino-cli", "--execute", "SELECT * FROM hive.default.nothing");
  assert.equal(state, "FAILED");
  assert.match(await log("stderr"), /Table 'hive.default.nothing' does not exist/);
});

test("configurations are in Trino's files, and on its servers' command lines", () => {
  assert.match(cluster.onMaster("cat /etc/trino/conf/config.properties"), /^query\.max-run-time=54m$/m);
  assert.match(cluster.onMaster("cat /etc/trino/conf/log.properties"), /^io\.trino\.herd=DEBUG$/m);
  assert.match(cluster.onMaster("ps -eo args"), /node\.environment=herd .*-Dherd=nine .*io\.trino\.server\.TrinoServer/);
  assert.match(trino("SHOW CATALOGS"), /^"blackhole"\n"hive"\n"iceberg"\n"memory"\n"system"\n"tpch"$/m);
});

test("a node that comes brings a worker, and one that leaves takes it", async () => {
  const task = { InstanceGroupType: "TASK", InstanceCount: 1, InstanceType: "m5.xlarge" };
  await howdah.aws("emr", "add-instance-groups", "--cluster-id", cluster.id, "--instance-groups", JSON.stringify([task]));
  await resized(howdah, cluster.id, "TASK", 1);
  await until("its worker", async () => workers() === "2");
  const { Id } = (await howdah.groups(cluster.id)).find((one) => one.InstanceGroupType === "TASK")!;
  const smaller = JSON.stringify([{ InstanceGroupId: Id, InstanceCount: 0 }]);
  await howdah.aws("emr", "modify-instance-groups", "--cluster-id", cluster.id, "--instance-groups", smaller);
  await resized(howdah, cluster.id, "TASK", 0);
  await until("its worker to be gone", async () => workers() === "1");
  assert.match(trino("SELECT count(*) FROM tpch.tiny.lineitem"), /^"60175"$/m);
});
