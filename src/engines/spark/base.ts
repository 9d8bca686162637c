/** Spark at EMR's paths, for scripts that name them. */
import { join } from "node:path";
import type { BaseFile } from "../../agent/manifest.ts";
import type { NodeFacts } from "../engine.ts";
import { command, link, logLinks } from "../node-base.ts";

export const commands = ["spark-submit", "spark-shell", "spark-sql", "pyspark", "run-example", "spark-example", "spark-class"];

export function sparkBase(facts: NodeFacts): BaseFile[] {
  const { layout, installation } = facts;
  const { home } = installation.spark;
  const conf = join(layout.conf, "spark");
  return [
    ...commands.map((name) => command(facts, name, join(home, "bin", name))),
    link("/usr/lib/spark", home),
    link("/etc/spark/conf", conf),
    // The home is the node's own view of it: no other node sees the link.
    link(join(home, "conf"), conf),
    ...logLinks("spark"),
  ];
}
