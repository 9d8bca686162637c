import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeRole } from "../../src/agent/manifest.ts";
import { checkConfigurations, checkTogether } from "../../src/engines/configurations.ts";
import type { Configuration, NodeFacts } from "../../src/engines/engine.ts";
import { enginesFor } from "../../src/engines/index.ts";
import { planNode } from "../../src/engines/plan-node.ts";
import { neededMemoryMb } from "../../src/reconcile/capacity.ts";
import { configuration, factsOf } from "./engine-facts.ts";

const home = (name: string) => ({
  home: `/cache/${name}`,
  version: "1",
  classPath: [`/cache/${name}/lib/${name}.jar`],
  archive: undefined,
});

function facts(roles: NodeRole[], index: number, configurations: Configuration[] = []): NodeFacts {
  const base = factsOf(roles, index, configurations);
  const hadoop = { ...base.installation.hadoop, classPath: ["/cache/hadoop/lib/a.jar", "/cache/hadoop/lib/slf4j-reload4j-1.7.36.jar"] };
  const engines = { HBase: home("hbase"), ZooKeeper: home("zookeeper") };
  return {
    ...base,
    cluster: { ...base.cluster, applications: ["HBase"] },
    installation: { ...base.installation, hadoop, engines },
  };
}

const ours = (roles: NodeRole[], index: number) =>
  planNode(facts(roles, index))
    .daemons.map(({ name }) => name)
    .filter((name) => /^(hbase|zookeeper)/.test(name));
const siteOf = (node: NodeFacts) => {
  const xml = planNode(node).files.find(({ path }) => path.endsWith("hbase-site.xml"))?.content ?? "";
  return Object.fromEntries([...xml.matchAll(/<name>([^<]*)<\/name><value>([^<]*)/g)].map(([, name, value]) => [name, value]));
};
const stored = [
  configuration("hbase", { "hbase.emr.storageMode": "s3" }),
  configuration("hbase-site", { "hbase.rootdir": "s3://pasture/root" }),
];
const four: NodeRole[] = ["MASTER", "CORE", "CORE", "TASK"];

test("HBase comes with ZooKeeper; each role has its daemons, and a lonely master has all", () => {
  assert.deepEqual(
    enginesFor(["HBase"]).map(({ name }) => name),
    ["Hadoop", "ZooKeeper", "HBase"],
  );
  assert.deepEqual(ours(four, 0), ["zookeeper-server", "hbase-master", "hbase-rest", "hbase-thrift"]);
  assert.deepEqual(ours(four, 1), ["hbase-regionserver"]);
  assert.deepEqual(ours(four, 3), []);
  assert.deepEqual(ours(["MASTER"], 0).toSorted(), [
    "hbase-master",
    "hbase-regionserver",
    "hbase-rest",
    "hbase-thrift",
    "zookeeper-server",
  ]);
});

test("the cluster is ready when its HBase master has every region server; REST and Thrift come up behind", () => {
  const daemons = planNode(facts(four, 0)).daemons.filter(({ name }) => name.startsWith("hbase"));
  assert.deepEqual(
    daemons.filter(({ gate }) => gate).map(({ name }) => name),
    ["hbase-master"],
  );
  const probes = daemons[0]!.ready.flatMap((probe) => ("http" in probe ? [probe.http] : []));
  assert.deepEqual(
    probes.map(({ path, atLeast, equals }) => [path.at(-1), atLeast ?? equals]),
    [
      ["tag.isActiveMaster", "true"],
      ["masterFinishedInitializationTime", 1],
      ["numRegionServers", 2],
    ],
  );
  const moved = facts(four, 0, [configuration("hbase-site", { "hbase.master.info.port": "60010", "hbase.rest.port": "8080" })]);
  const text = JSON.stringify(planNode(moved).daemons.map(({ ready }) => ready));
  assert.match(text, /:60010\/jmx/);
  assert.match(text, /"port":8080/);
});

test("HBase runs on the cluster's Hadoop, with one logging library", () => {
  const argv = planNode(facts(four, 1)).daemons.find(({ name }) => name === "hbase-regionserver")!.argv;
  const classPath = argv[argv.indexOf("-cp") + 1]!;
  assert.match(classPath, /\/hbase\.jar:.*\/cache\/hadoop\/lib\/a\.jar/);
  assert.doesNotMatch(classPath, /reload4j/);
  const file = planNode(facts(four, 3)).files.find(({ path }) => path.endsWith("hbase/classpath"));
  assert.ok(classPath.startsWith(file!.content!.trim()), "the command has the same jars, on every node");
});

test("tables are in HDFS; in S3 where the root is, with the logs in HDFS and a flush at the end", () => {
  const inHdfs = siteOf(facts(four, 0));
  assert.equal(inHdfs["hbase.rootdir"], "hdfs://127.77.9.1:8020/user/hbase");
  assert.equal(inHdfs["hbase.wal.dir"], undefined);
  const flushes = (configurations: Configuration[], index = 0) =>
    planNode(facts(four, index, configurations)).saves.filter(({ atEndOnly }) => atEndOnly).length;
  assert.equal(flushes([]), 0);
  const inS3 = siteOf(facts(four, 1, stored));
  assert.equal(inS3["hbase.rootdir"], "s3://pasture/root");
  assert.equal(inS3["hbase.wal.dir"], "hdfs://127.77.9.1:8020/user/hbase/WAL");
  assert.equal(inS3["hbase.unsafe.regionserver.hostname"], "127.77.9.2");
  assert.equal(flushes(stored), 1);
  assert.equal(flushes(stored, 1), 0);
});

test("its classifications are taken, and what of them has no effect is a warning", () => {
  const taken = [
    ...stored,
    configuration("hbase-env", {}, [configuration("export", { HBASE_HEAPSIZE: "2g", HBASE_MANAGES_ZK: "false" })]),
    configuration("hbase-log4j", { "logger.a.name": "a", "logger.a.level": "debug" }),
    configuration("hbase-metrics", { a: "b" }),
    configuration("hbase-policy", { a: "b" }),
  ];
  assert.deepEqual(checkConfigurations(taken, ["HBase"]), { errors: [], warnings: [] });
  const { warnings } = checkConfigurations(
    [
      configuration("hbase", { "hbase.emr.storageMode": "tape", "hbase.emr.readreplica.enabled": "true" }),
      configuration("hbase-log4j", { "log4j.logger.a": "DEBUG" }),
      configuration("hbase-env", {}, [configuration("export", { HBASE_LOG_DIR: "/x" })]),
    ],
    ["HBase"],
  );
  assert.match(warnings.join("\n"), /s3 or hdfs, not 'tape'\n.*readreplica.*\n.*logger\.X\.name.*\n.*HBASE_LOG_DIR/);
  assert.match(checkConfigurations(stored, ["Spark"]).errors[0]!, /needs the application HBase/);
});

test("a storage mode and a root that do not go together are a warning", () => {
  assert.deepEqual(checkTogether(stored, ["HBase"]), []);
  assert.match(checkTogether(stored.slice(0, 1), ["HBase"])[0]!, /hbase\.rootdir of hbase-site is not given: tables are in HDFS/);
  assert.match(checkTogether(stored.slice(1), ["HBase"])[0]!, /so tables are in S3/);
});

test("what an engine's daemons take counts before a cluster is placed", () => {
  const roles = ["MASTER", "CORE", "CORE"] as const;
  const more = neededMemoryMb(roles, ["HBase"]) - neededMemoryMb(roles, ["Spark"]);
  const { memoryMb } = enginesFor(["HBase"]).find(({ name }) => name === "HBase")!;
  assert.equal(more, memoryMb!.MASTER! + 2 * memoryMb!.CORE!);
  const alone = roles.slice(0, 1);
  assert.equal(neededMemoryMb(alone, ["HBase"]) - neededMemoryMb(alone, ["Spark"]), memoryMb!.MASTER! + memoryMb!.CORE!);
});
