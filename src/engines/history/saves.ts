/** What of applications' history is saved on the master, and where: read again by `howdah history` when the cluster has ended. */
import { extname, join } from "node:path";
import type { NodeLayout } from "../../agent/layout.ts";
import type { Save } from "../../agent/manifest.ts";
import type { NodeFacts } from "../engine.ts";
import { ports } from "../hadoop/ports.ts";

/** Of each kind: more would take long, and fill the host's disk behind the user's back. */
const mostBytes = 1 << 30;
/** Ends the wait for an HDFS that hangs. With the other waits of a cluster's end, below what the control plane waits for it: reconcile/clusters.ts. */
const timeoutMs = 60_000;

/** In the log folder of a cluster's master, which outlives the cluster. */
export function savedHistory(layout: Pick<NodeLayout, "logs">) {
  const root = join(layout.logs, "history");
  return { root, spark: join(root, "spark"), mapReduce: join(root, "mapreduce") };
}

/** `from`: paths of HDFS. `kind` and the rest: see save.ts. */
export function saveOf(facts: NodeFacts, name: string, kind: "as-is" | "jobs", to: string, from: string[]): Save {
  const script = join(import.meta.dirname, `save${extname(import.meta.filename)}`);
  const url = `http://${facts.cluster.master.address}:${ports.nameNodeWeb}`;
  return { name, argv: [process.execPath, script, kind, url, to, String(mostBytes), ...from], timeoutMs };
}

/** The path in the cluster's HDFS that a location of Hadoop's or Spark's configuration means; undefined where it is in another place (s3://). */
export function hdfsPath({ cluster }: Pick<NodeFacts, "cluster">, location: string): string | undefined {
  if (location.startsWith("/")) return location;
  const found = /^hdfs:\/\/([^/]*)(\/.*)$/.exec(location);
  const own = ["", cluster.master.address, cluster.master.hostname].some(
    (host) => found?.[1] === host || found?.[1] === `${host}:${ports.nameNode}`,
  );
  return own ? found?.[2] : undefined;
}
