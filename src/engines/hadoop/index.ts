/** Hadoop: HDFS, YARN and MapReduce. On every cluster, as on EMR. */
import { extname, join } from "node:path";
import type { ManifestFile, Task } from "../../agent/manifest.ts";
import type { Engine, EnginePlan, NodeFacts } from "../engine.ts";
import { ports } from "../ports.ts";
import { exportLines, exportsOf, siteXml } from "../settings.ts";
import { hadoopBase } from "./base.ts";
import { hadoopDaemons, nameFolder, nameNodeName } from "./daemons.ts";
import { log4jProperties } from "./log4j.ts";
import { nameImage } from "./name-image.ts";
import { addedJars, hadoopPlaces } from "./places.ts";
import { emrfsWarning } from "./s3.ts";
import { hadoopSites, sitePath } from "./sites.ts";

export const hadoop: Engine = {
  name: "Hadoop",
  classifications: [
    { name: "core-site" },
    { name: "hdfs-site" },
    { name: "yarn-site" },
    { name: "mapred-site" },
    { name: "capacity-scheduler" },
    { name: "hadoop-env", nestedExport: true },
    { name: "emrfs-site", warn: emrfsWarning },
  ],
  plan,
};

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
      { path: join(at.conf, "log4j.properties"), content: log4jProperties },
      { path: join(at.conf, "hadoop-env.sh"), content: hadoopEnv(exportsOf(facts.configurations, "hadoop-env")) },
      ...(master ? firstImage(facts) : []),
    ],
    daemons: hadoopDaemons(facts),
    tasks: master ? [folders(facts)] : [],
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
    ],
  };
}

function hadoopEnv(variables: Record<string, string>): string {
  return `${exportLines(variables)}export HADOOP_CLASSPATH="\${HADOOP_CLASSPATH:+$HADOOP_CLASSPATH:}${addedJars}/*"\n`;
}

function firstImage(facts: NodeFacts): ManifestFile[] {
  const { cluster, installation } = facts;
  const folder = nameFolder(facts);
  return nameImage({ template: installation.hadoop.nameTemplate, folder, clusterId: cluster.id, address: cluster.master.address });
}

/** Folders that EMR makes in HDFS, by WebHDFS: no JVM. */
function folders({ cluster }: NodeFacts): Task {
  // A published package has it as JavaScript, like this file.
  const script = join(import.meta.dirname, `hdfs-folders${extname(import.meta.filename)}`);
  const url = `http://${cluster.master.address}:${ports.nameNodeWeb}`;
  return { name: "hdfs-folders", after: nameNodeName, argv: [process.execPath, script, url], gate: true };
}
