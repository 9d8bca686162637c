/** `howdah down`: ends everything of a data folder, with or without a living control plane, and leaves nothing. */
import { existsSync, rmSync } from "node:fs";
import { type DataFolder, ownerVariable } from "./data-folder.ts";
import { recordPath, runningControlPlane } from "./control-plane.ts";
import { endProcess, findByEnvironment } from "./process/known.ts";
import { createLocalProvider } from "./providers/local/provider.ts";
import { stopS3Proxy } from "./s3/s3proxy.ts";
import { endAllClusters } from "./store/clusters.ts";
import { openStore } from "./store/store.ts";

export interface TakenDown {
  instances: number;
  clusters: number;
}

/** Clusters that were living end as terminated. What is in S3, and logs of nodes, stay. Safe to repeat. */
export async function takeDown(data: DataFolder, report: (text: string) => void = () => {}): Promise<TakenDown> {
  const running = runningControlPlane(data);
  if (running && running.pid !== process.pid) {
    report("ending the control plane");
    await endProcess(running, { graceMs: 10_000 });
  }
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
  for (const orphan of findByEnvironment(ownerVariable, data.root))
    if (orphan.pid !== process.pid) await endProcess(orphan, { graceMs: 2_000 });

  let clusters = 0;
  if (existsSync(data.database)) {
    const store = await openStore(data.database, Date.now);
    clusters = await endAllClusters(store, "Terminated by howdah down");
    await store.close();
  }
  rmSync(recordPath(data), { force: true });
  return { instances: ended, clusters };
}
