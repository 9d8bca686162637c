import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeRole } from "../../src/agent/manifest.ts";
import { checkConfigurations } from "../../src/engines/configurations.ts";
import type { Configuration, NodeFacts } from "../../src/engines/engine.ts";
import { engineNames, readGlue } from "../../src/engines/glue/settings.ts";
import { enginesFor } from "../../src/engines/index.ts";
import { planNode } from "../../src/engines/plan-node.ts";
import { stepOrder } from "../../src/engines/step-command.ts";
import { configuration, factsOf, withEngine } from "./engine-facts.ts";

const roles: NodeRole[] = ["MASTER", "CORE", "TASK"];
function facts(index: number, configurations: Configuration[] = []): NodeFacts {
  const base = withEngine(withEngine(factsOf(roles, index, configurations), "Tez", ["tez-api-1.jar"]), "Hive", ["hive-cli-1.jar"]);
  const hadoop = {
    ...base.installation.hadoop,
    classPath: ["a.jar", "jsp-api-2.1.jar", "slf4j-reload4j-1.7.36.jar"].map((name) => `/cache/hadoop/lib/${name}`),
  };
  return { ...base, installation: { ...base.installation, hadoop } };
}
const exported = (name: string, variables: Record<string, string>) => configuration(name, {}, [configuration("export", variables)]);
const fileOf = (node: NodeFacts, path: string) => planNode(node).files.find((file) => file.path.endsWith(path))?.content ?? "";
const daemonsOf = (node: NodeFacts) => planNode(node).daemons.filter(({ name }) => name.startsWith("hive-"));
const metastore = (configurations: Configuration[] = []) => daemonsOf(facts(0, configurations))[0]!.argv.join(" ");

test("Hive comes with Tez, HCatalog with Hive; its daemons are on the master, its commands on every node", () => {
  const names = (applications: string[]) => enginesFor(applications).map(({ name }) => name);
  assert.deepEqual(names(["Hive"]), ["Hadoop", "Tez", "Hive"]);
  assert.deepEqual(names(["HCatalog"]), ["Hadoop", "Tez", "Hive", "HCatalog"]);
  assert.deepEqual(
    daemonsOf(facts(0)).map(({ name, gate }) => [name, gate]),
    [
      ["hive-hcatalog-server", true],
      ["hive-server2", true],
    ],
  );
  const plan = planNode(facts(0));
  const known = [...plan.daemons, ...plan.tasks].map(({ name }) => name);
  for (const { name, after = [] } of plan.daemons) for (const one of after) assert.ok(known.includes(one), `${name} waits for ${one}`);
  assert.ok(daemonsOf(facts(0))[1]!.after?.includes("hive-hdfs-folders"), "HiveServer2 ends where its folders are not there");
  for (const index of [0, 1, 2]) {
    if (index > 0) assert.deepEqual(daemonsOf(facts(index)), []);
    for (const name of ["hive", "beeline", "hive-script"])
      assert.ok(planNode(facts(index)).base.some(({ path }) => path === `/usr/bin/${name}`));
    const { path } = planNode(facts(index));
    assert.ok(path.indexOf("/cache/hive/bin") < path.indexOf("/cache/spark/bin"), "beeline is Hive's");
    assert.match(fileOf(facts(index), "hive/hive-site.xml"), /<name>hive\.metastore\.uris<\/name><value>thrift:\/\/127\.77\.9\.1:9083</);
  }
});

test("daemons have Hive's jars before Hadoop's, with one logging library, and no user of the environment's", () => {
  for (const { argv } of daemonsOf(facts(0))) {
    const classPath = argv[argv.indexOf("-cp") + 1]!;
    assert.match(
      classPath,
      /^\/cache\/hive\/lib\/hive-exec-3\.1\.3\.jar:.*\/hive-cli-1\.jar:.*\/cache\/hadoop\/lib\/a\.jar:.*\/tez-api-1\.jar/,
    );
    assert.doesNotMatch(classPath, /reload4j|jsp-api-2\.1/);
    assert.deepEqual(argv.slice(0, 3), ["/usr/bin/env", "-u", "HADOOP_USER_NAME"]);
    assert.ok(argv.includes("-DHADOOP_USER_NAME=hive"));
    assert.ok(classPath.startsWith(fileOf(facts(1), "hive/classpath").trim()), "commands have the same jars, on every node");
  }
});

test("the metastore's database is the node's own, from the one that set-up has made, unless hive-site names another", () => {
  assert.match(
    metastore(),
    /-Dhowdah\.hive\.template=\/cache\/hive\/metastore-template -Dhowdah\.hive\.database=\S*\/data\/hive\/metastore_db/,
  );
  const own = configuration("hive-site", { "javax.jdo.option.ConnectionURL": "jdbc:postgresql://db/hive" });
  assert.doesNotMatch(metastore([own]), /howdah\.hive\.template/);
  assert.match(fileOf(facts(0, [own]), "hive/hive-site.xml"), /ConnectionURL<\/name><value>jdbc:postgresql:\/\/db\/hive</);
});

test("tasks of Tez and of MapReduce have Hive's jars before Hadoop's", () => {
  const tez = /tez\.cluster\.additional\.classpath\.prefix<\/name><value>\$HADOOP_CONF_DIR:([^<]*)/.exec(
    fileOf(facts(1), "tez-site.xml"),
  )![1]!;
  assert.match(tez, /^\/cache\/hive\/lib\/hive-exec-3\.1\.3\.jar:.*tez-api-1\.jar$/);
  assert.match(fileOf(facts(1), "hive/hive-site.xml"), /mapreduce\.application\.classpath<\/name><value>\/cache\/hive\/lib\/hive-exec/);
});

test("Spark's metastore is Hive's where the cluster has both, and spark-hive-site goes over it", () => {
  const spark = (configurations: Configuration[] = []) => fileOf(facts(0, configurations), "spark/hive-site.xml");
  assert.match(spark(), /hive\.metastore\.uris<\/name><value>thrift:\/\/127\.77\.9\.1:9083</);
  assert.match(spark([configuration("spark-hive-site", { "hive.metastore.uris": "thrift://far:1" })]), /<value>thrift:\/\/far:1</);
  assert.equal(
    planNode(factsOf(roles, 0)).files.find(({ path }) => path.endsWith("spark/hive-site.xml")),
    undefined,
  );
});

test("HiveServer2 is ready when its page is, or where it listens if hive-site has it without one", () => {
  const ready = (own: Record<string, string>) => JSON.stringify(daemonsOf(facts(0, [configuration("hive-site", own)]))[1]!.ready);
  assert.match(ready({}), /http:\/\/127\.77\.9\.1:10002\/jmx/);
  assert.match(ready({ "hive.server2.webui.port": "10015" }), /:10015\/jmx/);
  const without = { "hive.server2.webui.port": "0" };
  assert.match(ready(without), /"port":10000/);
});

test("HiveServer2's HTTP mode, which does not run beside Hadoop 3.4, is a warning, and the binary one stays", () => {
  const http = { "hive.server2.transport.mode": "http", "a.b": "c" };
  const both = [configuration("hive-site", http), configuration("hiveserver2-site", http)];
  const { warnings } = checkConfigurations(both, ["Hive"]);
  assert.equal(warnings.filter((text) => /transport\.mode http has no effect.*jdbc:hive2:\/\/MASTER:10000/.test(text)).length, 2);
  for (const name of ["/hive/hive-site.xml", "hiveserver2-site.xml"]) {
    const content = fileOf(facts(0, both), name);
    assert.match(content, /a\.b/);
    assert.doesNotMatch(content, /transport\.mode/);
  }
  assert.deepEqual(checkConfigurations([configuration("hive-site", { "hive.server2.transport.mode": "binary" })], ["Hive"]).warnings, []);
});

test("its classifications are taken and reach their files; what has no effect is a warning; others say why not", () => {
  const taken = [
    configuration("hive-site", { "a.b": "site" }),
    configuration("hiveserver2-site", { "a.b": "server" }),
    configuration("hive-log4j2", { "logger.a.name": "log" }),
    configuration("hive-beeline-log4j2", { "logger.a.name": "beeline" }),
    configuration("hive-parquet-logging", { "a.b": "parquet" }),
    configuration("hcatalog-server-proto-hive-site", { "a.b": "metastore" }),
    exported("hive-env", { HIVE_SERVER2_HEAPSIZE: "2048", HIVE_AUX_JARS_PATH: "/x.jar" }),
    exported("hcatalog-env", { A: "b" }),
  ];
  assert.deepEqual(checkConfigurations(taken, ["Hive"]), { errors: [], warnings: [] });
  for (const [path, text] of [
    ["hive/hive-site.xml", "<value>site<"],
    ["hive/hive-site.xml", "<name>hive.aux.jars.path</name><value>/x.jar<"],
    ["hive/hiveserver2-site.xml", "<value>server<"],
    ["hive/hive-log4j2.properties", "logger.a.name=log"],
    ["hive/beeline-log4j2.properties", "logger.a.name=beeline"],
    ["hive/parquet-logging.properties", "a.b=parquet"],
    ["hive-hcatalog/hive-site.xml", "<value>metastore<"],
    ["hive/hive-env.sh", 'export HIVE_SERVER2_HEAPSIZE="2048"'],
    ["hive-hcatalog/hcatalog-env.sh", 'export A="b"'],
  ] as const)
    assert.ok(fileOf(facts(0, taken), path).includes(text), path);
  const { warnings } = checkConfigurations(
    [exported("hive-env", { HIVE_CONF_DIR: "/x" }), configuration("hive-exec-log4j2", { a: "b" })],
    ["Hive"],
  );
  assert.match(warnings.join("\n"), /HIVE_CONF_DIR has no effect.*\n.*hive-exec-log4j2: /);
  const refusal = (name: string) => checkConfigurations([configuration(name, {})], ["Hive"]).errors[0]!;
  assert.match(refusal("hive"), /LLAP/);
  assert.match(refusal("hcatalog-webhcat-site"), /WebHCat is not/);
  assert.match(checkConfigurations(taken.slice(0, 1), ["Spark"]).errors[0]!, /needs the application Hive/);
});

test("steps that name hive-script where it lay before emr-4.0 run the node's", () => {
  const jar = "s3://us-west-2.elasticmapreduce/libs/script-runner/script-runner.jar";
  const args = ["s3://us-west-2.elasticmapreduce/libs/hive/hive-script", "--run-hive-script", "--args", "-f", "s3://b/q"];
  const order = stepOrder({ step: { id: "s-1", name: "n", jar, args, properties: {} }, facts: facts(0) });
  assert.deepEqual(order.argv, ["hive-script", ...args.slice(1)]);
  assert.deepEqual(order.fetch, []);
});

test("the account's catalog: Hive's metastore, or one for Spark alone, has its database; the rest of the node does not learn the secret", () => {
  const catalog = { url: "jdbc:derby://127.0.0.1:1/metastore_db", user: "APP", password: "hidden" };
  const withCatalog = (node: NodeFacts): NodeFacts => ({ ...node, cluster: { ...node.cluster, catalog } });
  const own = configuration("hive-site", { "javax.jdo.option.ConnectionURL": "jdbc:postgresql://db/hive" });
  const node = withCatalog(facts(0, [own]));
  assert.match(fileOf(node, "hive-hcatalog/hive-site.xml"), /ConnectionURL<\/name><value>jdbc:derby:\/\/127\.0\.0\.1:1\/metastore_db</);
  assert.match(fileOf(node, "hive-hcatalog/hive-site.xml"), /ConnectionPassword<\/name><value>hidden</);
  assert.doesNotMatch(fileOf(node, "/conf/hive/hive-site.xml"), /hidden/);
  assert.doesNotMatch(daemonsOf(withCatalog(facts(0)))[0]!.argv.join(" "), /howdah\.hive\.template/);

  const alone = withCatalog({ ...facts(0), cluster: { ...facts(0).cluster, applications: ["Hadoop", "Spark", "Glue"] } });
  assert.deepEqual(
    daemonsOf(alone).map(({ name }) => name),
    ["hive-hcatalog-server"],
  );
  assert.match(fileOf(alone, "spark/hive-site.xml"), /hive\.metastore\.uris<\/name><value>thrift:\/\/127\.77\.9\.1:9083</);
  assert.ok(!planNode(alone).base.some(({ path }) => path === "/usr/bin/hive"));
});

test("AWS's settings choose the catalog, of the account's own id", () => {
  const factory = { "hive.metastore.client.factory.class": "com.amazonaws.glue.catalog.metastore.AWSGlueDataCatalogHiveClientFactory" };
  const read = (applications: string[], ...own: Configuration[]) => readGlue(own, applications, "123456789012");
  assert.deepEqual(read(["Spark"], configuration("spark-hive-site", factory)), { isChosen: true, errors: [] });
  assert.deepEqual(read(["Spark"]), { isChosen: false, errors: [] });
  const id = (value: string) => configuration("hive-site", { ...factory, "hive.metastore.glue.catalogid": value });
  assert.deepEqual(read(["Hive"], id("123456789012")), { isChosen: true, errors: [] });
  assert.match(read(["Hive"], id("999999999999")).errors.join(), /another account's/);
  assert.match(read(["Hive", "Spark"], configuration("spark-hive-site", factory)).errors.join(), /give it in hive-site, too/);
  const other = configuration("hive-site", { "hive.metastore.client.factory.class": "com.example.Mine" });
  assert.match(read(["Hive"], other).errors.join(), /com\.example\.Mine is not on the nodes/);
  const names = (applications: string[]) => engineNames({ applications: applications.map((Name) => ({ Name })), usesCatalog: true });
  assert.deepEqual(
    [names(["Spark"]), names(["Spark", "Hive"])],
    [
      ["Spark", "Glue"],
      ["Spark", "Hive"],
    ],
  );
});
