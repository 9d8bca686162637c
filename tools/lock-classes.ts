/**
 * Makes src/releases/classes/NAME.gz, the classes of a class archive, from what JVMs recorded.
 *
 * Record first: start a cluster, run commands and jobs that read and write s3:// and hdfs://, all with
 * JAVA_TOOL_OPTIONS=-XX:DumpLoadedClassList=FOLDER/%p.lst in the environment. Then: node tools/lock-classes.ts FOLDER.
 * JVMs that loaded a class of Spark count for spark-3.5.6, all others for hadoop-3.4.2.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: lock-classes.ts FOLDER");

/** Lines of several JVMs in the order in which they were first seen: an archive lays classes out in that order. */
const lists: Record<string, Set<string>> = { "hadoop-3.4.2": new Set(), "spark-3.5.6": new Set() };
for (const file of readdirSync(folder).toSorted()) {
  const text = readFileSync(join(folder, file), "utf8");
  const list = lists[/^org\/apache\/spark\//m.test(text) ? "spark-3.5.6" : "hadoop-3.4.2"]!;
  for (const line of text.split("\n")) {
    // Generated at run time under names that no other JVM will use.
    const generated = /\$\$Lambda|\$Proxy|GeneratedClass|GeneratedMethodAccessor|GeneratedConstructorAccessor/.test(line);
    if (line !== "" && !line.startsWith("#") && !generated) list.add(line);
  }
}

const target = join(import.meta.dirname, "..", "src", "releases", "classes");
mkdirSync(target, { recursive: true });
for (const [name, lines] of Object.entries(lists)) {
  writeFileSync(join(target, `${name}.gz`), gzipSync(`${[...lines].join("\n")}\n`, { level: 9 }));
  console.log(`${name}: ${lines.size} lines`);
}
