/** Hive as an application: steps, `hive` and beeline on the master; on Tez and on MapReduce; over HDFS and over s3://. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { userInterfaces } from "../../src/engines/user-interfaces.ts";
import { type EngineCluster, engineCluster } from "./engine-cluster.ts";
import { type Howdah, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let cluster: EngineCluster;
let address: string;
before(async () => {
  howdah = await startHowdah();
  cluster = await engineCluster(howdah, {
    applications: ["Hive", "HCatalog", "Spark"],
    bucket: "herds",
    configurations: [
      { Classification: "hive-site", Properties: { "hive.herd.size": "nine" } },
      {
        Classification: "hive-env",
        Properties: {},
        Configurations: [{ Classification: "export", Properties: { HIVE_SERVER2_HADOOP_OPTS: "-Dherd=nine" } }],
      },
      { Classification: "hive-log4j2", Properties: { "logger.herd.name": "herd", "logger.herd.level": "debug" } },
    ],
  });
  address = cluster.onMaster("hostname -i").trim();
});
after(() => howdah?.stop());

async function put(name: string, text: string): Promise<string> {
  const file = join(howdah.data.root, name.replaceAll("/", "-"));
  writeFileSync(file, text);
  await howdah.aws("s3", "cp", file, `s3://herds/${name}`);
  return `s3://herds/${name}`;
}

/** What it prints on standard output, without its prompt. */
const beeline = (query: string) =>
  cluster
    .onMaster(`beeline -u jdbc:hive2://localhost:10000 -n hadoop --silent=true --outputformat=tsv2 --showHeader=false -e "${query}"`)
    .replace(/^\d: jdbc:\S+> /gm, "");
const hive = (query: string) => cluster.onMaster(`hive -S -e "${query}" 2>/tmp/hive.err || { cat /tmp/hive.err; exit 1; }`);

/** How those of a type have ended. */
async function applications(type: string): Promise<string[]> {
  const { apps }: any = await (await fetch(`http://${address}:8088/ws/v1/cluster/apps?applicationTypes=${type}`)).json();
  return (apps?.app ?? []).map((one: any) => one.finalStatus);
}

test("a hive-script step reads text of s3://, and writes a partitioned ORC table to s3:// on Tez", async () => {
  await put("in/1.csv", "ant,ground,3\nape,tree,1\nbat,tree,7\ncat,ground,5\n");
  const script = await put(
    "script.q",
    `CREATE EXTERNAL TABLE animals (name STRING, place STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION '\${INPUT}';
     CREATE EXTERNAL TABLE placed (name STRING, n INT) PARTITIONED BY (place STRING) STORED AS ORC LOCATION '\${OUTPUT}';
     SET hive.exec.dynamic.partition.mode=nonstrict;
     INSERT OVERWRITE TABLE placed PARTITION (place) SELECT name, n, place FROM animals;\n`,
  );
  const args = ["--run-hive-script", "--args", "-f", script, "-d", "INPUT=s3://herds/in/", "-d", "OUTPUT=s3://herds/placed/"];
  const step = await cluster.step("hive-script", ...args);
  assert.equal(step.state, "COMPLETED", step.state === "COMPLETED" ? "" : await step.log("stderr"));
  const listing: string = await howdah.aws("s3", "ls", "--recursive", "s3://herds/placed/");
  assert.match(listing, /placed\/place=ground\/.*\n.*placed\/place=tree\//);
  assert.ok((await applications("TEZ")).length > 0);
});

test("AWS's tutorial as typed: a step of type HIVE over the samples", async () => {
  const samples = "s3://us-west-2.elasticmapreduce.samples";
  const args = `-f,${samples}/cloudfront/code/Hive_CloudFront.q,-d,INPUT=${samples},-d,OUTPUT=s3://herds/MyHiveQueryResults`;
  const steps = `Type=HIVE,Name=CloudFront,ActionOnFailure=CONTINUE,Args=[${args}]`;
  const { StepIds } = await howdah.aws("emr", "add-steps", "--cluster-id", cluster.id, "--steps", steps);
  await until("the tutorial's step", async () => {
    const { State, FailureDetails } = (await howdah.step(cluster.id, StepIds[0])).Status;
    assert.notEqual(State, "FAILED", JSON.stringify(FailureDetails));
    return State === "COMPLETED";
  });
  const rows = cluster.onMaster("hadoop fs -cat 's3://herds/MyHiveQueryResults/os_requests/*' 2>/dev/null | tr '\\001' ' ' | sort");
  assert.equal(rows, "Android 44\nLinux 51\nMacOS 52\nOSX 40\nWindows 40\niOS 57\n");
});

test("beeline joins and counts by HiveServer2, as its user", async () => {
  assert.equal(beeline("SELECT place, SUM(n) FROM placed GROUP BY place ORDER BY place"), "ground\t8\ntree\t8\n");
  beeline("CREATE TABLE parquet_animals STORED AS PARQUET AS SELECT * FROM animals");
  assert.match(cluster.onMaster("hdfs dfs -stat %u /user/hive/warehouse/parquet_animals"), /^hadoop$/m);
  const joined = "SELECT COUNT(*) FROM parquet_animals a JOIN placed b ON a.name = b.name WHERE b.place = 'tree'";
  assert.equal(beeline(joined), "2\n");
});

test("hive on the master runs on MapReduce where it is told to", async () => {
  const onMapReduce = "SET hive.herd.size; SET hive.execution.engine=mr; SELECT MAX(n), COUNT(DISTINCT place) FROM parquet_animals";
  assert.equal(hive(onMapReduce), "hive.herd.size=nine\n7\t2\n", "with what hive-site says");
  assert.deepEqual(await applications("MAPREDUCE"), ["SUCCEEDED"]);
});

test("a script that is wrong is a failed step, and a query that is wrong ends with an error", async () => {
  const script = await put("wrong.q", "SELECT * FROM nothing;\n");
  assert.equal((await cluster.step("hive-script", "--run-hive-script", "--args", "-f", script)).state, "FAILED");
  assert.throws(() => beeline("SELECT * FROM nothing"), /Table not found 'nothing'/);
});

test("Spark sees Hive's tables, and Hive sees Spark's", async () => {
  const sql = "SELECT SUM(n) FROM placed; CREATE TABLE of_spark USING parquet AS SELECT name, n FROM parquet_animals WHERE n > 2";
  assert.match(cluster.onMaster(`spark-sql -e "${sql}" 2>/dev/null`), /^16$/m);
  assert.equal(beeline("SELECT COUNT(*) FROM of_spark"), "3\n");
});

test("beeline is Hive's, though Spark has one, too", () => {
  assert.match(cluster.onMaster("readlink -f $(which beeline)"), /\/hive-3\.1\.3-[^/]*\/bin\/beeline$/m);
});

test("hcat describes tables", () => {
  assert.match(cluster.onMaster('hcat -e "DESCRIBE placed" 2>/dev/null'), /place +\t?string/);
});

test("configurations are in Hive's files, and on its daemons' command lines", () => {
  assert.match(cluster.onMaster("cat /etc/hive/conf/hive-log4j2.properties"), /^logger\.herd\.level=debug$/m);
  assert.match(cluster.onMaster("ps -eo args"), /-Dherd=nine .*howdah\.hive\.Server/);
});

test("a daemon that is killed is there again, with its tables", async () => {
  for (const name of ["howdah.hive.Metastore", "howdah.hive.Server"]) {
    const find = `pgrep -f '[j]ava.*${name}'`;
    const before = cluster.onMaster(find).trim();
    cluster.onMaster(`kill -9 ${before}`);
    await until(`another ${name}`, async () => ![before, ""].includes(cluster.onMaster(`${find} || true`).trim()));
  }
  const answer = await until("HiveServer2 to answer", async () => {
    try {
      return beeline("SHOW TABLES");
    } catch {
      return undefined;
    }
  });
  assert.match(answer, /parquet_animals\nplaced/);
});

test("its own metastore is kept by down --keep, wherever HDFS is then", async () => {
  beeline("CREATE DATABASE farm; CREATE TABLE farm.cows (name STRING)");
  cluster.onMaster("echo Berta | hdfs dfs -put - /user/hive/warehouse/farm.db/cows/1");
  const before = address;
  const main = join(import.meta.dirname, "../../src/cli/main.ts");
  await promisify(execFile)(process.execPath, [main, "down", "--keep", "--data", howdah.data.root]);
  // Another Howdah of this machine takes the network meanwhile, unless one has it already.
  const neighbour = createServer();
  await new Promise<void>((resolve) => {
    neighbour.once("error", () => resolve());
    neighbour.listen(`\0howdah-net/${before.replace(/\.\d+$/, "")}`, resolve);
  });
  try {
    await howdah.up();
    await until("the cluster to wait", async () => (await howdah.cluster(cluster.id)).Status.State === "WAITING");
    address = cluster.onMaster("hostname -i").trim();
    assert.notEqual(address, before);
    assert.equal(hive("SELECT name FROM farm.cows"), "Berta\n");
  } finally {
    neighbour.close();
  }
});

test("it listens at its node's address only", () => {
  const listeners = cluster.onMaster("cat /proc/net/tcp /proc/net/tcp6");
  const hex = address
    .split(".")
    .toReversed()
    .map((part) => Number(part).toString(16).padStart(2, "0").toUpperCase());
  for (const port of [9083, 10000, 10002]) {
    const at = port.toString(16).toUpperCase().padStart(4, "0");
    const found = [...listeners.matchAll(new RegExp(`: ([0-9A-F]+):${at} 0+:0000 0A`, "g"))].map(([, host]) => host);
    assert.ok(found.includes(hex.join("")), `${port}: ${found.join()}`);
    assert.ok(
      found.every((host) => !/^0+$/.test(host!)),
      `${port} on all addresses`,
    );
  }
});

test("the versions are those that run, the page answers, logs are shipped as EMR's", async () => {
  const { Applications } = await howdah.cluster(cluster.id);
  const version = ({ Name, Version }: { Name: string; Version: string }) => `${Name} ${Version}`;
  assert.deepEqual(Applications.map(version).toSorted(), ["HCatalog 3.1.3", "Hive 3.1.3", "Spark 3.5.6"]);
  assert.match(cluster.onMaster("hive --version 2>/dev/null"), /^Hive 3\.1\.3/m);
  const page = userInterfaces(address, ["Hive"]).find(({ name }) => name === "HiveServer2");
  assert.match(await (await fetch(page!.url)).text(), /HiveServer2/);
  await cluster.terminate();
  const listing: string = await howdah.aws("s3", "ls", "--recursive", `s3://herds/logs/${cluster.id}/node/`);
  for (const name of ["hive-hcatalog-server.log", "hive-server2.log", "user/hadoop/hive.log"])
    assert.match(listing, new RegExp(`applications/hive/${name}\\.gz`), name);
});
