/** ZooKeeper: one server, on the master, as on an EMR cluster with one master. */
import { join } from "node:path";
import type { Daemon, ManifestFile } from "../../agent/manifest.ts";
import type { Engine, EnginePlan, NodeFacts } from "../engine.ts";
import { daemonArgv } from "../jvm.ts";
import { command, link, logLinks } from "../node-base.ts";
import { type Properties, propertiesFile, propertiesOf } from "../settings.ts";

export const zookeeperName = "zookeeper-server";
const ports = { client: 2181 } as const;

/** As clients name it: 127.64.0.1:2181. */
export const zookeeperQuorum = ({ cluster }: Pick<NodeFacts, "cluster">): { host: string; port: number } => ({
  host: cluster.master.address,
  port: ports.client,
});

/** Its address and folder are the node's. */
const fixed = ["dataDir", "dataLogDir", "clientPort", "clientPortAddress"];

const configWarning = (property: string) =>
  fixed.includes(property) || property.startsWith("server.") ? `${property} has no effect: it is the node's` : undefined;

const commands = ["zookeeper-client", "zkCli.sh"];

export const zookeeper: Engine = {
  name: "ZooKeeper",
  commands,
  classifications: [
    { name: "zookeeper-config", warn: configWarning },
    { name: "zookeeper-log4j", warn: () => "ZooKeeper 3.9 logs by logback: zookeeper-log4j has no effect" },
  ],
  ports,
  pages: [],
  setup: { commands: join(import.meta.dirname, "bin") },
  plan,
};

function plan(facts: NodeFacts): EnginePlan {
  const { layout, installation, role } = facts;
  const { home } = installation.engines.ZooKeeper!;
  const conf = join(layout.conf, "zookeeper");
  const logs = join(layout.logs, "zookeeper");
  const master = role === "MASTER";
  return {
    base: [
      ...commands.map((name) => command(facts, name, join(home, "bin", "zkCli.sh"))),
      link("/usr/lib/zookeeper", home),
      link("/etc/zookeeper/conf", conf),
      ...(master ? logLinks(logs) : []),
    ],
    files: [{ path: join(conf, "logback.xml"), content: logback("WARN") }, ...(master ? serverFiles(facts, conf) : [])],
    daemons: master ? [server(facts, conf, logs)] : [],
    tasks: [],
    saves: [],
    env: { ZOOCFGDIR: conf, HOWDAH_ZOOKEEPER: `${facts.cluster.master.address}:${ports.client}` },
    path: [join(home, "bin")],
    logs: master ? [{ from: logs, to: "node/{i}/applications/zookeeper" }] : [],
  };
}

function serverFiles(facts: NodeFacts, conf: string): ManifestFile[] {
  const own = propertiesOf(facts.configurations, "zookeeper-config");
  const settings: Properties = {
    tickTime: "2000",
    initLimit: "10",
    syncLimit: "5",
    // Its 8080 would be in the way of other engines' pages.
    "admin.enableServer": "false",
    "4lw.commands.whitelist": "srvr,stat,ruok,mntr,conf",
    ...own,
    dataDir: join(facts.layout.data, "zookeeper"),
    clientPort: String(ports.client),
    clientPortAddress: facts.cluster.master.address,
  };
  return [
    { path: join(conf, "zoo.cfg"), content: propertiesFile(settings) },
    { path: join(conf, "server", "logback.xml"), content: logback("INFO") },
  ];
}

function server(facts: NodeFacts, conf: string, logs: string): Daemon {
  const { home, classPath, archive } = facts.installation.engines.ZooKeeper!;
  const argv = daemonArgv(facts, {
    mainClass: "org.apache.zookeeper.server.quorum.QuorumPeerMain",
    jars: classPath,
    folders: [join(conf, "server")],
    archive,
    heapMb: 128,
    options: [`-Dproc_${zookeeperName}`, `-Dzookeeper.home=${home}`],
  });
  const zookeeper = zookeeperQuorum(facts);
  return {
    name: zookeeperName,
    argv: [...argv, join(conf, "zoo.cfg")],
    cwd: facts.layout.root,
    log: join(logs, `${zookeeperName}-ip-${facts.address.replaceAll(".", "-")}.out`),
    ready: [{ tcp: zookeeper }],
    gate: true,
  };
}

const logback = (level: string) => `<configuration>
  <appender name="CONSOLE" class="ch.qos.logback.core.ConsoleAppender">
    <target>System.err</target>
    <encoder><pattern>%d{ISO8601} [%thread] %-5p %c{1} - %m%n</pattern></encoder>
  </appender>
  <root level="${level}"><appender-ref ref="CONSOLE"/></root>
</configuration>
`;
