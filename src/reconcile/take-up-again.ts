import { liveClusters, moveCluster } from "../store/clusters.ts";
import { findInstance, instancesOf } from "../store/instances.ts";
import { trailsWithSpans } from "../store/trails.ts";
import type { ReconcileContext } from "./context.ts";

/**
 * After a start: every living thing is looked at once, networks are claimed again, and instances that nobody wants are removed.
 * `moved`: the endpoint, which nodes have in their configuration, is another one than last time.
 */
export async function takeUpAgain({ store, provider, log }: ReconcileContext, moved: boolean): Promise<void> {
  const trails = await trailsWithSpans(store.db);
  await store.transaction(async (tx) => {
    for (const arn of trails) await tx.wake("trail", arn);
  });
  for (const cluster of await liveClusters(store.db)) {
    const network = cluster.network === null ? null : await provider.claimNetwork(cluster.id, cluster.network);
    const instances = await instancesOf(store.db, cluster.id);
    await store.transaction(async (tx) => {
      await tx.wake("cluster", cluster.id);
      await tx.wake("steps", cluster.id);
      for (const { id } of instances) await tx.wake("instance", id);
      if (network !== null && network !== cluster.network) await moveCluster(tx, cluster, network);
      if (moved) await tx.manifestChanged(cluster.id);
    });
  }
  for (const id of await provider.list()) {
    const instance = await findInstance(store.db, id);
    if (instance && instance.status !== "terminated") continue;
    if ((await provider.observe(id)) !== "absent") log.warn({ id }, "an instance that no cluster has: removed");
    await provider.terminate(id);
    await provider.reclaim(id);
  }
}
