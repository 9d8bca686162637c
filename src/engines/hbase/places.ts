/** Where HBase's own things are on a node, and at which ports its daemons listen. */
import { join } from "node:path";
import type { NodeFacts } from "../engine.ts";

/** As on an EMR node, where REST is not at HBase's own 8080. */
export const ports = {
  master: 16000,
  masterWeb: 16010,
  regionServer: 16020,
  regionServerWeb: 16030,
  rest: 8070,
  restWeb: 8085,
  thrift: 9090,
  thriftWeb: 9095,
} as const;

/** Howdah's own classes. */
export const ownJar = "howdah-hbase.jar";

/** Hadoop logs by reload4j, HBase by log4j 2: both at once are one too many. */
const logging = /\/(slf4j-reload4j|reload4j)-[^/]*\.jar$/;

/** Pages of HBase's masters and region servers are made with Tomcat's JSP, those of REST with Glassfish's, and both have org.apache.jasper: Tomcat's goes first, but for REST. */
const glassfishJsp = /\/javax\.servlet\.jsp-\d[^/]*\.jar$/;
const ownJars = (lib: readonly string[]): string[] => [
  ...lib.filter((jar) => !glassfishJsp.test(jar)),
  ...lib.filter((jar) => glassfishJsp.test(jar)),
];

/** HBase's own jars before those of the cluster's Hadoop: the class path of all of its JVMs begins with them. */
export const hbaseJars = (home: string, lib: readonly string[], hadoopClassPath: readonly string[]): string[] => [
  ...ownJars(lib),
  join(home, ownJar),
  ...hadoopClassPath.filter((jar) => !logging.test(jar)),
];

export function hbasePlaces({ layout, installation }: Pick<NodeFacts, "layout" | "installation">) {
  const { home, classPath, archive } = installation.engines.HBase!;
  const conf = join(layout.conf, "hbase");
  return {
    home,
    conf,
    logs: join(layout.logs, "hbase"),
    classPath: hbaseJars(home, classPath, installation.hadoop.classPath),
    /** What REST has before that; a class archive does not fit then. */
    restJars: classPath.filter((jar) => glassfishJsp.test(jar)),
    archive,
    /** The same for commands, in one line. */
    classPathFile: join(conf, "classpath"),
  };
}
