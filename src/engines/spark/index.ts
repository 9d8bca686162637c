/** Spark on YARN, with its history server on the master. */
import { join } from "node:path";
import type { Daemon } from "../../agent/manifest.ts";
import type { Engine, EnginePlan, NodeFacts } from "../engine.ts";
import { nameNodeName, resourceManagerName } from "../hadoop/daemons.ts";
import { hadoopPlaces } from "../hadoop/places.ts";
import { daemonArgv } from "../jvm.ts";
import { ports } from "../ports.ts";
import { exportLines, exportsOf } from "../settings.ts";
import { sparkBase } from "./base.ts";
import { sparkDefaults, sparkDefaultsFile } from "./defaults.ts";

export const spark: Engine = {
  name: "Spark",
  classifications: [
    { name: "spark", warn: (property) => (property === "maximizeResourceAllocation" ? undefined : `${property} has no effect`) },
    { name: "spark-defaults" },
    { name: "spark-env", nestedExport: true },
  ],
  plan,
};

const log4j2Properties = `rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex
logger.repl.name = org.apache.spark.repl.Main
logger.repl.level = warn
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
logger.parquet.name = org.apache.parquet.CorruptStatistics
logger.parquet.level = error
logger.hiveconf.name = org.apache.hadoop.hive.conf.HiveConf
logger.hiveconf.level = error
logger.session.name = org.apache.hadoop.hive.ql.session.SessionState
logger.session.level = error
logger.metastore.name = org.apache.hadoop.hive.metastore
logger.metastore.level = error
logger.datanucleus.name = DataNucleus
logger.datanucleus.level = error
`;

function plan(facts: NodeFacts): EnginePlan {
  const { layout, installation, address, role } = facts;
  const conf = join(layout.conf, "spark");
  const logs = join(layout.logs, "spark");
  const { home } = installation.spark;
  return {
    base: sparkBase(facts),
    files: [
      { path: join(conf, "spark-defaults.conf"), content: sparkDefaultsFile(sparkDefaults(facts)) },
      { path: join(conf, "spark-env.sh"), content: exportLines(exportsOf(facts.configurations, "spark-env")) },
      { path: join(conf, "log4j2.properties"), content: log4j2Properties },
    ],
    daemons: role === "MASTER" ? [historyServer(facts, conf, logs)] : [],
    tasks: [],
    env: {
      SPARK_HOME: home,
      SPARK_CONF_DIR: conf,
      SPARK_LOCAL_IP: address,
      // Where both are on every node, nothing is uploaded for a Python job.
      PYSPARK_ARCHIVES_PATH: pythonArchives.map((name) => `local:${home}/python/lib/${name}`).join(","),
    },
    path: [join(home, "bin")],
    logs: role === "MASTER" ? [{ from: logs, to: "node/{i}/applications/spark" }] : [],
  };
}

/** In python/lib of the distribution. */
const pythonArchives = ["pyspark.zip", "py4j-0.10.9.7-src.zip"];

function historyServer(facts: NodeFacts, conf: string, logs: string): Daemon {
  const { installation, layout, cluster } = facts;
  const name = "spark-history-server";
  return {
    name,
    argv: daemonArgv(facts, {
      mainClass: "org.apache.spark.deploy.history.HistoryServer",
      jars: installation.spark.classPath,
      folders: [conf, hadoopPlaces(layout).conf],
      archive: installation.spark.archive,
      heapMb: 512,
      options: [`-Dproc_${name}`],
    }),
    cwd: layout.root,
    log: join(logs, `${name}-ip-${facts.address.replaceAll(".", "-")}.out`),
    ready: [{ tcp: { host: cluster.master.address, port: ports.sparkHistoryWeb } }],
    after: [nameNodeName, resourceManagerName],
    gate: false,
  };
}
