/** Hive's daemons, all on the master, by EMR's service names. */
import { join } from "node:path";
import type { Daemon, Probe } from "../../agent/manifest.ts";
import type { NodeFacts } from "../engine.ts";
import { nameNodeName } from "../hadoop/daemons.ts";
import { hadoopPlaces, jarsBehind } from "../hadoop/places.ts";
import { daemonArgv, withVariables } from "../jvm.ts";
import { tezConf } from "../tez/index.ts";
import { hivePlaces, ports, templateFolder } from "./places.ts";
import { hasOwnDatabase, hiveSite } from "./site.ts";

interface DaemonKind {
  name: string;
  mainClass: string;
  heapMb: number;
  heap: readonly string[];
  options: readonly string[];
}

const kinds = {
  /** EMR's name for the metastore. */
  metastore: {
    name: "hive-hcatalog-server",
    mainClass: "howdah.hive.Metastore",
    heapMb: 256,
    heap: ["HIVE_METASTORE_HEAPSIZE"],
    options: ["HIVE_METASTORE_HADOOP_OPTS"],
  },
  server: {
    name: "hive-server2",
    mainClass: "howdah.hive.Server",
    heapMb: 512,
    heap: ["HIVE_SERVER2_HEAPSIZE"],
    options: ["HIVE_SERVER2_HADOOP_OPTS"],
  },
} as const satisfies Record<string, DaemonKind>;

/** The task that makes Hive's folders in HDFS: a server that is faster ends, since it finds no place for its own. */
export const foldersName = "hive-hdfs-folders";

/** MiB resident of an idle master's. */
export const memoryMb = { MASTER: 700 };

export function hiveDaemons(facts: NodeFacts): Daemon[] {
  const metastore = metastoreDaemon(facts);
  const server = daemon(facts, kinds.server, serverReady(facts), []);
  return [metastore, { ...server, after: [nameNodeName, foldersName, metastore.name] }];
}

export function metastoreDaemon(facts: NodeFacts): Daemon {
  const { home, database } = hivePlaces(facts);
  const template = [`-Dhowdah.hive.template=${join(home, templateFolder)}`, `-Dhowdah.hive.database=${database}`];
  return daemon(facts, kinds.metastore, [tcp(facts, ports.metastore)], hasOwnDatabase(facts) ? template : []);
}

const tcp = ({ cluster }: NodeFacts, port: number): Probe => ({ tcp: { host: cluster.master.address, port } });

/** Its web page comes up last. Whoever only connects to its other port is an error in its log, every time. */
function serverReady(facts: NodeFacts): Probe[] {
  const site = hiveSite(facts);
  const web = Number(site["hive.server2.webui.port"]);
  if (web <= 0) return [tcp(facts, Number(site["hive.server2.thrift.port"]))];
  const url = `http://${facts.cluster.master.address}:${web}/jmx?qry=java.lang:type=Runtime`;
  return [{ http: { url, path: ["beans", 0, "Uptime"], atLeast: 1 } }];
}

function daemon(facts: NodeFacts, kind: DaemonKind, ready: Probe[], options: string[]): Daemon {
  const at = hivePlaces(facts);
  const isMetastore = kind === kinds.metastore;
  const argv = daemonArgv(facts, {
    mainClass: kind.mainClass,
    jars: at.classPath,
    folders: [...(isMetastore ? [at.metastoreConf] : []), at.conf, tezConf(facts), hadoopPlaces(facts.layout).conf, ...jarsBehind(facts)],
    archive: at.archive,
    heapMb: kind.heapMb,
    options: [
      `-Dproc_${kind.name}`,
      `-Dhive.log.dir=${at.logs}`,
      `-Dhive.log.file=${kind.name}.log`,
      `-Dlog4j2.configurationFile=${join(at.conf, "hive-log4j2.properties")}`,
      `-Djava.util.logging.config.file=${join(at.conf, "parquet-logging.properties")}`,
      `-Dderby.stream.error.file=${join(at.logs, "derby.log")}`,
      // Its own name, by a property: Hive takes the variable for the user of every query.
      "-DHADOOP_USER_NAME=hive",
      ...options,
    ],
  });
  const variables = {
    files: [join(at.conf, "hive-env.sh"), ...(isMetastore ? [join(at.metastoreConf, "hcatalog-env.sh")] : [])],
    heap: [...kind.heap, "HADOOP_HEAPSIZE"],
    options: ["HADOOP_OPTS", ...kind.options],
  };
  return {
    name: kind.name,
    argv: ["/usr/bin/env", "-u", "HADOOP_USER_NAME", ...withVariables(variables, argv)],
    env: { HIVE_HOME: at.home, HIVE_CONF_DIR: at.conf },
    cwd: facts.layout.root,
    log: join(at.logs, `${kind.name}.out`),
    ready,
    gate: true,
  };
}
