import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeRole } from "../../src/agent/manifest.ts";
import { checkConfigurations } from "../../src/engines/configurations.ts";
import { planNode } from "../../src/engines/plan-node.ts";
import { instanceType } from "../../src/releases/instance-types.ts";
import { configuration, factsOf } from "./engine-facts.ts";

const four: NodeRole[] = ["MASTER", "CORE", "CORE", "TASK"];
const daemonsOf = (roles: NodeRole[], index: number) => planNode(factsOf(roles, index)).daemons.map(({ name }) => name);
const fileOf = (facts: ReturnType<typeof factsOf>, end: string) =>
  planNode(facts).files.find(({ path }) => path.endsWith(end))?.content ?? "";
const property = (xml: string, name: string) => new RegExp(`<name>${name.replaceAll(".", "\\.")}</name><value>([^<]*)`).exec(xml)?.[1];

test("each role has its daemons", () => {
  assert.deepEqual(daemonsOf(four, 0), [
    "hadoop-hdfs-namenode",
    "hadoop-yarn-resourcemanager",
    "hadoop-mapreduce-historyserver",
    "spark-history-server",
  ]);
  assert.deepEqual(daemonsOf(four, 1), ["hadoop-hdfs-datanode", "hadoop-yarn-nodemanager"]);
  assert.deepEqual(daemonsOf(four, 3), ["hadoop-yarn-nodemanager"]);
  assert.equal(daemonsOf(["MASTER"], 0).length, 6);
});

test("a plan is a pure function of its facts, and plain JSON", () => {
  for (const index of four.keys()) {
    const plan = planNode(factsOf(four, index));
    assert.deepEqual(planNode(structuredClone(factsOf(four, index))), plan);
    assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
  }
});

test("the master is ready when every DataNode and NodeManager of the cluster is", () => {
  const daemons = planNode(factsOf(four, 0)).daemons;
  const least = daemons.flatMap(({ ready }) => ready).flatMap((probe) => ("http" in probe ? (probe.http.atLeast ?? []) : []));
  assert.deepEqual(least, [2, 3]);
  assert.deepEqual(
    daemons.filter(({ gate }) => !gate).map(({ name }) => name),
    ["hadoop-mapreduce-historyserver", "spark-history-server"],
  );
});

const replication = (cores: number) => {
  const roles: NodeRole[] = ["MASTER", ...Array.from({ length: cores }, (): NodeRole => "CORE")];
  return property(fileOf(factsOf(roles, 0), "hdfs-site.xml"), "dfs.replication");
};

test("replication follows the number of core nodes as on EMR", () => {
  assert.deepEqual([1, 3, 4, 9, 10].map(replication), ["1", "1", "2", "2", "3"]);
});

test("memory is what EMR advertises for the type, and containers may be as large as the largest node", () => {
  const xml = fileOf(factsOf(four, 1), "yarn-site.xml");
  assert.equal(property(xml, "yarn.nodemanager.resource.memory-mb"), "12288");
  assert.equal(property(xml, "yarn.scheduler.maximum-allocation-mb"), "12288");
  assert.equal(property(xml, "yarn.nodemanager.resource.cpu-vcores"), "4");
  const defaults = fileOf(factsOf(four, 0), "spark-defaults.conf");
  assert.match(defaults, /^spark\.executor\.memory 9486M$/m);
  assert.match(defaults, /^spark\.executor\.cores 4$/m);
});

test("where only one node has room for an executor, a driver in cluster mode fits beside it", () => {
  const executor = (roles: NodeRole[], ...types: string[]) => {
    const facts = factsOf(roles, 0);
    const nodes = facts.cluster.nodes.map((node, i) => ({ ...node, instanceType: instanceType(types[i] ?? "m5.xlarge")! }));
    return setting(fileOf({ ...facts, cluster: { ...facts.cluster, nodes } }, "spark-defaults.conf"), "spark.executor.memory");
  };
  assert.equal(executor(["MASTER", "CORE"]), "8300M");
  assert.equal(executor(["MASTER", "CORE", "TASK"], "m5.xlarge", "m5.xlarge", "c5.xlarge"), "8300M");
  assert.equal(executor(["MASTER", "CORE", "TASK"], "m5.xlarge", "c5.xlarge", "m5.xlarge"), "4743M");
  assert.equal(executor(["MASTER", "CORE", "TASK"]), "9486M");
  // Four of them are on such a node, and what EMR leaves beside them is enough.
  const fourTimes = ["m5.xlarge", "m5.4xlarge", "m5.xlarge"];
  assert.equal(
    executor(["MASTER", "CORE", "TASK"], ...fourTimes),
    executor(["MASTER", "CORE", "CORE"], "m5.xlarge", "m5.4xlarge", "m5.4xlarge"),
  );
});

test("a master is told whom YARN and HDFS may not use any more; a node that leaves has no daemon that is started again", () => {
  const leaving = [
    { instanceId: "i-2", role: "CORE" as const, address: "127.77.9.3", seconds: 60 },
    { instanceId: "i-3", role: "TASK" as const, address: "127.77.9.4", seconds: 0 },
  ];
  const facts = factsOf(four, 0);
  assert.equal(planNode(facts).decommission, undefined);
  const excluded = ["127.77.9.3", "127.77.9.4", "127.77.9.7", "127.77.9.8"];
  const [emptied, gone] = [excluded.slice(0, 3), [{ instanceId: "i-7", address: "127.77.9.8" }]];
  const master = { ...facts, cluster: { ...facts.cluster, leaving, excluded, emptied, gone } };
  const { decommission, files } = planNode(master);
  const [, , yarn, hdfs, yarnFile, hdfsFile, wanted] = decommission!.argv;
  assert.deepEqual([yarn, hdfs], ["http://127.77.9.1:8088", "http://127.77.9.1:9870"]);
  assert.deepEqual(JSON.parse(wanted!), {
    excluded,
    emptied,
    domain: "eu-west-1.compute.internal",
    leaving: [
      { id: "i-2", address: "127.77.9.3", seconds: 60, hasBlocks: true },
      { id: "i-3", address: "127.77.9.4", seconds: 0, hasBlocks: false },
    ],
    gone: [{ id: "i-7", address: "127.77.9.8" }],
  });
  // Nothing of the files that are there changes, whoever leaves: the daemons that read them would not know.
  assert.deepEqual(files, planNode(facts).files);
  const own = [
    configuration("yarn-site", { "yarn.resourcemanager.nodes.exclude-path": "/mine" }),
    configuration("hdfs-site", { "dfs.hosts.exclude": "/mine" }),
  ];
  for (const configurations of [[], own]) {
    assert.equal(property(fileOf(factsOf(four, 0, configurations), "yarn-site.xml"), "yarn.resourcemanager.nodes.exclude-path"), yarnFile);
    assert.equal(property(fileOf(factsOf(four, 0, configurations), "hdfs-site.xml"), "dfs.hosts.exclude"), hdfsFile);
  }
  for (const file of [yarnFile, hdfsFile]) assert.ok(files.some(({ path, once }) => path === file && once));
  const { warnings } = checkConfigurations(own, ["Spark"]);
  assert.ok(warnings.every((text) => text.includes("has no effect: the file is written by resizes")) && warnings.length === 2);
  const nodeManager = (isLeaving: boolean) =>
    planNode({ ...factsOf(four, 3), isLeaving }).daemons.find(({ name }) => name === "hadoop-yarn-nodemanager");
  assert.deepEqual(nodeManager(true), { ...nodeManager(false), mayEnd: true });
});

test("users' settings win, and are escaped", () => {
  const facts = factsOf(four, 0, [
    configuration("core-site", { "a.b": "x<&>y" }),
    configuration("spark-defaults", { "spark.executor.memory": "1g" }),
    configuration("hadoop-env", {}, [configuration("export", { HADOOP_NAMENODE_HEAPSIZE: "300", MY: 'a "b" $C' })]),
    configuration("emrfs-site", { "fs.s3.maxConnections": "77" }),
    configuration("spark-env", {}, [configuration("export", { PYSPARK_PYTHON: "/opt/python" })]),
  ]);
  assert.match(fileOf(facts, "spark-defaults.conf"), /^spark\.executorEnv\.PYSPARK_PYTHON \/opt\/python$/m);
  assert.equal(property(fileOf(facts, "core-site.xml"), "a.b"), "x&lt;&amp;&gt;y");
  assert.equal(property(fileOf(facts, "core-site.xml"), "fs.s3a.connection.maximum"), "77");
  assert.match(fileOf(facts, "spark-defaults.conf"), /^spark\.executor\.memory 1g$/m);
  assert.match(fileOf(facts, "hadoop-env.sh"), /^export MY="a \\"b\\" \$C"$/m);
});

const maximize = configuration("spark", { maximizeResourceAllocation: "true" });
const setting = (defaults: string, name: string) => new RegExp(`^${name.replaceAll(".", "\\.")} (.*)$`, "m").exec(defaults)?.[1];
const sized = (facts: ReturnType<typeof factsOf>) => {
  const defaults = fileOf(facts, "spark-defaults.conf");
  const names = ["executor.instances", "executor.memory", "executor.cores", "driver.memory", "default.parallelism"];
  return [...names, "dynamicAllocation.enabled"].map((name) => setting(defaults, `spark.${name}`));
};

test("the fair scheduler counts cores, too: the driver beside a lone worker's executor has one", () => {
  const fair = configuration("yarn-site", { "yarn.resourcemanager.scheduler.class": "a.b.FairScheduler" });
  const cores = (roles: NodeRole[]) => setting(fileOf(factsOf(roles, 0, [fair]), "spark-defaults.conf"), "spark.executor.cores");
  assert.deepEqual([cores(["MASTER"]), cores(four)], ["3", "4"]);
});

test("maximizeResourceAllocation: an executor per core and task node, as large as it allows, and partitions for all cores", () => {
  assert.deepEqual(sized(factsOf(four, 0, [maximize])), ["3", "9486M", "4", "9486M", "24", "false"]);
  assert.deepEqual(sized(factsOf(four, 0, [maximize], "r5.2xlarge")), ["3", "44266M", "8", "44266M", "48", "false"]);
});

test("maximizeResourceAllocation: the smallest worker sizes executors, the smaller of master and core the driver", () => {
  const facts = factsOf(four, 0, [maximize]);
  const [small, large] = [instanceType("c5.xlarge")!, instanceType("r5.2xlarge")!];
  const types = [large, instanceType("m5.xlarge")!, large, small];
  const nodes = facts.cluster.nodes.map((node, i) => ({ ...node, instanceType: types[i]! }));
  assert.deepEqual(sized({ ...facts, cluster: { ...facts.cluster, nodes } }), ["3", "4743M", "4", "9486M", "32", "false"]);
});

test("maximizeResourceAllocation: dynamic allocation that a user turned on stays, and a single worker has room for a driver", () => {
  const dynamic = [maximize, configuration("spark-defaults", { "spark.dynamicAllocation.enabled": "true" })];
  assert.deepEqual(sized(factsOf(four, 0, dynamic)), [undefined, "9486M", "4", "9486M", "24", "true"]);
  assert.deepEqual(sized(factsOf(["MASTER", "CORE"], 0, [maximize])), ["1", "8300M", "4", "2048M", "8", "false"]);
});

test("event logs: a user who moves one of the two folders means both", () => {
  const folders = (own: Record<string, string>) => {
    const defaults = fileOf(factsOf(four, 0, [configuration("spark-defaults", own)]), "spark-defaults.conf");
    return ["spark.eventLog.dir", "spark.history.fs.logDirectory"].map((name) => setting(defaults, name));
  };
  const usual = "hdfs://127.77.9.1:8020/var/log/spark/apps";
  assert.deepEqual(folders({}), [usual, usual]);
  assert.deepEqual(folders({ "spark.eventLog.dir": "s3://b/logs" }), ["s3://b/logs", "s3://b/logs"]);
  assert.deepEqual(folders({ "spark.history.fs.logDirectory": "s3://b/logs" }), ["s3://b/logs", "s3://b/logs"]);
  assert.deepEqual(folders({ "spark.eventLog.dir": "s3://a/", "spark.history.fs.logDirectory": "s3://b/" }), ["s3://a/", "s3://b/"]);
});

test("log settings go over the defaults; files that only users' settings need are there only with them", () => {
  const none = planNode(factsOf(four, 0)).files.map(({ path }) => path.split("/").at(-1));
  for (const name of ["container-log4j.properties", "hive-site.xml", "metrics.properties", "ssl-server.xml", "nodelabel.mirror"])
    assert.ok(!none.includes(name), name);
  const facts = factsOf(four, 0, [
    configuration("hadoop-log4j", { "log4j.logger.org.apache.hadoop.util.NativeCodeLoader": "OFF" }),
    configuration("container-log4j", { "log4j.appender.CLA.layout.ConversionPattern": "mine %m%n" }),
    configuration("spark-log4j2", { "rootLogger.level": "warn" }),
    configuration("spark-metrics", { "*.sink.csv.class": "org.apache.spark.metrics.sink.CsvSink" }),
    configuration("spark-hive-site", { "hive.metastore.uris": "thrift://h:9083" }),
    configuration("hadoop-ssl-server", { "ssl.server.keystore.location": "/k" }),
  ]);
  assert.match(fileOf(facts, "hadoop/log4j.properties"), /NativeCodeLoader=OFF$/m);
  assert.match(fileOf(facts, "container-log4j.properties"), /^log4j\.appender\.CLA\.layout\.ConversionPattern=mine %m%n$/m);
  assert.match(property(fileOf(facts, "yarn-site.xml"), "yarn.application.classpath")!, /^\$HADOOP_CONF_DIR\/\.,/);
  assert.match(fileOf(facts, "log4j2.properties"), /^rootLogger\.level=warn$/m);
  assert.match(fileOf(facts, "metrics.properties"), /^\*\.sink\.csv\.class=/m);
  assert.equal(property(fileOf(facts, "hive-site.xml"), "hive.metastore.uris"), "thrift://h:9083");
  assert.equal(property(fileOf(facts, "ssl-server.xml"), "ssl.server.keystore.location"), "/k");
});

test("node labels: core nodes name CORE, and the ResourceManager's store has it, not exclusive", () => {
  const labels = configuration("yarn-site", { "yarn.node-labels.enabled": "true" });
  const partition = (index: number) =>
    property(fileOf(factsOf(four, index, [labels]), "yarn-site.xml"), "yarn.nodemanager.node-labels.provider.configured-node-partition");
  assert.deepEqual([0, 1, 2, 3].map(partition), [undefined, "CORE", "CORE", undefined]);
  const store = planNode(factsOf(four, 0, [labels])).files.find(({ path }) => path.endsWith("nodelabel.mirror"));
  assert.equal(Buffer.from(store!.content!).toString("hex"), "0a12080a04434f52451000");
  assert.ok(store!.once);
  const amLabel = "yarn.resourcemanager.node-labels.am.default-node-label-expression";
  const given = (value: string) => ({ "yarn.node-labels.enabled": "true", "yarn.node-labels.am.default-node-label-expression": value });
  assert.equal(property(fileOf(factsOf(four, 0, [labels]), "yarn-site.xml"), amLabel), "CORE");
  assert.equal(property(fileOf(factsOf(four, 0, [configuration("yarn-site", given("X"))]), "yarn-site.xml"), amLabel), "X");
  const fair = { ...given("CORE"), "yarn.resourcemanager.scheduler.class": "a.b.FairScheduler" };
  const both = factsOf(four, 0, [configuration("yarn-site", fair)]);
  assert.equal(property(fileOf(both, "yarn-site.xml"), "yarn.node-labels.enabled"), "false");
  assert.equal(property(fileOf(both, "yarn-site.xml"), amLabel), undefined);
});

test("JVMs are quick where the cluster's are, in containers too", () => {
  const facts = factsOf(["MASTER"], 0);
  const quick = { ...facts, cluster: { ...facts.cluster, quickJvms: true } };
  assert.deepEqual([planNode(facts).env.HOWDAH_JVM, planNode(quick).env.HOWDAH_JVM], [undefined, "quick"]);
  assert.match(fileOf(facts, "yarn-site.xml"), /env-whitelist<\/name>\s*<value>[^<]*\bHOWDAH_JVM\b/);
});

test("no file and no environment holds a key; credentials come from the node's own endpoint", () => {
  const plan = planNode(factsOf(four, 1));
  assert.ok(!plan.files.some(({ content }) => /access\.key|secret\.key/.test(content ?? "")));
  assert.ok(!Object.keys(plan.env).some((name) => /SECRET|ACCESS_KEY/.test(name)));
});

test("two clusters have different HDFS identities", () => {
  const other = factsOf(four, 0);
  const version = fileOf(factsOf(four, 0), "current/VERSION");
  assert.match(version, /^clusterID=CID-j-TEST$/m);
  assert.notEqual(fileOf({ ...other, cluster: { ...other.cluster, id: "j-OTHER" } }, "current/VERSION"), version);
  assert.ok(
    planNode(factsOf(four, 0))
      .files.filter(({ path }) => path.includes("/current/"))
      .every(({ once }) => once),
  );
});

test("EMR's paths lead to this node's own configuration and to the engines; commands of /usr/bin bring their environment", () => {
  const { base, path } = planNode(factsOf(four, 1));
  const found = new Map(base.map((file) => [file.path, file]));
  assert.equal(found.get("/etc/hadoop/conf")?.linkTo, "/data/nodes/i-1/conf/hadoop");
  assert.equal(found.get("/usr/lib/spark")?.linkTo, "/cache/spark");
  assert.match(
    found.get("/usr/bin/spark-submit")?.content ?? "",
    /^\. \/data\/nodes\/i-1\/run\/profile\.sh\nexec \/cache\/spark\/bin\/spark-submit "\$@"$/m,
  );
  // What is outside of the node's own folder is the host's in degree plain.
  assert.deepEqual(
    base.filter((file) => !file.view && !file.path.startsWith("/data/nodes/i-1/")),
    [],
  );
  assert.deepEqual(path.slice(0, 2), ["/data/nodes/i-1/home/.local/bin", "/data/nodes/i-1/python/bin"]);
});

test("Hadoop's jars have EMR's folders and names without a version", () => {
  const facts = factsOf(four, 0);
  const jars = ["hadoop-aws-3.4.2.jar", "hadoop-streaming-3.4.2.jar", "hadoop-hdfs-client-3.4.2.jar", "guava-27.0-jre.jar"];
  const hadoop = { ...facts.installation.hadoop, classPath: jars.map((name) => `/cache/hadoop/lib/${name}`) };
  const { base } = planNode({ ...facts, installation: { ...facts.installation, hadoop } });
  const links = base.filter(({ path }) => path.endsWith(".jar")).map(({ path, linkTo }) => [path, linkTo]);
  assert.deepEqual(links.slice(0, 4), [
    ["/usr/lib/hadoop/hadoop-aws-3.4.2.jar", "/cache/hadoop/lib/hadoop-aws-3.4.2.jar"],
    ["/usr/lib/hadoop/hadoop-aws.jar", "/cache/hadoop/lib/hadoop-aws-3.4.2.jar"],
    ["/usr/lib/hadoop-mapreduce/hadoop-streaming-3.4.2.jar", "/cache/hadoop/lib/hadoop-streaming-3.4.2.jar"],
    ["/usr/lib/hadoop-mapreduce/hadoop-streaming.jar", "/cache/hadoop/lib/hadoop-streaming-3.4.2.jar"],
  ]);
  assert.ok(links.some(([path]) => path === "/usr/lib/hadoop-hdfs/hadoop-hdfs-client.jar"));
  assert.ok(!links.some(([path]) => path?.includes("guava")));
  assert.ok(links.some(([path]) => path === "/usr/share/aws/emr/s3-dist-cp/lib/s3-dist-cp.jar"));
});

test("NodeManagers speak once a second where the scheduler looks by itself, and often where it waits for them", () => {
  const interval = (...configurations: ReturnType<typeof configuration>[]) =>
    property(fileOf(factsOf(four, 0, configurations), "yarn-site.xml"), "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms");
  const fair = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.FairScheduler";
  assert.equal(interval(), "1000");
  assert.equal(interval(configuration("yarn-site", { "yarn.resourcemanager.scheduler.class": fair })), "100");
  assert.equal(interval(configuration("capacity-scheduler", { "yarn.scheduler.capacity.schedule-asynchronously.enable": "false" })), "100");
});
