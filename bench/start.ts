/** RunJobFlow to WAITING against the bare start of the same JVMs: same command lines, configuration, archives and addresses. */
import { join } from "node:path";
import { setUpWithProgress } from "../src/cli/progress.ts";
import { startBare } from "./bare.ts";
import type { Bench } from "./context.ts";
import { clusterIs, defaultApplications, runJobFlow, terminate } from "./howdah.ts";
import { takeTurns, timed } from "./rounds.ts";

const startWith = (name: string, applications: string[], always: boolean): Bench => ({
  name,
  about: `RunJobFlow to WAITING, 1 master + 2 core + 1 task, with ${applications.join(", ")}`,
  always,
  async run({ howdah, rounds, say }) {
    const installation = await setUpWithProgress(howdah.installation.releaseLabel, applications);
    const ours = async () => {
      let id = "";
      const seconds = await timed(async () => {
        id = await runJobFlow(howdah, applications);
        await clusterIs(howdah, id, "WAITING");
      });
      await terminate(howdah, id);
      return seconds;
    };
    const bare = (round: number) =>
      startBare({ installation, applications, endpoint: howdah.endpoint, folder: join(howdah.data.root, `bare-${round}`) });
    const measured = await takeTurns(rounds, ours, bare, say);
    return [
      {
        bench: name,
        what: "RunJobFlow to WAITING (1+2+1)",
        unit: "s",
        ours: measured.ours,
        floor: { what: "bare start of the same JVMs", value: measured.floor },
        goal: { times: 1.3 },
        rounds,
      },
    ];
  },
});

export const starts: Bench[] = [
  startWith("start", defaultApplications, true),
  startWith("start-hbase", ["Hadoop", "HBase"], false),
  startWith("start-hive", ["Hadoop", "Hive"], false),
];
