/** A Hadoop distribution made of Maven's jars: Maven Central has no binary one. The launchers are Howdah's own. */
import { readFileSync } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Release } from "../releases/release.ts";
import { isIntact, makeFolder, markVerified, objectPath, placeObject } from "./cache.ts";
import { missingJars, placeJars } from "./jars.ts";
import { areLaunchersOurs, hasLaunchers, placeLaunchers } from "./launchers.ts";
import { jarName } from "./maven.ts";
import type { Places } from "./places.ts";
import { run } from "./run.ts";

const launchers = join(import.meta.dirname, "..", "engines", "hadoop", "bin");
const webapps = "hadoop-hdfs-webapps.jar";
/** Names without a version, as scripts of EMR's users know them. */
const wellKnown = { "hadoop-streaming": "hadoop-streaming.jar", "hadoop-mapreduce-examples": "hadoop-mapreduce-examples.jar" };

/** Jars of the class path in the one order that class archives are made with. */
export function hadoopClassPath(home: string, release: Release): string[] {
  return [...release.hadoop.jars.map(jarName), webapps].toSorted().map((name) => join(home, "lib", name));
}

/** What is missing or was touched, by name; empty where the distribution is as it must be. */
export function hadoopMissing(places: Places, release: Release): string[] {
  const lib = join(places.hadoop, "lib");
  const missing = missingJars(lib, release.hadoop.jars).map((entry) => `Hadoop (${jarName(entry)})`);
  if (!isIntact(join(lib, webapps), webappsSize(places))) missing.push("Hadoop (web pages)");
  if (!hasLaunchers(launchers, join(places.hadoop, "bin"))) missing.push("Hadoop (commands)");
  return missing;
}

export const areHadoopCommandsOurs = (places: Places): boolean => areLaunchersOurs(launchers, join(places.hadoop, "bin"));

export async function ensureHadoop(places: Places, release: Release, jdk: string): Promise<void> {
  const { cache, hadoop: home } = places;
  const lib = join(home, "lib");
  if (missingJars(lib, release.hadoop.jars).length > 0 || !isIntact(join(lib, webapps), webappsSize(places))) {
    await makeFolder(cache, home, async (folder) => {
      await placeJars(cache, join(folder, "lib"), release.hadoop.jars);
      for (const [artifact, name] of Object.entries(wellKnown)) {
        const entry = release.hadoop.jars.find((entry) => entry.artifact === artifact);
        if (entry) await placeObject(cache, entry.sha256, join(folder, name));
      }
      await packWebapps(objectPath(cache, release.hadoop.webapps.sha256), folder, jdk);
      await writeFile(join(folder, "classpath"), `${hadoopClassPath(home, release).join(":")}\n`);
    });
  }
  await placeLaunchers(launchers, join(home, "bin"));
}

/** Leaves out everything of the tests' jar but the web pages. */
async function packWebapps(tests: string, folder: string, jdk: string): Promise<void> {
  const jar = join(jdk, "bin", "jar");
  const pages = join(folder, "pages");
  await mkdir(pages);
  await run([jar, "--extract", "--file", tests, "webapps"], { timeoutMs: 60_000, cwd: pages });
  const target = join(folder, "lib", webapps);
  await run([jar, "--create", "--no-manifest", "--file", target, "-C", pages, "webapps"], { timeoutMs: 60_000 });
  await markVerified(target);
  await writeFile(join(folder, "webapps.size"), String((await stat(target)).size));
}

/** The packed jar is made here, so the lock cannot say how large it is. */
function webappsSize(places: Places): number {
  try {
    return Number(readFileSync(join(places.hadoop, "webapps.size"), "utf8"));
  } catch {
    return -1;
  }
}
