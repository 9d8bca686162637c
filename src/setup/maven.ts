/** Brings locked files by the user's own Maven, so that mirrors, proxies and credentials of its settings apply. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MavenEntry } from "../releases/release.ts";
import { run } from "./run.ts";

const plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1";
/** Without these, Maven fetches five files at a time: 73 s instead of 19 s for Hadoop. */
const inParallel = ["-Daether.connector.basic.threads=16", "-Dmaven.artifact.threads=16"];
const timeoutMs = 30 * 60_000;

/** Of a file in a flat folder, as Maven names it. */
export function jarName(entry: Pick<MavenEntry, "artifact" | "version" | "classifier" | "type">): string {
  return `${entry.artifact}-${entry.version}${entry.classifier ? `-${entry.classifier}` : ""}.${entry.type ?? "jar"}`;
}

/** Where a repository, and copy-dependencies with its layout, keep an entry. */
export function repositoryPath(entry: MavenEntry): string {
  return join(...entry.group.split("."), entry.artifact, entry.version, jarName(entry));
}

/** A root of a resolution: `exclude` holds group:artifact patterns. */
export interface PomDependency {
  group: string;
  artifact: string;
  version: string;
  classifier?: string;
  type?: string;
  exclude: string[];
}

function exclusion(pattern: string): string {
  const [group, artifact] = pattern.split(":");
  return `<exclusion><groupId>${group}</groupId><artifactId>${artifact}</artifactId></exclusion>`;
}

function pom(dependencies: PomDependency[]): string {
  const dependency = (d: PomDependency) =>
    `<dependency><groupId>${d.group}</groupId><artifactId>${d.artifact}</artifactId><version>${d.version}</version>` +
    (d.classifier ? `<classifier>${d.classifier}</classifier>` : "") +
    (d.type ? `<type>${d.type}</type>` : "") +
    `<exclusions>${d.exclude.map(exclusion).join("")}</exclusions></dependency>`;
  return [
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>`,
    `<groupId>howdah</groupId><artifactId>set-up</artifactId><version>1</version><packaging>pom</packaging>`,
    `<dependencies>`,
    ...dependencies.map(dependency),
    `</dependencies></project>\n`,
  ].join("\n");
}

/** Copies the dependencies, transitives included where nothing excludes them, into `folder` in a repository's layout. */
export async function copyDependencies(
  dependencies: PomDependency[],
  folder: string,
  options: { localRepository?: string; onFile?: (line: string) => void } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const pomFile = join(folder, "pom.xml");
  await writeFile(pomFile, pom(dependencies));
  const argv = ["mvn", "-B", "-f", pomFile, ...inParallel, `${plugin}:copy-dependencies`, "-DincludeScope=runtime"];
  argv.push(`-DoutputDirectory=${folder}`, "-Dmdep.useRepositoryLayout=true");
  if (options.localRepository) argv.push(`-Dmaven.repo.local=${options.localRepository}`);
  const onLine = (line: string) => {
    if (line.includes("Downloaded from") && line.includes(".jar (")) options.onFile?.(line);
  };
  try {
    await run(argv, { timeoutMs, onLine });
  } catch (error) {
    throw new Error(
      `Maven could not bring the libraries. Check that \`mvn -version\` works and that its settings.xml reaches a repository.\n${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** Brings exactly these files into `folder`. The caller verifies them. */
export async function fetchEntries(
  entries: MavenEntry[],
  folder: string,
  options: { localRepository?: string; onFile?: (line: string) => void } = {},
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await copyDependencies(
    entries.map((entry) => ({ ...entry, exclude: ["*:*"] })),
    folder,
    options,
  );
}
