/** Where Hive's own things are on a node, and at which ports its daemons listen. */
import { basename, join } from "node:path";
import type { NodeFacts } from "../engine.ts";

/** As on an EMR node. */
export const ports = { metastore: 9083, server: 10000, serverWeb: 10002 } as const;

/** In Hive's home, made by set-up: see setup.ts. */
export const ownJar = "howdah-hive.jar";
export const execJar = join("lib", "hive-exec-3.1.3.jar");
export const templateFolder = "metastore-template";

/** Hadoop logs by reload4j, Hive by log4j 2; JSP's interfaces are Hive's, in their newer version. */
const notWithHive = /^(slf4j-reload4j|reload4j|jsp-api)-/;

/** As Hive's own clients, and Spark's, name the metastore. */
export const metastoreUri = ({ cluster }: Pick<NodeFacts, "cluster">) => `thrift://${cluster.master.address}:${ports.metastore}`;

/** Hive's jars, then those of the cluster's Hadoop: the class path of all of its JVMs begins with them. */
export const hiveJars = (home: string, lib: readonly string[], hadoopClassPath: readonly string[]): string[] => [
  ...jobJars(home, lib),
  ...hadoopClassPath.filter((jar) => !notWithHive.test(basename(jar))),
];

const jobJars = (home: string, lib: readonly string[]) => [join(home, execJar), join(home, ownJar), ...lib];

export function hivePlaces({ layout, installation }: Pick<NodeFacts, "layout" | "installation">) {
  const { home, classPath, archive } = installation.engines.Hive!;
  const conf = join(layout.conf, "hive");
  return {
    home,
    conf,
    /** Before `conf`, for the metastore. */
    metastoreConf: join(layout.conf, "hive-hcatalog"),
    logs: join(layout.logs, "hive"),
    /** The default database of the metastore: kept with the node's data. */
    database: join(layout.data, "hive", "metastore_db"),
    /** Of commands: a folder for each user, as on EMR. */
    userLogs: join(layout.logs, "hive", "user"),
    /** What a job of Hive's has before Hadoop's jars, in its containers. */
    jobClassPath: jobJars(home, classPath),
    classPath: [...hiveJars(home, classPath, installation.hadoop.classPath), ...installation.engines.Tez!.classPath],
    archive,
    /** The same for commands, in one line. */
    classPathFile: join(conf, "classpath"),
  };
}
