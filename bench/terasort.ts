/**
 * teragen, terasort and teravalidate of Hadoop's examples on the cluster. Beside it the same three with MapReduce's own local runner: one JVM for
 * each, two threads, the machine's disk, no YARN and no HDFS.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { nodeLayout } from "../src/agent/layout.ts";
import type { Bench } from "./context.ts";
import { masterOf, runOnMaster } from "./howdah.ts";
import { takeTurns, timed } from "./rounds.ts";

const rowBytes = 100;
const withoutCluster = {
  "mapreduce.framework.name": "local",
  "fs.defaultFS": "file:///",
  "mapreduce.local.map.tasks.maximum": "2",
  "mapreduce.local.reduce.tasks.maximum": "2",
};
/** One JVM does what takes four containers there: two tasks, each with its sort buffer, and the shuffle in memory. */
const localHeap = ["HADOOP_CLIENT_OPTS=-Xmx3g"];

export const terasort: Bench = {
  name: "terasort",
  about: "teragen, terasort and teravalidate of 1 GB, against MapReduce's local runner",
  always: true,
  async run({ howdah, cluster, rounds, smoke, say }) {
    const id = await cluster();
    const rows = smoke ? 1_000 : 1e9 / rowBytes;
    const properties = Object.entries({ "mapreduce.job.maps": "2", "mapreduce.job.reduces": "2" });
    const local = Object.entries(withoutCluster);
    const disk = join(nodeLayout(howdah.data.node(await masterOf(howdah.emr, id))).tmp, "tera");
    mkdirSync(disk, { recursive: true });
    const sort = async (folder: string, given: [string, string][], env: string[] = []) => {
      const options = given.flatMap(([name, value]) => ["-D", `${name}=${value}`]);
      const program = (name: string, ...args: string[]) =>
        runOnMaster(howdah, id, ["env", ...env, "hadoop-mapreduce-examples", name, ...options, ...args]);
      await program("teragen", String(rows), `${folder}/in`);
      await program("terasort", `${folder}/in`, `${folder}/out`);
      await program("teravalidate", `${folder}/out`, `${folder}/report`);
    };
    const measured = await takeTurns(
      rounds,
      (round) => timed(() => sort(`/bench/tera-${round}`, properties)),
      (round) => timed(() => sort(`${disk}/${round}`, [...properties, ...local, ["hadoop.tmp.dir", `${disk}/tmp`]], localHeap)),
      say,
    );
    const floor = { what: "MapReduce's local runner, 2 threads", value: measured.floor };
    return [
      {
        bench: "terasort",
        what: `teragen, terasort, teravalidate of ${(rows * rowBytes) / 1e9} GB`,
        unit: "s",
        ours: measured.ours,
        floor,
        rounds,
      },
    ];
  },
};
