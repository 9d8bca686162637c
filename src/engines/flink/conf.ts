/** flink-conf.yaml of a node: Flink's defaults but where YARN, HDFS and addresses are concerned. */
import type { NodeFacts } from "../engine.ts";
import { ports as hadoopPorts } from "../hadoop/ports.ts";
import { jarsBehind } from "../hadoop/places.ts";
import { type Properties, propertiesOf } from "../settings.ts";
import { archiveFolder, flinkPlaces, ports } from "./places.ts";

/** Packages that Flink 1.20 and what users' jobs are serialised by reach into on Java 17. */
const opened = ["java.lang", "java.lang.reflect", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.text", "java.time", "java.util"]
  .concat(["java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks"])
  .map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);
const exported = ["java.base/sun.net.util", "java.rmi/sun.rmi.registry", "java.security.jgss/sun.security.krb5"]
  .concat(["file", "parser", "tree", "util", "api"].map((name) => `jdk.compiler/com.sun.tools.javac.${name}`))
  .map((name) => `--add-exports=${name}=ALL-UNNAMED`);

/** Options of every JVM of Flink's, the command's and the history server's too. */
export const javaOptions = [...exported, ...opened, "-Djava.net.preferIPv4Stack=true"];

/** What a user says of a JVM's options comes behind those that it does not run without. */
const everyJvm = "env.java.opts.all";

function defaults(facts: NodeFacts): Properties {
  const { cluster, layout } = facts;
  const at = flinkPlaces(facts);
  const master = cluster.master.address;
  const archives = `hdfs://${master}:${hadoopPorts.nameNode}${archiveFolder}`;
  // YARN puts the node's own folder in.
  const classPath = [...at.classPath, ...jarsBehind(facts), "$HADOOP_CONF_DIR"].join(":");
  return {
    "jobmanager.memory.process.size": "1600m",
    "taskmanager.memory.process.size": "1728m",
    "taskmanager.numberOfTaskSlots": "1",
    "parallelism.default": "1",
    // Every node has Flink at the same place: nothing of it is uploaded for a job.
    "yarn.flink-dist-jar": at.distJar,
    "containerized.master.env.CLASSPATH": classPath,
    "containerized.taskmanager.env.CLASSPATH": classPath,
    // Which session `flink run` means: two clusters of degree plain would meet in /tmp.
    "yarn.properties-file.location": layout.tmp,
    // A job that somebody waits for is to end with him, where his command ends in order. That of a step that was cancelled was seen to go on.
    "execution.shutdown-on-attached-exit": "true",
    "client.heartbeat.interval": "5000",
    "client.heartbeat.timeout": "30000",
    "jobmanager.archive.fs.dir": archives,
    "historyserver.archive.fs.dir": archives,
    "historyserver.archive.fs.refresh-interval": "5000",
    "historyserver.web.address": master,
    "historyserver.web.port": String(ports.historyServer),
    "historyserver.web.tmpdir": at.web,
    // Hadoop's own threads outlive a job's class loader, which is no fault of the job's.
    "classloader.check-leaked-classloader": "false",
  };
}

export function flinkConf(facts: NodeFacts): Properties {
  const own = propertiesOf(facts.configurations, "flink-conf");
  const options = [...javaOptions, "-XX:+UseSerialGC", ...(own[everyJvm] ? [own[everyJvm]] : [])].join(" ");
  return { ...defaults(facts), ...own, [everyJvm]: options };
}

/** A name, a colon, a blank, and the rest of the line. */
export const flinkConfFile = (properties: Properties): string =>
  Object.entries(properties)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
