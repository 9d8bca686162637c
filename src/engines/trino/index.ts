/** Trino: its coordinator on the master, a worker on each core and task node, the cluster's metastore behind its catalogs. */
import { join } from "node:path";
import type { Daemon, ManifestFile } from "../../agent/manifest.ts";
import type { Engine, EnginePlan, NodeFacts } from "../engine.ts";
import { metastorePlan } from "../hive/index.ts";
import { glueName } from "../glue/settings.ts";
import { withVariables } from "../jvm.ts";
import { command, link, logLinks } from "../node-base.ts";
import { exportLines, exportsOf, type Properties, propertiesFile, propertiesOf } from "../settings.ts";
import { catalogs, classificationOf } from "./catalogs.ts";
import { connectors, ports, serverUrl, trinoPlaces } from "./places.ts";
import { setup } from "./setup.ts";

const commands = ["trino-cli"];
/** EMR's name for it on every node. */
const serverName = "trino-server";

/** Of config.properties and node.properties: what a node is and where it listens is the cluster's. */
const fixed =
  /^(coordinator|discovery\.uri|http-server\.(http\.port|https?\.enabled)|node\.(id|data-dir|internal-address|bind-ip)|plugin\.dir|catalog\.config-dir|log\.(path|levels-file|enable-console))$/;
const fixedWarning = (property: string) => (fixed.test(property) ? `${property} has no effect: it is the node's` : undefined);
const allowed = (properties: Properties): Properties =>
  Object.fromEntries(Object.entries(properties).filter(([name]) => !fixed.test(name)));

export const trino: Engine = {
  name: "Trino",
  commands,
  classifications: [
    { name: "trino-config", warn: fixedWarning },
    { name: "trino-node", warn: fixedWarning },
    { name: "trino-log" },
    {
      name: "trino-env",
      nestedExport: true,
      warn: (variable) => (variable === "JAVA_HOME" ? "JAVA_HOME has no effect: Trino runs on the Java 25 that set-up brought" : undefined),
    },
    ...connectors.map((connector) => ({ name: classificationOf(connector) })),
  ],
  ports: { trinoServer: ports.server },
  pages: [{ name: "Trino", port: ports.server }],
  homes: ["Tez", "Hive"],
  // MiB resident after a query, and the metastore's.
  memoryMb: { MASTER: 1250, CORE: 750, TASK: 750 },
  setup,
  plan,
};

function plan(facts: NodeFacts): EnginePlan {
  const at = trinoPlaces(facts);
  const metastore = hasMetastore(facts) ? undefined : metastorePlan(facts);
  return {
    base: [
      ...commands.map((name) => command(facts, name, join(at.home, "bin", name))),
      link("/usr/lib/trino", at.home),
      link("/etc/trino/conf", at.conf),
      ...logLinks(at.logs),
    ],
    files: [...(metastore?.files ?? []), ...files(facts)],
    daemons: [...(metastore?.daemons ?? []), server(facts)],
    tasks: metastore?.tasks ?? [],
    saves: [],
    env: { HOWDAH_TRINO: serverUrl(facts.cluster.master.address) },
    path: [join(at.home, "bin")],
    logs: [...(metastore?.logs ?? []), { from: at.logs, to: "node/{i}/applications/trino" }],
  };
}

/** Of another engine of the cluster. */
const hasMetastore = ({ cluster }: NodeFacts) => ["Hive", "HCatalog", glueName].some((name) => cluster.applications.includes(name));

/** Where no other node works, the coordinator does, too. */
const isAlone = ({ cluster }: NodeFacts) => cluster.nodes.every(({ role }) => role === "MASTER");

function config(facts: NodeFacts): Properties {
  const { cluster, role } = facts;
  const isCoordinator = role === "MASTER";
  return {
    ...(isCoordinator && { "node-scheduler.include-coordinator": String(isAlone(facts)) }),
    ...allowed(propertiesOf(facts.configurations, "trino-config")),
    coordinator: String(isCoordinator),
    "http-server.http.port": String(ports.server),
    "discovery.uri": serverUrl(cluster.master.address),
    "log.path": join(trinoPlaces(facts).logs, "server.log"),
    "log.enable-console": "false",
  };
}

function nodeProperties(facts: NodeFacts): Properties {
  return {
    "node.environment": "production",
    ...allowed(propertiesOf(facts.configurations, "trino-node")),
    "node.id": facts.instanceId,
    "node.data-dir": trinoPlaces(facts).data,
    "node.internal-address": facts.address,
    "node.bind-ip": facts.address,
  };
}

/** 1 GiB is what Trino does small queries with; of a small node it takes half. */
const heapMb = ({ instanceType }: NodeFacts) => Math.min(1024, Math.floor(instanceType.memoryMb / 2));

/** As Trino's own documentation has it, for a small heap. An argument file of `java`: it is read at each start of the server. */
const jvmConfig = (facts: NodeFacts): string =>
  [
    `-Xmx${heapMb(facts)}m`,
    "-XX:+UseG1GC",
    "-XX:G1HeapRegionSize=4m",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:ReservedCodeCacheSize=150m",
    ...(facts.cluster.quickJvms ? ["-XX:TieredStopAtLevel=1"] : []),
    "-XX:-UsePerfData",
    "-Djdk.attach.allowAttachSelf=true",
    "-Djdk.nio.maxCachedBufferSize=2000000",
    "-Djava.net.preferIPv4Stack=true",
    `-Djava.io.tmpdir=${facts.layout.tmp}`,
    "-Dfile.encoding=UTF-8",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
  ]
    .map((line) => `${line}\n`)
    .join("");

function files(facts: NodeFacts): ManifestFile[] {
  const at = trinoPlaces(facts);
  return [
    { path: join(at.conf, "config.properties"), content: propertiesFile(config(facts)) },
    { path: join(at.conf, "node.properties"), content: propertiesFile(nodeProperties(facts)) },
    { path: join(at.conf, "jvm.config"), content: jvmConfig(facts) },
    { path: join(at.conf, "log.properties"), content: propertiesFile(propertiesOf(facts.configurations, "trino-log")) },
    { path: join(at.conf, "trino-env.sh"), content: exportLines(exportsOf(facts.configurations, "trino-env")) },
    ...catalogs(facts).map(([name, content]) => ({ path: join(at.catalogs, `${name}.properties`), content: propertiesFile(content) })),
  ];
}

function server(facts: NodeFacts): Daemon {
  const at = trinoPlaces(facts);
  const argv = [
    join(at.java, "bin", "java"),
    `@${join(at.conf, "jvm.config")}`,
    `-Dproc_${serverName}`,
    ...Object.entries(nodeProperties(facts)).map(([name, value]) => `-D${name}=${value}`),
    `-Dconfig=${join(at.conf, "config.properties")}`,
    `-Dlog.levels-file=${join(at.conf, "log.properties")}`,
    `-Dcatalog.config-dir=${at.catalogs}`,
    `-Dplugin.dir=${join(at.home, "plugin")}`,
    "-cp",
    join(at.home, "lib", "*"),
    "io.trino.server.TrinoServer",
  ];
  const variables = { files: [join(at.conf, "trino-env.sh")], heap: [], options: ["TRINO_OPTS"] };
  return {
    name: serverName,
    // HADOOP_CLASSPATH has what Hadoop's commands need of other engines.
    argv: ["/usr/bin/env", "-u", "HADOOP_CLASSPATH", ...withVariables(variables, argv)],
    // HDFS lets it act for the users who ask.
    env: { JAVA_HOME: at.java, HADOOP_USER_NAME: "hive" },
    cwd: facts.layout.root,
    log: join(at.logs, `${serverName}.out`),
    ready: [{ http: { url: `${serverUrl(facts.address)}/v1/info`, path: ["starting"], equals: "false" } }],
    gate: true,
  };
}
