/** All engines. To add one: a folder here, a line in this list, a lock in a release. */
import type { Engine } from "./engine.ts";
import { flink } from "./flink/index.ts";
import { glue } from "./glue/index.ts";
import { hadoop } from "./hadoop/index.ts";
import { hbase } from "./hbase/index.ts";
import { hcatalog } from "./hcatalog/index.ts";
import { hive } from "./hive/index.ts";
import { spark } from "./spark/index.ts";
import { tez } from "./tez/index.ts";
import { trino } from "./trino/index.ts";
import { zookeeper } from "./zookeeper/index.ts";

/** One that needs another is behind it. PATH is in this order: `beeline`, which Spark has too, is Hive's. */
export const engines: readonly Engine[] = [hadoop, tez, hive, hcatalog, glue, spark, zookeeper, hbase, trino, flink];

/** `name` as in Applications[].Name, in any case, as EMR takes it. */
export function engineFor(name: string): Engine | undefined {
  return engines.find((engine) => engine.name.toLowerCase() === name.toLowerCase());
}

/** Engines of a cluster and what they need, in the order of `engines`; Hadoop is on every cluster, asked for or not. */
export function enginesFor(applications: readonly string[]): Engine[] {
  const wanted = new Set<Engine>([hadoop]);
  const add = (name: string) => {
    const engine = engineFor(name);
    if (!engine || wanted.has(engine)) return;
    wanted.add(engine);
    engine.needs?.forEach(add);
  };
  applications.forEach(add);
  return engines.filter((engine) => wanted.has(engine));
}

/** Every port that a daemon of a node may listen at: another program that listens at one of them on all addresses is in the way. */
export const enginePorts: readonly number[] = engines.flatMap(({ ports }) => Object.values(ports));
