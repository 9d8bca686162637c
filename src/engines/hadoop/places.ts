/** Where Hadoop's own things are on a node. */
import { join } from "node:path";
import type { NodeLayout } from "../../agent/layout.ts";
import type { NodeFacts } from "../engine.ts";

/** End of every class path of Hadoop: jars that a user has put into /usr/lib/hadoop/lib. Degree plain has no such folder. */
export const addedJars = "/usr/share/howdah/hadoop-lib";

/** Whatever comes behind Hadoop's own jars. */
export const jarsBehind = (facts: NodeFacts): string[] => [`${addedJars}/*`, ...emrfsJar(facts)];

/** For S3A on clusters with role mappings: see s3.ts. */
export const emrfsJar = ({ cluster, installation }: Pick<NodeFacts, "cluster" | "installation">): string[] =>
  cluster.hasEmrfsRoles ? [installation.emrfs.jar] : [];

/** Of each volume, EMR's /mnt/hdfs, /mnt1/hdfs, … and /mnt/yarn, /mnt1/yarn, … */
export const blockFolders = ({ volumes }: Pick<NodeFacts, "volumes">): string[] =>
  volumes.map(({ folder }) => join(folder, "hdfs", "datanode"));
export const yarnFolders = ({ volumes }: Pick<NodeFacts, "volumes">): string[] => volumes.map(({ folder }) => join(folder, "yarn"));

export function hadoopPlaces(layout: NodeLayout) {
  return {
    conf: join(layout.conf, "hadoop"),
    /** Nodes that YARN and HDFS may not use; decommission.ts writes them. */
    yarnExclude: join(layout.conf, "hadoop", "yarn.exclude.xml"),
    hdfsExclude: join(layout.conf, "hadoop", "dfs.exclude"),
    name: join(layout.data, "hdfs", "namenode"),
    tmp: join(layout.tmp, "hadoop"),
    /** Sourced when a container starts. */
    containerStart: join(layout.conf, "hadoop", "container-start.sh"),
    /** What the ResourceManager and a NodeManager find again when they were killed: of one run of the node, for its steps end with it. */
    resourceManagerState: join(layout.volatile, "resourcemanager"),
    nodeManagerState: join(layout.volatile, "nodemanager"),
    hdfsLogs: join(layout.logs, "hadoop-hdfs"),
    yarnLogs: join(layout.logs, "hadoop-yarn"),
    mapredLogs: join(layout.logs, "hadoop-mapreduce"),
    /** Of containers: application_…/container_…/stdout. */
    userLogs: join(layout.logs, "userlogs"),
  };
}
