/** Homes of the engines besides Hadoop and Spark: the lock's jars in `lib`, commands in `bin`, and what the engine itself makes. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../engines/engine.ts";
import type { EngineHome, EngineSetup } from "../engines/engine-setup.ts";
import type { EngineLock, Release } from "../releases/release.ts";
import { type ArchivePlan, archivePlan } from "./archives.ts";
import { makeFolder, objectPath } from "./cache.ts";
import { missingJars, placeJars } from "./jars.ts";
import { areLaunchersOurs, hasLaunchers, placeLaunchers } from "./launchers.ts";
import { jarName } from "./maven.ts";
import { digest } from "./places.ts";

/** Rises when what is made of the same inputs changes. */
const format = 1;

export interface EnginePlace {
  name: string;
  setup: EngineSetup;
  lock: EngineLock;
  home: string;
}

/** Of each engine that set-up brings by its own description. `hadoopHome` changes with Hadoop's lock. */
export function enginePlace(cache: string, release: Release, engine: Engine, hadoopHome: string): EnginePlace | undefined {
  const { name, setup } = engine;
  const lock = release.engines[name];
  if (!setup || !lock) return undefined;
  const sources = (setup.sources ?? []).map((file) => readFileSync(file, "utf8"));
  const sums = [...lock.jars, ...(lock.files ?? []), ...Object.values(lock.java ?? {})].map(({ sha256 }) => sha256);
  const key = digest(format, sums, sources, setup.make ? hadoopHome : "");
  return { name, setup, lock, home: join(cache, `${name.toLowerCase()}-${lock.version}-${key}`) };
}

const libraryOf = ({ home, lock }: EnginePlace): string[] => lock.jars.map((entry) => join(home, "lib", jarName(entry))).toSorted();

export function engineArchive(cache: string, place: EnginePlace, jdk: string, hadoopClassPath: readonly string[]): ArchivePlan | undefined {
  const { name, setup, lock, home } = place;
  const jars = setup.archived?.(home, libraryOf(place), hadoopClassPath);
  return jars && archivePlan(cache, `${name.toLowerCase()}-${lock.version}`, jars, jdk);
}

export const engineHome = (place: EnginePlace, archive: ArchivePlan | undefined): EngineHome => ({
  home: place.home,
  version: place.lock.version,
  classPath: libraryOf(place),
  archive: archive?.archive,
});

function contentMissing({ name, setup, lock, home }: EnginePlace): string[] {
  return [
    ...missingJars(join(home, "lib"), lock.jars).map((entry) => `${name} (${jarName(entry)})`),
    ...(setup.made ?? []).filter((path) => !existsSync(join(home, path))).map((path) => `${name} (${path})`),
  ];
}

/** What is missing or was touched, by name. */
export function engineMissing(place: EnginePlace): string[] {
  const missing = contentMissing(place);
  const { commands } = place.setup;
  return !commands || hasLaunchers(commands, join(place.home, "bin")) ? missing : [...missing, `${place.name} (commands)`];
}

export const areEngineCommandsOurs = ({ setup, home }: EnginePlace): boolean =>
  !setup.commands || areLaunchersOurs(setup.commands, join(home, "bin"));

/** Of what Maven has brought to the cache. */
export async function ensureEngine(cache: string, place: EnginePlace, jdk: string, hadoopClassPath: readonly string[]): Promise<void> {
  const { name, setup, lock, home } = place;
  if (contentMissing(place).length > 0)
    await makeFolder(cache, home, async (folder) => {
      await placeJars(cache, join(folder, "lib"), lock.jars);
      const file = (artifact: string, classifier?: string) => {
        const entry = (lock.files ?? []).find((one) => one.artifact === artifact && (classifier ?? one.classifier) === one.classifier);
        if (!entry) throw new Error(`${artifact} is not among the files of ${name}'s lock`);
        return objectPath(cache, entry.sha256);
      };
      await setup.make?.({ folder, lock, file, jdk, hadoopClassPath });
    });
  if (setup.commands) await placeLaunchers(setup.commands, join(home, "bin"));
}
