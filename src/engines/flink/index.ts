/** Flink on YARN: its commands on every node, its history server on the master. */
import { extname, join } from "node:path";
import type { Daemon, ManifestFile, Task } from "../../agent/manifest.ts";
import type { Engine, EnginePlan, NodeFacts } from "../engine.ts";
import { nameNodeName } from "../hadoop/daemons.ts";
import { hadoopPlaces, jarsBehind } from "../hadoop/places.ts";
import { ports as hadoopPorts } from "../hadoop/ports.ts";
import { daemonArgv } from "../jvm.ts";
import { command, link, logLinks } from "../node-base.ts";
import { propertiesOf } from "../settings.ts";
import { flinkConf, flinkConfFile, javaOptions } from "./conf.ts";
import { cliLog4jProperties, log4jProperties, log4jWarning, sessionLog4jProperties } from "./log4j.ts";
import { archiveFolder, flinkPlaces, ports } from "./places.ts";
import { setup } from "./setup.ts";

const commands = ["flink", "flink-yarn-session"];
const historyServerName = "flink-historyserver";
const foldersName = "flink-folders";

export const flink: Engine = {
  name: "Flink",
  commands,
  classifications: [
    { name: "flink-conf" },
    { name: "flink-log4j", warn: log4jWarning },
    { name: "flink-log4j-cli", warn: log4jWarning },
    { name: "flink-log4j-session", warn: log4jWarning },
  ],
  ports: { flinkHistoryWeb: ports.historyServer },
  pages: [{ name: "Flink history", port: ports.historyServer }],
  // MiB of an idle history server, as those of Spark and MapReduce have it: not measured.
  memoryMb: { MASTER: 180 },
  setup,
  plan,
};

function plan(facts: NodeFacts): EnginePlan {
  const at = flinkPlaces(facts);
  const isMaster = facts.role === "MASTER";
  return {
    base: [
      ...commands.map((name) => command(facts, name, join(at.home, "bin", name))),
      link("/usr/lib/flink", at.home),
      link("/etc/flink/conf", at.conf),
      ...logLinks(at.logs),
    ],
    files: files(facts),
    daemons: isMaster ? [historyServer(facts)] : [],
    tasks: isMaster ? [folders(facts)] : [],
    saves: [],
    env: {
      FLINK_HOME: at.home,
      FLINK_CONF_DIR: at.conf,
      FLINK_LOG_DIR: at.logs,
      HOWDAH_FLINK_CLASSPATH: at.classPathFile,
      ...(at.archive && { HOWDAH_FLINK_ARCHIVE: at.archive }),
    },
    path: [join(at.home, "bin")],
    logs: [{ from: at.logs, to: "node/{i}/applications/flink" }],
  };
}

function files(facts: NodeFacts): ManifestFile[] {
  const at = flinkPlaces(facts);
  const own = (classification: string) => propertiesOf(facts.configurations, classification);
  return [
    { path: join(at.conf, "flink-conf.yaml"), content: flinkConfFile(flinkConf(facts)) },
    { path: join(at.conf, "log4j.properties"), content: log4jProperties(own("flink-log4j")) },
    { path: join(at.conf, "log4j-cli.properties"), content: cliLog4jProperties(own("flink-log4j-cli")) },
    { path: join(at.conf, "log4j-session.properties"), content: sessionLog4jProperties(own("flink-log4j-session")) },
    { path: at.classPathFile, content: `${at.classPath.join(":")}\n` },
  ];
}

/** In HDFS, before a job ends that would leave its archive there. */
function folders({ cluster }: NodeFacts): Task {
  // A published package has it as JavaScript, like this file.
  const script = join(import.meta.dirname, "..", "hadoop", `hdfs-folders${extname(import.meta.filename)}`);
  const url = `http://${cluster.master.address}:${hadoopPorts.nameNodeWeb}`;
  const all = ["/var=hadoop:755", "/var/log=hadoop:755", "/var/log/flink=hadoop:755", `${archiveFolder}=hadoop:1777`];
  return { name: foldersName, after: nameNodeName, argv: [process.execPath, script, url, ...all], gate: true };
}

function historyServer(facts: NodeFacts): Daemon {
  const { cluster, address, layout } = facts;
  const at = flinkPlaces(facts);
  const file = `flink-flink-historyserver-ip-${address.replaceAll(".", "-")}`;
  const argv = daemonArgv(facts, {
    mainClass: "org.apache.flink.runtime.webmonitor.history.HistoryServer",
    jars: at.classPath,
    folders: [hadoopPlaces(layout).conf, ...jarsBehind(facts)],
    archive: at.archive,
    heapMb: 256,
    options: [
      ...javaOptions,
      `-Dproc_${historyServerName}`,
      `-Dlog.file=${join(at.logs, `${file}.log`)}`,
      `-Dlog4j.configurationFile=file:${join(at.conf, "log4j.properties")}`,
    ],
  });
  const port = Number(flinkConf(facts)["historyserver.web.port"]);
  return {
    name: historyServerName,
    argv: [...argv, "--configDir", at.conf],
    env: { FLINK_CONF_DIR: at.conf },
    cwd: layout.root,
    log: join(at.logs, `${file}.out`),
    ready: [{ tcp: { host: cluster.master.address, port } }],
    after: [foldersName],
    gate: false,
  };
}
