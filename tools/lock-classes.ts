/**
 * Makes src/releases/classes/NAME-VERSION.gz, the classes of a class archive, from what JVMs recorded.
 *
 * Record first: start a cluster, run commands and jobs that read and write s3:// and hdfs://, all with
 * JAVA_TOOL_OPTIONS=-XX:DumpLoadedClassList=FOLDER/%p.lst in the environment. Then: node tools/lock-classes.ts FOLDER NAME-VERSION …
 * A JVM counts for the engine whose classes it has loaded, and for hadoop-VERSION where it has none's. Only the lists that are named are written.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const [folder, ...names] = process.argv.slice(2);
if (!folder || names.length === 0) throw new Error("usage: lock-classes.ts FOLDER NAME-VERSION …");

/** By whose package's classes an engine's JVMs are known. */
const packages: Record<string, RegExp> = {
  spark: /^org\/apache\/spark\//m,
  hbase: /^org\/apache\/hadoop\/hbase\//m,
  hive: /^(org\/apache\/hadoop\/hive|howdah\/hive)\//m,
};
const engineOf = (text: string) => Object.keys(packages).find((name) => packages[name]!.test(text)) ?? "hadoop";

const target = join(import.meta.dirname, "..", "src", "releases", "classes");
mkdirSync(target, { recursive: true });
const recorded = readdirSync(folder)
  .toSorted()
  .map((file) => readFileSync(join(folder, file), "utf8"));
for (const name of names) {
  /** Lines of several JVMs in the order in which they were first seen: an archive lays classes out in that order. */
  const lines = new Set<string>();
  for (const text of recorded.filter((text) => name.startsWith(`${engineOf(text)}-`)))
    for (const line of text.split("\n")) {
      // Generated at run time under names that no other JVM will use.
      const generated = /\$\$Lambda|\$Proxy|GeneratedClass|GeneratedMethodAccessor|GeneratedConstructorAccessor/.test(line);
      if (line !== "" && !line.startsWith("#") && !generated) lines.add(line);
    }
  if (lines.size === 0) throw new Error(`no JVM in ${folder} counts for ${name}`);
  writeFileSync(join(target, `${name}.gz`), gzipSync(`${[...lines].join("\n")}\n`, { level: 9 }));
  console.log(`${name}: ${lines.size} lines`);
}
