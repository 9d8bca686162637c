/** spark-defaults.conf as EMR makes it: sizes by the core nodes' instance type, dynamic allocation, the event log in HDFS. */
import type { InstanceType } from "../../releases/instance-types.ts";
import type { ClusterFacts, NodeFacts } from "../engine.ts";
import type { NodeRole } from "../../agent/manifest.ts";
import { hasNodeManager } from "../hadoop/roles.ts";
import { isCapacity } from "../hadoop/scheduler.ts";
import { ports as hadoopPorts } from "../hadoop/ports.ts";
import { exportsOf, type Properties, propertiesOf } from "../settings.ts";

/** Of the history server's pages, as on an EMR node. */
export const historyPort = 18080;

/** EMR's spark.yarn.executor.memoryOverheadFactor. */
const overheadFactor = 0.1875;
/** EMR leaves this part of a node's YARN memory to application masters: 9486M executors on m5.xlarge follow from it. */
const executorShare = 11 / 12;
const coresPerExecutor = 4;

/** The smallest type of the nodes that `isCounted`; of all nodes where none is. */
function smallest(cluster: ClusterFacts, isCounted: (role: NodeRole) => boolean): InstanceType {
  const counted = cluster.nodes.filter(({ role }) => isCounted(role));
  const types = (counted.length > 0 ? counted : cluster.nodes).map((node) => node.instanceType);
  return types.reduce((a, b) => (b.yarn.nodeMemoryMb < a.yarn.nodeMemoryMb ? b : a));
}

/** The nodes that run containers. */
const workersOf = (cluster: ClusterFacts) => cluster.nodes.filter(({ role }) => hasNodeManager({ cluster, role }));

/** A driver of 2048M in cluster mode, with its overhead of at least 384 MB. */
const driverContainerMb = 2432;

const heapOf = (containerMb: number) => Math.ceil(containerMb / (1 + overheadFactor));

/**
 * Heap (MB) and cores of an executor, where `perNode` of them share a node. Where only one node has room for one, a driver in cluster mode, which may
 * come to be there, must fit beside it: EMR's own size leaves no room for both, and such a job waits for ever.
 */
function executorSize({ cluster, configurations }: NodeFacts, type: InstanceType, perNode: number): { memoryMb: number; cores: number } {
  const { nodeMemoryMb } = type.yarn;
  const container = (nodeMemoryMb * executorShare) / perNode;
  const beside = nodeMemoryMb - driverContainerMb;
  const holders = workersOf(cluster).filter(({ instanceType }) => instanceType.yarn.nodeMemoryMb >= container);
  const isAlone = holders.length === 1 && beside >= driverContainerMb;
  // Only schedulers other than the capacity scheduler count cores.
  const driverCores = isAlone && !isCapacity(propertiesOf(configurations, "yarn-site")) ? 1 : 0;
  return {
    memoryMb: heapOf(isAlone ? Math.min(container, beside / perNode) : container),
    cores: Math.max(1, Math.floor((type.vcpu - driverCores) / perNode)),
  };
}

function sizes(facts: NodeFacts): Properties {
  if (propertiesOf(facts.configurations, "spark")["maximizeResourceAllocation"] === "true") return maximized(facts);
  // EMR takes the core group's type; a single node's is the master's.
  const type = smallest(facts.cluster, (role) => role === "CORE");
  const { memoryMb, cores } = executorSize(facts, type, Math.max(1, Math.round(type.vcpu / coresPerExecutor)));
  return { "spark.executor.memory": `${memoryMb}M`, "spark.executor.cores": String(cores), "spark.driver.memory": "2048M" };
}

/**
 * EMR's maximizeResourceAllocation ("Configure Spark", EMR release guide): an executor as large as the smallest core or task node, one for each of
 * these nodes, unless the user has turned dynamic allocation on; a driver as large as the smaller of master and core allows, for it may run on
 * either; twice as many partitions as YARN has cores.
 */
function maximized(facts: NodeFacts): Properties {
  const { cluster, configurations } = facts;
  const executor = executorSize(
    facts,
    smallest(cluster, (role) => role !== "MASTER"),
    1,
  );
  const driver = smallest(cluster, (role) => role !== "TASK").yarn.nodeMemoryMb * executorShare;
  const workers = workersOf(cluster);
  const cores = workers.reduce((sum, { instanceType }) => sum + instanceType.vcpu, 0);
  const isDynamic = propertiesOf(configurations, "spark-defaults")["spark.dynamicAllocation.enabled"] === "true";
  return {
    "spark.executor.memory": `${executor.memoryMb}M`,
    "spark.executor.cores": String(executor.cores),
    // Where one node runs all containers, executorSize has left room for a driver of this size.
    "spark.driver.memory": workers.length === 1 ? "2048M" : `${heapOf(driver)}M`,
    "spark.default.parallelism": String(2 * cores),
    ...(isDynamic ? {} : { "spark.executor.instances": String(workers.length), "spark.dynamicAllocation.enabled": "false" }),
  };
}

const ipv4 = "-Djava.net.preferIPv4Stack=true";

/**
 * Where applications write their event logs, and where the history server reads them: a user who moves one (`spark.eventLog.dir` or
 * `spark.history.fs.logDirectory`) means both.
 */
export function eventLogFolders({ cluster, configurations }: Pick<NodeFacts, "cluster" | "configurations">): {
  written: string;
  read: string;
} {
  const own = propertiesOf(configurations, "spark-defaults");
  const [written, read] = [own["spark.eventLog.dir"], own["spark.history.fs.logDirectory"]];
  const usual = `hdfs://${cluster.master.address}:${hadoopPorts.nameNode}${usualEventLogs}`;
  return { written: written ?? read ?? usual, read: read ?? written ?? usual };
}

/** In HDFS, as on EMR. */
export const usualEventLogs = "/var/log/spark/apps";

/** Without users' own settings. */
function emrDefaults(facts: NodeFacts): Properties {
  const { cluster, installation } = facts;
  const { home } = installation.spark;
  // By PATH: each node's is in its own folder. The way that EMR's documentation shows to choose one; these properties would win over the variable.
  const python = exportsOf(facts.configurations, "spark-env").PYSPARK_PYTHON ?? "python3";
  const eventLog = eventLogFolders(facts);
  return {
    "spark.master": "yarn",
    "spark.submit.deployMode": "client",
    "spark.yarn.jars": `local:${home}/jars/*`,
    "spark.yarn.historyServer.address": `${cluster.master.address}:${historyPort}`,
    "spark.eventLog.enabled": "true",
    "spark.eventLog.dir": eventLog.written,
    "spark.history.fs.logDirectory": eventLog.read,
    "spark.history.fs.update.interval": "5s",
    "spark.history.ui.port": String(historyPort),
    // There is no external shuffle service: executors that hold shuffle files are kept instead.
    "spark.shuffle.service.enabled": "false",
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.shuffleTracking.enabled": "true",
    // Executors on a node that is to leave get no new tasks, hand what they hold to others, and end.
    "spark.decommission.enabled": "true",
    "spark.storage.decommission.enabled": "true",
    "spark.storage.decommission.shuffleBlocks.enabled": "true",
    "spark.storage.decommission.rddBlocks.enabled": "true",
    // An executor that has handed over all that it held ends by the second look after that: Spark's own are 30 s apart.
    "spark.storage.decommission.replicationReattemptInterval": "5s",
    "spark.executor.memoryOverheadFactor": String(overheadFactor),
    "spark.driver.memoryOverheadFactor": String(overheadFactor),
    "spark.sql.warehouse.dir": "hdfs:///user/spark/warehouse",
    "spark.hadoop.yarn.timeline-service.enabled": "false",
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
    "spark.hadoop.mapreduce.fileoutputcommitter.cleanup-failures.ignored": "true",
    "spark.sql.sources.commitProtocolClass": "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
    "spark.sql.parquet.output.committer.class": "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter",
    "spark.pyspark.python": python,
    "spark.yarn.appMasterEnv.PYSPARK_PYTHON": python,
    "spark.executorEnv.PYSPARK_PYTHON": python,
    "spark.driver.defaultJavaOptions": ipv4,
    "spark.executor.defaultJavaOptions": ipv4,
    // In client mode the application master only asks for containers: what the second compiler would make of it never pays.
    "spark.yarn.am.extraJavaOptions": `-XX:+UseSerialGC -XX:TieredStopAtLevel=1 ${ipv4}`,
    // A small job's time is mostly waiting for the next look: EMR's clusters look once a second.
    "spark.yarn.report.interval": "200ms",
    "spark.yarn.report.loggingFrequency": "100",
    "spark.yarn.scheduler.heartbeat.interval-ms": "1000",
    "spark.yarn.scheduler.initial-allocation.interval": "100ms",
    ...sizes(facts),
  };
}

export function sparkDefaults(facts: NodeFacts): Properties {
  return { ...emrDefaults(facts), ...propertiesOf(facts.configurations, "spark-defaults") };
}

/** spark-defaults.conf: a name, blanks, and the rest of the line. */
export function sparkDefaultsFile(properties: Properties): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");
}
