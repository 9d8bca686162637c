/** What *-env.sh say reaches a daemon's command line: the real shell, with a program in the JVM's place that prints its arguments. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { nodeLayout } from "../../src/agent/layout.ts";
import type { Configuration } from "../../src/engines/engine.ts";
import { planNode } from "../../src/engines/plan-node.ts";
import { configuration, factsOf, installation } from "./engine-facts.ts";

const folder = mkdtempSync(join(tmpdir(), "howdah daemon-"));
after(() => rmSync(folder, { recursive: true }));
const javaHome = join(folder, "jdk");
mkdirSync(join(javaHome, "bin"), { recursive: true });
writeFileSync(join(javaHome, "bin", "java"), '#!/bin/bash\nprintf "%s\\n" "$@"\n', { mode: 0o755 });

/** Arguments of the JVM of the single node's daemon whose name ends so. */
function argumentsOf(name: string, configurations: Configuration[]): string[] {
  const facts = {
    ...factsOf(["MASTER"], 0, configurations),
    layout: nodeLayout(join(folder, "node")),
    installation: { ...installation, javaHome },
  };
  const plan = planNode(facts);
  for (const { path, content } of plan.files) {
    mkdirSync(dirname(path), { recursive: true });
    if (content !== undefined) writeFileSync(path, content);
  }
  const [command, ...args] = plan.daemons.find((daemon) => daemon.name.endsWith(name))!.argv;
  return execFileSync(command!, args, { encoding: "utf8", env: {} }).trim().split("\n");
}

const exported = (name: string, variables: Record<string, string>) => configuration(name, {}, [configuration("export", variables)]);
const heapOf = (args: string[]) => args.findLast((arg) => arg.startsWith("-Xmx"));

test("heaps: a daemon's own variable, then the general one, then Howdah's", () => {
  assert.equal(heapOf(argumentsOf("namenode", [])), "-Xmx256m");
  const configurations = [
    exported("hadoop-env", { HADOOP_HEAPSIZE: "400", HADOOP_NAMENODE_HEAPSIZE: "500" }),
    exported("hdfs-env", { HADOOP_NAMENODE_HEAPSIZE: "600" }),
    exported("yarn-env", { YARN_RESOURCEMANAGER_HEAPSIZE: "1g" }),
    exported("mapred-env", { HADOOP_JOB_HISTORYSERVER_HEAPSIZE: "300" }),
    exported("spark-env", { SPARK_DAEMON_MEMORY: "700m" }),
  ];
  const heaps = ["namenode", "datanode", "resourcemanager", "nodemanager", "mapreduce-historyserver", "spark-history-server"];
  assert.deepEqual(
    heaps.map((name) => heapOf(argumentsOf(name, configurations))),
    ["-Xmx600m", "-Xmx400m", "-Xmx1g", "-Xmx400m", "-Xmx300m", "-Xmx700m"],
  );
});

test("options belong to their daemon, may name other variables, and come before the class", () => {
  const configurations = [
    exported("hadoop-env", { HADOOP_OPTS: "-Dall=1", HADOOP_DATANODE_OPTS: "-Ddata=1", HADOOP_DAEMON_ROOT_LOGGER: "WARN,RFA" }),
    exported("yarn-env", { YARN_RESOURCEMANAGER_OPTS: '$YARN_RESOURCEMANAGER_OPTS -Dyarn="1" -Dstar=*' }),
  ];
  const manager = argumentsOf("resourcemanager", configurations);
  for (const option of ["-Dall=1", '-Dyarn="1"', "-Dstar=*"]) assert.ok(manager.includes(option), option);
  assert.ok(!manager.includes("-Ddata=1"));
  assert.equal(
    manager.findLast((arg) => arg.startsWith("-Dhadoop.root.logger")),
    "-Dhadoop.root.logger=WARN,RFA",
  );
  assert.equal(manager.at(-1), "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager");
  assert.ok(argumentsOf("datanode", configurations).includes("-Ddata=1"));
});

test("a collector of the user's replaces ours, and HADOOP_CLASSPATH is added behind", () => {
  const args = argumentsOf("namenode", [exported("hdfs-env", { HADOOP_NAMENODE_OPTS: "-XX:+UseG1GC", HADOOP_CLASSPATH: "/mine/*" })]);
  assert.deepEqual(
    args.filter((arg) => /Use\w+GC/.test(arg)),
    ["-XX:+UseG1GC"],
  );
  assert.match(args[args.indexOf("-cp") + 1]!, /:\/mine\/\*$/);
});

test("a JAVA_HOME that is not on the node changes nothing", () => {
  const args = argumentsOf("namenode", [exported("hadoop-env", { JAVA_HOME: "/usr/lib/jvm/nowhere", HADOOP_OPTS: "-Djdk=$JAVA_HOME" })]);
  assert.ok(args.includes("-Djdk="));
});
