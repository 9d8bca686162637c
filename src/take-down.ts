/** `howdah down`: ends everything of a data folder, with or without a living control plane, and leaves nothing. */
import { existsSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type DataFolder, ownerVariable } from "./data-folder.ts";
import { holderPath, lockDataFolder, recordPath } from "./running.ts";
import { readJson } from "./files.ts";
import { type KnownProcess, endProcess, findByEnvironment, isAlive } from "./process/known.ts";
import { createLocalProvider } from "./providers/local/provider.ts";
import { stopS3Proxy } from "./s3/s3proxy.ts";
import { endAllClusters } from "./store/clusters.ts";
import { openStore } from "./store/store.ts";

export interface TakenDown {
  instances: number;
  clusters: number;
}

/** A control plane that is told to end answers what it has begun, and may itself be starting. */
const lockMs = 30_000;

/** Clusters that were living end as terminated. What is in S3, and logs of nodes, stay. Safe to repeat. */
export async function takeDown(data: DataFolder, report: (text: string) => void = () => {}): Promise<TakenDown> {
  const lock = await endControlPlane(data, report);
  try {
    return await endTheRest(data, report);
  } finally {
    lock.close();
  }
}

/** The data folder's lock: while it is held here, no control plane can start and bring back what is being ended. */
async function endControlPlane(data: DataFolder, report: (text: string) => void): Promise<Server> {
  for (const giveUpAt = Date.now() + lockMs; ;) {
    try {
      return await lockDataFolder(data);
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
    }
    // Not recordPath: a control plane that is only starting has no endpoint to record yet.
    const holder = readJson<KnownProcess>(holderPath(data));
    if (isAlive(holder) && holder?.pid !== process.pid) {
      report("ending the control plane");
      await endProcess(holder, { graceMs: 10_000 });
    }
    await sleep(20);
  }
}

async function endTheRest(data: DataFolder, report: (text: string) => void): Promise<TakenDown> {
  const owner = { [ownerVariable]: data.root };
  const provider = createLocalProvider({ data, native: undefined, degree: "plain", binds: [], owner });
  const instances = await provider.list();
  let ended = 0;
  await Promise.all(
    instances.map(async (id) => {
      if ((await provider.observe(id)) === "running") ended += 1;
      await provider.terminate(id);
      await provider.reclaim(id);
    }),
  );
  if (ended > 0) report(`ended ${ended} instance${ended === 1 ? "" : "s"}`);
  await stopS3Proxy(data);
  // Again until there are none: one may have started another since the look.
  const orphans = () => findByEnvironment(ownerVariable, data.root).filter(({ pid }) => pid !== process.pid);
  for (let left = orphans(); left.length > 0; left = orphans())
    await Promise.all(left.map((orphan) => endProcess(orphan, { graceMs: 2_000 })));

  let clusters = 0;
  if (existsSync(data.database)) {
    const store = await openStore(data.database, Date.now);
    clusters = await endAllClusters(store, "Terminated by howdah down");
    await store.close();
  }
  rmSync(recordPath(data), { force: true });
  return { instances: ended, clusters };
}
