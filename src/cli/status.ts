/** `howdah status [CLUSTER]`: what runs, where its pages are, and what to know about it. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type DataFolder, dataFolder } from "../data-folder.ts";
import { providerOf, runningControlPlane } from "../running.ts";
import type { Db } from "../store/store.ts";
import { type DescribedCluster, describeCluster } from "./describe.ts";
import { everyCluster } from "../store/cluster-lists.ts";
import { chooseCluster, withStore } from "./find.ts";
import { clusterText, listText } from "./status-text.ts";
import { printJson } from "./terminal.ts";

export interface StatusOptions {
  data?: string;
  json?: boolean;
  /** Ended clusters, too. */
  all?: boolean;
  /** Again and again, until the cluster has ended. */
  watch?: boolean;
}

export async function status(clusterName: string | undefined, options: StatusOptions): Promise<void> {
  const data = dataFolder(options.data);
  if (!existsSync(data.database)) {
    if (options.json) printJson({ up: null, catalogs: [], clusters: [] });
    else console.log(`Howdah has never run in ${data.root}. Run: howdah up --detach`);
    return;
  }
  if (options.json && options.watch) throw new Error("--json and --watch do not go together: --json says once what is so");
  await withStore(data, async ({ db }) => {
    const look = clusterName === undefined ? () => list(db, data, options) : await one(db, data, clusterName, options);
    if (options.watch) await watch(look);
    else console.log((await look()).text);
  });
}

/** `state` changes when anything does but the ages that `text` tells. */
interface Look {
  text: string;
  state: string;
  isOver: boolean;
}

async function list(db: Db, data: DataFolder, { json, all }: StatusOptions): Promise<Look> {
  const running = runningControlPlane(data);
  const provider = providerOf(data) ?? "local";
  const up = running ? { endpoint: running.endpoint, pid: running.pid } : null;
  const catalogs = existsSync(data.glue) ? await (await import("../glue/look.ts")).lookAtCatalogs(data) : [];
  const clusters = await everyCluster(db);
  const shown = await Promise.all(
    clusters.filter(({ phase }) => all || phase !== "ended").map((cluster) => describeCluster(db, cluster, provider)),
  );
  const state = JSON.stringify({ up, catalogs, clusters: shown }, undefined, 2);
  return {
    text: json
      ? state
      : listText(`${data.root}${provider === "simulated" ? ", simulated nodes" : ""}`, up, catalogs, shown, clusters.length - shown.length),
    state,
    isOver: false,
  };
}

async function one(db: Db, data: DataFolder, name: string, { json }: StatusOptions): Promise<() => Promise<Look>> {
  const { id } = await chooseCluster(db, name);
  return async () => {
    const cluster = await describeCluster(db, await chooseCluster(db, id), providerOf(data) ?? "local");
    const described = { ...cluster, userInterfaces: await answering(cluster) };
    const state = JSON.stringify(described, undefined, 2);
    return { text: json ? state : clusterText(described), state, isOver: cluster.endedAt !== null };
  };
}

const answerMs = 2_000;

/** Which pages answer now. */
async function answering({ userInterfaces }: DescribedCluster) {
  return Promise.all(
    userInterfaces.map(async (page) => {
      const asked = fetch(page.url, { redirect: "manual", signal: AbortSignal.timeout(answerMs) });
      const answers = await asked.then(
        async ({ status: code, body }) => {
          await body?.cancel();
          return code < 500;
        },
        () => false,
      );
      return { ...page, answers };
    }),
  );
}

const watchMs = 1_000;

/** On a terminal the same place is written again; elsewhere what has changed is written below. */
async function watch(look: () => Promise<Look>): Promise<void> {
  const onTerminal = process.stdout.isTTY === true && process.env.TERM !== "dumb";
  for (let before = ""; ;) {
    const { text, state, isOver } = await look();
    if (onTerminal) {
      const lines = text.split("\n");
      const fitting = lines.slice(0, Math.max(1, (process.stdout.rows || lines.length) - 1));
      process.stdout.write(`\u001B[H${fitting.map((line) => `${line}\u001B[K\n`).join("")}\u001B[J`);
    } else if (state !== before) console.log(`${before && "\n"}${text}`);
    before = state;
    if (isOver) return;
    await sleep(watchMs);
  }
}
