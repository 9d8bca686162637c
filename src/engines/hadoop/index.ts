/** Hadoop: HDFS, YARN and MapReduce. On every cluster, as on EMR. */
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { credentialsUrl } from "../../agent/layout.ts";
import { domainOf } from "../../agent/node-record.ts";
import type { Decommission, ManifestFile, Save, Task } from "../../agent/manifest.ts";
import type { Engine, EnginePlan, NodeFacts } from "../engine.ts";
import { hdfsPath, savedHistory, saveOf } from "../history/saves.ts";
import { ports } from "./ports.ts";
import { exportLines, exportsOf, propertiesOf, siteXml } from "../settings.ts";
import { hadoopBase } from "./base.ts";
import { hadoopDaemons, nameFolder, nameNodeName } from "./daemons.ts";
import type { Wanted } from "./decommission.ts";
import { environmentWarning } from "./environment.ts";
import { containerLog4jProperties, log4jProperties, log4jWarning } from "./log4j.ts";
import { nameImage } from "./name-image.ts";
import { labelStore } from "./node-labels.ts";
import { hadoopPlaces, jarsBehind } from "./places.ts";
import { emrfsWarning } from "./s3.ts";
import { schedulerWarnings } from "./scheduler.ts";
import { excludeProperties, hadoopSites, sitePath } from "./sites.ts";

const environments = ["hadoop-env", "hdfs-env", "yarn-env", "mapred-env"];

const containerStart = readFileSync(join(import.meta.dirname, "container-start.sh"), "utf8");
const containerRole = readFileSync(join(import.meta.dirname, "container-role.sh"), "utf8");

export const hadoop: Engine = {
  name: "Hadoop",
  classifications: [
    { name: "core-site" },
    { name: "hdfs-site", warn: excludeWarning(excludeProperties.hdfs) },
    { name: "yarn-site", warn: excludeWarning(excludeProperties.yarn) },
    { name: "mapred-site" },
    { name: "capacity-scheduler" },
    { name: "hadoop-ssl-server" },
    { name: "hadoop-ssl-client" },
    ...environments.map((name) => ({ name, nestedExport: true, warn: environmentWarning })),
    { name: "hadoop-log4j", warn: log4jWarning },
    { name: "container-log4j" },
    { name: "emrfs-site", warn: emrfsWarning },
  ],
  ports,
  pages: [
    { name: "HDFS NameNode", port: ports.nameNodeWeb },
    { name: "YARN ResourceManager", port: ports.resourceManagerWeb },
    { name: "MapReduce history", port: ports.jobHistoryWeb },
  ],
  warnings: schedulerWarnings,
  plan,
};

function excludeWarning(own: string) {
  return (property: string) =>
    property === own ? `${own} has no effect: the file is written by resizes of the cluster's groups` : undefined;
}

function containerStartOf({ layout, address, cluster }: NodeFacts): string {
  const role = containerRole.replaceAll("@URL@", credentialsUrl(address)).replaceAll("@TOKENS@", layout.stepTokens);
  return containerStart.replaceAll("@WARNINGS@", layout.warnings) + (cluster.hasRuntimeRoles ? role : "");
}

function plan(facts: NodeFacts): EnginePlan {
  const { layout, installation } = facts;
  const at = hadoopPlaces(layout);
  const home = installation.hadoop.home;
  const sites = Object.entries(hadoopSites(facts)).map(([name, properties]) => ({
    path: sitePath(facts, name),
    content: siteXml(properties),
  }));
  const master = facts.role === "MASTER";
  return {
    base: hadoopBase(facts),
    files: [
      ...sites,
      { path: join(at.conf, "log4j.properties"), content: log4jProperties(propertiesOf(facts.configurations, "hadoop-log4j")) },
      ...containerLog4j(facts),
      { path: at.containerStart, content: containerStartOf(facts) },
      ...environments.map((name) => ({ path: join(at.conf, `${name}.sh`), content: environmentFile(facts, name) })),
      ...(master ? [...firstImage(facts), ...labelStore(facts), ...noExcludes(facts)] : []),
    ],
    daemons: hadoopDaemons(facts),
    tasks: master ? [folders(facts)] : [],
    saves: master ? jobHistory(facts) : [],
    ...(master && (facts.cluster.excluded.length > 0 || facts.cluster.gone.length > 0) ? { decommission: decommission(facts) } : {}),
    env: {
      HADOOP_HOME: home,
      HADOOP_COMMON_HOME: home,
      HADOOP_HDFS_HOME: home,
      HADOOP_YARN_HOME: home,
      HADOOP_MAPRED_HOME: home,
      HADOOP_CONF_DIR: at.conf,
      YARN_CONF_DIR: at.conf,
      HADOOP_USER_NAME: "hadoop",
      HADOOP_LOG_DIR: layout.tmp,
      HOWDAH_S3_DIST_CP_JAR: installation.s3DistCp.jar,
      ...(installation.hadoop.archive ? { HOWDAH_HADOOP_ARCHIVE: installation.hadoop.archive } : {}),
    },
    path: [join(home, "bin")],
    logs: [
      { from: at.hdfsLogs, to: "node/{i}/applications/hadoop-hdfs" },
      { from: at.yarnLogs, to: "node/{i}/applications/hadoop-yarn" },
      { from: at.mapredLogs, to: "node/{i}/applications/hadoop-mapreduce" },
      { from: at.userLogs, to: "containers" },
      ...(master ? [{ from: savedHistory(layout).mapReduce, to: "hadoop-mapreduce/history" }] : []),
    ],
  };
}

/** One of `environments`. */
function environmentFile(facts: NodeFacts, name: string): string {
  const lines = exportLines(exportsOf(facts.configurations, name));
  return name === "hadoop-env"
    ? `${lines}export HADOOP_CLASSPATH="\${HADOOP_CLASSPATH:+$HADOOP_CLASSPATH:}${jarsBehind(facts).join(":")}"\n`
    : lines;
}

/** Where it is not given, the one in Hadoop's jar counts, and containers have their class archive: see sites.ts. */
function containerLog4j(facts: NodeFacts): ManifestFile[] {
  const own = propertiesOf(facts.configurations, "container-log4j");
  if (Object.keys(own).length === 0) return [];
  return [{ path: join(hadoopPlaces(facts.layout).conf, "container-log4j.properties"), content: containerLog4jProperties(own) }];
}

function firstImage(facts: NodeFacts): ManifestFile[] {
  const { cluster, installation } = facts;
  const folder = nameFolder(facts);
  return nameImage({ template: installation.hadoop.nameTemplate, folder, clusterId: cluster.id, address: cluster.master.address });
}

/** The history server moves files from the first folder to the second some time after a job's end. */
function jobHistory(facts: NodeFacts): Save[] {
  const site = hadoopSites(facts)["mapred-site.xml"] ?? {};
  const history = `${site["yarn.app.mapreduce.am.staging-dir"]}/history`;
  const folders = [
    site["mapreduce.jobhistory.intermediate-done-dir"] ?? `${history}/done_intermediate`,
    site["mapreduce.jobhistory.done-dir"] ?? `${history}/done`,
  ];
  const inHdfs = folders.map((folder) => hdfsPath(facts, folder)).filter((path) => path !== undefined);
  return inHdfs.length > 0 ? [saveOf(facts, "mapreduce-history", "jobs", savedHistory(facts.layout).mapReduce, inHdfs)] : [];
}

/** YARN and HDFS start with files that are there. */
function noExcludes({ layout }: NodeFacts): ManifestFile[] {
  const at = hadoopPlaces(layout);
  return [
    { path: at.yarnExclude, content: '<?xml version="1.0"?>\n<hosts>\n</hosts>\n', once: true },
    { path: at.hdfsExclude, content: "", once: true },
  ];
}

function decommission({ cluster, layout }: NodeFacts): Decommission {
  const script = join(import.meta.dirname, `decommission${extname(import.meta.filename)}`);
  const at = hadoopPlaces(layout);
  const url = (port: number) => `http://${cluster.master.address}:${port}`;
  const leaving = cluster.leaving.map(({ instanceId: id, address, seconds, role }) => ({
    id,
    address,
    seconds,
    hasBlocks: role === "CORE",
  }));
  const gone = cluster.gone.map(({ instanceId: id, address }) => ({ id, address }));
  const wanted: Wanted = { excluded: cluster.excluded, emptied: cluster.emptied, domain: domainOf(cluster.region), leaving, gone };
  const args = [url(ports.resourceManagerWeb), url(ports.nameNodeWeb), at.yarnExclude, at.hdfsExclude, JSON.stringify(wanted)];
  return { argv: [process.execPath, script, ...args] };
}

/** Folders that EMR makes in HDFS, by WebHDFS: no JVM. */
function folders({ cluster }: NodeFacts): Task {
  // A published package has it as JavaScript, like this file.
  const script = join(import.meta.dirname, `hdfs-folders${extname(import.meta.filename)}`);
  const url = `http://${cluster.master.address}:${ports.nameNodeWeb}`;
  return { name: "hdfs-folders", after: nameNodeName, argv: [process.execPath, script, url], gate: true };
}
