/** Hive's home: jars in `lib`, hive-exec's made fit for Java 17 and for the cluster's Hadoop, scripts of the metastore's schemas, and an empty metastore. */
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../setup/run.ts";
import type { EngineSetup, Making } from "../engine-setup.ts";
import { opened } from "../jvm.ts";
import { siteXml } from "../settings.ts";
import { execJar, hiveJars, ownJar, templateFolder } from "./places.ts";

const java = join(import.meta.dirname, "java");
const own = ["Catalog", "Launcher", "Metastore", "Server"].map((name) => join(java, "howdah", "hive", `${name}.java`));
/** Go into hive-exec's own jar, which containers have, too. */
const patches = [
  join(java, "howdah", "hive", "SessionLoader.java"),
  join(java, "org", "apache", "hadoop", "hive", "ql", "exec", "SerializationUtilities$ArrayListSubListSerializer.java"),
];
const repack = join(java, "Repack.java");
/** Guava 19 and Commons Lang 3.9, without names of their own; and how to log, which a node's own files say. */
const leftOut = ["com/google/common/", "org/apache/commons/lang3/", "hive-log4j2.properties", "parquet-logging.properties"];

export const setup: EngineSetup = {
  commands: join(import.meta.dirname, "bin"),
  sources: [...own, ...patches, repack],
  made: [ownJar, execJar, templateFolder, join("scripts", "metastore", "upgrade")],
  archived: hiveJars,
  async make(making) {
    await makeScripts(making);
    await makeJars(making);
    await makeTemplate(making);
    // As EMR has them: /usr/lib/hive/lib/hive-exec.jar, with the version and without.
    const lib = join(making.folder, "lib");
    for (const name of await readdir(lib)) {
      const plain = name.replace(/-\d+\.\d+\.\d+(?=\.jar$)/, "");
      if (/^(hive|hive-hcatalog)-/.test(name) && plain !== name) await symlink(name, join(lib, plain));
    }
    const hcatalog = join(making.folder, "hcatalog", "share", "hcatalog");
    await mkdir(hcatalog, { recursive: true });
    for (const name of await readdir(lib))
      if (name.startsWith("hive-hcatalog-")) await symlink(join("..", "..", "..", "lib", name), join(hcatalog, name));
    await symlink("/etc/hive/conf", join(making.folder, "conf"));
  },
};

async function makeScripts({ folder, file }: Making): Promise<void> {
  const unpack = ["tar", "-xzf", file("hive-standalone-metastore"), "-C", folder, "--strip-components=1", "--wildcards", "*/scripts/*"];
  await run(unpack, { timeoutMs: 60_000 });
}

async function makeJars({ folder, file, jdk, hadoopClassPath }: Making): Promise<void> {
  const [bin, classes, patch] = [join(jdk, "bin"), join(folder, "classes"), join(folder, "patch")];
  const classPath = [join(folder, "lib", "*"), patch, file("hive-exec"), ...hadoopClassPath].join(":");
  const compile = (to: string, sources: string[]) =>
    run([join(bin, "javac"), "--release", "17", "-proc:none", "-nowarn", "-cp", classPath, "-d", to, ...sources], {
      timeoutMs: 5 * 60_000,
    });
  await compile(patch, patches);
  await compile(classes, own);
  await run([join(bin, "jar"), "--create", "--file", join(folder, ownJar), "-C", classes, "."], { timeoutMs: 60_000 });
  await run([join(bin, "java"), "-cp", file("asm"), repack, file("hive-exec"), patch, join(folder, execJar), ...leftOut], {
    timeoutMs: 5 * 60_000,
  });
  for (const made of [classes, patch]) await rm(made, { recursive: true });
}

/** By Hive's own schematool, once for all clusters. */
async function makeTemplate({ folder, jdk, hadoopClassPath }: Making): Promise<void> {
  const work = join(folder, "work");
  await mkdir(work);
  const url = `jdbc:derby:;databaseName=${join(work, "database")};create=true`;
  await writeFile(join(work, "hive-site.xml"), siteXml({ "javax.jdo.option.ConnectionURL": url }));
  const classPath = [join(folder, ownJar), join(folder, "lib", "*"), ...hadoopClassPath, work].join(":");
  const command = [join(jdk, "bin", "java"), ...opened, "-XX:+UseSerialGC", `-Dderby.stream.error.file=${join(work, "derby.log")}`];
  const tool = ["howdah.hive.Launcher", "org.apache.hive.beeline.HiveSchemaTool", "-dbType", "derby", "-initSchema"];
  await run([...command, "-cp", classPath, ...tool], { timeoutMs: 5 * 60_000, cwd: work, env: { HIVE_HOME: folder } });
  await rename(join(work, "database"), join(folder, templateFolder));
  await rm(work, { recursive: true });
}
