/** Two small applications on one cluster: Tez, its DAGs on YARN over HDFS and over s3://; ZooKeeper, one server on the master, its client on every node. */
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
    applications: ["Tez", "ZooKeeper"],
    bucket: "tez",
    configurations: [
      { Classification: "tez-site", Properties: { "tez.runtime.io.sort.mb": "77" } },
      { Classification: "zookeeper-config", Properties: { maxClientCnxns: "77", dataDir: "/mnt/mine" } },
    ],
  });
  const words = join(howdah.data.root, "words.txt");
  writeFileSync(words, "one\nthree three three\ntwo two\n");
  await howdah.aws("s3", "cp", words, "s3://tez/in/words.txt");
});
after(() => howdah?.stop());

const ordered = /^one\s+1\ntwo\s+2\nthree\s+3\n$/;

test("a step counts words of s3:// into s3://", async () => {
  const step = await cluster.step("hadoop", "jar", "/usr/lib/tez/tez-examples.jar", "orderedwordcount", "s3://tez/in/", "s3://tez/out");
  assert.equal(step.state, "COMPLETED", step.state === "COMPLETED" ? "" : await step.log("stderr"));
  const lines = cluster.onMaster("hadoop fs -cat 's3://tez/out/part-*' 2>/dev/null");
  assert.match(lines, ordered);
});

test("a command on the master counts words of HDFS, in an application of type TEZ", async () => {
  cluster.onMaster("hadoop fs -mkdir -p /in && hadoop fs -cp s3://tez/in/words.txt /in/");
  cluster.onMaster("hadoop jar /usr/lib/tez/tez-examples.jar orderedwordcount /in /out");
  assert.match(cluster.onMaster("hadoop fs -cat '/out/part-*' 2>/dev/null"), ordered);
  // A client knows of its DAG's end before its application has said goodbye.
  const list = "yarn application -list -appStates FINISHED -appTypes TEZ 2>/dev/null";
  await until("both applications to end well", async () => cluster.onMaster(list).match(/TEZ.*SUCCEEDED/g)?.length === 2);
});

test("tez-site is in its file; a cluster has the versions that run", async () => {
  assert.match(cluster.onMaster("cat /etc/tez/conf/tez-site.xml"), /<name>tez.runtime.io.sort.mb<\/name><value>77</);
  assert.deepEqual((await howdah.cluster(cluster.id)).Applications, [
    { Name: "Tez", Version: "0.10.2" },
    { Name: "ZooKeeper", Version: "3.9.3" },
  ]);
});

test("ZooKeeper: a step writes, the client on the master reads", async () => {
  const { state } = await cluster.step("zookeeper-client", "create", "/herd", "nine elephants");
  assert.equal(state, "COMPLETED");
  assert.match(cluster.onMaster("zookeeper-client get /herd"), /nine elephants/);
  assert.match(cluster.onMaster("/usr/lib/zookeeper/bin/zkCli.sh get /herd"), /nine elephants/);
});

test("zookeeper-config is in zoo.cfg, but for what is the node's own", async () => {
  const file = cluster.onMaster("cat /etc/zookeeper/conf/zoo.cfg");
  assert.match(file, /^maxClientCnxns=77$/m);
  assert.doesNotMatch(file, /mnt\/mine/);
});

test("a ZooKeeper that is killed is there again, with its data", async () => {
  const before = cluster.onMaster("pgrep -f [Q]uorumPeerMain").trim();
  cluster.onMaster(`kill -9 ${before}`);
  await until("another server", async () => cluster.onMaster("pgrep -f [Q]uorumPeerMain || true").trim() !== before);
  await until("its data", async () => cluster.onMaster("zookeeper-client get /herd 2>&1 || true").includes("nine elephants"));
});

test("ZooKeeper says in its log, in EMR's folder, what it does", async () => {
  assert.match(cluster.onMaster("cat /var/log/zookeeper/*.out"), /binding to port/);
  await cluster.terminate();
  const listing: string = await howdah.aws("s3", "ls", "--recursive", `s3://tez/logs/${cluster.id}/node/`);
  assert.match(listing, /applications\/zookeeper\/zookeeper-server-ip-.*\.out\.gz/);
});
