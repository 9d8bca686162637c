/** `howdah logs`: what Howdah, steps, daemons, bootstrap actions and containers have written, as it is or as it grows. Read from the nodes' folders. */
import { createReadStream, existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { nodeLayout } from "../agent/layout.ts";
import { type DataFolder, dataFolder } from "../data-folder.ts";
import { controlPlaneLog, requireRealNodes } from "../running.ts";
import { stepState, stepsOf } from "../store/steps.ts";
import type { Db } from "../store/store.ts";
import { chooseCluster, chooseNode, chooseStep, nodesOf, placeOf, withStore } from "./find.ts";
import { createFollower } from "./follow.ts";
import { logFiles } from "./log-files.ts";
import { listLogs } from "./log-list.ts";
import { type NodeLog, type Selection, type Wanted, select } from "./log-selection.ts";
import { paint, write } from "./terminal.ts";

export interface LogsOptions extends Omit<Wanted, "step"> {
  data?: string;
  node?: string;
  /** How many of the last lines of each file. */
  lines?: number;
  json?: boolean;
}

/** Ends by itself where what is followed does: exit code 0, or 1 for a step that did not complete. */
export async function logs(clusterText: string | undefined, step: string | undefined, options: LogsOptions): Promise<void> {
  const data = dataFolder(options.data);
  if (clusterText === undefined) return ownLog(data, options);
  requireRealNodes(data, `logs. howdah events ${clusterText} tells what happened`);
  await withStore(data, async ({ db }) => {
    const cluster = await chooseCluster(db, clusterText);
    const nodes = await nodesOf(db, cluster.id);
    const looked = options.node === undefined ? nodes : [chooseNode(nodes, options.node)];
    const files = () =>
      looked.flatMap((node) => logFiles(nodeLayout(data.node(node.id))).map((file) => ({ ...file, node, place: placeOf(nodes, node) })));
    const selection = await select(db, cluster, { ...options, step }, files());
    if (!selection) return listLogs(db, cluster, files(), options.json ?? false);
    if (options.json) throw new Error("--json is for the list of a cluster's logs: howdah logs CLUSTER --json");
    const fitting = () => files().filter(selection.fits);
    const lines = options.lines ?? selection.lines;
    if (!options.follow) return print(fitting(), lines, selection.nothing);
    await follow(fitting, selection, lines);
    if (selection.step !== undefined) await sayEnd(db, cluster.id, selection.step);
  });
}

/** Whole files, one after the other, each under its path. */
async function print(files: NodeLog[], lines: number | undefined, nothing: string): Promise<void> {
  if (files.length === 0) throw new Error(nothing);
  for (const [i, { path }] of files.entries()) {
    await write(`${i > 0 ? "\n" : ""}${paint("bold", `==> ${path} <==`)}\n`);
    await copy(path, lines);
  }
}

async function copy(path: string, lines: number | undefined): Promise<void> {
  if (lines !== undefined) return createFollower(write).finish([{ path, label: undefined, lines }]);
  for await (const chunk of createReadStream(path)) await write(chunk as Uint8Array);
}

const lookMs = 250;

async function follow(files: () => NodeLog[], { label, isOver, nothing }: Selection, lines: number | undefined): Promise<void> {
  const follower = createFollower(write);
  const current = () =>
    files()
      .filter(({ rolled }) => !rolled)
      .map((file) => ({ path: file.path, label: paint("cyan", label(file)), lines }));
  if (files().length === 0 && !(await isOver())) console.error(`${nothing} yet`);
  while (!(await isOver())) {
    await follower.look(current());
    await sleep(lookMs);
  }
  await follower.finish(current());
}

async function sayEnd(db: Db, clusterId: string, id: string): Promise<void> {
  const step = chooseStep(await stepsOf(db, clusterId), id);
  console.error(paint("bold", `Step ${step.id} (${step.spec.name}) is ${stepState(step)}. ${step.failure?.Message ?? ""}`.trimEnd()));
  if (step.state !== "COMPLETED") process.exitCode = 1;
}

async function ownLog(data: DataFolder, { follow: isFollowed, lines }: LogsOptions): Promise<void> {
  const path = controlPlaneLog(data);
  if (!existsSync(path)) throw new Error(`there is no log in ${data.logs}: Howdah has never run there`);
  if (!isFollowed) return copy(path, lines);
  const follower = createFollower(write);
  for (;;) {
    await follower.look([{ path, label: undefined, lines: lines ?? 10 }]);
    await sleep(lookMs);
  }
}
