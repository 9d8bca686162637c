/** Flink as an application: a job of its own in YARN by a step, a session for several, savepoints, the SQL client, and the history server. */
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
  cluster = await engineCluster(howdah, {
    applications: ["Flink"],
    bucket: "flock",
    configurations: [
      {
        Classification: "flink-conf",
        Properties: { "taskmanager.numberOfTaskSlots": "2", "state.savepoints.dir": "s3://flock/savepoints" },
      },
      { Classification: "flink-log4j-cli", Properties: { "logger.herd.name": "herd", "logger.herd.level": "DEBUG" } },
    ],
  });
});
after(() => howdah?.stop());

const words = "/usr/lib/flink/examples/streaming/WordCount.jar";

test("AWS's first job, as a step: words of s3:// are counted into s3://", async () => {
  const file = join(howdah.data.root, "words");
  writeFileSync(file, "cow bull cow\ncalf cow\n");
  await howdah.aws("s3", "cp", file, "s3://flock/in/words");
  const args = ["-m", "yarn-cluster", words, "--input", "s3://flock/in/words", "--output", "s3://flock/out/"];
  const { state, log } = await cluster.step("flink", "run", ...args);
  assert.equal(state, "COMPLETED", state === "COMPLETED" ? "" : (await log("stderr")) + (await log("stdout")));
  const out = cluster.onMaster("hdfs dfs -cat 's3://flock/out/*/*'");
  assert.match(out, /^\(cow,3\)$/m);
});

test("a session has jobs, a savepoint in s3:// on request, and a job that goes on from it", async () => {
  const id = /application_\d+_\d+/.exec(cluster.onMaster("flink-yarn-session -d -nm herd 2>&1"))?.[0] ?? "";
  assert.match(id, /^application_/);
  const job = (text: string) => /JobID ([0-9a-f]{32})/.exec(text)?.[1] ?? assert.fail(text);
  const speeds = "/usr/lib/flink/examples/streaming/TopSpeedWindowing.jar";
  const first = job(cluster.onMaster(`flink run -d ${speeds} 2>&1`));
  await until("the job to run", async () => cluster.onMaster("flink list -r 2>&1").includes(first));
  // A job that runs has tasks that are still being started: until they are, Flink refuses.
  const stop = `flink stop --savepointPath s3://flock/savepoints ${first} 2>&1 || true`;
  const stopped = await until("a savepoint", async () => {
    const said = cluster.onMaster(stop);
    return said.includes("Savepoint completed") && said;
  });
  const path = /s3:\/\/flock\/savepoints\/savepoint-\S+/.exec(stopped)?.[0] ?? assert.fail(stopped);
  assert.match(cluster.onMaster(`hdfs dfs -ls ${path}`), /_metadata/);
  const second = job(cluster.onMaster(`flink run -d -s ${path} ${speeds} 2>&1`));
  await until("the job to run again", async () => cluster.onMaster("flink list -r 2>&1").includes(second));
  cluster.onMaster(`flink cancel ${second} 2>&1`);
  assert.match(
    cluster.onMaster(
      "printf \"SET 'sql-client.execution.result-mode' = 'TABLEAU';\\nSET 'execution.runtime-mode' = 'batch';\\nSELECT SUM(n) AS total FROM (VALUES (40), (2)) AS t (n);\\n\" > /tmp/q.sql; /usr/lib/flink/bin/sql-client.sh -f /tmp/q.sql 2>&1",
    ),
    /\b42\b/,
  );
  cluster.onMaster(`yarn application -kill ${id} 2>&1`);
});

test("what has ended is at the history server, and each classification in its file", async () => {
  const { MasterPublicDnsName: master } = await howdah.cluster(cluster.id);
  const jobs = async (): Promise<{ name: string; state: string }[]> =>
    ((await (await fetch(`http://${master}:8082/jobs/overview`)).json()) as any).jobs;
  await until("three jobs", async () => (await jobs()).length >= 3);
  assert.ok((await jobs()).some(({ name, state }) => name === "WordCount" && state === "FINISHED"));
  assert.match(cluster.on("core1", "cat /etc/flink/conf/flink-conf.yaml"), /^taskmanager\.numberOfTaskSlots: 2$/m);
  assert.match(cluster.onMaster("cat /etc/flink/conf/log4j-cli.properties"), /^logger\.herd\.level ?= ?DEBUG$/m);
});
