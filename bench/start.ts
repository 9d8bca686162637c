/** RunJobFlow to WAITING against the bare start of the same JVMs: same command lines, configuration, archives and addresses. */
import { join } from "node:path";
import { startBare } from "./bare.ts";
import type { Bench } from "./context.ts";
import { clusterIs, runJobFlow, terminate } from "./howdah.ts";
import { takeTurns, timed } from "./rounds.ts";

export const start: Bench = {
  name: "start",
  about: "RunJobFlow to WAITING, 1 master + 2 core + 1 task",
  always: true,
  async run({ howdah, rounds, say }) {
    const ours = async () => {
      let id = "";
      const seconds = await timed(async () => {
        id = await runJobFlow(howdah);
        await clusterIs(howdah, id, "WAITING");
      });
      await terminate(howdah, id);
      return seconds;
    };
    const bare = (round: number) => startBare({ ...howdah, folder: join(howdah.data.root, `bare-${round}`) });
    const measured = await takeTurns(rounds, ours, bare, say);
    return [
      {
        bench: "start",
        what: "RunJobFlow to WAITING (1+2+1)",
        unit: "s",
        ours: measured.ours,
        floor: { what: "bare start of the same JVMs", value: measured.floor },
        goal: { times: 1.3 },
        rounds,
      },
    ];
  },
};
