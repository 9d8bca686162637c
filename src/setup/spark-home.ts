/** Spark's distribution: what PyPI's pyspark carries, with the Hadoop client of the release and with S3A. */
import { readFileSync, statSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Release } from "../releases/release.ts";
import { inTemporaryFolder, isIntact, makeFolder, markVerified, objectPath, storeObject } from "./cache.ts";
import { missingJars, placeJars } from "./jars.ts";
import { areLaunchersOurs, hasLaunchers, placeLaunchers } from "./launchers.ts";
import { downloadDistribution } from "./pip.ts";
import type { Places } from "./places.ts";
import { run } from "./run.ts";
import type { Report } from "./task.ts";

const launchers = join(import.meta.dirname, "..", "engines", "spark", "bin");

/** Folders of the distribution, and where they are in a Spark home. */
const contents: [from: string, to: string][] = [
  ["deps/bin", "bin"],
  ["deps/sbin", "sbin"],
  ["deps/jars", "jars"],
  ["deps/examples", "examples/src/main/python"],
  ["deps/data", "data"],
  ["deps/licenses", "licenses"],
  ["pyspark", "python/pyspark"],
  ["lib", "python/lib"],
];

/** Names and sizes of all jars, written when they were verified. */
const inventory = "jars.json";

function readInventory(home: string): Record<string, number> | undefined {
  try {
    return JSON.parse(readFileSync(join(home, inventory), "utf8")) as Record<string, number>;
  } catch {
    return undefined;
  }
}

/** Jars in the one order that class archives are made with. Empty where Spark is not installed. */
export function sparkClassPath(home: string): string[] {
  return Object.keys(readInventory(home) ?? {})
    .toSorted()
    .map((name) => join(home, "jars", name));
}

export function sparkMissing(places: Places, release: Release): string[] {
  const missing = jarsMissing(places, release);
  return hasLaunchers(launchers, join(places.spark, "bin")) ? missing : [...missing, "Spark (commands)"];
}

export const areSparkCommandsOurs = (places: Places): boolean => areLaunchersOurs(launchers, join(places.spark, "bin"));

function jarsMissing(places: Places, release: Release): string[] {
  const jars = readInventory(places.spark);
  if (!jars) return ["Spark"];
  const folder = join(places.spark, "jars");
  const touched = Object.entries(jars).filter(([name, size]) => !isIntact(join(folder, name), size));
  return [
    ...touched.map(([name]) => `Spark (${name})`),
    ...missingJars(folder, release.spark.jars).map((entry) => `Spark (${entry.artifact})`),
  ];
}

/** Brings the distribution into the cache, where Spark is not as it must be. */
export async function fetchSpark(places: Places, release: Release, python: string, report: Report): Promise<void> {
  const { cache } = places;
  const { distribution } = release.spark;
  const there = isIntact(objectPath(cache, distribution.sha256), distribution.size);
  if (there || jarsMissing(places, release).length === 0) return;
  await inTemporaryFolder(cache, async (folder) => {
    await storeObject(cache, await downloadDistribution(python, distribution, folder, report), distribution);
  });
}

/** Makes the home of what fetchSpark and Maven have brought. */
export async function ensureSpark(places: Places, release: Release): Promise<void> {
  if (jarsMissing(places, release).length > 0) await makeHome(places, release);
  await placeLaunchers(launchers, join(places.spark, "bin"));
}

async function makeHome({ cache, spark: home }: Places, release: Release): Promise<void> {
  const file = objectPath(cache, release.spark.distribution.sha256);
  await inTemporaryFolder(cache, async (work) => {
    await run(["tar", "-xzf", file, "-C", work], { timeoutMs: 5 * 60_000 });
    const unpacked = join(work, release.spark.distribution.file.replace(/\.tar\.gz$/, ""));
    await makeFolder(cache, home, async (folder) => {
      await mkdir(join(folder, "python"));
      for (const [from, to] of contents) {
        await mkdir(dirname(join(folder, to)), { recursive: true });
        await rename(join(unpacked, from), join(folder, to));
      }
      const jars = join(folder, "jars");
      for (const name of release.spark.replaces) await rm(join(jars, name));
      const sizes: Record<string, number> = {};
      // Spark 4 has a folder among them, of a client that is not on the class path.
      const all = async () => (await readdir(jars)).filter((name) => name.endsWith(".jar"));
      for (const name of await all()) await markVerified(join(jars, name));
      await placeJars(cache, jars, release.spark.jars);
      for (const name of await all()) sizes[name] = statSync(join(jars, name)).size;
      await writeFile(join(folder, inventory), JSON.stringify(sizes));
    });
  });
  // 317 MB that nothing needs any more.
  await rm(file);
}
