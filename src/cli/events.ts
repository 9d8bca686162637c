/** `howdah events CLUSTER [-f] [--state-changes]`: what happened to a cluster, in its order. */
import { setTimeout as sleep } from "node:timers/promises";
import { dataFolder } from "../data-folder.ts";
import { findCluster } from "../store/clusters.ts";
import { eventsOf } from "../store/events.ts";
import { stateChangesOf } from "../store/state-changes.ts";
import type { Db } from "../store/store.ts";
import { chooseCluster, withStore } from "./find.ts";
import { paint, printJson } from "./terminal.ts";

const lookMs = 500;

interface Line {
  number: number;
  /** For programs. */
  document: object;
  /** For the terminal. */
  text: string;
}

/** With `follow`, until the cluster has ended. `stateChanges`: EMR's state-change events instead of Howdah's words. */
export async function events(
  clusterText: string,
  options: { data?: string; follow?: boolean; json?: boolean; stateChanges?: boolean },
): Promise<void> {
  if (options.json && options.follow) throw new Error("--json and --follow do not go together: --json says once what is so");
  const lines = options.stateChanges ? stateChanges : happenings;
  await withStore(dataFolder(options.data), async ({ db }) => {
    const { id } = await chooseCluster(db, clusterText);
    if (options.json) {
      printJson((await lines(db, id, 0)).map(({ document }) => document));
      return;
    }
    for (let last = 0; ;) {
      // Before its events: what is written with its end is then among them.
      const isOver = (await findCluster(db, id))?.phase === "ended";
      for (const { number, text } of await lines(db, id, last)) {
        console.log(text);
        last = number;
      }
      if (!options.follow || isOver) return;
      await sleep(lookMs);
    }
  });
}

async function happenings(db: Db, id: string, after: number): Promise<Line[]> {
  const rows = (await eventsOf(db, id)).filter((event) => event.id > after);
  return rows.map(({ id: number, at, kind, message }) => {
    const time = new Date(at).toISOString();
    const text = `${kind.padEnd(8)}  ${message}`;
    return {
      number,
      document: { at: time, kind, message },
      text: `${paint("dim", time)}  ${kind === "warning" ? paint("yellow", text) : text}`,
    };
  });
}

async function stateChanges(db: Db, id: string, after: number): Promise<Line[]> {
  return (await stateChangesOf(db, id, after)).map(({ number, event }) => ({ number, document: event, text: JSON.stringify(event) }));
}
