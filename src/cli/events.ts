/** `howdah events CLUSTER [-f]`: what happened to a cluster, in its order. */
import { setTimeout as sleep } from "node:timers/promises";
import { dataFolder } from "../data-folder.ts";
import { findCluster } from "../store/clusters.ts";
import { eventsOf } from "../store/events.ts";
import { chooseCluster, withStore } from "./find.ts";
import { paint, printJson } from "./terminal.ts";

const lookMs = 500;

/** With `follow`, until the cluster has ended. */
export async function events(clusterText: string, options: { data?: string; follow?: boolean; json?: boolean }): Promise<void> {
  if (options.json && options.follow) throw new Error("--json and --follow do not go together: --json says once what is so");
  await withStore(dataFolder(options.data), async ({ db }) => {
    const { id } = await chooseCluster(db, clusterText);
    if (options.json) {
      printJson((await eventsOf(db, id)).map(({ at, kind, message }) => ({ at: new Date(at).toISOString(), kind, message })));
      return;
    }
    for (let last = 0; ;) {
      // Before its events: what is written with its end is then among them.
      const isOver = (await findCluster(db, id))?.phase === "ended";
      for (const event of (await eventsOf(db, id)).filter((one) => one.id > last)) {
        const text = `${event.kind.padEnd(8)}  ${event.message}`;
        console.log(`${paint("dim", new Date(event.at).toISOString())}  ${event.kind === "warning" ? paint("yellow", text) : text}`);
        last = event.id;
      }
      if (!options.follow || isOver) return;
      await sleep(lookMs);
    }
  });
}
