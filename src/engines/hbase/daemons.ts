/** HBase's daemons of a node, by EMR's service names. */
import { join } from "node:path";
import type { Daemon, Probe } from "../../agent/manifest.ts";
import type { NodeFacts } from "../engine.ts";
import { hadoopPlaces, jarsBehind } from "../hadoop/places.ts";
import { awaitedDataNodes, hasDataNode } from "../hadoop/roles.ts";
import { daemonArgv, withVariables } from "../jvm.ts";
import type { Properties } from "../settings.ts";
import { zookeeperName } from "../zookeeper/index.ts";
import { hbasePlaces, ports } from "./places.ts";
import { hbaseSite } from "./site.ts";

interface DaemonKind {
  name: string;
  mainClass: string;
  args: readonly string[];
  heapMb: number;
  options: string;
}

const kinds = {
  master: { name: "hbase-master", mainClass: "howdah.hbase.Master", args: ["start"], heapMb: 256, options: "HBASE_MASTER_OPTS" },
  regionServer: {
    name: "hbase-regionserver",
    mainClass: "org.apache.hadoop.hbase.regionserver.HRegionServer",
    args: ["start"],
    heapMb: 384,
    options: "HBASE_REGIONSERVER_OPTS",
  },
  rest: {
    name: "hbase-rest",
    mainClass: "org.apache.hadoop.hbase.rest.RESTServer",
    args: ["start"],
    heapMb: 128,
    options: "HBASE_REST_OPTS",
  },
  thrift: {
    name: "hbase-thrift",
    mainClass: "org.apache.hadoop.hbase.thrift.ThriftServer",
    args: ["--port", String(ports.thrift), "--infoport", String(ports.thriftWeb), "start"],
    heapMb: 128,
    options: "HBASE_THRIFT_OPTS",
  },
} as const satisfies Record<string, DaemonKind>;

/** MiB resident of an idle node's. */
export const memoryMb = { MASTER: 760, CORE: 330 };

export function hbaseDaemons(facts: NodeFacts): Daemon[] {
  const { role, address } = facts;
  const site = hbaseSite(facts);
  const daemons: Daemon[] = [];
  const master = daemon(facts, kinds.master, masterReady(facts, site));
  if (role === "MASTER") daemons.push({ ...master, after: [zookeeperName] });
  // What it writes would keep HDFS from letting a node go: its regions go to others first.
  if (hasDataNode(facts) && !facts.isLeaving) {
    const port = Number(site["hbase.regionserver.port"] ?? ports.regionServer);
    daemons.push(daemon(facts, kinds.regionServer, [tcp(address, port)]));
  }
  if (role === "MASTER")
    for (const [kind, port] of [
      [kinds.rest, Number(site["hbase.rest.port"])],
      [kinds.thrift, ports.thrift],
    ] as const)
      daemons.push({ ...daemon(facts, kind, [tcp(address, port)]), after: [kinds.master.name], gate: false });
  return daemons;
}

const tcp = (host: string, port: number): Probe => ({ tcp: { host, port } });

/** It has given out the regions of its own tables, and every region server is there. */
function masterReady(facts: NodeFacts, site: Properties): Probe[] {
  const port = site["hbase.master.info.port"] ?? ports.masterWeb;
  const url = `http://${facts.cluster.master.address}:${port}/jmx?qry=Hadoop:service=HBase,name=Master,sub=Server`;
  const bean = (name: string) => ["beans", 0, name];
  return [
    { http: { url, path: bean("tag.isActiveMaster"), equals: "true" } },
    { http: { url, path: bean("masterFinishedInitializationTime"), atLeast: 1 } },
    { http: { url, path: bean("numRegionServers"), atLeast: awaitedDataNodes(facts.cluster) } },
  ];
}

function daemon(facts: NodeFacts, kind: DaemonKind, ready: Probe[]): Daemon {
  const at = hbasePlaces(facts);
  const file = `hbase-${kind.name}-ip-${facts.address.replaceAll(".", "-")}`;
  const argv = daemonArgv(facts, {
    mainClass: kind.mainClass,
    ...(kind === kinds.rest
      ? { jars: [...at.restJars, ...at.classPath], archive: undefined }
      : { jars: at.classPath, archive: at.archive }),
    folders: [at.conf, hadoopPlaces(facts.layout).conf, ...jarsBehind(facts)],
    heapMb: kind.heapMb,
    options: [
      `-Dproc_${kind.name}`,
      `-Dhbase.home.dir=${at.home}`,
      `-Dhbase.log.dir=${at.logs}`,
      `-Dhbase.log.file=${file}.log`,
      "-Dhbase.root.logger=INFO,RFA",
      "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
    ],
  });
  const variables = {
    files: [join(at.conf, "hbase-env.sh")],
    heap: ["HBASE_HEAPSIZE"],
    options: ["HBASE_OPTS", kind.options],
  };
  return {
    name: kind.name,
    argv: [...withVariables(variables, argv), ...kind.args],
    env: { HADOOP_USER_NAME: "hbase", HBASE_CONF_DIR: at.conf },
    cwd: facts.layout.root,
    log: join(at.logs, `${file}.out`),
    ready,
    gate: true,
  };
}

/** The command line of one of Howdah's own classes, for a save. */
export function flushArgv(facts: NodeFacts): string[] {
  const at = hbasePlaces(facts);
  return daemonArgv(facts, {
    mainClass: "howdah.hbase.Flush",
    jars: at.classPath,
    folders: [at.conf, hadoopPlaces(facts.layout).conf],
    archive: at.archive,
    heapMb: 128,
    options: ["-Dhbase.root.logger=WARN,console"],
  });
}
