/** Where set-up puts what it makes, by name: each folder's name changes with everything that its content depends on. */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../data-folder.ts";
import { nativeSources } from "../native/build.ts";
import type { MavenEntry, Release } from "../releases/release.ts";
import { javaStamp } from "./machine.ts";

/** Pip requirements of the node tools, hashes included. */
export const toolsRequirements = join(import.meta.dirname, "..", "releases", "locks", "tools-requirements.txt");

/** Folders of java/: EMR's s3-dist-cp, and the credentials of S3A where EMRFS has role mappings. */
export const ownJarNames = ["s3-dist-cp", "emrfs"] as const;
export type OwnJar = (typeof ownJarNames)[number];

export function javaSources(jar: OwnJar): string[] {
  const folder = join(import.meta.dirname, "..", "..", "java", jar);
  return readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name));
}

/** Short name for everything that was given. */
export function digest(...parts: unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 12);
}

/** The `java` of nodes: two versions of Howdah that share a cache each have their own. */
export const javaStandIn = join(import.meta.dirname, "..", "engines", "java", "java");

const sums = (entries: MavenEntry[]) => entries.map((entry) => entry.sha256);

export interface Places {
  cache: string;
  /** The Installation, once all of it is there. */
  record: string;
  hadoop: string;
  spark: string;
  tools: string;
  nameTemplate: string;
  ownJars: Record<OwnJar, string>;
  s3proxy: string;
}

/** Rises when what set-up makes of the same inputs changes. */
const format = 1;
/** The same for Spark's home alone. */
const sparkFormat = 2;
/** Rises with the shape of Installation. */
const recordFormat = 7;

export function places(release: Release): Places {
  const cache = cacheFolder();
  const hadoop = digest(format, sums(release.hadoop.jars), release.hadoop.webapps.sha256);
  const spark = digest(sparkFormat, release.spark.distribution.sha256, sums(release.spark.jars));
  const tools = digest(format, readFileSync(toolsRequirements, "utf8"));
  const ownJar = (name: OwnJar) => {
    const sources = javaSources(name).map((file) => readFileSync(file, "utf8"));
    return join(cache, `${name}-${digest(hadoop, sources)}`, `${name}.jar`);
  };
  const ownJars = { "s3-dist-cp": ownJar("s3-dist-cp"), emrfs: ownJar("emrfs") };
  const native = nativeSources().map((file) => readFileSync(file, "utf8"));
  const record = digest(recordFormat, hadoop, spark, tools, ownJars, native, release.s3proxy.sha256);
  return {
    cache,
    record: join(cache, "installations", `${release.label}-${record}.json`),
    hadoop: join(cache, `hadoop-${release.hadoop.version}-${hadoop}`),
    spark: join(cache, `spark-${release.spark.version}-${spark}`),
    tools: join(cache, `tools-${tools}`),
    ownJars,
    nameTemplate: join(cache, `name-${release.hadoop.version}-${hadoop}`),
    s3proxy: join(cache, `s3proxy-${release.s3proxy.version}.jar`),
  };
}

/** JAVA_HOME of nodes, for this JDK and these distributions. */
export function nodeJavaHome(places: Places, jdk: string): string {
  return join(places.cache, `java-${digest(format, jdk, javaStamp(jdk), places.hadoop, places.spark, readFileSync(javaStandIn, "utf8"))}`);
}
