/** The NameNode's first image, formatted once, so that no cluster's start waits for a JVM that formats. */
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { imageFiles } from "../engines/hadoop/name-image.ts";
import { inTemporaryFolder, makeFolder } from "./cache.ts";
import type { Places } from "./places.ts";
import { run } from "./run.ts";

export function nameTemplateMissing(places: Places): string[] {
  return imageFiles.every((name) => existsSync(join(places.nameTemplate, name))) ? [] : ["HDFS's first image"];
}

export async function ensureNameTemplate(places: Places, classPath: string[], jdk: string): Promise<void> {
  if (nameTemplateMissing(places).length === 0) return;
  await inTemporaryFolder(places.cache, async (work) => {
    const conf = join(work, "conf");
    await mkdir(conf);
    const properties = { "fs.defaultFS": "hdfs://127.0.0.1:8020", "dfs.namenode.name.dir": `file://${work}/name` };
    const xml = Object.entries(properties).map(([name, value]) => `<property><name>${name}</name><value>${value}</value></property>`);
    await writeFile(join(conf, "hdfs-site.xml"), `<configuration>${xml.join("")}</configuration>\n`);
    const command = [join(jdk, "bin", "java"), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", [...classPath, conf].join(":")];
    command.push("org.apache.hadoop.hdfs.server.namenode.NameNode", "-format", "-nonInteractive", "-force");
    // The user that formats owns the root folder and is HDFS's superuser.
    await run(command, { timeoutMs: 120_000, cwd: work, env: { HADOOP_USER_NAME: "hadoop", HADOOP_CONF_DIR: conf } });
    await makeFolder(places.cache, places.nameTemplate, async (folder) => {
      for (const name of imageFiles) await rename(join(work, "name", "current", name), join(folder, name));
    });
    await rm(conf, { recursive: true });
  });
}
