/** Hadoop's daemons of a node, by EMR's service names. */
import { join } from "node:path";
import type { Daemon, Probe } from "../../agent/manifest.ts";
import type { NodeFacts } from "../engine.ts";
import { daemonArgv, withVariables } from "../jvm.ts";
import { ports } from "./ports.ts";
import { propertiesOf } from "../settings.ts";
import { hadoopPlaces } from "./places.ts";
import { awaitedDataNodes, awaitedNodeManagers, hasDataNode, hasNodeManager } from "./roles.ts";

interface DaemonKind {
  name: string;
  mainClass: string;
  logs: "hdfsLogs" | "yarnLogs" | "mapredLogs";
  heapMb: number;
  /** Read after hadoop-env.sh. */
  env: "hdfs-env.sh" | "yarn-env.sh" | "mapred-env.sh";
  /** Its own variables for heap and options, by Hadoop's newer names and by those that EMR and older launchers have. */
  heap: readonly string[];
  options: readonly string[];
}

const kinds = {
  nameNode: {
    name: "hadoop-hdfs-namenode",
    mainClass: "org.apache.hadoop.hdfs.server.namenode.NameNode",
    logs: "hdfsLogs",
    heapMb: 256,
    env: "hdfs-env.sh",
    heap: ["HADOOP_NAMENODE_HEAPSIZE"],
    options: ["HADOOP_NAMENODE_OPTS", "HDFS_NAMENODE_OPTS"],
  },
  dataNode: {
    name: "hadoop-hdfs-datanode",
    mainClass: "org.apache.hadoop.hdfs.server.datanode.DataNode",
    logs: "hdfsLogs",
    heapMb: 192,
    env: "hdfs-env.sh",
    heap: ["HADOOP_DATANODE_HEAPSIZE"],
    options: ["HADOOP_DATANODE_OPTS", "HDFS_DATANODE_OPTS"],
  },
  resourceManager: {
    name: "hadoop-yarn-resourcemanager",
    mainClass: "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager",
    logs: "yarnLogs",
    heapMb: 256,
    env: "yarn-env.sh",
    heap: ["YARN_RESOURCEMANAGER_HEAPSIZE", "YARN_HEAPSIZE"],
    options: ["YARN_OPTS", "YARN_RESOURCEMANAGER_OPTS"],
  },
  nodeManager: {
    name: "hadoop-yarn-nodemanager",
    mainClass: "org.apache.hadoop.yarn.server.nodemanager.NodeManager",
    logs: "yarnLogs",
    heapMb: 192,
    env: "yarn-env.sh",
    heap: ["YARN_NODEMANAGER_HEAPSIZE", "YARN_HEAPSIZE"],
    options: ["YARN_OPTS", "YARN_NODEMANAGER_OPTS"],
  },
  jobHistory: {
    name: "hadoop-mapreduce-historyserver",
    mainClass: "org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer",
    logs: "mapredLogs",
    heapMb: 192,
    env: "mapred-env.sh",
    heap: ["HADOOP_JOB_HISTORYSERVER_HEAPSIZE"],
    options: ["HADOOP_JOB_HISTORYSERVER_OPTS", "MAPRED_HISTORYSERVER_OPTS"],
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
  if (hasNodeManager(facts)) {
    const nodeManager = {
      ...daemon(facts, kinds.nodeManager, [tcp(address, ports.nodeManager)]),
      healthy: {
        url: `http://${address}:${ports.nodeManagerWeb}/ws/v1/node/info`,
        path: ["nodeInfo", "nodeHealthy"],
        why: ["nodeInfo", "healthReport"],
      },
    };
    // Once out of service it ends by itself.
    daemons.push(facts.isLeaving ? { ...nodeManager, mayEnd: true } : nodeManager);
  }
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
    { http: { url, path: ["beans", 0, "NumLiveDataNodes"], atLeast: awaitedDataNodes(cluster) } },
  ];
}

function resourceManagerReady({ cluster }: NodeFacts): Probe[] {
  const url = `http://${cluster.master.address}:${ports.resourceManagerWeb}/ws/v1/cluster/metrics`;
  return [{ http: { url, path: ["clusterMetrics", "activeNodes"], atLeast: awaitedNodeManagers(cluster) } }];
}

function daemon(facts: NodeFacts, kind: DaemonKind, ready: Probe[]): Daemon {
  const { installation, layout } = facts;
  const at = hadoopPlaces(layout);
  const folder = at[kind.logs];
  const file = `${kind.name}-ip-${facts.address.replaceAll(".", "-")}`;
  const argv = daemonArgv(facts, {
    mainClass: kind.mainClass,
    jars: installation.hadoop.classPath,
    // What a user has added (addedJars) comes by HADOOP_CLASSPATH of hadoop-env.sh.
    folders: [at.conf],
    archive: installation.hadoop.archive,
    heapMb: kind.heapMb,
    options: [
      `-Dproc_${kind.name}`,
      `-Dhadoop.home.dir=${installation.hadoop.home}`,
      `-Dhadoop.log.dir=${folder}`,
      `-Dyarn.log.dir=${folder}`,
      `-Dhadoop.log.file=${file}.log`,
      "-Dhadoop.root.logger=INFO,RFA",
    ],
  });
  const variables = {
    files: ["hadoop-env.sh", kind.env].map((name) => join(at.conf, name)),
    heap: [...kind.heap, "HADOOP_HEAPSIZE_MAX", "HADOOP_HEAPSIZE"],
    options: ["HADOOP_OPTS", ...kind.options],
  };
  return { name: kind.name, argv: withVariables(variables, argv), cwd: layout.root, log: join(folder, `${file}.out`), ready, gate: true };
}

/** Where the user moved a folder that the set-up image would be written to, HDFS starts from there. */
export function nameFolder(facts: NodeFacts): string {
  const given = propertiesOf(facts.configurations, "hdfs-site")["dfs.namenode.name.dir"];
  return (given ?? hadoopPlaces(facts.layout).name)
    .split(",")[0]!
    .trim()
    .replace(/^file:\/\//, "");
}
