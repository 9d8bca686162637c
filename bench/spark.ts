/** Spark jobs: as a step against typed on the master, and on YARN against two threads of unmodified Spark on the machine. */
import { join } from "node:path";
import { nodeLayout } from "../src/agent/layout.ts";
import type { Bench, BenchContext } from "./context.ts";
import type { Figure } from "./figures.ts";
import { masterOf, runLocally, runOnMaster, runStep } from "./howdah.ts";
import { takeTurns, timed } from "./rounds.ts";

/** Unmodified, from Spark's own distribution. */
const piOf = ({ howdah }: BenchContext) => join(howdah.installation.spark.home, "examples", "src", "main", "python", "pi.py");
const local = "local[2] of unmodified Spark";

export const step: Bench = {
  name: "step",
  about: "a spark-submit step, until a client sees COMPLETED, against the same command typed on the master",
  always: true,
  async run(context) {
    const { howdah, rounds, say } = context;
    const id = await context.cluster();
    const command = ["spark-submit", piOf(context)];
    await runOnMaster(howdah, id, command); // Brings every file into the page cache.
    const measured = await takeTurns(
      rounds,
      () => timed(() => runStep(howdah, id, command)),
      () => timed(() => runOnMaster(howdah, id, command)),
      say,
    );
    const floor = { what: "typed on the master", value: measured.floor };
    return [{ bench: "step", what: "spark-submit step (pi.py)", unit: "s", ours: measured.ours, floor, goal: { more: 1 }, rounds }];
  },
};

export const pi: Bench = {
  name: "pi",
  about: "pi.py of Spark's examples on YARN, in client and in cluster mode, against local[2]",
  always: true,
  async run(context) {
    const { howdah, rounds, say } = context;
    const id = await context.cluster();
    const figures: Figure[] = [];
    for (const mode of ["client", "cluster"]) {
      const onYarn = ["spark-submit", "--deploy-mode", mode, piOf(context)];
      await runOnMaster(howdah, id, onYarn);
      const measured = await takeTurns(
        rounds,
        () => timed(() => runOnMaster(howdah, id, onYarn)),
        () => timed(() => runLocally(howdah, [piOf(context)])),
        say,
      );
      const floor = { what: local, value: measured.floor };
      figures.push({ bench: "pi", what: `pi.py, ${mode} mode`, unit: "s", ours: measured.ours, floor, goal: { times: 2 }, rounds });
    }
    return figures;
  },
};

export const shuffle: Bench = {
  name: "shuffle",
  about: "a group-by over a few hundred MB of Parquet in HDFS, on YARN, against local[2] with the same files on disk",
  always: true,
  async run(context) {
    const { howdah, rounds, smoke, say } = context;
    const id = await context.cluster();
    const onMaster = (...command: string[]) => runOnMaster(howdah, id, command);
    const inHdfs = "/bench/shuffle";
    const onDisk = join(nodeLayout(howdah.data.node(await masterOf(howdah.emr, id))).tmp, "shuffle");
    await runLocally(howdah, [job("generate.py"), `file://${onDisk}`, String(smoke ? 60_000 : 36_000_000)]);
    await onMaster("hadoop", "fs", "-mkdir", "-p", "/bench");
    await onMaster("hadoop", "fs", "-put", "-f", onDisk, inHdfs);
    const results = new Set<string>();
    const measured = await takeTurns(
      rounds,
      () => timed(async () => results.add(await onMaster("spark-submit", job("shuffle.py"), inHdfs))),
      () => timed(async () => results.add(await runLocally(howdah, [job("shuffle.py"), `file://${onDisk}`]))),
      say,
    );
    if (results.size !== 1) throw new Error(`the shuffle job has more than one result: ${[...results].join("; ")}`);
    const floor = { what: local, value: measured.floor };
    return [{ bench: "shuffle", what: "group-by of 290 MB", unit: "s", ours: measured.ours, floor, goal: { times: 1.2 }, rounds }];
  },
};

const job = (name: string): string => join(import.meta.dirname, "jobs", name);
