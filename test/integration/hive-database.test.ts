/** Hive's metastore in a PostgreSQL, which outlives clusters. The cluster's own, which `down --keep` keeps: hive.test.ts. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { engineCluster } from "./engine-cluster.ts";
import { type Howdah, startHowdah } from "./howdah.ts";
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
