/** A Hadoop distribution made of Maven's jars: Maven Central has no binary one. The launchers are Howdah's own. */
import { readFileSync, readdirSync } from "node:fs";
import { chmod, copyFile, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Release } from "../releases/release.ts";
import { isIntact, makeFolder, markVerified, objectPath, placeObject } from "./cache.ts";
import { missingJars, placeJars } from "./jars.ts";
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
  if (launcherNames().some((name) => !sameText(join(launchers, name), join(places.hadoop, "bin", name)))) missing.push("Hadoop (commands)");
  return missing;
}

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
  await placeLaunchers(join(home, "bin"));
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

const launcherNames = () => readdirSync(launchers);

function sameText(a: string, b: string): boolean {
  try {
    return readFileSync(a, "utf8") === readFileSync(b, "utf8");
  } catch {
    return false;
  }
}

/** One at a time and renamed, since nodes may be using them. */
async function placeLaunchers(bin: string): Promise<void> {
  await mkdir(bin, { recursive: true });
  for (const name of launcherNames()) {
    const [from, to] = [join(launchers, name), join(bin, name)];
    if (sameText(from, to)) continue;
    await copyFile(from, `${to}.new`);
    await chmod(`${to}.new`, (await readFile(from, "utf8")).startsWith("#!") ? 0o755 : 0o644);
    await rename(`${to}.new`, to);
  }
}
