/** hbase-site.xml of a node, and what the classification `hbase` means for it. */
import { join } from "node:path";
import type { Configuration, NodeFacts } from "../engine.ts";
import { ports as hadoopPorts } from "../hadoop/ports.ts";
import { dataNodeCount } from "../hadoop/roles.ts";
import { type Properties, propertiesOf } from "../settings.ts";
import { zookeeperQuorum } from "../zookeeper/index.ts";
import { ports } from "./places.ts";

const rootOf = (configurations: readonly Configuration[]): string | undefined =>
  propertiesOf(configurations, "hbase-site")["hbase.rootdir"];

/** Its tables are in S3, and outlive it. */
export const isStored = (configurations: readonly Configuration[]): boolean => /^s3[an]?:/.test(rootOf(configurations) ?? "");

const storageMode = "hbase.emr.storageMode";

export function hbaseWarning(property: string, value: string): string | undefined {
  if (property !== storageMode) return `${property} has no effect: read replica clusters and EMR's WAL service are not in Howdah`;
  return ["s3", "hdfs"].includes(value.toLowerCase()) ? undefined : `${storageMode} is s3 or hdfs, not '${value}'`;
}

/** The mode says where the root is, and so does the root. */
export function storageWarnings(configurations: readonly Configuration[]): string[] {
  const mode = propertiesOf(configurations, "hbase")[storageMode]?.toLowerCase();
  const root = rootOf(configurations);
  if (mode === "s3" && !isStored(configurations))
    return [
      `hbase: ${storageMode} is s3, but hbase.rootdir of hbase-site is ${root ?? "not given"}: tables are in HDFS. Give it as s3://BUCKET/FOLDER`,
    ];
  if (mode !== "s3" && isStored(configurations))
    return [`hbase: hbase.rootdir of hbase-site is ${root}, so tables are in S3, as with ${storageMode} s3`];
  return [];
}

export function hbaseSite(facts: NodeFacts): Properties {
  const { cluster, address, layout, configurations } = facts;
  const zookeeper = zookeeperQuorum(facts);
  const hdfs = `hdfs://${cluster.master.address}:${hadoopPorts.nameNode}`;
  return {
    "hbase.cluster.distributed": "true",
    "hbase.rootdir": `${hdfs}/user/hbase`,
    ...(isStored(configurations) ? storedSite(hdfs) : {}),
    "hbase.tmp.dir": join(layout.tmp, "hbase"),
    "hbase.zookeeper.quorum": zookeeper.host,
    "hbase.zookeeper.property.clientPort": String(zookeeper.port),
    // Names are the nodes' own: by its address each is known to all, and to this host.
    "hbase.master.hostname": cluster.master.address,
    "hbase.unsafe.regionserver.hostname": address,
    "hbase.master.ipc.address": address,
    "hbase.regionserver.ipc.address": address,
    "hbase.master.info.bindAddress": address,
    "hbase.regionserver.info.bindAddress": address,
    "hbase.rest.host": address,
    "hbase.rest.port": String(ports.rest),
    "hbase.rest.info.bindAddress": address,
    "hbase.thrift.info.bindAddress": address,
    // Regions are given out as soon as every region server is there, after this long to those that are.
    "hbase.master.wait.on.regionservers.maxtostart": String(dataNodeCount(cluster)),
    "hbase.master.wait.on.regionservers.timeout": "4500",
    "hbase.regionserver.msginterval": String(Math.round(1000 * Math.max(1, cluster.nodes.length / 20))),
    ...propertiesOf(configurations, "hbase-site"),
  };
}

/** What is not yet in tables' files stays in HDFS, as on EMR. Files are listed where they are: in S3, to rename one is to copy it. */
const storedSite = (hdfs: string): Properties => ({
  "hbase.wal.dir": `${hdfs}/user/hbase/WAL`,
  "hbase.store.file-tracker.impl": "FILE",
});
