/** All engines. To add one: a folder here, a line in this list, a version in a release. */
import type { Engine } from "./engine.ts";
import { hadoop } from "./hadoop/index.ts";
import { spark } from "./spark/index.ts";

export const engines: readonly Engine[] = [hadoop, spark];

/** `name` as in Applications[].Name, in any case, as EMR takes it. */
export function engineFor(name: string): Engine | undefined {
  return engines.find((engine) => engine.name.toLowerCase() === name.toLowerCase());
}

/** Engines of a cluster, in the order of `engines`; Hadoop is on every cluster, asked for or not. */
export function enginesFor(applications: readonly string[]): Engine[] {
  return engines.filter((engine) => engine === hadoop || applications.some((name) => engineFor(name) === engine));
}
