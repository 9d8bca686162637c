/** Where Flink's own things are on a node, and at which ports its daemon listens. */
import { join } from "node:path";
import type { NodeFacts } from "../engine.ts";

/** As on an EMR node. Jobs' own listeners are in YARN's containers, at ports that are free there. */
export const ports = { historyServer: 8082 } as const;

/** Howdah's own classes. */
export const ownJar = "howdah-flink.jar";

/** In HDFS: what is left of jobs that have ended, for the history server. */
export const archiveFolder = "/var/log/flink/completed-jobs";

/** Hadoop logs by reload4j, Flink by log4j 2: both at once are one too many. */
const logging = /\/(slf4j-reload4j|reload4j)-[^/]*\.jar$/;

/** Flink's own jars before those of the cluster's Hadoop: the class path of all of its JVMs begins with them. */
export const flinkJars = (home: string, lib: readonly string[], hadoopClassPath: readonly string[]): string[] => [
  ...lib,
  join(home, ownJar),
  ...hadoopClassPath.filter((jar) => !logging.test(jar)),
];

export function flinkPlaces({ layout, installation }: Pick<NodeFacts, "layout" | "installation">) {
  const { home, classPath, archive } = installation.engines.Flink!;
  const conf = join(layout.conf, "flink");
  return {
    home,
    conf,
    logs: join(layout.logs, "flink"),
    classPath: flinkJars(home, classPath, installation.hadoop.classPath),
    archive,
    /** The same for commands, in one line. */
    classPathFile: join(conf, "classpath"),
    /** What YARN is given as Flink's own jar: containers have all of them by their class path. */
    distJar: classPath.find((jar) => /\/flink-yarn-[^/]*\.jar$/.test(jar)) ?? join(home, ownJar),
    /** Of the history server: archives as it shows them. */
    web: join(layout.tmp, "flink-history"),
  };
}
