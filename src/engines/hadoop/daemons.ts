/** Hadoop's daemons of a node, by EMR's service names. */
import { join } from "node:path";
import type { Daemon, Probe } from "../../agent/manifest.ts";
import type { NodeFacts } from "../engine.ts";
import { daemonArgv } from "../jvm.ts";
import { ports } from "../ports.ts";
import { exportsOf, propertiesOf } from "../settings.ts";
import { addedJars, hadoopPlaces } from "./places.ts";
import { dataNodeCount, hasDataNode, hasNodeManager, nodeManagerCount } from "./roles.ts";

interface DaemonKind {
  name: string;
  mainClass: string;
  logs: "hdfsLogs" | "yarnLogs" | "mapredLogs";
  heapMb: number;
  /** Variables of hadoop-env that EMR reads for this daemon's heap (MB) and options. */
  heapVariable: string;
  optionsVariable: string;
}

const kinds = {
  nameNode: {
    name: "hadoop-hdfs-namenode",
    mainClass: "org.apache.hadoop.hdfs.server.namenode.NameNode",
    logs: "hdfsLogs",
    heapMb: 256,
    heapVariable: "HADOOP_NAMENODE_HEAPSIZE",
    optionsVariable: "HADOOP_NAMENODE_OPTS",
  },
  dataNode: {
    name: "hadoop-hdfs-datanode",
    mainClass: "org.apache.hadoop.hdfs.server.datanode.DataNode",
    logs: "hdfsLogs",
    heapMb: 192,
    heapVariable: "HADOOP_DATANODE_HEAPSIZE",
    optionsVariable: "HADOOP_DATANODE_OPTS",
  },
  resourceManager: {
    name: "hadoop-yarn-resourcemanager",
    mainClass: "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager",
    logs: "yarnLogs",
    heapMb: 256,
    heapVariable: "YARN_RESOURCEMANAGER_HEAPSIZE",
    optionsVariable: "YARN_RESOURCEMANAGER_OPTS",
  },
  nodeManager: {
    name: "hadoop-yarn-nodemanager",
    mainClass: "org.apache.hadoop.yarn.server.nodemanager.NodeManager",
    logs: "yarnLogs",
    heapMb: 192,
    heapVariable: "YARN_NODEMANAGER_HEAPSIZE",
    optionsVariable: "YARN_NODEMANAGER_OPTS",
  },
  jobHistory: {
    name: "hadoop-mapreduce-historyserver",
    mainClass: "org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer",
    logs: "mapredLogs",
    heapMb: 192,
    heapVariable: "HADOOP_JOB_HISTORYSERVER_HEAPSIZE",
    optionsVariable: "HADOOP_JOB_HISTORYSERVER_OPTS",
  },
} as const satisfies Record<string, DaemonKind>;

export const nameNodeName = kinds.nameNode.name;
export const resourceManagerName = kinds.resourceManager.name;

export function hadoopDaemons(facts: NodeFacts): Daemon[] {
  const { cluster, role, address } = facts;
  const daemons: Daemon[] = [];
  if (role === "MASTER") {
    daemons.push(daemon(facts, kinds.nameNode, nameNodeReady(facts)));
    daemons.push(daemon(facts, kinds.resourceManager, resourceManagerReady(facts)));
  }
  if (hasDataNode(facts)) daemons.push(daemon(facts, kinds.dataNode, [tcp(address, ports.dataNode), tcp(address, ports.dataNodeIpc)]));
  if (hasNodeManager(facts)) daemons.push(daemon(facts, kinds.nodeManager, [tcp(address, ports.nodeManager)]));
  if (role === "MASTER") {
    const history = daemon(facts, kinds.jobHistory, [tcp(cluster.master.address, ports.jobHistory)]);
    daemons.push({ ...history, after: [nameNodeName, resourceManagerName], gate: false });
  }
  return daemons;
}

const tcp = (host: string, port: number): Probe => ({ tcp: { host, port } });

/** Out of safe mode, with a DataNode for every core node. */
function nameNodeReady({ cluster }: NodeFacts): Probe[] {
  const url = `http://${cluster.master.address}:${ports.nameNodeWeb}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState`;
  return [
    { http: { url, path: ["beans", 0, "FSState"], equals: "Operational" } },
    { http: { url, path: ["beans", 0, "NumLiveDataNodes"], atLeast: dataNodeCount(cluster) } },
  ];
}

function resourceManagerReady({ cluster }: NodeFacts): Probe[] {
  const url = `http://${cluster.master.address}:${ports.resourceManagerWeb}/ws/v1/cluster/metrics`;
  return [{ http: { url, path: ["clusterMetrics", "activeNodes"], atLeast: nodeManagerCount(cluster) } }];
}

function daemon(facts: NodeFacts, kind: DaemonKind, ready: Probe[]): Daemon {
  const { installation, layout } = facts;
  const at = hadoopPlaces(layout);
  const folder = at[kind.logs];
  const file = `${kind.name}-ip-${facts.address.replaceAll(".", "-")}`;
  const variables = exportsOf(facts.configurations, "hadoop-env");
  const argv = daemonArgv(facts, {
    mainClass: kind.mainClass,
    jars: installation.hadoop.classPath,
    folders: [at.conf, `${addedJars}/*`],
    archive: installation.hadoop.archive,
    heapMb: Number(variables[kind.heapVariable]) || kind.heapMb,
    options: [
      `-Dproc_${kind.name}`,
      `-Dhadoop.home.dir=${installation.hadoop.home}`,
      `-Dhadoop.log.dir=${folder}`,
      `-Dyarn.log.dir=${folder}`,
      `-Dhadoop.log.file=${file}.log`,
      "-Dhadoop.root.logger=INFO,RFA",
      ...words(variables.HADOOP_OPTS),
      ...words(variables[kind.optionsVariable]),
    ],
  });
  return { name: kind.name, argv, env: plain(variables), cwd: layout.root, log: join(folder, `${file}.out`), ready, gate: true };
}

/** Options of *_OPTS without the `$HADOOP_OPTS` that EMR's examples begin with: there is no shell to expand it. */
const words = (text = "") => text.split(/\s+/).filter((word) => word !== "" && !word.startsWith("$"));

/** Variables that mean the same without a shell. */
function plain(variables: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => !value.includes("$")));
}

/** Where the user moved a folder that the set-up image would be written to, HDFS starts from there. */
export function nameFolder(facts: NodeFacts): string {
  const given = propertiesOf(facts.configurations, "hdfs-site")["dfs.namenode.name.dir"];
  return (given ?? hadoopPlaces(facts.layout).name)
    .split(",")[0]!
    .trim()
    .replace(/^file:\/\//, "");
}
