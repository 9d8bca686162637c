/**
 * Puts a release on this machine: engines by the user's own Maven and pip from the lock, the distributions made of them, and what
 * makes clusters start fast. All of it is in the cache, shared by all data folders; what is there already is not made again.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { engines, enginesFor } from "./engines/index.ts";
import type { Installation } from "./engines/installation.ts";
import { findRelease, releaseLabels, type MavenEntry, type Release } from "./releases/release.ts";
import { archiveMissing, archivePlan, ensureArchive, type ArchivePlan } from "./setup/archives.ts";
import { isIntact, makeFolder, placeObject, withCacheLock } from "./setup/cache.ts";
import { areHadoopCommandsOurs, ensureHadoop, hadoopClassPath, hadoopMissing } from "./setup/hadoop-home.ts";
import {
  areEngineCommandsOurs,
  engineArchive,
  engineHome,
  engineMissing,
  enginePlace,
  type EnginePlace,
  ensureEngine,
} from "./setup/engine-home.ts";
import { ensureObjects } from "./setup/jars.ts";
import { ensureJavaHome, javaHomeMissing, type ArchiveUse } from "./setup/java-home.ts";
import { findJava, findPython } from "./setup/machine.ts";
import { ensureNameTemplate, nameTemplateMissing } from "./setup/name-template.ts";
import { ensureOwnJar, ownJarsMissing } from "./setup/own-jars.ts";
import { makeVenv, venvBase } from "./setup/pip.ts";
import { nodeJavaHome, ownJarNames, places, toolsRequirements, type Places } from "./setup/places.ts";
import { areSparkCommandsOurs, ensureSpark, fetchSpark, sparkClassPath, sparkMissing } from "./setup/spark-home.ts";
import type { Report, SetupProgress, SetupTask } from "./setup/task.ts";

export { datasetFlights } from "./setup/dataset.ts";
export type { SetupProgress, SetupTask } from "./setup/task.ts";

/** Progress of the task that is under way. */
export type OnProgress = (event: { task: string; state: "started" | "running" | "done"; progress?: SetupProgress }) => void;

/** Throws for a label whose engines are not locked. */
function lockedRelease(label: string): Release {
  const release = findRelease(label);
  if (release) return release;
  throw new Error(`Release ${label} is not locked. Locked: ${releaseLabels().join(", ")}.`);
}

/**
 * What set-up put here for a release, with what these applications need, or the names of what is missing or damaged. It only looks at
 * files: no network, no program is started. Throws for a label whose engines are not locked.
 */
export function readInstallation(releaseLabel: string, applications: readonly string[] = []): Installation | { missing: string[] } {
  const release = lockedRelease(releaseLabel);
  const at = places(release);
  let installation: Omit<Installation, "engines">;
  try {
    installation = JSON.parse(readFileSync(at.record, "utf8")) as Omit<Installation, "engines">;
  } catch {
    return { missing: [`Release ${releaseLabel}`] };
  }
  const others = enginePlaces(release, at, applications).map((place) => ({
    place,
    archive: engineArchive(at.cache, place, installation.javaHome, installation.hadoop.classPath),
  }));
  const missing = [
    ...findMissing(release, at, installation),
    ...others.flatMap(({ place, archive }) => [...engineMissing(place), ...(archive ? archiveMissing(archive) : [])]),
  ];
  if (missing.length > 0) return { missing };
  return { ...installation, engines: Object.fromEntries(others.map(({ place, archive }) => [place.name, engineHome(place, archive)])) };
}

/** Of the engines that these applications need besides Hadoop and Spark, and of those whose homes they use. */
const enginePlaces = (release: Release, at: Places, applications: readonly string[]): EnginePlace[] =>
  enginesFor([...applications, ...enginesFor(applications).flatMap(({ homes = [] }) => homes)])
    .map((engine) => enginePlace(at.cache, release, engine, at.hadoop))
    .filter((place) => place !== undefined);

/** Names of engines whose homes this machine has besides Hadoop and Spark, whole or not: set-up keeps them whole, and their commands follow this version of Howdah. */
export function enginesHere(releaseLabel: string): string[] {
  const release = lockedRelease(releaseLabel);
  const all = engines.map(({ name }) => name);
  return enginePlaces(release, places(release), all)
    .filter(({ home }) => existsSync(home))
    .map(({ name }) => name);
}

const there = (path: string, name: string) => (existsSync(path) ? [] : [name]);

function findMissing(release: Release, at: Places, installation: Omit<Installation, "engines">): string[] {
  const { javaHome: jdk, nodeJavaHome: home } = installation;
  const missing = [
    ...there(join(jdk, "bin", "java"), "Java"),
    ...there(installation.python, "Python"),
    ...hadoopMissing(at, release),
    ...sparkMissing(at, release),
    ...ownJarsMissing(at),
    ...s3proxyMissing(at, release.s3proxy),
    ...there(join(at.tools, "bin", "aws"), "node tools"),
    ...nameTemplateMissing(at),
    ...there(installation.native.init, "node init"),
    ...there(installation.native.preload, "preload library"),
  ];
  if (missing.length > 0) return missing;
  const archives = archivePlans(release, at, jdk);
  const expected = nodeJavaHome(at, jdk) === home ? javaHomeMissing(home, jdk, archiveUses(at, archives)) : ["Java for nodes"];
  return [...archives.flatMap(archiveMissing), ...expected];
}

const s3proxyMissing = (at: Places, entry: MavenEntry) => (isIntact(at.s3proxy, entry.size) ? [] : ["s3proxy"]);

function archivePlans(release: Release, at: Places, jdk: string): ArchivePlan[] {
  return [
    archivePlan(at.cache, `hadoop-${release.hadoop.version}`, hadoopClassPath(at.hadoop, release), jdk),
    archivePlan(at.cache, `spark-${release.spark.version}`, sparkClassPath(at.spark), jdk),
  ];
}

/** Class paths of YARN's containers hold all of Hadoop's jars, Spark's name its folder. */
function archiveUses(at: Places, archives: ArchivePlan[]): ArchiveUse[] {
  return archives.map(({ list, archive, jars }) => ({
    archive,
    jars,
    marker: list.startsWith("spark") ? join(at.spark, "jars", "*") : jars.join(":"),
  }));
}

const task = (stage: number, title: string, run: (report: Report) => Promise<void>): SetupTask => ({ stage, title, run });

/** What the tasks learn on the way. */
interface Found {
  jdk: string;
  python: string;
}

/**
 * The parts of set-up in their order, for a list with progress bars: Hadoop, Spark, and what these applications need besides. Run them under the
 * cache's lock, as ensureSetup does.
 */
export function setupTasks(releaseLabel: string, applications: readonly string[] = []): SetupTask[] {
  const release = lockedRelease(releaseLabel);
  const at = places(release);
  const found = {} as Found;
  const others = enginePlaces(release, at, applications);
  const engineFiles = others
    .filter((place) => engineMissing(place).length > 0)
    .flatMap(({ lock }) => [...lock.jars, ...(lock.files ?? [])]);
  const jars = [...release.hadoop.jars, release.hadoop.webapps, ...release.spark.jars, release.s3proxy, ...engineFiles];
  const archive = async (kind: string) => {
    const plan = archivePlans(release, at, found.jdk).find(({ list }) => list.startsWith(kind));
    if (plan) await ensureArchive(at.cache, plan, found.jdk);
  };
  return [
    task(0, "Java and Python of this machine", async () => {
      found.jdk = findJava();
      found.python = await findPython();
    }),
    task(1, `${["Hadoop", "S3", "Spark", ...others.map(({ name }) => name)].join(", ")}: libraries (Maven)`, async (report) => {
      // Hard links share their content with the objects: a damaged one is found, and fetched again, by its object.
      await ensureObjects(at.cache, jars, report);
    }),
    task(1, "Spark (pip)", (report) => fetchSpark(at, release, found.python, report)),
    task(1, "Node tools: aws, boto3 (pip)", () => ensureTools(at, found.python)),
    task(2, "Spark distribution", () => ensureSpark(at, release)),
    task(2, "Hadoop distribution", async () => {
      await ensureHadoop(at, release, found.jdk);
      if (s3proxyMissing(at, release.s3proxy).length > 0) await placeObject(at.cache, release.s3proxy.sha256, at.s3proxy);
    }),
    ...ownJarNames.map((name) => task(3, name, () => ensureOwnJar(at, name, hadoopClassPath(at.hadoop, release), found.jdk))),
    ...others.map((place) =>
      task(3, place.name, async () => {
        const classPath = hadoopClassPath(at.hadoop, release);
        await ensureEngine(at.cache, place, found.jdk, classPath);
        const plan = engineArchive(at.cache, place, found.jdk, classPath);
        if (plan) await ensureArchive(at.cache, plan, found.jdk);
      }),
    ),
    task(3, "HDFS's first image", () => ensureNameTemplate(at, hadoopClassPath(at.hadoop, release), found.jdk)),
    task(3, "Class archive of Hadoop", () => archive("hadoop")),
    task(3, "Class archive of Spark", () => archive("spark")),
    task(4, "Node parts of this machine", async () => {
      const { ensureNative } = await import("./native/build.ts");
      const pythonBase = await venvBase(at.tools);
      const { version, oldestPython } = release.spark;
      if (Number(pythonBase.version.split(".")[1]) < oldestPython)
        throw new Error(
          `Spark ${version} needs Python 3.${oldestPython}, and nodes have ${pythonBase.version}, which ${at.tools} was made with. Put a newer one on PATH, remove that folder, and run: howdah engines install`,
        );
      const native = await ensureNative(at.cache);
      const archives = archivePlans(release, at, found.jdk);
      const home = nodeJavaHome(at, found.jdk);
      await ensureJavaHome(at.cache, home, found.jdk, archiveUses(at, archives));
      const archiveOf = (kind: string) => archives.find(({ list }) => list.startsWith(kind))?.archive;
      const classPath = hadoopClassPath(at.hadoop, release);
      const installation: Omit<Installation, "engines"> = {
        releaseLabel,
        javaHome: found.jdk,
        nodeJavaHome: home,
        python: join(at.tools, "bin", "python3"),
        toolsBin: join(at.tools, "bin"),
        pythonBase,
        hadoop: {
          home: at.hadoop,
          version: release.hadoop.version,
          classPath,
          archive: archiveOf("hadoop"),
          nameTemplate: at.nameTemplate,
        },
        spark: {
          home: at.spark,
          version: release.spark.version,
          classPath: sparkClassPath(at.spark),
          archive: archiveOf("spark"),
          python: release.spark.python,
        },
        s3DistCp: { jar: at.ownJars["s3-dist-cp"] },
        emrfs: { jar: at.ownJars.emrfs },
        s3proxy: { jar: at.s3proxy },
        native,
      };
      await mkdir(dirname(at.record), { recursive: true });
      await writeFile(`${at.record}.new`, JSON.stringify(installation, undefined, 2));
      await rename(`${at.record}.new`, at.record);
    }),
  ];
}

async function ensureTools(at: Places, python: string): Promise<void> {
  // A venv whose Python was removed or updated has its `python3` point to nothing.
  if (["aws", "python3"].every((name) => existsSync(join(at.tools, "bin", name)))) return;
  await makeFolder(at.cache, at.tools, (folder) => makeVenv(python, toolsRequirements, folder, at.tools));
}

/**
 * Makes the release usable, with these applications and the engines that the machine has already, and says what is where. Where everything is there, it only looks. Tasks of one stage run together.
 * Throws with what to do next: an engine that is not locked, no JDK, no Python, a repository or index that cannot be reached.
 */
export async function ensureSetup(options: {
  releaseLabel: string;
  applications?: readonly string[];
  onProgress?: OnProgress;
}): Promise<Installation> {
  const { releaseLabel } = options;
  const onProgress = options.onProgress ?? (() => {});
  const release = lockedRelease(releaseLabel);
  const at = places(release);
  const applications = [...(options.applications ?? []), ...enginesHere(releaseLabel)];
  const before = readInstallation(releaseLabel, applications);
  const areOurs =
    areHadoopCommandsOurs(at) && areSparkCommandsOurs(at) && enginePlaces(release, at, applications).every(areEngineCommandsOurs);
  if (!("missing" in before) && areOurs) return before;
  const waiting = () => onProgress({ task: "Another set-up is running; waiting for it", state: "started" });
  return await withCacheLock(at.cache, waiting, async () => {
    const tasks = setupTasks(releaseLabel, applications);
    for (const stage of new Set(tasks.map((task) => task.stage).toSorted((a, b) => a - b))) {
      const together = tasks.filter((task) => task.stage === stage);
      await allOrFirstError(
        together.map(async ({ title, run }) => {
          onProgress({ task: title, state: "started" });
          await run((progress) => onProgress({ task: title, state: "running", progress }));
          onProgress({ task: title, state: "done" });
        }),
      );
    }
    const after = readInstallation(releaseLabel, applications);
    if ("missing" in after) throw new Error(`Set-up ended, but these are still missing: ${after.missing.join(", ")}.`);
    return after;
  });
}

/** Waits for all, so that nothing still writes when the lock is given back; then throws what failed first. */
async function allOrFirstError(running: Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(running);
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}
