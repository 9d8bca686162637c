/** Hadoop's configuration of a node: defaults of EMR for the instance type, addresses, intervals that suit a cluster of this size. */
import { join } from "node:path";
import { heapOption } from "../../releases/instance-types.ts";
import type { ClusterFacts, NodeFacts } from "../engine.ts";
import { ports } from "./ports.ts";
import { type Properties, propertiesOf } from "../settings.ts";
import { roleVariable } from "../step-command.ts";
import { labelProperties, labelQueues } from "./node-labels.ts";
import { blockFolders, hadoopPlaces, jarsBehind, yarnFolders } from "./places.ts";
import { dataNodeCount, defaultReplication } from "./roles.ts";
import { fromEmrfs, s3Properties } from "./s3.ts";
import { hasNodeLabels } from "./scheduler.ts";

/** Variables of the NodeManager that containers have too. */
const containerVariables = [
  "JAVA_HOME",
  "HOWDAH_JVM",
  "HADOOP_COMMON_HOME",
  "HADOOP_HDFS_HOME",
  "HADOOP_YARN_HOME",
  "HADOOP_MAPRED_HOME",
  "HADOOP_HOME",
  "HADOOP_CONF_DIR",
  "CLASSPATH_PREPEND_DISTCACHE",
  "PATH",
  "LANG",
  "TZ",
  "LD_PRELOAD",
  "PYSPARK_PYTHON",
  "SPARK_LOCAL_IP",
  "SPARK_HOME",
  "SPARK_CONF_DIR",
  "AWS_ENDPOINT_URL",
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "HOWDAH_NODE_IP",
  "HOWDAH_NODE_NAME",
  "HOWDAH_NODE_DOMAIN",
  "HOWDAH_NODE",
  "HOWDAH_OWNER",
  "HOWDAH_HADOOP_ARCHIVE",
];

/** Short intervals make a small cluster quick; with many nodes they would keep the master busy. `base` is for up to 20 nodes. */
function scaled(cluster: ClusterFacts, base: number): number {
  return Math.round(base * Math.max(1, cluster.nodes.length / 20));
}

/** EMR's users, whatever the machine knows of them: `hdfs` and `hadoop` are HDFS's superusers. */
const groups = ["hdfs", "hadoop", "yarn", "mapred", "spark", "hive", "hbase", "root"]
  .map((user) => `${user}=${["hdfs", "hadoop"].includes(user) ? `${user},hadoop,hdfsadmingroup` : `${user},hadoop`}`)
  .concat("dr.who=")
  .join(";");

function coreSite(facts: NodeFacts): Properties {
  return {
    "fs.defaultFS": `hdfs://${facts.cluster.master.address}:${ports.nameNode}`,
    "hadoop.tmp.dir": hadoopPlaces(facts.layout).tmp,
    "hadoop.http.staticuser.user": "hadoop",
    "hadoop.user.group.static.mapping.overrides": groups,
    ...Object.fromEntries(["hadoop", "hive"].flatMap((user) => ["hosts", "groups"].map((of) => [`hadoop.proxyuser.${user}.${of}`, "*"]))),
    "io.file.buffer.size": "65536",
    "ipc.client.connect.max.retries.on.timeouts": "5",
    // The default of one second between tries is what a DataNode waits when it is faster than its NameNode.
    "ipc.client.connect.retry.interval": "200",
    "ipc.client.connect.max.retries": "50",
    ...s3Properties(facts),
    ...fromEmrfs(propertiesOf(facts.configurations, "emrfs-site")),
  };
}

function hdfsSite(facts: NodeFacts): Properties {
  const { cluster, address } = facts;
  const at = hadoopPlaces(facts.layout);
  const master = cluster.master.address;
  const blocks = blockFolders(facts);
  return {
    "dfs.namenode.name.dir": `file://${at.name}`,
    "dfs.datanode.data.dir": blocks.map((folder) => `file://${folder}`).join(","),
    "dfs.replication": String(defaultReplication(dataNodeCount(cluster))),
    "dfs.blocksize": "134217728",
    "dfs.permissions.enabled": "true",
    "dfs.permissions.superusergroup": "hdfsadmingroup",
    "dfs.namenode.rpc-address": `${master}:${ports.nameNode}`,
    "dfs.namenode.http-address": `${master}:${ports.nameNodeWeb}`,
    "dfs.datanode.address": `${address}:${ports.dataNode}`,
    "dfs.datanode.http.address": `${address}:${ports.dataNodeWeb}`,
    "dfs.datanode.ipc.address": `${address}:${ports.dataNodeIpc}`,
    "dfs.datanode.hostname": address,
    "dfs.namenode.datanode.registration.ip-hostname-check": "false",
    "dfs.webhdfs.enabled": "true",
    ...Object.fromEntries(
      facts.volumes.map(({ reservedBytes }, index) => [`dfs.datanode.du.reserved.${blocks[index]}`, String(reservedBytes)]),
    ),
    "dfs.heartbeat.interval": `${scaled(cluster, 1)}s`,
    "dfs.namenode.heartbeat.recheck-interval": String(scaled(cluster, 3000)),
    "dfs.namenode.stale.datanode.interval": String(scaled(cluster, 6000)),
    // Nobody writes to a node that may be dead, or reads from it while another has the block.
    "dfs.namenode.avoid.read.stale.datanode": "true",
    "dfs.namenode.avoid.write.stale.datanode": "true",
    // A copy that was ordered of a node just before its death is ordered of another one after a minute, not after five.
    "dfs.namenode.reconstruction.pending.timeout-sec": "60",
    "dfs.namenode.safemode.extension": "0",
    "dfs.namenode.redundancy.interval.seconds": "1s",
    "dfs.namenode.decommission.interval": "1s",
    "dfs.namenode.replication.work.multiplier.per.iteration": "10",
    "dfs.blockreport.initialDelay": "0s",
    "dfs.namenode.handler.count": "16",
    "dfs.client.block.write.replace-datanode-on-failure.best-effort": "true",
  };
}

const capacitySchedulerClass = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.CapacityScheduler";
const asynchronous = "yarn.scheduler.capacity.schedule-asynchronously.enable";

/**
 * The capacity scheduler looks for room by itself, so that nodes need not say ten times a second that nothing is new. Other schedulers, and this
 * one where a user had it so, give out containers only when a node speaks.
 */
function nodeHeartbeatMs({ cluster, configurations }: NodeFacts): number {
  const scheduler = propertiesOf(configurations, "yarn-site")["yarn.resourcemanager.scheduler.class"] ?? capacitySchedulerClass;
  const isAsynchronous = (propertiesOf(configurations, "capacity-scheduler")[asynchronous] ?? capacityScheduler[asynchronous]) === "true";
  const often = scaled(cluster, 100);
  return scheduler === capacitySchedulerClass && isAsynchronous ? Math.max(1000, often) : often;
}

function yarnSite(facts: NodeFacts): Properties {
  const { cluster, address, instanceType, installation } = facts;
  const at = hadoopPlaces(facts.layout);
  const largest = Math.max(...cluster.nodes.map((node) => node.instanceType.yarn.nodeMemoryMb));
  const mostCores = Math.max(...cluster.nodes.map((node) => node.instanceType.vcpu));
  return {
    "yarn.resourcemanager.hostname": cluster.master.address,
    "yarn.resourcemanager.scheduler.class": capacitySchedulerClass,
    "yarn.nodemanager.hostname": address,
    "yarn.nodemanager.address": `${address}:${ports.nodeManager}`,
    "yarn.nodemanager.localizer.address": `${address}:${ports.localizer}`,
    "yarn.nodemanager.webapp.address": `${address}:${ports.nodeManagerWeb}`,
    "yarn.nodemanager.collector-service.address": `${address}:${ports.collector}`,
    "yarn.nodemanager.aux-services": "mapreduce_shuffle",
    // HOME of containers, where `pip install --user` puts its packages.
    "yarn.nodemanager.user-home-dir": facts.layout.home,
    "yarn.nodemanager.local-dirs": yarnFolders(facts).join(","),
    "yarn.nodemanager.log-dirs": at.userLogs,
    "yarn.nodemanager.resource.memory-mb": String(instanceType.yarn.nodeMemoryMb),
    "yarn.nodemanager.resource.cpu-vcores": String(instanceType.vcpu),
    "yarn.scheduler.minimum-allocation-mb": String(instanceType.yarn.minAllocationMb),
    // The fair scheduler's: it rounds up to its own step, 1024 by default, and what fits under the capacity scheduler would wait for ever.
    "yarn.scheduler.increment-allocation-mb": String(instanceType.yarn.minAllocationMb),
    "yarn.scheduler.maximum-allocation-mb": String(largest),
    "yarn.scheduler.maximum-allocation-vcores": String(mostCores),
    // As on EMR: virtual memory is not limited. Physical memory is: a container that outgrows its size is ended there too.
    "yarn.nodemanager.vmem-check-enabled": "false",
    "yarn.nodemanager.pmem-check-enabled": "true",
    // EMR stops using a disk at 90 %. The host's disk is shared with everything else on it: what counts there is what is left.
    "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": facts.hasOwnDisks ? "90" : "100",
    "yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb": facts.hasOwnDisks ? "0" : "1024",
    // Hadoop looks at disks every two minutes, and asks health scripts every ten.
    "yarn.nodemanager.disk-health-checker.interval-ms": "5000",
    "yarn.nodemanager.health-checker.interval-ms": "5000",
    "yarn.nodemanager.env-whitelist": containerVariables.join(","),
    "yarn.application.classpath": [...containerConf(facts), ...installation.hadoop.classPath, ...jarsBehind(facts)].join(","),
    "yarn.log-aggregation-enable": "true",
    "yarn.nodemanager.remote-app-log-dir": "/var/log/hadoop-yarn/apps",
    "yarn.log-aggregation.retain-seconds": "172800",
    "yarn.log.server.url": `http://${cluster.master.address}:${ports.jobHistoryWeb}/jobhistory/logs`,
    "yarn.log.server.web-service.url": `http://${cluster.master.address}:${ports.jobHistoryWeb}/ws/v1/history`,
    // Local container logs go when they are aggregated; the agent needs them a while longer to ship them.
    "yarn.nodemanager.delete.debug-delay-sec": "120",
    "yarn.node-labels.enabled": "false",
    ...labelProperties(facts),
    // Its default is in /tmp, where two clusters of degree plain would meet.
    "yarn.node-attribute.fs-store.root-dir": `file://${at.tmp}/node-attribute`,
    "yarn.timeline-service.enabled": "false",
    // A daemon that was killed goes on with the applications that run: they do not end with it.
    "yarn.resourcemanager.recovery.enabled": "true",
    "yarn.resourcemanager.store.class": "org.apache.hadoop.yarn.server.resourcemanager.recovery.FileSystemRMStateStore",
    "yarn.resourcemanager.fs.state-store.uri": `file://${at.resourceManagerState}`,
    "yarn.resourcemanager.work-preserving-recovery.scheduling-wait-ms": "1000",
    // LevelDB's native part is there for x86 only: elsewhere tasks of a NodeManager that was killed run again.
    "yarn.nodemanager.recovery.enabled": String(process.arch === "x64"),
    "yarn.nodemanager.recovery.dir": at.nodeManagerState,
    "yarn.nodemanager.admin-env": `MALLOC_ARENA_MAX=$MALLOC_ARENA_MAX,BASH_ENV=${at.containerStart}`,
    "yarn.resourcemanager.connect.retry-interval.ms": "500",
    "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": String(nodeHeartbeatMs(facts)),
    "yarn.nm.liveness-monitor.expiry-interval-ms": String(scaled(cluster, 10_000)),
    "yarn.resourcemanager.nm.liveness-monitor.interval-ms": "1000",
    "yarn.nodemanager.container-monitor.interval-ms": "1000",
    "yarn.client.application-client-protocol.poll-interval-ms": "100",
    "yarn.resourcemanager.nodemanager-graceful-decommission-timeout-secs": "3600",
    // Who starts a container on a node that is lost gives up after a minute, not after three; a NodeManager that was killed is back sooner.
    "yarn.client.nodemanager-connect.max-wait-ms": "60000",
    "yarn.client.nodemanager-connect.retry-interval-ms": "1000",
  };
}

/**
 * A user's container-log4j.properties must come before the one in Hadoop's jar. As `/.`, so that the nodes' `java` (engines/java) does not take
 * the folder for one that may come behind the jars: such containers do without their class archive.
 */
const containerConf = ({ configurations }: NodeFacts) =>
  Object.keys(propertiesOf(configurations, "container-log4j")).length > 0 ? ["$HADOOP_CONF_DIR/."] : [];

/** Tasks are short: the serial collector starts at once. C2 stays on, unlike for daemons. */
const taskOptions = (heap: string) => `${heap} -XX:+UseSerialGC -Xms64m -Djava.net.preferIPv4Stack=true`;

function mapredSite(facts: NodeFacts): Properties {
  const { cluster, instanceType, installation } = facts;
  const { yarn } = instanceType;
  const master = cluster.master.address;
  return {
    "mapreduce.framework.name": "yarn",
    "mapreduce.application.classpath": [...installation.hadoop.classPath, ...jarsBehind(facts)].join(","),
    "mapreduce.jobhistory.address": `${master}:${ports.jobHistory}`,
    "mapreduce.jobhistory.admin.address": `${master}:${ports.jobHistoryAdmin}`,
    "mapreduce.jobhistory.webapp.address": `${master}:${ports.jobHistoryWeb}`,
    "yarn.app.mapreduce.am.staging-dir": "/tmp/hadoop-yarn/staging",
    "yarn.app.mapreduce.am.resource.mb": String(yarn.amMemoryMb),
    "yarn.app.mapreduce.am.command-opts": taskOptions(heapOption(yarn.amMemoryMb)),
    "mapreduce.map.memory.mb": String(yarn.mapMemoryMb),
    "mapreduce.map.java.opts": taskOptions(yarn.mapJavaOpts),
    "mapreduce.reduce.memory.mb": String(yarn.reduceMemoryMb),
    "mapreduce.reduce.java.opts": taskOptions(yarn.reduceJavaOpts),
    "mapreduce.task.io.sort.mb": "200",
    "mapreduce.job.reduce.slowstart.completedmaps": "0.5",
    "yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms": String(scaled(cluster, 200)),
    "mapreduce.client.completion.pollinterval": "500",
    "mapreduce.client.progressmonitor.pollinterval": "500",
    ...(cluster.hasRuntimeRoles ? roleOfContainers : {}),
  };
}

/** The step whose runtime role a job has goes from the step's environment to the job's containers. */
const roleOfContainers = Object.fromEntries(
  ["yarn.app.mapreduce.am", "mapreduce.map", "mapreduce.reduce"].map((of) => [`${of}.env.${roleVariable}`, `\${env.${roleVariable}:-}`]),
);

const capacityScheduler: Properties = {
  "yarn.scheduler.capacity.root.queues": "default",
  "yarn.scheduler.capacity.root.default.capacity": "100",
  "yarn.scheduler.capacity.root.default.maximum-capacity": "100",
  "yarn.scheduler.capacity.root.default.state": "RUNNING",
  "yarn.scheduler.capacity.root.default.acl_submit_applications": "*",
  "yarn.scheduler.capacity.root.default.acl_administer_queue": "*",
  "yarn.scheduler.capacity.maximum-applications": "10000",
  "yarn.scheduler.capacity.maximum-am-resource-percent": "0.5",
  "yarn.scheduler.capacity.resource-calculator": "org.apache.hadoop.yarn.util.resource.DefaultResourceCalculator",
  "yarn.scheduler.capacity.node-locality-delay": "-1",
  [asynchronous]: "true",
  "yarn.scheduler.capacity.schedule-asynchronously.scheduling-interval-ms": "20",
};

export const excludeProperties = { yarn: "yarn.resourcemanager.nodes.exclude-path", hdfs: "dfs.hosts.exclude" } as const;

/** Whose files a resize writes. The user's own would keep nodes in service. */
function excludes({ role, layout }: NodeFacts): { yarn: Properties; hdfs: Properties } {
  if (role !== "MASTER") return { yarn: {}, hdfs: {} };
  const at = hadoopPlaces(layout);
  return { yarn: { [excludeProperties.yarn]: at.yarnExclude }, hdfs: { [excludeProperties.hdfs]: at.hdfsExclude } };
}

/** What its agent has found of the node's volumes; where that is nothing, what the user's own script says. No commas: they part its words. */
const healthScript = 'if [ -s "$0" ]; then cat "$0"; elif [ $# -gt 0 ]; then exec "$@"; fi';

/**
 * YARN's own look at a disk asks what its mount allows, which a filesystem that takes no writes any more still does. Its other validator, `read-write`, has a disk that is merely full
 * for a broken one, and then deletes nothing there of applications that have ended. So the agent's findings are a health script's. A NodeManager has one script, whatever
 * yarn.nodemanager.health-checker.scripts says (it tells them apart by their class), so the user's runs behind it.
 */
function volumesHealth({ hasOwnDisks, layout, configurations }: NodeFacts): Properties {
  if (!hasOwnDisks) return {};
  const of = "yarn.nodemanager.health-checker.script";
  const { [`${of}.path`]: path, [`${of}.opts`]: opts } = propertiesOf(configurations, "yarn-site");
  const words = ["-c", healthScript, layout.volumesHealth, ...(path ? [path] : []), ...(path && opts ? [opts] : [])];
  return { [`${of}.path`]: "/bin/sh", [`${of}.opts`]: words.join(",") };
}

/** A scheduler that knows no labels refuses applications that ask for one: where the user asked for both, labels are off (scheduler.ts warns). */
function withoutLabels(yarn: Properties): Properties {
  const { "yarn.resourcemanager.node-labels.am.default-node-label-expression": _, ...rest } = yarn;
  return { ...rest, "yarn.node-labels.enabled": "false" };
}

/** Each file's properties, with the user's over them. */
export function hadoopSites(facts: NodeFacts): Record<string, Properties> {
  const own = (classification: string) => propertiesOf(facts.configurations, classification);
  const { yarn: yarnExclude, hdfs: hdfsExclude } = excludes(facts);
  const yarn = { ...yarnSite(facts), ...own("yarn-site"), ...volumesHealth(facts), ...yarnExclude };
  return {
    "core-site.xml": { ...coreSite(facts), ...own("core-site") },
    "hdfs-site.xml": { ...hdfsSite(facts), ...own("hdfs-site"), ...hdfsExclude },
    "yarn-site.xml": hasNodeLabels(facts.configurations) ? yarn : withoutLabels(yarn),
    "mapred-site.xml": { ...mapredSite(facts), ...own("mapred-site") },
    "capacity-scheduler.xml": { ...capacityScheduler, ...labelQueues(facts), ...own("capacity-scheduler") },
    ...Object.fromEntries(
      ["ssl-server", "ssl-client"]
        .filter((name) => Object.keys(own(`hadoop-${name}`)).length > 0)
        .map((name) => [`${name}.xml`, own(`hadoop-${name}`)]),
    ),
  };
}

/** Of a node's folder for Hadoop's configuration. */
export const sitePath = (facts: NodeFacts, name: string) => join(hadoopPlaces(facts.layout).conf, name);
