/** kill -9 of everything that Howdah has, at the moments that matter, on the real thing: it goes on, nothing runs twice, nothing is left. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ownerVariable } from "../../src/data-folder.ts";
import { type KnownProcess, findByEnvironment, isAlive, signal } from "../../src/process/known.ts";
import { takeDown } from "../../src/take-down.ts";
import { agentsOf, command, commandOf, createDriver, processesOf } from "./survival-harness.ts";
import { type Howdah, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let on: ReturnType<typeof createDriver>;
let scratch: string;
before(async () => {
  howdah = await startHowdah();
  on = createDriver(howdah);
  scratch = mkdtempSync(join(tmpdir(), "howdah-survival-"));
  await howdah.aws("s3", "mb", "s3://work");
});
after(async () => {
  await howdah?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** As soon as it is so: 2 ms after it was written, most often. */
async function asSoonAs<T>(what: string, look: () => T | undefined | false): Promise<T> {
  for (const giveUpAt = performance.now() + 240_000; performance.now() < giveUpAt; await sleep(2)) {
    const found = look();
    if (found) return found;
  }
  throw new Error(`gave up waiting for ${what}`);
}

/** A transition that the store has written down. */
async function row(what: string, sql: string, id: string): Promise<Record<string, unknown>> {
  const database = new DatabaseSync(howdah.data.database, { timeout: 10_000 });
  try {
    const statement = database.prepare(sql);
    return await asSoonAs(what, () => statement.get(id));
  } finally {
    database.close();
  }
}

async function put(name: string, content: string): Promise<string> {
  writeFileSync(join(scratch, name), content);
  await howdah.aws("s3", "cp", join(scratch, name), `s3://work/${name}`);
  return `s3://work/${name}`;
}

const kill = async (known: KnownProcess | undefined) => {
  assert.ok(known && isAlive(known), "it runs");
  signal(known, "SIGKILL");
  await until("its end", async () => !isAlive(known));
};
const recorded = (file: string): KnownProcess => JSON.parse(readFileSync(file, "utf8")) as KnownProcess;
/** Counts in its own folder how often it ran. */
const counting = (name: string, more = "") => command(name, "bash", "-c", `echo ran >> ran; ${more} cat ran`);
const ofCluster = (where: string) => `SELECT 1 FROM clusters WHERE id = ? AND ${where}`;
const ofInstance = (where: string) => `SELECT 1 FROM instances WHERE cluster_id = ? AND ${where}`;

test("the control plane dies at each transition of a cluster's life and of its step's: all happens, and once", async () => {
  const dieAt = async (id: string, transitions: Record<string, string>) => {
    for (const [what, sql] of Object.entries(transitions)) {
      await row(what, sql, id);
      await on.killControlPlane();
      await howdah.up();
    }
  };
  const id = await on.create(1);
  await dieAt(id, {
    "the request": ofCluster("true"),
    "its place": ofCluster("network IS NOT NULL"),
    "its launch": ofInstance("status = 'launched'"),
    "its first report": ofInstance("observed IS NOT NULL"),
    bootstrapping: ofCluster("phase <> 'starting'"),
    ready: ofCluster("phase = 'ready'"),
  });
  await on.reaches(id, "WAITING");

  const stepId = await on.addStep(id, counting("once", "sleep 5;"));
  await dieAt(stepId, {
    "the request": "SELECT 1 FROM steps WHERE id = ?",
    "its order": "SELECT 1 FROM steps WHERE id = ? AND state <> 'PENDING'",
    "its begin": `SELECT 1 FROM steps JOIN instances USING (cluster_id) WHERE steps.id = ? AND (observed LIKE '%"startedAt"%' OR state = 'COMPLETED')`,
    "its end": "SELECT 1 FROM steps WHERE id = ? AND state = 'COMPLETED'",
  });
  assert.equal(await on.stepOutput(stepId), "ran\n");

  const instances = await on.instancesOf(id);
  await on.terminate(id);
  await dieAt(id, {
    "the request": ofCluster("terminate_requested_at IS NOT NULL"),
    ending: ofCluster("phase IN ('ending', 'ended')"),
    "the end of its daemons": ofInstance(`(observed LIKE '%"phase":"stopped"%' OR status = 'terminated')`),
    "the removal": ofInstance("wanted = 0"),
    "the removed": ofInstance("status = 'terminated'"),
    ended: ofCluster("phase = 'ended'"),
  });
  await on.reaches(id, "TERMINATED");
  for (const instance of instances) assert.deepEqual(processesOf(instance.id), []);
});

test("an agent dies at each transition, an init while a step runs: the node comes back, its steps ran once or say why not", async () => {
  const id = await on.create(1);
  const { id: instanceId } = (await row("an instance", "SELECT id FROM instances WHERE cluster_id = ?", id)) as { id: string };
  const node = howdah.data.node(instanceId);
  const agent = () => asSoonAs("an agent", () => agentsOf(instanceId)[0]);
  const agentDiesAt = async (what: string, file: string) => {
    await asSoonAs(what, () => existsSync(join(node, file)));
    await kill(await agent());
  };
  await kill(await agent());
  await agentDiesAt("the start of a daemon", "run/daemon-hadoop-hdfs-namenode.json");
  await agentDiesAt("its readiness", "run/ready");
  await on.reaches(id, "WAITING");

  const first = await on.addStep(id, counting("agent-dies", "sleep 3;"));
  await agentDiesAt("the step's begin", `steps/${first}/process`);
  await agentDiesAt("the step's end", `steps/${first}/exit`);
  assert.equal((await on.stepEnd(id, first)).State, "COMPLETED");
  assert.equal(await on.stepOutput(first), "ran\n");

  const cut = await on.addStep(id, counting("init-dies", "sleep 3600;"));
  const script = await put("script.sh", "#!/bin/bash\nhdfs dfs -ls / && echo came back\n");
  const next = await on.addStep(id, command("next", "bash", "-c", `aws s3 cp ${script} . && bash script.sh`));
  await asSoonAs("the step's begin", () => existsSync(join(node, "steps", cut, "process")));
  await kill(recorded(join(node, "run/init.json")));
  const { State, FailureDetails } = await on.stepEnd(id, cut);
  assert.equal(State, "FAILED");
  assert.match(FailureDetails.Reason, /was lost before it could say how it ended; it is not run again/);
  assert.equal((await on.stepEnd(id, next)).State, "COMPLETED");
  assert.match(await on.stepOutput(next), /came back/);

  await on.terminate(id);
  await on.reaches(id, "TERMINATED");
  assert.deepEqual(processesOf(instanceId), []);
});

/** Of the next test, and of the last. */
let neighbour = "";

test("every daemon dies while a job runs: each comes back, and the job ends well", async () => {
  const id = await on.create(2, "--applications", "Name=Spark");
  const job = `
import os, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
while not os.path.exists(os.path.join(os.environ["TMPDIR"], "stop")):
    assert spark.sparkContext.parallelize(range(100), 2).map(lambda x: x + 1).count() == 100
    print("round", flush=True)
    time.sleep(1)
spark.range(1000).write.mode("overwrite").parquet("hdfs:///tmp/out")
print("rows", spark.read.parquet("hdfs:///tmp/out").count())
`;
  const stepId = await on.addStep(id, command("job", "spark-submit", await put("job.py", job)));
  await until("a round of the job", async () => /round/.test(await on.stepOutput(stepId).catch(() => "")));
  const instances = await on.instancesOf(id);
  const daemons: Record<string, string> = {
    "hadoop-hdfs-datanode": ".DataNode",
    "hadoop-hdfs-namenode": ".NameNode",
    "hadoop-yarn-nodemanager": ".NodeManager",
    "hadoop-yarn-resourcemanager": ".ResourceManager",
    "hadoop-mapreduce-historyserver": ".JobHistoryServer",
    "spark-history-server": ".HistoryServer",
  };
  const all = () => instances.flatMap((instance) => processesOf(instance.id));
  const scores = all().filter(({ pid }) => / -Dspark\.yarn\.app\.container\.log\.dir/.test(commandOf(pid)));
  assert.ok(scores.length > 0, "containers run");
  const scoreOf = (pid: number) => Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
  for (const { pid } of scores) assert.equal(scoreOf(pid), 900, commandOf(pid));
  for (const [name, mainClass] of Object.entries(daemons)) {
    const found = all().filter(({ pid }) => new RegExp(`^\\S*java .*\\${mainClass}\\b`).test(commandOf(pid)));
    assert.equal(found.length, 1, `one ${name}`);
    assert.ok(scoreOf(found[0]!.pid) < 900, `${name} outlives containers`);
    await kill(found[0]);
    const back = `SELECT 1 FROM instances, json_each(observed, '$.daemons') WHERE cluster_id = ? AND value ->> 'name' = '${name}' AND value ->> 'restarts' > 0 AND value ->> 'state' = 'ready'`;
    await row(`${name} again`, back, id);
  }
  const rounds = (await on.stepOutput(stepId)).length;
  await until("another round of the job", async () => {
    const { State } = (await howdah.step(id, stepId)).Status;
    assert.equal(State, "RUNNING", await on.stepOutput(stepId, "stderr"));
    return (await on.stepOutput(stepId)).length > rounds;
  });
  writeFileSync(join(howdah.data.node(instances[0]!.id), "tmp", "stop"), "");
  assert.equal((await on.stepEnd(id, stepId)).State, "COMPLETED", await on.stepOutput(stepId, "stderr"));
  assert.match(await on.stepOutput(stepId), /rows 1000/);
  assert.equal(await on.stateOf(id), "WAITING");
  neighbour = id;
});

test("a port that another program has on all addresses: the cluster ends, naming port and program", async (t) => {
  const foreign = createServer();
  await new Promise<void>((resolve) => foreign.listen(0, "0.0.0.0", resolve));
  t.after(() => foreign.close());
  const { port } = foreign.address() as { port: number };
  const configuration = { Classification: "yarn-site", Properties: { "yarn.resourcemanager.webapp.address": `0.0.0.0:${port}` } };
  const id = await on.create(1, "--configurations", JSON.stringify([configuration]));
  await on.reaches(id, "TERMINATED_WITH_ERRORS");
  const { Code, Message } = (await on.describe(id)).Status.StateChangeReason;
  assert.equal(Code, "INSTANCE_FAILURE");
  assert.match(Message, /hadoop-yarn-resourcemanager ended 5 times soon after its start/);
  assert.match(Message, new RegExp(`Port ${port} is taken on all addresses by .* \\(process ${process.pid}\\)`));
});

test("two clusters at once do not meet; down ends both with a dead control plane, and up starts clean", async () => {
  const [one, two] = [neighbour, await on.create(1)];
  await on.reaches(two, "WAITING");
  assert.equal(await on.stateOf(one), "WAITING");
  assert.notEqual((await on.describe(one)).MasterPublicDnsName, (await on.describe(two)).MasterPublicDnsName);
  await put("file", "kept");
  await on.killControlPlane();
  await takeDown(howdah.data);
  assert.deepEqual(findByEnvironment(ownerVariable, howdah.data.root), []);
  await howdah.up();
  assert.deepEqual([await on.stateOf(one), await on.stateOf(two)], ["TERMINATED", "TERMINATED"]);
  assert.match(await howdah.aws("s3", "ls", "s3://work/"), /file/);
});
