/** Hive: its metastore (the heart of HCatalog) and HiveServer2 on the master, its commands on every node. */
import { extname, join } from "node:path";
import type { ManifestFile, Task } from "../../agent/manifest.ts";
import type { Engine, EnginePlan, NodeFacts } from "../engine.ts";
import { nameNodeName } from "../hadoop/daemons.ts";
import { ports as hadoopPorts } from "../hadoop/ports.ts";
import { command, link, logLinks } from "../node-base.ts";
import { exportLines, exportsOf, propertiesFile, propertiesOf, siteXml } from "../settings.ts";
import { foldersName, hiveDaemons, memoryMb, metastoreDaemon } from "./daemons.ts";
import { environmentWarning } from "./environment.ts";
import { beelineLog4j2Properties, log4j2Properties } from "./log4j2.ts";
import { hivePlaces, ports } from "./places.ts";
import { setup } from "./setup.ts";
import { binaryOnly, hiveSite, metastoreSite, transportWarning } from "./site.ts";

const commands = ["hive", "beeline", "hive-script"];

export const hive: Engine = {
  name: "Hive",
  commands,
  classifications: [
    { name: "hive-site", warn: transportWarning },
    { name: "hiveserver2-site", warn: transportWarning },
    { name: "hive-env", nestedExport: true, warn: environmentWarning },
    { name: "hive-log4j2" },
    { name: "hive-beeline-log4j2" },
    { name: "hive-exec-log4j2", warn: (property) => `${property} has no effect: Hive's tasks log as their containers do` },
    { name: "hive-parquet-logging" },
    { name: "hcatalog-env", nestedExport: true, warn: environmentWarning },
    { name: "hcatalog-server-proto-hive-site" },
  ],
  ports,
  pages: [{ name: "HiveServer2", port: ports.serverWeb }],
  needs: ["Tez"],
  memoryMb,
  setup,
  plan,
};

function plan(facts: NodeFacts): EnginePlan {
  const at = hivePlaces(facts);
  const master = facts.role === "MASTER";
  return {
    base: [
      ...commands.map((name) => command(facts, name, join(at.home, "bin", name))),
      link("/usr/lib/hive", at.home),
      link("/usr/lib/hive-hcatalog", join(at.home, "hcatalog")),
      link("/etc/hive/conf", at.conf),
      ...logLinks(at.logs),
    ],
    files: files(facts),
    daemons: master ? hiveDaemons(facts) : [],
    tasks: master ? [folders(facts)] : [],
    saves: [],
    env: {
      HIVE_HOME: at.home,
      HIVE_CONF_DIR: at.conf,
      HCAT_HOME: join(at.home, "hcatalog"),
      HOWDAH_HIVE_CLASSPATH: at.classPathFile,
      HOWDAH_HIVE_LOGS: at.userLogs,
      ...(at.archive && { HOWDAH_HIVE_ARCHIVE: at.archive }),
    },
    path: [join(at.home, "bin")],
    logs: [{ from: at.logs, to: "node/{i}/applications/hive" }],
  };
}

/** The metastore alone, for a cluster whose Spark uses the account's catalog. */
export function metastorePlan(facts: NodeFacts): EnginePlan {
  const isMaster = facts.role === "MASTER";
  return {
    base: [],
    files: isMaster ? files(facts) : [],
    daemons: isMaster ? [metastoreDaemon(facts)] : [],
    tasks: isMaster ? [folders(facts)] : [],
    saves: [],
    env: {},
    path: [],
    logs: [{ from: hivePlaces(facts).logs, to: "node/{i}/applications/hive" }],
  };
}

function files(facts: NodeFacts): ManifestFile[] {
  const at = hivePlaces(facts);
  const own = (classification: string) => propertiesOf(facts.configurations, classification);
  const ofMetastore = metastoreSite(facts);
  const whereGiven = (classification: string, path: string, content: typeof siteXml) =>
    Object.keys(own(classification)).length > 0 ? [{ path, content: content(own(classification)) }] : [];
  return [
    { path: join(at.conf, "hive-site.xml"), content: siteXml(hiveSite(facts)) },
    { path: join(at.conf, "hive-env.sh"), content: exportLines(exportsOf(facts.configurations, "hive-env")) },
    { path: join(at.conf, "hive-log4j2.properties"), content: log4j2Properties(own("hive-log4j2")) },
    { path: join(at.conf, "beeline-log4j2.properties"), content: beelineLog4j2Properties(own("hive-beeline-log4j2")) },
    { path: join(at.conf, "parquet-logging.properties"), content: propertiesFile({ ".level": "WARNING", ...own("hive-parquet-logging") }) },
    { path: at.classPathFile, content: `${at.classPath.join(":")}\n` },
    ...whereGiven("hiveserver2-site", join(at.conf, "hiveserver2-site.xml"), (own) => siteXml(binaryOnly(own))),
    // What the metastore alone reads.
    { path: join(at.metastoreConf, "hcatalog-env.sh"), content: exportLines(exportsOf(facts.configurations, "hcatalog-env")) },
    ...(Object.keys(ofMetastore).length > 0
      ? [{ path: join(at.metastoreConf, "hive-site.xml"), content: siteXml({ ...hiveSite(facts), ...ofMetastore }) }]
      : []),
  ];
}

/** In HDFS, before HiveServer2 or anybody makes them with modes of their own. */
function folders({ cluster }: NodeFacts): Task {
  // A published package has it as JavaScript, like this file.
  const script = join(import.meta.dirname, "..", "hadoop", `hdfs-folders${extname(import.meta.filename)}`);
  const url = `http://${cluster.master.address}:${hadoopPorts.nameNodeWeb}`;
  const all = ["/tmp=hadoop:1777", "/tmp/hive=hive:1777", "/user=hadoop:755", "/user/hive=hive:755"];
  const argv = [process.execPath, script, url, ...all, "/user/hive/warehouse=hive:1777", "/user/hive/jars=hive:1777"];
  return { name: foldersName, after: nameNodeName, argv, gate: true };
}
