/** HBase: its master, REST and Thrift servers on the master, region servers on core nodes; tables in HDFS or in S3. */
import { join } from "node:path";
import type { ManifestFile, Save } from "../../agent/manifest.ts";
import type { Engine, EnginePlan, NodeFacts } from "../engine.ts";
import { hasDataNode } from "../hadoop/roles.ts";
import { command, link, logLinks } from "../node-base.ts";
import { exportLines, exportsOf, propertiesFile, propertiesOf, siteXml } from "../settings.ts";
import { flushArgv, hbaseDaemons, memoryMb } from "./daemons.ts";
import { environmentWarning } from "./environment.ts";
import { log4j2Properties, log4j2Warning } from "./log4j2.ts";
import { hbasePlaces, ports } from "./places.ts";
import { setup } from "./setup.ts";
import { hbaseSite, hbaseWarning, isStored, storageWarnings } from "./site.ts";

export const hbase: Engine = {
  name: "HBase",
  commands: ["hbase"],
  classifications: [
    { name: "hbase", warn: hbaseWarning },
    { name: "hbase-site" },
    { name: "hbase-env", nestedExport: true, warn: environmentWarning },
    { name: "hbase-log4j", warn: log4j2Warning },
    { name: "hbase-metrics" },
    { name: "hbase-policy" },
  ],
  ports,
  pages: [{ name: "HBase", port: ports.masterWeb }],
  needs: ["ZooKeeper"],
  memoryMb,
  setup,
  warnings: storageWarnings,
  plan,
};

function plan(facts: NodeFacts): EnginePlan {
  const at = hbasePlaces(facts);
  const hasDaemons = facts.role === "MASTER" || hasDataNode(facts);
  return {
    base: [
      command(facts, "hbase", join(at.home, "bin", "hbase")),
      link("/usr/lib/hbase", at.home),
      link("/etc/hbase/conf", at.conf),
      ...(hasDaemons ? logLinks(at.logs) : []),
    ],
    files: files(facts),
    daemons: hbaseDaemons(facts),
    tasks: [],
    saves: facts.role === "MASTER" && isStored(facts.configurations) ? [flush(facts)] : [],
    env: { HBASE_CONF_DIR: at.conf, HOWDAH_HBASE_CLASSPATH: at.classPathFile, ...(at.archive && { HOWDAH_HBASE_ARCHIVE: at.archive }) },
    path: [join(at.home, "bin")],
    logs: hasDaemons ? [{ from: at.logs, to: "node/{i}/applications/hbase" }] : [],
  };
}

function files(facts: NodeFacts): ManifestFile[] {
  const at = hbasePlaces(facts);
  const own = (classification: string) => propertiesOf(facts.configurations, classification);
  const whereGiven = (classification: string, name: string, content: typeof siteXml) =>
    Object.keys(own(classification)).length > 0 ? [{ path: join(at.conf, name), content: content(own(classification)) }] : [];
  return [
    { path: join(at.conf, "hbase-site.xml"), content: siteXml(hbaseSite(facts)) },
    { path: join(at.conf, "hbase-env.sh"), content: environmentFile(facts) },
    { path: join(at.conf, "log4j2.properties"), content: log4j2Properties(own("hbase-log4j")) },
    { path: at.classPathFile, content: `${at.classPath.join(":")}\n` },
    ...whereGiven("hbase-metrics", "hadoop-metrics2-hbase.properties", propertiesFile),
    ...whereGiven("hbase-policy", "hbase-policy.xml", siteXml),
  ];
}

/** HBASE_CLASSPATH is HBase's name for what comes behind its own jars, of daemons and of commands. */
const environmentFile = ({ configurations }: NodeFacts): string =>
  `${exportLines(exportsOf(configurations, "hbase-env"))}[ -z "$HBASE_CLASSPATH" ] || export HADOOP_CLASSPATH="$HBASE_CLASSPATH\${HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}"\n`;

/** Write-ahead logs end with the cluster's HDFS: what only they have goes to the tables in S3. */
const flush = (facts: NodeFacts): Save => ({ name: "hbase-flush", argv: flushArgv(facts), timeoutMs: 180_000, atEndOnly: true });
