/** `howdah down`: ends everything of a data folder, with or without a living control plane, and leaves no process. */
import { existsSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { forgetOriginal, originalOf, readHolder, refuseTornCopy } from "./copies.ts";
import { cacheFolder, type DataFolder, ownerVariable } from "./data-folder.ts";
import { lockDataFolder, providerOf, recordPath } from "./running.ts";
import { endProcess, findByEnvironment, isAlive } from "./process/known.ts";
import type { Provider } from "./providers/provider.ts";
import { endAllClusters, keepAllClusters } from "./store/clusters.ts";
import { instancesOfLiving } from "./store/instances.ts";
import { openStore, type Store } from "./store/store.ts";

export interface TakenDown {
  /** That ran. */
  instances: number;
  /** That have ended for good. */
  clusters: number;
  /** That the next `howdah up` starts again. */
  kept: number;
}

export interface TakeDownOptions {
  /** Nodes are ended, their disks stay. */
  keep?: boolean;
}

/** A control plane that is told to end answers what it has begun, and may itself be starting. */
const lockMs = 30_000;

/** Clusters that were living end as terminated, or are kept. What is in S3, and logs of nodes, stay. Safe to repeat. */
export async function takeDown(
  data: DataFolder,
  report: (text: string) => void = () => {},
  { keep = false }: TakeDownOptions = {},
): Promise<TakenDown> {
  const lock = await endControlPlane(data, report);
  try {
    const original = originalOf(data);
    if (original) {
      refuseTornCopy(data, original);
      if (keep) throw new Error(`${data.root} is a copy of ${original.root} that was never started: it has no nodes to keep`);
      forgetOriginal(data);
    }
    if (!keep) {
      const instances = await endProcesses(data, report, new Set());
      return { instances, clusters: (await inStore(data, (store) => endAllClusters(store, message))) ?? 0, kept: 0 };
    }
    // Before any process is ended: whatever becomes of this one then, the next control plane launches what is missing.
    const marked = await inStore(data, async (store) => {
      const { kept, ended } = await keepAllClusters(store, message);
      return { kept: kept.length, clusters: ended, disks: await instancesOfLiving(store.db) };
    });
    const instances = await endProcesses(data, report, new Set(marked?.disks));
    return { instances, clusters: marked?.clusters ?? 0, kept: marked?.kept ?? 0 };
  } finally {
    lock.close();
  }
}

/** The data folder's lock: while it is held here, no control plane can start and bring back what is being ended. */
async function endControlPlane(data: DataFolder, report: (text: string) => void): Promise<Server> {
  for (const giveUpAt = performance.now() + lockMs; ;) {
    try {
      return await lockDataFolder(data);
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
    // Not recordPath: a control plane that is only starting has no endpoint to record yet.
    const holder = readHolder(data);
    if ((holder?.root ?? data.root) === data.root && isAlive(holder) && holder?.pid !== process.pid) {
      report("ending the control plane");
      await endProcess(holder, { graceMs: 10_000 });
    }
    await sleep(20);
  }
}

const message = "Terminated by howdah down";

/** undefined where nothing was ever asked for. */
async function inStore<T>(data: DataFolder, work: (store: Store) => Promise<T>): Promise<T | undefined> {
  if (!existsSync(data.database)) return undefined;
  const store = await openStore(data.database);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Ends every process, and removes the folders of instances that are not `kept`. How many instances ran. */
async function endProcesses(data: DataFolder, report: (text: string) => void, kept: Set<string>): Promise<number> {
  const { provider, close } = await openProvider(data);
  const instances = await provider.list();
  let ended = 0;
  await Promise.all(
    instances.map(async (id) => {
      if ((await provider.observe(id)) === "running") ended += 1;
      await provider.terminate(id);
      if (!kept.has(id)) await provider.reclaim(id);
    }),
  );
  if (ended > 0) report(`ended ${ended} instance${ended === 1 ? "" : "s"}`);
  await close();
  // Again until there are none: one may have started another since the look.
  const orphans = () => findByEnvironment(ownerVariable, data.root).filter(({ pid }) => pid !== process.pid);
  for (let left = orphans(); left.length > 0; left = orphans())
    await Promise.all(left.map((orphan) => endProcess(orphan, { graceMs: 2_000 })));

  rmSync(recordPath(data), { force: true });
  return ended;
}

/** `close` ends what of S3 belongs to the nodes. */
async function openProvider(data: DataFolder): Promise<{ provider: Provider; close(): unknown }> {
  if (providerOf(data) === "simulated") return (await import("./nodes/simulated.ts")).nodesAtRest(data);
  const [{ createLocalProvider }, { stopS3Proxy }] = [await import("./providers/local/provider.ts"), await import("./s3/s3proxy.ts")];
  const owner = { [ownerVariable]: data.root };
  const provider = createLocalProvider({ data, native: undefined, degree: "plain", engines: cacheFolder(), owner });
  return { provider, close: () => stopS3Proxy(data) };
}
