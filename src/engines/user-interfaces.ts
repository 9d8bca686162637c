/** Web pages of a cluster's daemons. They are on its master, as in EMR. */
import { enginesFor } from "./index.ts";
import { ports } from "./ports.ts";

const pages: { engine: string; name: string; port: number }[] = [
  { engine: "Hadoop", name: "HDFS NameNode", port: ports.nameNodeWeb },
  { engine: "Hadoop", name: "YARN ResourceManager", port: ports.resourceManagerWeb },
  { engine: "Hadoop", name: "MapReduce history", port: ports.jobHistoryWeb },
  { engine: "Spark", name: "Spark history", port: ports.sparkHistoryWeb },
];

/** `master` is the address of the master node, `applications` as in RunJobFlow. */
export function userInterfaces(master: string, applications: readonly string[]): { name: string; url: string }[] {
  const engines = enginesFor(applications).map(({ name }) => name);
  return pages.filter(({ engine }) => engines.includes(engine)).map(({ name, port }) => ({ name, url: `http://${master}:${port}/` }));
}
