/** How a daemon's JVM is started: small, quick, and with the class archive. */
import { join } from "node:path";
import type { NodeLayout } from "../agent/layout.ts";
import type { NodeFacts } from "./engine.ts";

/** java.base packages that Hadoop 3.4 and Hive 3.1 reach into by reflection on Java 17. */
export const opened = [
  "java.lang",
  "java.lang.reflect",
  "java.io",
  "java.math",
  "java.net",
  "java.nio",
  "java.text",
  "java.time",
  "java.util",
]
  .concat(["java.util.concurrent", "java.util.concurrent.atomic", "java.util.regex", "java.util.zip", "sun.nio.ch"])
  .map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);

export interface DaemonJvm {
  mainClass: string;
  /** Jars in the archive's order, without folders. */
  jars: readonly string[];
  /** Folders for the end of the class path: an archive does not work with folders before its jars. */
  folders: readonly string[];
  archive: string | undefined;
  heapMb: number;
  /** -D… and options that a user gave. */
  options?: readonly string[];
}

/** C1 and the serial collector: half the CPU of a start, and daemons of a small cluster have little to compile well for. */
export function daemonArgv(facts: Pick<NodeFacts, "installation"> & { layout: Pick<NodeLayout, "tmp"> }, jvm: DaemonJvm): string[] {
  const archive = jvm.archive ? [`-XX:SharedArchiveFile=${jvm.archive}`, "-Xlog:cds=off", "-Xlog:cds+dynamic=off"] : [];
  return [
    `${facts.installation.javaHome}/bin/java`,
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Xss512k",
    "-XX:ReservedCodeCacheSize=48m",
    "-Xshare:auto",
    ...archive,
    "-Xms32m",
    `-Xmx${jvm.heapMb}m`,
    "-Djava.net.preferIPv4Stack=true",
    // In degree plain, /tmp is the host's: what a daemon unpacks there would stay behind.
    `-Djava.io.tmpdir=${facts.layout.tmp}`,
    ...opened,
    ...(jvm.options ?? []),
    "-cp",
    [...jvm.jars, ...jvm.folders].join(":"),
    jvm.mainClass,
  ];
}

/** Which variables of which files say a daemon's heap and options. */
export interface DaemonVariables {
  /** Shell files, read in this order where they are there: hadoop-env.sh, yarn-env.sh, … */
  files: readonly string[];
  /** The first that is set is the heap: `2048` (megabytes) or `2g`. Where none is, it is the one that daemonArgv was given. */
  heap: readonly string[];
  /** Words are added to the command line, those of later ones behind. */
  options: readonly string[];
}

/** A JVM's command line from daemonArgv behind the shell that reads a node's *-env.sh: what is changed there counts from the next start on. */
export function withVariables({ files, heap, options }: DaemonVariables, argv: string[]): string[] {
  return ["/bin/bash", join(import.meta.dirname, "daemon-env.sh"), files.join(":"), heap.join(" "), options.join(" "), ...argv];
}
