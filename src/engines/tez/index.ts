/** Tez on YARN: a library that every node has. Its containers find its jars where the nodes have them, so nothing is uploaded. */
import { basename, join } from "node:path";
import type { BaseFile } from "../../agent/manifest.ts";
import type { Engine, EnginePlan, NodeFacts } from "../engine.ts";
import { s3Schemes } from "../hadoop/s3.ts";
import { hivePlaces } from "../hive/places.ts";
import { opened } from "../jvm.ts";
import { link } from "../node-base.ts";
import { type Properties, propertiesOf, siteXml } from "../settings.ts";
import { roleVariable } from "../step-command.ts";

const jarsWarning = "has no effect: Tez's containers have the jars of their node";

export const tez: Engine = {
  name: "Tez",
  classifications: [
    { name: "tez-site", warn: (property) => (property.startsWith("tez.lib.uris") ? `${property} ${jarsWarning}` : undefined) },
  ],
  ports: {},
  pages: [],
  setup: {},
  plan,
};

export const tezConf = ({ layout }: Pick<NodeFacts, "layout">) => join(layout.conf, "tez");

function plan(facts: NodeFacts): EnginePlan {
  const { classPath } = facts.installation.engines.Tez!;
  const conf = tezConf(facts);
  return {
    base: tezBase(facts),
    files: [
      { path: join(conf, "tez-site.xml"), content: siteXml({ ...tezSite(facts), ...propertiesOf(facts.configurations, "tez-site") }) },
    ],
    daemons: [],
    tasks: [],
    saves: [],
    // For `hadoop jar`, as in EMR's hadoop-env.
    env: { TEZ_CONF_DIR: conf, HADOOP_CLASSPATH: [...classPath, conf].join(":") },
    path: [],
    logs: [],
  };
}

/** Each of Tez's own jars by its name and by its name without the version: /usr/lib/tez/tez-examples.jar. */
function tezBase(facts: NodeFacts): BaseFile[] {
  const { home, classPath, version } = facts.installation.engines.Tez!;
  const own = classPath.filter((path) => basename(path).startsWith("tez-"));
  const names = (path: string) => [basename(path), basename(path).replace(`-${version}`, "")];
  return [
    ...own.flatMap((path) => names(path).map((name) => link(join("/usr/lib/tez", name), path))),
    link("/usr/lib/tez/lib", join(home, "lib")),
    link("/etc/tez/conf", tezConf(facts)),
  ];
}

/** S3A's committers want one job id in a DAG's tasks and in its application master, and Tez has two. Hive has a way of its own. */
const byRename = "org.apache.hadoop.mapreduce.lib.output.FileOutputCommitterFactory";

/** Tez's own default names collectors and logs that Java 17 has not. */
const heap = "-XX:+UseSerialGC";

/** Hive's own jars, for its tasks. tez-site says it, because Hive reads that file after its own. */
const beforeTez = (facts: NodeFacts): string[] => (facts.installation.engines.Hive ? hivePlaces(facts).jobClassPath : []);

function tezSite(facts: NodeFacts): Properties {
  const { cluster, installation } = facts;
  const options = ["-server", "-Djava.net.preferIPv4Stack=true", "-Dhadoop.metrics.log.level=WARN", ...opened].join(" ");
  const role = cluster.hasRuntimeRoles ? `${roleVariable}=\${env.${roleVariable}:-}` : undefined;
  return {
    "tez.ignore.lib.uris": "true",
    "tez.use.cluster.hadoop-libs": "true",
    // Behind Hadoop's jars, whose class archive counts only where nothing comes before them.
    "tez.user.classpath.first": "false",
    "tez.cluster.additional.classpath.prefix": ["$HADOOP_CONF_DIR", ...beforeTez(facts), ...installation.engines.Tez!.classPath].join(":"),
    "tez.am.launch.cluster-default.cmd-opts": options,
    "tez.task.launch.cluster-default.cmd-opts": options,
    "tez.am.launch.cmd-opts": heap,
    "tez.task.launch.cmd-opts": heap,
    ...Object.fromEntries(s3Schemes.map((scheme) => [`mapreduce.outputcommitter.factory.scheme.${scheme}`, byRename])),
    ...(role ? { "tez.am.launch.env": role, "tez.task.launch.env": role } : {}),
    // A small job's time is mostly waiting for the next look.
    "tez.am.am-rm.heartbeat.interval-ms.max": "250",
    "tez.task.get-task.sleep.interval-ms.max": "50",
    "tez.task.am.heartbeat.interval-ms.max": "100",
    "tez.client.timeout-ms": "30000",
  };
}
