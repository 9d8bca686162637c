/** A JVM whose class archive does not fit goes on without it and says nothing: only its class-load log tells. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { nodeLayout } from "../../src/agent/layout.ts";
import { daemonArgv } from "../../src/engines/jvm.ts";
import { addedJars, hadoopPlaces } from "../../src/engines/hadoop/places.ts";
import { planNode } from "../../src/engines/plan-node.ts";
import { ensureSetup } from "../../src/setup.ts";
import { run } from "../../src/setup/run.ts";
import { factsOf } from "../unit/engine-facts.ts";

const folder = mkdtempSync(join(tmpdir(), "howdah-archives-"));
after(() => rmSync(folder, { recursive: true }));
const installation = await ensureSetup({ releaseLabel: "emr-7.13.0", applications: ["HBase", "Hive"] });
const given = factsOf(["MASTER"], 0);
const cluster = { ...given.cluster, applications: ["Hadoop", "Spark", "HBase", "Hive"] };
const facts = { ...given, cluster, installation, layout: nodeLayout(folder) };
const { env, path, files, daemons } = planNode(facts);
for (const { path, content } of files) {
  mkdirSync(dirname(path), { recursive: true });
  if (content !== undefined) writeFileSync(path, content);
}
/** No preload library: these JVMs are on no node. */
const environment = { ...env, PATH: path.join(":"), LD_PRELOAD: undefined };

let logs = 0;
/** The option that makes a JVM tell where its classes come from, and a look at a package's. Scala's lambdas do not count: no archive takes them. */
function classLog(prefix: string) {
  const file = join(folder, `classes-${++logs}.log`);
  const lines = () =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line.includes(` ${prefix}`) && !line.includes("$$Lambda"));
  return {
    option: `-Xlog:class+load:file=${file}`,
    assertShared() {
      const shared = lines().filter((line) => line.includes("shared objects file")).length;
      assert.ok(lines().length > 10, `only ${lines().length} classes of ${prefix} were loaded`);
      assert.ok(shared / lines().length > 0.9, `only ${shared} of ${lines().length} classes of ${prefix} came from the archive`);
    },
  };
}

test("daemons use Hadoop's archive", async () => {
  const log = classLog("org.apache.hadoop");
  const argv = daemonArgv(facts, {
    mainClass: "org.apache.hadoop.hdfs.server.namenode.NameNode",
    jars: installation.hadoop.classPath,
    folders: [hadoopPlaces(facts.layout).conf, `${addedJars}/*`],
    archive: installation.hadoop.archive,
    heapMb: 128,
    options: [log.option],
  });
  await run([...argv, "-metadataVersion"], { timeoutMs: 60_000, env: environment });
  log.assertShared();
});

test("HBase's daemons and commands use HBase's archive", async () => {
  // Without a word of what to do it loads its classes, says how it is used, and fails.
  const usage = "org.apache.hadoop.hbase.master.HMaster";
  const daemon = daemons.find(({ name }) => name === "hbase-master")!;
  const start = daemon.argv.slice(0, daemon.argv.indexOf("howdah.hbase.Master"));
  for (const [variable, argv] of Object.entries({ HBASE_MASTER_OPTS: start, HBASE_OPTS: ["hbase"] })) {
    const log = classLog("org.apache.hadoop.hbase");
    const env = { ...environment, ...daemon.env, [variable]: log.option };
    await assert.rejects(run([...argv, usage], { timeoutMs: 60_000, env }), /Usage: Master/);
    log.assertShared();
  }
});

test("Hive's daemons and commands use Hive's archive", async () => {
  const server = daemons.find(({ name }) => name === "hive-server2")!;
  for (const [variable, argv, said] of [
    ["HIVE_SERVER2_HADOOP_OPTS", [...server.argv, "--help"], /usage: hiveserver2/],
    ["HADOOP_OPTS", ["beeline", "--help"], /Usage: java org\.apache\.hive\.cli\.beeline\.BeeLine/],
  ] as const) {
    const log = classLog("org.apache.hive");
    assert.match(await run([...argv], { timeoutMs: 60_000, env: { ...environment, ...server.env, [variable]: log.option } }), said);
    log.assertShared();
  }
});

test("commands use Hadoop's archive", async () => {
  const log = classLog("org.apache.hadoop");
  await run(["hadoop", "fs", "-ls", "file:///"], { timeoutMs: 60_000, env: { ...environment, HADOOP_OPTS: log.option } });
  log.assertShared();
});

test("spark-submit uses Spark's archive", async () => {
  const log = classLog("org.apache.spark");
  const argv = [
    "spark-submit",
    "--master",
    "local[1]",
    "--conf",
    `spark.driver.extraJavaOptions=${log.option}`,
    "--conf",
    "spark.eventLog.enabled=false",
  ];
  await run([...argv, "--class", "org.apache.spark.deploy.PythonRunner", "/dev/null"], { timeoutMs: 60_000, env: environment }).catch(
    () => {},
  );
  log.assertShared();
});

test("containers use the archives, with their working folder first on the class path", async () => {
  const cwd = join(folder, "container");
  mkdirSync(cwd);
  const java = join(installation.nodeJavaHome, "bin", "java");
  const executor = classLog("org.apache.spark");
  const spark = [
    cwd,
    `${cwd}/__spark_conf__`,
    `${cwd}/__spark_libs__/*`,
    `${installation.spark.home}/jars/*`,
    `${cwd}/__spark_conf__/__hadoop_conf__`,
  ];
  const backend = [java, executor.option, "org.apache.spark.executor.YarnCoarseGrainedExecutorBackend", "--help"];
  await run(backend, { timeoutMs: 60_000, cwd, env: { ...environment, CLASSPATH: spark.join(":") } }).catch(() => {});
  const task = classLog("org.apache.hadoop");
  const mapReduce = [cwd, ...installation.hadoop.classPath, hadoopPlaces(facts.layout).conf, "job.jar/*", `${cwd}/*`];
  const child = [java, task.option, "org.apache.hadoop.fs.FsShell", "-ls", "file:///"];
  await run(child, { timeoutMs: 60_000, cwd, env: { ...environment, CLASSPATH: mapReduce.join(":") } });
  task.assertShared();
  executor.assertShared();
});

test("HOWDAH_JVM=quick is the first compiler alone, where a command line says nothing else", async () => {
  const java = join(installation.nodeJavaHome, "bin", "java");
  const level = async (...options: string[]) => {
    const flags = await run([java, ...options, "-XX:+PrintFlagsFinal", "-version"], {
      timeoutMs: 60_000,
      env: { ...environment, HOWDAH_JVM: "quick" },
    });
    return / TieredStopAtLevel += (\d)/.exec(flags)?.[1];
  };
  assert.deepEqual([await level(), await level("-XX:TieredStopAtLevel=4")], ["1", "4"]);
});

test("a class path that a user put something in front of stays as it is", async () => {
  const java = join(installation.nodeJavaHome, "bin", "java");
  const classPath = `/mine/a.jar:${installation.spark.home}/jars/*`;
  const answer = await run([java, "-XshowSettings:properties", "-version"], {
    timeoutMs: 60_000,
    env: { ...environment, CLASSPATH: classPath },
  });
  assert.match(answer, /java\.class\.path = \/mine\/a\.jar/);
});
