import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfigurations, checkTogether, mergeConfigurations } from "../../src/engines/configurations.ts";
import { configuration } from "./engine-facts.ts";

const errorsOf = (...list: Parameters<typeof configuration>[]) =>
  checkConfigurations(
    list.map((args) => configuration(...args)),
    ["Spark"],
  ).errors;

test("what EMR takes is taken", () => {
  assert.deepEqual(
    errorsOf(
      ["core-site", { a: "b" }],
      ["spark", { maximizeResourceAllocation: "true" }],
      ["spark-env", {}, [configuration("export", { A: "b" })]],
    ),
    [],
  );
});

test("an unknown classification is refused by name", () => {
  assert.match(errorsOf(["elephant-site", {}])[0]!, /^Unknown classification 'elephant-site'/);
});

test("a classification that EMR knows is never unknown: it says why it is not honoured, or what its name is now", () => {
  const emr =
    "container-executor docker-conf emr-metrics hadoop-kms-site hcatalog-webhcat-env hcatalog-server-jndi hdfs-encryption-zones hive hive-llap-daemon-log4j2 hue-ini httpfs-site hudi-defaults iceberg-defaults jupyter-hub-conf livy-conf oozie-site phoenix-log4j pig-env presto-config ranger-kms-site recordserver-conf sqoop-env trino-connector-kafka zeppelin-env";
  for (const name of emr.split(" ")) assert.match(errorsOf([name, {}])[0]!, new RegExp(`^Classification '${name}' is not honoured: .{20}`));
  assert.match(errorsOf(["hive-site", {}])[0]!, /needs the application Hive/);
});

test("Hadoop's and Spark's own classifications are taken", () => {
  const plain = "hadoop-log4j container-log4j hadoop-ssl-server hadoop-ssl-client mapred-site spark-log4j2 spark-metrics spark-hive-site";
  const environments = "hdfs-env yarn-env mapred-env";
  const list = [
    ...plain.split(" ").map((name) => configuration(name, { a: "b" })),
    ...environments.split(" ").map((name) => configuration(name, {}, [configuration("export", { A: "b" })])),
  ];
  assert.deepEqual(checkConfigurations(list, ["Spark"]), { errors: [], warnings: [] });
});

test("a variable or a logger that does less than on EMR is a warning", () => {
  const list = [
    configuration("yarn-env", {}, [configuration("export", { JAVA_HOME: "/usr/lib/jvm/jre-1.8.0", YARN_RESOURCEMANAGER_HEAPSIZE: "300" })]),
    configuration("hadoop-log4j", { "hadoop.root.logger": "DEBUG,RFA", "log4j.logger.a": "DEBUG" }),
  ];
  const { warnings } = checkConfigurations(list, []);
  assert.equal(warnings.length, 2, warnings.join("\n"));
  assert.match(warnings[0]!, /^yarn-env: JAVA_HOME=\/usr\/lib\/jvm\/jre-1\.8\.0 counts/);
  assert.match(warnings[1]!, /HADOOP_DAEMON_ROOT_LOGGER/);
});

const fair = { "yarn.resourcemanager.scheduler.class": "org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.FairScheduler" };

test("node labels work only under the capacity scheduler, and there only where queues have a share of them", () => {
  const labels = { "yarn.node-labels.enabled": "true" };
  const warnings = (yarn: Record<string, string>, queues: Record<string, string> = {}) =>
    checkTogether([configuration("yarn-site", yarn), configuration("capacity-scheduler", queues)], []);
  assert.deepEqual(warnings(labels), []);
  assert.deepEqual(warnings(fair), []);
  assert.match(warnings({ ...labels, ...fair })[0]!, /no effect under FairScheduler/);
  assert.match(warnings(fair, { "yarn.scheduler.capacity.root.queues": "a" })[0]!, /capacity-scheduler has no effect/);
  const queues = { "yarn.scheduler.capacity.root.queues": "default,etl" };
  assert.match(warnings(labels, queues)[0]!, /root\.etl\.accessible-node-labels\.CORE\.capacity/);
  assert.deepEqual(warnings({}, queues), []);
  assert.deepEqual(warnings(labels, { ...queues, "yarn.scheduler.capacity.root.etl.accessible-node-labels.CORE.capacity": "50" }), []);
  assert.match(warnings({ ...labels, "yarn.node-labels.am.default-node-label-expression": "ON_DEMAND" })[0]!, /ON_DEMAND/);
});

test("a classification of an application that the cluster has not says so", () => {
  assert.match(checkConfigurations([configuration("spark-defaults", {})], ["Hadoop"]).errors[0]!, /needs the application Spark/);
});

test("wrong nesting is refused", () => {
  assert.equal(errorsOf(["core-site", {}, [configuration("export", {})]]).length, 1);
  assert.equal(errorsOf(["hadoop-env", {}, [configuration("core-site", {})]]).length, 1);
  assert.equal(errorsOf(["hadoop-env", { A: "b" }]).length, 1);
  assert.equal(errorsOf(["hadoop-env", {}, [configuration("export", { "a b": "c" })]]).length, 1);
});

test("a property of emrfs-site without a twin is a warning", () => {
  const list = [configuration("emrfs-site", { "fs.s3.consistent": "true", "fs.s3.maxConnections": "9" })];
  const { errors, warnings } = checkConfigurations(list, []);
  assert.deepEqual(errors, []);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /fs\.s3\.consistent/);
});

test("a group's properties go over the cluster's, one by one and nested ones too", () => {
  const cluster = [
    configuration("core-site", { a: "1", b: "2" }),
    configuration("spark-env", {}, [configuration("export", { X: "1", Y: "2" })]),
  ];
  const group = [configuration("core-site", { b: "3" }), configuration("spark-env", {}, [configuration("export", { Y: "4" })])];
  assert.deepEqual(mergeConfigurations(cluster, group), [
    configuration("core-site", { a: "1", b: "3" }),
    configuration("spark-env", {}, [configuration("export", { X: "1", Y: "4" })]),
  ]);
});
