/** Where Hive's metastore keeps what it knows: a PostgreSQL that outlives clusters, and the cluster's own, which `down --keep` keeps. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { engineCluster } from "./engine-cluster.ts";
import { type Howdah, startHowdah, until } from "./howdah.ts";
import { type Postgres, postgresPrograms, startPostgres } from "./postgres.ts";

let howdah: Howdah;
let postgres: Postgres | undefined;
before(async () => {
  howdah = await startHowdah();
  await howdah.aws("s3", "mb", "s3://warehouse");
});
after(async () => {
  await howdah?.stop();
  await postgres?.stop();
});

const query = (text: string) => `hive -S -e "${text}" 2>/tmp/hive.err || { cat /tmp/hive.err; exit 1; }`;

test(
  "tables in a PostgreSQL and in S3 outlive their cluster",
  { skip: postgresPrograms ? false : "no PostgreSQL on this machine" },
  async () => {
    postgres = await startPostgres();
    await postgres.query("postgres", "CREATE DATABASE metastore");
    const configurations = [
      {
        Classification: "hive-site",
        Properties: {
          "javax.jdo.option.ConnectionURL": `jdbc:postgresql://127.0.0.1:${postgres.port}/metastore`,
          "javax.jdo.option.ConnectionDriverName": "org.postgresql.Driver",
          "javax.jdo.option.ConnectionUserName": "hive",
          "javax.jdo.option.ConnectionPassword": "secret",
          "hive.metastore.warehouse.dir": "s3://warehouse/hive",
        },
      },
    ];
    const cluster = (bucket: string) => engineCluster(howdah, { applications: ["Hive"], core: 0, bucket, configurations });
    const first = await cluster("first");
    first.onMaster(
      query("CREATE TABLE cows (name STRING) PARTITIONED BY (day INT) STORED AS ORC; INSERT INTO cows PARTITION (day=1) VALUES ('Berta')"),
    );
    await first.terminate();
    assert.equal(
      await postgres.query("metastore", `SELECT "TBL_NAME", "PART_NAME" FROM "TBLS" JOIN "PARTITIONS" USING ("TBL_ID")`),
      "cows|day=1\n",
    );
    const second = await cluster("second");
    assert.equal(second.onMaster(query("SELECT * FROM cows")), "Berta\t1\n");
    await second.terminate();
  },
);

test("the cluster's own metastore is kept by down --keep, wherever HDFS is then", async () => {
  const cluster = await engineCluster(howdah, { applications: ["Hive"], core: 0, bucket: "kept" });
  cluster.onMaster(query("CREATE DATABASE farm; CREATE TABLE farm.cows (name STRING); INSERT INTO farm.cows VALUES ('Berta')"));
  const before = cluster.onMaster("hostname -i").trim();
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
    assert.notEqual(cluster.onMaster("hostname -i").trim(), before);
    assert.equal(cluster.onMaster(query("SELECT name FROM farm.cows")), "Berta\n");
  } finally {
    neighbour.close();
  }
});
