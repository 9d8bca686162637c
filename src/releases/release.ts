/** A release label and what is locked for it. */
import { release as emr7130 } from "./emr-7.13.0.ts";
import { release as emrSpark800 } from "./emr-spark-8.0.0.ts";

/** A file of Maven's, exactly as it was when the lock was made. */
export interface MavenEntry {
  group: string;
  artifact: string;
  version: string;
  classifier?: string;
  /** Of the file, as Maven names it: jar where it is not said. */
  type?: string;
  /** Hex. */
  sha256: string;
  /** Bytes. */
  size: number;
}

/** A distribution of PyPI: `requirement` as pip understands it, `file` as pip names it, with its hash and size. */
export interface PipEntry {
  requirement: string;
  file: string;
  sha256: string;
  size: number;
}

/** What of an engine is locked. */
export interface EngineLock {
  /** The one that really runs, and that is shown everywhere. */
  version: string;
  /** Go to `lib` of its home. */
  jars: MavenEntry[];
  /** What its home is made of besides. */
  files?: MavenEntry[];
  /** Wheels with the Java that it runs on, by Node's process.arch, where that is not the JDK 17 of all others. */
  java?: Record<string, PipEntry>;
}

export interface Release {
  label: string;
  /** Besides Hadoop and Spark, by name as in Applications[].Name. */
  engines: Record<string, EngineLock>;
  hadoop: { version: string; jars: MavenEntry[]; webapps: MavenEntry };
  /** `replaces`: jars of the distribution that others of the lock take the place of. `python`: archives of its python/lib. `oldestPython`: 3.9 as 9. */
  spark: { version: string; distribution: PipEntry; jars: MavenEntry[]; replaces: string[]; python: string[]; oldestPython: number };
  s3proxy: MavenEntry;
}

const releases: Record<string, Release> = { [emr7130.label]: emr7130, [emrSpark800.label]: emrSpark800 };

/** Labels whose exact engines are locked: the one that set-up brings first, then by line, the newest of each first. */
export function releaseLabels(): string[] {
  return Object.keys(releases);
}

/** emr-X.Y.Z or emr-spark-X.Y.Z, whether there is such a release or not. */
export const isReleaseLabel = (label: string): boolean => /^emr-(spark-)?\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(label);

/** `emr-` or `emr-spark-`: their numbers have nothing to do with each other. */
const lineOf = (label: string): string => label.replace(/[\d.]+$/, "");

/** The locked release of the same line whose number is nearest: first its major part counts, then the next; of two as near, the newer one. */
export function nearestRelease(label: string): Release {
  const parts = (text: string) => text.slice(lineOf(text).length).split(".").map(Number);
  const distance = (release: Release) => parts(release.label).map((part, index) => Math.abs(part - (parts(label)[index] ?? 0)));
  const compare = (a: number[], b: number[]) => a.map((part, index) => part - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
  // The list has the newest first, and a sort keeps the order of equals.
  const ofLine = Object.values(releases).filter((release) => lineOf(release.label) === lineOf(label));
  const [nearest] = ofLine.toSorted((a, b) => compare(distance(a), distance(b)));
  return nearest!;
}

/** Applications[] that a cluster can have, by name, and the version that runs of each. */
export function applicationsOf({ hadoop, spark, engines }: Release): Record<string, string> {
  const others = Object.entries(engines).map(([name, { version }]) => [name, version] as const);
  return Object.fromEntries([["Hadoop", hadoop.version], ["Spark", spark.version], ...others].toSorted(([a], [b]) => (a! < b! ? -1 : 1)));
}

/** undefined: the label is not locked here. */
export function findRelease(label: string): Release | undefined {
  return Object.hasOwn(releases, label) ? releases[label] : undefined;
}
