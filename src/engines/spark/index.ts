/** Spark on YARN, with its history server on the master. */
import { extname, join } from "node:path";
import type { Daemon, ManifestFile, Save, Task } from "../../agent/manifest.ts";
import type { Engine, EnginePlan, NodeFacts } from "../engine.ts";
import { nameNodeName, resourceManagerName } from "../hadoop/daemons.ts";
import { environmentWarning } from "../hadoop/environment.ts";
import { emrfsJar, hadoopPlaces } from "../hadoop/places.ts";
import { ports as hadoopPorts } from "../hadoop/ports.ts";
import { hdfsPath, savedHistory, saveOf } from "../history/saves.ts";
import { metastoreUri } from "../hive/places.ts";
import { daemonArgv, withVariables } from "../jvm.ts";
import { exportLines, exportsOf, type Properties, propertiesFile, propertiesOf, siteXml } from "../settings.ts";
import { commands, sparkBase } from "./base.ts";
import { eventLogFolders, historyPort, sparkDefaults, sparkDefaultsFile, usualEventLogs } from "./defaults.ts";
import { log4j2Properties } from "./log4j2.ts";

export const spark: Engine = {
  name: "Spark",
  commands,
  classifications: [
    { name: "spark", warn: (property) => (property === "maximizeResourceAllocation" ? undefined : `${property} has no effect`) },
    { name: "spark-defaults" },
    { name: "spark-env", nestedExport: true, warn: environmentWarning },
    { name: "spark-log4j2" },
    // awswrangler gives it to each cluster of a release whose number it cannot read, as emr-7.13.0.
    {
      name: "spark-log4j",
      warn: () => "Spark 3 logs by log4j 2: spark-log4j has no effect. Use spark-log4j2, whose properties have log4j 2's names",
    },
    { name: "spark-metrics" },
    { name: "spark-hive-site" },
  ],
  ports: { sparkHistoryWeb: historyPort },
  pages: [{ name: "Spark history", port: historyPort }],
  plan,
};

function plan(facts: NodeFacts): EnginePlan {
  const { layout, installation, address, role } = facts;
  const master = role === "MASTER";
  const conf = join(layout.conf, "spark");
  const logs = join(layout.logs, "spark");
  const { home, python } = installation.spark;
  return {
    base: sparkBase(facts),
    files: [
      { path: join(conf, "spark-defaults.conf"), content: sparkDefaultsFile(sparkDefaults(facts)) },
      { path: join(conf, "spark-env.sh"), content: environmentFile(facts) },
      { path: join(conf, "log4j2.properties"), content: log4j2Properties(propertiesOf(facts.configurations, "spark-log4j2")) },
      ...whereGiven(facts, "spark-metrics", join(conf, "metrics.properties"), propertiesFile),
      ...hiveSite(facts, join(conf, "hive-site.xml")),
    ],
    daemons: master ? [historyServer(facts, conf, logs)] : [],
    tasks: master ? eventLogFolder(facts) : [],
    saves: master ? eventLogs(facts) : [],
    env: {
      SPARK_HOME: home,
      SPARK_CONF_DIR: conf,
      SPARK_LOCAL_IP: address,
      // Where both are on every node, nothing is uploaded for a Python job.
      PYSPARK_ARCHIVES_PATH: python.map((name) => `local:${home}/python/lib/${name}`).join(","),
    },
    path: [join(home, "bin")],
    logs: master
      ? [
          { from: logs, to: "node/{i}/applications/spark" },
          { from: savedHistory(layout).spark, to: "spark/history" },
        ]
      : [],
  };
}

/** What S3A needs comes behind Spark's jars, in its applications' containers too. */
function environmentFile(facts: NodeFacts): string {
  const behind = emrfsJar(facts).map((jar) => `export SPARK_DIST_CLASSPATH="\${SPARK_DIST_CLASSPATH:+$SPARK_DIST_CLASSPATH:}${jar}"\n`);
  return exportLines(exportsOf(facts.configurations, "spark-env")) + behind.join("");
}

/** A file that Spark does without where the user says nothing. */
function whereGiven(facts: NodeFacts, classification: string, path: string, content: (own: Properties) => string): ManifestFile[] {
  const own = propertiesOf(facts.configurations, classification);
  return Object.keys(own).length > 0 ? [{ path, content: content(own) }] : [];
}

/** Where the cluster has Hive, its metastore is Spark's, too. */
function hiveSite(facts: NodeFacts, path: string): ManifestFile[] {
  const shared: Properties = facts.installation.engines.Hive ? { "hive.metastore.uris": metastoreUri(facts) } : {};
  const properties = { ...shared, ...propertiesOf(facts.configurations, "spark-hive-site") };
  return Object.keys(properties).length > 0 ? [{ path, content: siteXml(properties) }] : [];
}

/** Applications do not start where the folder of their event logs is not there: one that a user named is made. */
function eventLogFolder(facts: NodeFacts): Task[] {
  const { written, read } = eventLogFolders(facts);
  const named = [...new Set([written, read])].filter((folder) => hdfsPath(facts, folder) !== usualEventLogs);
  if (named.length === 0) return [];
  const script = join(import.meta.dirname, `event-log-folder${extname(import.meta.filename)}`);
  const webHdfs = `http://${facts.cluster.master.address}:${hadoopPorts.nameNodeWeb}`;
  const folders = named.map((folder) => hdfsPath(facts, folder) ?? folder);
  return [{ name: "spark-event-log-folder", after: nameNodeName, argv: [process.execPath, script, webHdfs, ...folders], gate: true }];
}

function eventLogs(facts: NodeFacts): Save[] {
  const from = hdfsPath(facts, eventLogFolders(facts).written);
  return from === undefined ? [] : [saveOf(facts, "spark-history", "as-is", savedHistory(facts.layout).spark, [from])];
}

function historyServer(facts: NodeFacts, conf: string, logs: string): Daemon {
  const { installation, layout, cluster } = facts;
  const name = "spark-history-server";
  const argv = daemonArgv(facts, {
    mainClass: "org.apache.spark.deploy.history.HistoryServer",
    jars: [...installation.spark.classPath, ...emrfsJar(facts)],
    folders: [conf, hadoopPlaces(layout).conf],
    archive: installation.spark.archive,
    heapMb: 512,
    options: [`-Dproc_${name}`],
  });
  const variables = {
    files: [join(conf, "spark-env.sh")],
    heap: ["SPARK_DAEMON_MEMORY"],
    options: ["SPARK_DAEMON_JAVA_OPTS", "SPARK_HISTORY_OPTS"],
  };
  return {
    name,
    argv: withVariables(variables, argv),
    cwd: layout.root,
    log: join(logs, `${name}-ip-${facts.address.replaceAll(".", "-")}.out`),
    ready: [{ tcp: { host: cluster.master.address, port: historyPort } }],
    after: [nameNodeName, resourceManagerName],
    gate: false,
  };
}
