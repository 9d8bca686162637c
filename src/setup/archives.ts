/**
 * Class archives (AppCDS): the classes of the daemons, commands and Spark's JVMs, parsed and verified once. The lists of classes
 * come with the project (tools/lock-classes.ts recorded them in a running cluster), so that set-up only has to dump.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { inTemporaryFolder } from "./cache.ts";
import { javaStamp } from "./machine.ts";
import { digest } from "./places.ts";
import { run } from "./run.ts";

export interface ArchivePlan {
  /** Which list of src/releases/classes: hadoop-3.4.2, spark-3.5.6, hbase-2.6.4, hive-3.1.3. */
  list: string;
  /** In the order of the class path that JVMs will have. */
  jars: string[];
  archive: string;
}

const listFile = (list: string) => join(import.meta.dirname, "..", "releases", "classes", `${list}.gz`);
/** Heap objects can only be archived by G1; every collector can read them. */
const flags = ["-XX:+UseG1GC", "-XX:TieredStopAtLevel=1", "-Xmx1g", "-Xlog:cds=off", "-Xlog:cds+dynamic=off", "-Xlog:class+load=off"];

/** `jars` have names that change with their content (the folder that they are in does), so their paths are enough of a key. */
export function archivePlan(cache: string, list: string, jars: string[], jdk: string): ArchivePlan {
  const classes = createHash("sha256")
    .update(readFileSync(listFile(list)))
    .digest("hex");
  return { list, jars, archive: join(cache, "archives", `${list}-${digest(jdk, javaStamp(jdk), jars, classes, flags)}.jsa`) };
}

export function archiveMissing(plan: ArchivePlan): string[] {
  return existsSync(plan.archive) ? [] : [`class archive of ${plan.list}`];
}

export async function ensureArchive(cache: string, plan: ArchivePlan, jdk: string): Promise<void> {
  if (archiveMissing(plan).length === 0) return;
  await inTemporaryFolder(cache, async (folder) => {
    const classes = join(folder, "classes");
    await writeFile(classes, gunzipSync(await readFile(listFile(plan.list))));
    const made = join(folder, "archive.jsa");
    const command = [join(jdk, "bin", "java"), "-Xshare:dump", `-XX:SharedClassListFile=${classes}`, `-XX:SharedArchiveFile=${made}`];
    await run([...command, ...flags, "-cp", plan.jars.join(":")], { timeoutMs: 10 * 60_000, cwd: folder });
    await mkdir(dirname(plan.archive), { recursive: true });
    await rename(made, plan.archive);
  });
}
