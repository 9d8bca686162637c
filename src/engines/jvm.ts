/** How a daemon's JVM is started: small, quick, and with the class archive. */
import type { NodeFacts } from "./engine.ts";

/** java.base packages that Hadoop 3.4 reaches into by reflection on Java 17. */
const opened = ["java.lang", "java.lang.reflect", "java.io", "java.math", "java.net", "java.nio", "java.text", "java.time", "java.util"]
  .concat(["java.util.concurrent", "java.util.zip", "sun.nio.ch"])
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
export function daemonArgv(facts: NodeFacts, jvm: DaemonJvm): string[] {
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
