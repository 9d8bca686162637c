/** Core nodes of a real cluster are lost for good while jobs run: the jobs end well, HDFS keeps its blocks, others take their place. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { DrillReport } from "../../src/cli/drill.ts";
import { runningControlPlane } from "../../src/running.ts";
import { type EngineCluster, engineCluster } from "./engine-cluster.ts";
import { eventMessages, type Howdah, startHowdah, until } from "./howdah.ts";
import { processesOf } from "./survival-harness.ts";

let howdah: Howdah;
let cluster: EngineCluster;
before(async () => {
  howdah = await startHowdah({ config: { silentNodeSeconds: 45 } });
  const configurations = [{ Classification: "hdfs-site", Properties: { "dfs.replication": "2" } }];
  cluster = await engineCluster(howdah, { applications: ["Hadoop"], core: 3, configurations, bucket: "replace" });
});
after(() => howdah?.stop());

const cli = join(import.meta.dirname, "..", "..", "bin", "howdah.js");

async function drill(...args: string[]): Promise<DrillReport> {
  const { stdout } = await promisify(execFile)(process.execPath, [cli, "drill", ...args, "--json", "--data", howdah.data.root]);
  return JSON.parse(stdout) as DrillReport;
}

/** The ends of what the jobs' application masters have written, on whichever node they were: for a failure's message. */
function masterLogs(): string {
  const files = globSync(join(howdah.data.nodes, "*", "logs", "**", "syslog")).filter((file) => file.includes("_000001"));
  return files.map((file) => `== ${file}\n${readFileSync(file, "utf8").slice(-4000)}`).join("\n");
}

const json = async (url: string): Promise<any> => (await fetch(url)).json();

test("core nodes are lost in the middle of jobs: none fails, no block is lost, both are replaced", { timeout: 900_000 }, async (t) => {
  const { id } = cluster;
  const { MasterPublicDnsName: master } = await howdah.cluster(id);
  const core = (await howdah.groups(id)).find((one) => one.InstanceGroupType === "CORE")!.Id!;
  const example = (...args: string[]) => cluster.step("hadoop-mapreduce-examples", ...args);
  /** What is not the matter here is one process: most of a small job's time is its JVMs' starts. */
  const inOne = ["-Dmapreduce.job.ubertask.enable=true", "-Dmapreduce.job.ubertask.maxreduces=1"];
  const events = (kind: string) => eventMessages(howdah, id, kind);
  const isReplaced = (gone: string) => async () => {
    const group = (await howdah.groups(id)).find((one) => one.Id === core)!;
    return events("instance").some((text) => text.startsWith(`${gone} terminated`)) && group.Status?.State === "RUNNING";
  };
  const jobRuns = async () => {
    const { apps } = await json(`http://${master}:8088/ws/v1/cluster/apps?states=RUNNING`);
    return apps?.app?.find((app: { progress: number }) => app.progress > 20);
  };
  const nodes = async () =>
    (await json(`http://${master}:8088/ws/v1/cluster/nodes?states=RUNNING`)).nodes.node as { numContainers: number; id: string }[];
  /** A core node on which the job has something. */
  const victim = async () => {
    const busy = (await nodes()).toSorted((a, b) => b.numContainers - a.numContainers)[0]!.id;
    const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", id, "--instance-states", "RUNNING");
    return Instances.find((one: any) => busy.startsWith(one.PrivateDnsName.replace(/\..*/, "")))!.Ec2InstanceId as string;
  };

  assert.equal(
    (await example("teragen", ...inOne, "-Dmapreduce.job.maps=2", "-Ddfs.blocksize=1048576", "80000", "/in")).state,
    "COMPLETED",
  );
  const ways: [string, (node: string) => unknown][] = [
    ["by EC2's TerminateInstances", (node) => howdah.aws("ec2", "terminate-instances", "--instance-ids", node)],
    [
      "with its disk and all of its processes",
      async (node) => {
        const { outcome, seconds } = await drill("kill-node", id, node);
        assert.equal(outcome, "replaced, and well again");
        t.diagnostic(`the drill: ${JSON.stringify(seconds)}`);
      },
    ],
  ];
  for (const [index, [how, end]] of ways.entries()) {
    // A task that waits for what went with the node is not awaited for MapReduce's ten minutes.
    const job = example(
      "terasort",
      "-Dmapreduce.task.timeout=60000",
      "-Ddfs.replication=2",
      "-Dmapreduce.terasort.output.replication=2",
      "/in",
      `/out${index}`,
    );
    await until("the job to be under way", jobRuns);
    const gone = await victim();
    const begun = performance.now();
    const took = (what: string) => t.diagnostic(`${how}: ${what} after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    await end(gone);
    await until("its successor", isReplaced(gone));
    took("replaced");
    const { state } = await job.catch((error: Error) => assert.fail(`${error.message}\n${masterLogs()}`));
    assert.equal(state, "COMPLETED", masterLogs());
    took("the job was done");
    await until("HDFS's copies", async () => events("instance").includes(`HDFS has all copies again of what ${gone} had`));
    took("HDFS had its copies again");
    assert.equal((await nodes()).length, 3);
    assert.match(cluster.onMaster("hdfs fsck / 2>/dev/null | tail -30"), /is HEALTHY/);
    assert.equal((await example("teravalidate", ...inOne, `/out${index}`, `/report${index}`)).state, "COMPLETED");
  }
  assert.deepEqual(
    events("warning").filter((text) => text.includes("no copy")),
    [],
  );
});

test("a node that is frozen for less than the grace is not replaced, for longer it is, once", { timeout: 900_000 }, async (t) => {
  const { id } = cluster;
  const instances = async (...more: string[]): Promise<string[]> =>
    (await howdah.aws("emr", "list-instances", "--cluster-id", id, ...more)).Instances.map((instance: any) => instance.Ec2InstanceId);
  const [one, other] = await instances("--instance-group-types", "CORE", "--instance-states", "RUNNING");
  const events = () => eventMessages(howdah, id, "instance");

  const brief = await drill("freeze-node", id, one!, "--seconds", "25");
  assert.equal(brief.outcome, "well again, with the same node");
  t.diagnostic(`frozen for 25 s: ${JSON.stringify(brief.seconds)}`);
  for (const text of [`${one} does not answer`, `${one} answers again`])
    assert.ok(
      events().some((message) => message.startsWith(text)),
      text,
    );

  const daemon = await drill("kill-daemon", id, one!, "--daemon", "datanode");
  assert.equal(daemon.outcome, "well again, with the same node");
  t.diagnostic(`a DataNode killed: ${JSON.stringify(daemon.seconds)}`);

  // Nobody listens for longer than the grace: that is nobody's silence.
  const control = runningControlPlane(howdah.data)!;
  process.kill(control.pid, "SIGSTOP");
  await sleep(60_000);
  process.kill(control.pid, "SIGCONT");

  // What has one copy is lost with its node: that is told, with its extent.
  cluster.onMaster("head -c 40000000 /dev/urandom > /tmp/f && hdfs dfs -Ddfs.replication=1 -Ddfs.blocksize=1048576 -put /tmp/f /once");
  const before = await instances();
  const long = await drill("freeze-node", id, other!, "--seconds", "600");
  assert.match(long.outcome, /^replaced, and well again, and \d+ blocks of HDFS have no copy/);
  t.diagnostic(`frozen for good: ${JSON.stringify(long.seconds)}`);
  assert.deepEqual(processesOf(other!), []);
  assert.equal((await instances()).length, before.length + 1, "nobody else was replaced");
  assert.ok(events().some((text) => text.startsWith(`${other} is lost: it runs, but its agent has not answered`)));
  const warning = eventMessages(howdah, id).find((text) => text.includes(`since ${other} is gone`));
  const [, missing] = /^HDFS has no copy of (\d+) blocks/.exec(warning ?? "")!;
  const files = cluster.onMaster("hdfs fsck / -list-corruptfileblocks 2>/dev/null || true");
  assert.equal(files.match(/blk_\d+\s.*\/once$/gm)?.length, Number(missing), files);
  t.diagnostic(warning!);
  await cluster.terminate();
});
