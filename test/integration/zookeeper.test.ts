/** ZooKeeper as an application: brought by set-up, one server on the master, its client on every node. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type EngineCluster, engineCluster } from "./engine-cluster.ts";
import { type Howdah, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let cluster: EngineCluster;
before(async () => {
  howdah = await startHowdah();
  cluster = await engineCluster(howdah, {
    applications: ["ZooKeeper"],
    bucket: "zookeeper",
    configurations: [{ Classification: "zookeeper-config", Properties: { maxClientCnxns: "77", dataDir: "/mnt/mine" } }],
  });
});
after(() => howdah?.stop());

test("a step writes, the client on the master reads", async () => {
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

test("a server that is killed is there again, with its data", async () => {
  const before = cluster.onMaster("pgrep -f [Q]uorumPeerMain").trim();
  cluster.onMaster(`kill -9 ${before}`);
  await until("another server", async () => cluster.onMaster("pgrep -f [Q]uorumPeerMain || true").trim() !== before);
  await until("its data", async () => cluster.onMaster("zookeeper-client get /herd 2>&1 || true").includes("nine elephants"));
});

test("it says in its log, in EMR's folder, what it does; the cluster shows the version that runs", async () => {
  const { Applications } = await howdah.cluster(cluster.id);
  assert.deepEqual(Applications, [{ Name: "ZooKeeper", Version: "3.9.3" }]);
  assert.match(cluster.onMaster("cat /var/log/zookeeper/*.out"), /binding to port/);
  await cluster.terminate();
  const listing: string = await howdah.aws("s3", "ls", "--recursive", `s3://zookeeper/logs/${cluster.id}/node/`);
  assert.match(listing, /applications\/zookeeper\/zookeeper-server-ip-.*\.out\.gz/);
});
