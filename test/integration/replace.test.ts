/** Core nodes of a real cluster are lost for good while jobs run: the jobs end well, HDFS keeps its blocks, others take their place. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { DrillReport } from "../../src/cli/drill.ts";
import { runningControlPlane } from "../../src/running.ts";
import { engineCluster } from "./engine-cluster.ts";
import { eventMessages, startHowdah, until } from "./howdah.ts";
import { processesOf } from "./survival-harness.ts";

const howdah = await startHowdah({ config: { silentNodeSeconds: 45 } });
after(() => howdah.stop());

const cli = join(import.meta.dirname, "..", "..", "bin", "howdah.js");

async function drill(...args: string[]): Promise<DrillReport> {
  const { stdout } = await promisify(execFile)(process.execPath, [cli, "drill", ...args, "--json", "--data", howdah.data.root]);
  return JSON.parse(stdout) as DrillReport;
}

const json = async (url: string): Promise<any> => (await fetch(url)).json();

test("core nodes are lost in the middle of jobs: none fails, no block is lost, both are replaced", { timeout: 900_000 }, async (t) => {
  const configurations = [{ Classification: "hdfs-site", Properties: { "dfs.replication": "2" } }];
  const cluster = await engineCluster(howdah, { applications: ["Hadoop"], core: 3, configurations, bucket: "replace" });
  const { id } = cluster;
  const { MasterPublicDnsName: master } = await howdah.cluster(id);
  const core = (await howdah.groups(id)).find((one) => one.InstanceGroupType === "CORE")!.Id!;
  const example = (...args: string[]) => cluster.step("hadoop-mapreduce-examples", ...args);
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

  assert.equal((await example("teragen", "-Dmapreduce.job.maps=2", "-Ddfs.blocksize=1048576", "120000", "/in")).state, "COMPLETED");
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
    assert.equal((await job).state, "COMPLETED");
    took("the job was done");
    await until("HDFS's copies", async () => events("instance").includes(`HDFS has all copies again of what ${gone} had`));
    took("HDFS had its copies again");
    assert.equal((await nodes()).length, 3);
    assert.match(cluster.onMaster("hdfs fsck / 2>/dev/null | tail -30"), /is HEALTHY/);
    assert.equal((await example("teravalidate", `/out${index}`, `/report${index}`)).state, "COMPLETED");
  }
  assert.deepEqual(
    events("warning").filter((text) => text.includes("no copy")),
    [],
  );

  // What has one copy is lost with its node: that is told, with its extent.
  cluster.onMaster("head -c 40000000 /dev/urandom > /tmp/f && hdfs dfs -Ddfs.replication=1 -Ddfs.blocksize=1048576 -put /tmp/f /once");
  const last = await victim();
  await howdah.aws("ec2", "terminate-instances", "--instance-ids", last);
  const text = await until("the warning", async () => events("warning").find((one) => one.includes(`since ${last} is gone`)));
  const [, missing] = /^HDFS has no copy of (\d+) blocks/.exec(text)!;
  await until("its successor", isReplaced(last));
  const files = cluster.onMaster("hdfs fsck / -list-corruptfileblocks 2>/dev/null || true");
  assert.equal(files.match(/blk_\d+\s.*\/once$/gm)?.length, Number(missing), files);
  t.diagnostic(text);
  await cluster.terminate();
});

test("a node that is frozen for less than the grace is not replaced, for longer it is, once", { timeout: 900_000 }, async (t) => {
  const cluster = await engineCluster(howdah, { applications: ["Hadoop"], core: 2, bucket: "freeze" });
  const { id } = cluster;
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", id, "--instance-group-types", "CORE");
  const [one, other]: string[] = Instances.map((instance: any) => instance.Ec2InstanceId);
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

  const long = await drill("freeze-node", id, other!, "--seconds", "600");
  assert.match(long.outcome, /^replaced, and well again/);
  t.diagnostic(`frozen for good: ${JSON.stringify(long.seconds)}`);
  assert.deepEqual(processesOf(other!), []);
  const all = await howdah.aws("emr", "list-instances", "--cluster-id", id);
  assert.equal(all.Instances.length, 4, "nobody else was replaced");
  assert.ok(events().some((text) => text.startsWith(`${other} is lost: it runs, but its agent has not answered`)));
  await cluster.terminate();
});
