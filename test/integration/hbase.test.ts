/** HBase as an application: tables in HDFS, by the shell, REST, Thrift and MapReduce; tables in S3, which outlive their cluster. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { userInterfaces } from "../../src/engines/user-interfaces.ts";
import { type EngineCluster, engineCluster, resized } from "./engine-cluster.ts";
import { type Howdah, startHowdah, until } from "./howdah.ts";

const exported = (name: string, Properties: object) => ({
  Classification: name,
  Properties: {},
  Configurations: [{ Classification: "export", Properties }],
});

let howdah: Howdah;
let cluster: EngineCluster;
let address: string;
before(async () => {
  howdah = await startHowdah();
  cluster = await engineCluster(howdah, {
    applications: ["HBase"],
    bucket: "herd",
    configurations: [
      { Classification: "hbase-site", Properties: { "hbase.rpc.timeout": "54321" } },
      exported("hbase-env", { HBASE_REGIONSERVER_OPTS: "-Dherd=nine" }),
      { Classification: "hbase-log4j", Properties: { "logger.herd.name": "herd", "logger.herd.level": "debug" } },
      { Classification: "hbase-metrics", Properties: { "hbase.sink.herd.class": "none" } },
      { Classification: "hbase-policy", Properties: { "security.client.protocol.acl": "*" } },
    ],
  });
  address = cluster.onMaster("hostname -i").trim();
});
after(() => howdah?.stop());

const onCore = (line: string) => cluster.on("core", line);

/** Lines of the shell, as a script pipes them in. */
const shell = (...lines: string[]) => `hbase shell -n <<'END'\n${lines.join("\n")}\nEND`;

test("EMR's page of HBase's shell: a step makes a table and puts a value, the shell on the master reads it, and drops another", async () => {
  const { state } = await cluster.step("bash", "-c", shell("create 't1', 'f1'", "put 't1', 'r1', 'f1:col1', 'v1'"));
  assert.equal(state, "COMPLETED");
  const typed = [
    "get 't1', 'r1'",
    "scan 't1'",
    "create_namespace 'ns1'",
    "create 'ns1:t1', 'f1'",
    "disable 'ns1:t1'",
    "drop 'ns1:t1'",
    "list",
  ];
  const said = cluster.onMaster(`hbase shell <<'END'\n${typed.join("\n")}\nEND`);
  assert.match(said, /f1:col1 +timestamp=.*value=v1\n[^]*r1 +column=f1:col1, timestamp=.*value=v1\n/);
  assert.doesNotMatch(said, /ERROR/);
  assert.match(said, /TABLE *\nt1 *\n1 row\(s\)/);
});

test("a step that names no table fails", async () => {
  const { state } = await cluster.step("bash", "-c", shell("scan 'none'"));
  assert.equal(state, "FAILED");
});

test("REST and Thrift answer on the master, at EMR's ports", async () => {
  const answer = await fetch(`http://${address}:8070/t1/r1/f1:col1`, { headers: { accept: "application/octet-stream" } });
  assert.equal(await answer.text(), "v1");
  assert.match(await thriftTableNames(address), /t1/);
});

test("the cluster's configuration is in /etc/hbase/conf, and on the daemons' command lines", () => {
  assert.match(cluster.onMaster("cat /etc/hbase/conf/hbase-site.xml"), /hbase\.rpc\.timeout<\/name><value>54321/);
  assert.match(cluster.onMaster("cat /usr/lib/hbase/conf/log4j2.properties"), /^logger\.herd\.level=debug$/m);
  assert.match(cluster.onMaster("cat /etc/hbase/conf/hadoop-metrics2-hbase.properties"), /^hbase\.sink\.herd\.class=none$/m);
  assert.match(cluster.onMaster("cat /etc/hbase/conf/hbase-policy.xml"), /security\.client\.protocol\.acl/);
  assert.match(onCore("ps -eo args"), /-Dherd=nine .*HRegionServer start/);
});

test("a region server that is killed is there again, with what was only in its memory", async () => {
  const find = "pgrep -f '[H]RegionServer start'";
  const before = onCore(find).trim();
  onCore(`kill -9 ${before}`);
  await until("another region server", async () => ![before, ""].includes(onCore(`${find} || true`).trim()));
  assert.match(cluster.onMaster(shell("scan 't1'", "snapshot 't1', 's1'")), /value=v1/);
});

test("MapReduce counts its rows, and a snapshot goes to S3", async () => {
  const counting = cluster.step("hbase", "org.apache.hadoop.hbase.mapreduce.RowCounter", "t1");
  cluster.onMaster("hbase snapshot export -snapshot s1 -copy-to s3://herd/snapshots -mappers 1");
  const { state, log } = await counting;
  assert.equal(state, "COMPLETED");
  assert.match(await log("stderr"), /ROWS=1/);
  const listing: string = await howdah.aws("s3", "ls", "--recursive", "s3://herd/snapshots/");
  assert.match(listing, /\.hbase-snapshot\/s1\/data\.manifest/);
  assert.match(listing, /archive\/data\/default\/t1\/.*\/f1\//);
});

test("the core node with all regions leaves while rows are written: none is lost, nor a block", async () => {
  const { id } = cluster;
  const resize = (what: object) => howdah.aws("emr", "modify-instance-groups", "--instance-groups", JSON.stringify([what]));
  const { Id: InstanceGroupId } = (await howdah.groups(id)).find((one) => one.InstanceGroupType === "CORE")!;
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", id, "--instance-group-types", "CORE");
  await resize({ InstanceGroupId, InstanceCount: 2 });
  const writing = [
    "create 't3', 'f', SPLITS => ['r3', 'r6']",
    "n = 0",
    "until File.exist?('/tmp/enough'); put 't3', \"r#{n}\", 'f:n', n.to_s; n += 1; File.write('/tmp/written', n.to_s); end",
    "File.write('/tmp/enough', n.to_s)",
  ];
  const step = cluster.step("bash", "-c", shell(...writing));
  await resized(howdah, id, "CORE", 2);
  cluster.onMaster("until [ -e /tmp/written ]; do sleep 0.2; done");
  const InstancesToTerminate = [Instances[0].Ec2InstanceId];
  await resize({ InstanceGroupId, InstanceCount: 1, ShrinkPolicy: { InstanceResizePolicy: { InstancesToTerminate } } });
  await resized(howdah, id, "CORE", 1);
  const written = Number(cluster.onMaster("cat /tmp/written; touch /tmp/enough"));
  assert.equal((await step).state, "COMPLETED");
  const all = Number(cluster.onMaster("cat /tmp/enough"));
  assert.ok(written > 0 && all >= written, `${written}, then ${all}`);
  assert.match(
    cluster.onMaster(shell("count 't3', INTERVAL => 1000000", "get 't1', 'r1'")),
    new RegExp(`^${all} row\\(s\\)[^]*value=v1`, "m"),
  );
  assert.match(cluster.onMaster("hdfs fsck / 2>/dev/null"), /is HEALTHY/);
});

test("the version is the one that runs, the page answers, logs are shipped as EMR's", async () => {
  const { Applications } = await howdah.cluster(cluster.id);
  assert.deepEqual(Applications, [{ Name: "HBase", Version: "2.6.4" }]);
  assert.match(cluster.onMaster("hbase version"), /^HBase 2\.6\.4/);
  const { url } = userInterfaces(address, ["HBase"]).find(({ name }) => name === "HBase")!;
  for (const [page, says] of [
    [`${url}master-status`, /Region Servers/],
    [`${url}table.jsp?name=t1`, /Table Regions/],
    [`${url}procedures.jsp`, /Procedures/],
    [`http://${address}:8085/rest.jsp`, /RESTServer/],
    [`http://${address}:9095/thrift.jsp`, /Thrift/],
  ] as const) {
    const answer = await fetch(page);
    assert.match(await answer.text(), says, page);
    assert.equal(answer.status, 200, page);
  }
  await cluster.terminate();
  const listing: string = await howdah.aws("s3", "ls", "--recursive", `s3://herd/logs/${cluster.id}/node/`);
  for (const daemon of ["master", "rest", "thrift", "regionserver"])
    assert.match(listing, new RegExp(`applications/hbase/hbase-hbase-${daemon}-ip-.*\\.log\\.gz`), daemon);
});

test("tables in S3 outlive their cluster: the next one has them, without a flush of anybody's", async () => {
  await howdah.aws("s3", "mb", "s3://pasture");
  const stored = (bucket: string) =>
    engineCluster(howdah, {
      applications: ["HBase"],
      bucket,
      core: 0,
      configurations: [
        { Classification: "hbase", Properties: { "hbase.emr.storageMode": "s3" } },
        { Classification: "hbase-site", Properties: { "hbase.rootdir": "s3://pasture/root" } },
      ],
    });
  const first = await stored("first");
  first.onMaster(shell("create 't2', 'f', SPLITS => ['h', 'p']", ...["a", "k", "z"].map((row) => `put 't2', '${row}', 'f:n', 'nine'`)));
  assert.match(first.onMaster("hdfs dfs -ls /user/hbase/WAL"), /\/user\/hbase\/WAL\/WALs/);
  await first.terminate();
  const second = await stored("second");
  const said = second.onMaster(shell("count 't2'", "put 't2', 'b', 'f:n', 'ten'", "scan 't2'"));
  assert.match(said, /3 row\(s\)[^]*4 row\(s\)/);
  assert.equal(said.match(/value=nine/g)?.length, 3);
  assert.match(second.onMaster(`bash /usr/lib/hbase/bin/disable_all_tables.sh && ${shell("is_disabled 't2'")}`), /true/);
});

/** Thrift's call getTableNames in its binary protocol, by hand: the answer as it comes. */
function thriftTableNames(host: string): Promise<string> {
  const name = "getTableNames";
  const call = Buffer.alloc(8 + name.length + 5);
  call.writeUInt32BE(0x80010001, 0);
  call.writeUInt32BE(name.length, 4);
  call.write(name, 8);
  return new Promise((resolve, reject) => {
    const socket = connect(9090, host, () => socket.write(call));
    socket.setTimeout(20_000, () => socket.destroy(new Error("Thrift says nothing")));
    socket.on("error", reject);
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString("latin1"));
    });
  });
}
