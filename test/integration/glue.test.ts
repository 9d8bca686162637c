/** The catalog that outlives clusters: Glue's API and the metastores of clusters over one database of the account, whatever of it dies meanwhile. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { clientEnvironment } from "../../src/cli/env.ts";
import { startDetached } from "../../src/cli/up.ts";
import { dataFolder } from "../../src/data-folder.ts";
import type { KnownProcess } from "../../src/process/known.ts";
import { endProcess } from "../../src/process/known.ts";
import { runningControlPlane } from "../../src/running.ts";
import { takeDown } from "../../src/take-down.ts";
import { awsCli } from "./aws-cli.ts";
import { engineCluster } from "./engine-cluster.ts";
import { type Howdah, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let account: string;
before(async () => {
  howdah = await startHowdah();
  ({ Account: account } = await howdah.aws("sts", "get-caller-identity"));
  await howdah.aws("s3", "mb", "s3://farm");
});
after(() => howdah?.stop());

const factory = { "hive.metastore.client.factory.class": "com.amazonaws.glue.catalog.metastore.AWSGlueDataCatalogHiveClientFactory" };
const serverOf = (): KnownProcess => JSON.parse(readFileSync(join(howdah.data.run, `glue-${account}.json`), "utf8")).known;
const cli = async (...args: string[]): Promise<string> => {
  const main = join(import.meta.dirname, "../../bin/howdah.js");
  return (await promisify(execFile)(process.execPath, [main, ...args])).stdout;
};
const kill = (known: KnownProcess) => endProcess(known, { graceMs: 0 });

const csv = {
  Columns: [
    { Name: "name", Type: "string" },
    { Name: "milk", Type: "int" },
  ],
  InputFormat: "org.apache.hadoop.mapred.TextInputFormat",
  OutputFormat: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
  SerdeInfo: {
    SerializationLibrary: "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    Parameters: { "field.delim": ",", "serialization.format": "," },
  },
};
const table = {
  Name: "cows",
  TableType: "EXTERNAL_TABLE",
  PartitionKeys: [{ Name: "year", Type: "int" }],
  StorageDescriptor: { ...csv, Location: "s3://farm/cows/" },
  Parameters: { classification: "csv" },
};
const partition = (year: number) => ({ Values: [String(year)], StorageDescriptor: { ...csv, Location: `s3://farm/cows/year=${year}/` } });
const glue = (command: string, options: Record<string, unknown>) =>
  howdah.aws(
    "glue",
    command,
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, typeof value === "string" ? value : JSON.stringify(value)]),
  );

test("databases, tables and partitions by the aws CLI and boto3; no file of S3 is touched; kill -9 of all that serves them loses none", async () => {
  await glue("create-database", { "database-input": { Name: "farm", LocationUri: "s3://farm/db/", Description: "all of it" } });
  await glue("create-table", { "database-name": "farm", "table-input": table });
  const many = { "database-name": "farm", "table-name": "cows", "partition-input-list": [partition(2025), partition(2026)] };
  assert.deepEqual(await glue("batch-create-partition", many), { Errors: [] });
  await assert.rejects(glue("create-table", { "database-name": "farm", "table-input": table }), /\(AlreadyExistsException\)/);
  await assert.rejects(glue("get-table", { "database-name": "farm", name: "pigs" }), /\(EntityNotFoundException\)/);
  assert.equal(await howdah.aws("s3", "ls", "s3://farm"), "");

  await kill(serverOf());
  await kill(runningControlPlane(howdah.data)!);
  await howdah.up();
  const shown = await howdah.boto3(`
import boto3, json
glue = boto3.client("glue")
pages = glue.get_paginator("get_partitions").paginate(DatabaseName="farm", TableName="cows", Expression="year > 2025", PaginationConfig={"PageSize": 1})
table = glue.get_table(DatabaseName="farm", Name="COWS")["Table"]
names = [d["Name"] for page in glue.get_paginator("get_databases").paginate() for d in page["DatabaseList"]]
print(json.dumps([names, table["StorageDescriptor"]["Location"], table["Parameters"], [p["Values"] for page in pages for p in page["Partitions"]]]))`);
  assert.deepEqual(JSON.parse(shown), [["default", "farm"], "s3://farm/cows/", { classification: "csv" }, [["2026"]]]);
  // Found again by a control plane that takes the place of one.
  const before = serverOf();
  await kill(runningControlPlane(howdah.data)!);
  await howdah.up();
  await glue("get-databases", {});
  assert.deepEqual(serverOf(), before);
});

test("a backup, made while the metastore runs, has the catalog; status and doctor tell of the metastore", async (t) => {
  const { pid } = serverOf();
  const { catalogs } = JSON.parse(await cli("status", "--json", "--data", howdah.data.root));
  assert.deepEqual(catalogs, [{ accountId: account, pid, answers: true }]);
  const copy = dataFolder(`${howdah.data.root}-copy`);
  t.after(async () => {
    await takeDown(copy);
    rmSync(copy.root, { recursive: true, force: true });
  });
  await cli("backup", copy.root, "--data", howdah.data.root);
  // What comes later is not in it.
  await glue("create-database", { "database-input": { Name: "later" } });
  await startDetached(copy, { port: 0 });
  const inCopy = (command: string, ...args: string[]) =>
    clientEnvironment(copy).then((env) =>
      awsCli(howdah.installation, env, ["glue", command, ...args, "--output", "json"]).then(JSON.parse),
    );
  const { DatabaseList } = await inCopy("get-databases");
  assert.deepEqual(
    DatabaseList.map(({ Name }: { Name: string }) => Name),
    ["default", "farm"],
  );
  const { Partitions } = await inCopy("get-partitions", "--database-name", "farm", "--table-name", "cows");
  assert.equal(Partitions.length, 2);
  const said = await cli("doctor", "--data", copy.root);
  assert.match(said, new RegExp(`ok +The Glue catalog of account ${account}: its metastore answers \\(process \\d+\\)`));
  assert.equal(serverOf().pid, pid, "the original's goes on");
  await glue("delete-database", { name: "later" });
});

test("a cluster's Spark reads what Glue has, and writes what Glue shows; the next cluster's Hive has all of it", async () => {
  const file = join(howdah.data.root, "cows.csv");
  writeFileSync(file, "Berta,7\nElsa,9\n");
  for (const year of [2025, 2026]) await howdah.aws("s3", "cp", file, `s3://farm/cows/year=${year}/1.csv`);
  const first = await engineCluster(howdah, {
    applications: ["Spark"],
    core: 0,
    bucket: "first",
    configurations: [{ Classification: "spark-hive-site", Properties: factory }],
  });
  const spark = (query: string) =>
    first.onMaster(`spark-sql -S --master 'local[1]' -e "${query}" 2>/tmp/spark.err || { tail -40 /tmp/spark.err; exit 1; }`);
  const rich = "CREATE TABLE farm.rich STORED AS PARQUET AS SELECT name, milk FROM farm.cows WHERE year = 2026 AND milk > 8";
  assert.equal(spark(`${rich}; SELECT * FROM farm.rich; SELECT sum(milk) FROM farm.cows`), "Elsa\t9\n32\n");
  const { Table } = await glue("get-table", { "database-name": "farm", name: "rich" });
  assert.deepEqual([Table.TableType, Table.StorageDescriptor.Location], ["MANAGED_TABLE", "s3://farm/db/rich"]);
  assert.match(Table.StorageDescriptor.SerdeInfo.SerializationLibrary, /ParquetHiveSerDe/);
  // The cluster's metastore finds the account's again.
  const dead = serverOf();
  await kill(dead);
  await until("the metastore to be back", async () => serverOf()?.pid !== dead.pid && serverOf() !== undefined);
  assert.equal(spark("SELECT count(*) FROM farm.rich"), "1\n");
  await first.terminate();

  const second = await engineCluster(howdah, {
    applications: ["Hive"],
    core: 0,
    bucket: "second",
    configurations: [{ Classification: "hive-site", Properties: { ...factory, "hive.metastore.glue.catalogid": account } }],
  });
  const hive = (query: string) => second.onMaster(`hive -S -e "${query}" 2>/tmp/hive.err || { tail -40 /tmp/hive.err; exit 1; }`);
  const add = "ALTER TABLE farm.cows ADD PARTITION (year = 2027) LOCATION 's3://farm/cows/year=2027/'";
  assert.equal(hive(`SELECT * FROM farm.rich; SELECT name FROM farm.cows WHERE milk < 8 AND year = 2026; ${add}`), "Elsa\t9\nBerta\n");
  const { Partitions } = await glue("get-partitions", { "database-name": "farm", "table-name": "cows" });
  assert.deepEqual(
    Partitions.map(({ Values }: { Values: string[] }) => Values),
    [["2025"], ["2026"], ["2027"]],
  );
  // As the cluster, which may: its files go with a managed table.
  hive("DROP TABLE farm.rich");
  await assert.rejects(glue("get-table", { "database-name": "farm", name: "rich" }), /\(EntityNotFoundException\)/);
  assert.equal(await howdah.aws("s3", "ls", "--recursive", "s3://farm/db/rich/").catch(() => ""), "");
});

test("another account's catalog, and Spark's alone beside Hive, are refused", async () => {
  const create = (Classification: string, Properties: object) =>
    howdah.aws(
      ..."emr create-cluster --release-label emr-7.13.0 --use-default-roles --instance-type m5.xlarge --instance-count 1".split(" "),
      ..."--applications Name=Spark Name=Hive --configurations".split(" "),
      JSON.stringify([{ Classification, Properties }]),
    );
  await assert.rejects(
    create("hive-site", { ...factory, "hive.metastore.glue.catalogid": "999999999999" }),
    /is another account's catalog/,
  );
  await assert.rejects(create("spark-hive-site", factory), /give it in hive-site, too/);
});
