import { changeManifestsOfLiving, networksOfLiving, moveCluster } from "../store/clusters.ts";
import { instancesNotTerminated } from "../store/instances.ts";
import { trailsWithSpans } from "../store/trails.ts";
import { wakeLiving } from "../store/wakes.ts";
import type { ReconcileContext } from "./context.ts";

/**
 * After a start: every living thing is looked at once, networks are claimed again, and instances that nobody wants are removed.
 * `moved`: the endpoint, which nodes have in their configuration, is another one than last time.
 */
export async function takeUpAgain({ store, provider, log, market }: ReconcileContext, moved: boolean): Promise<void> {
  const trails = await trailsWithSpans(store.db);
  await store.transaction(async (tx) => {
    for (const arn of trails) await tx.wake("trail", arn);
    // Instances that run are looked at by the watch.
    await wakeLiving(tx.db);
    await tx.wake("watch", "instances");
    await tx.wake("watch", "ended");
    if (market.interruptions) await tx.wake("watch", "market");
    // Nobody waits for them: agents come to the new endpoint when they can read it.
    if (moved) await changeManifestsOfLiving(tx);
  });
  for (const { id, network } of await networksOfLiving(store.db)) {
    const claimed = await provider.claimNetwork(id, network);
    if (claimed !== network) await store.transaction((tx) => moveCluster(tx, { id, network }, claimed));
  }
  const wanted = new Set(await instancesNotTerminated(store.db));
  for (const id of await provider.list()) {
    if (wanted.has(id)) continue;
    if ((await provider.observe(id)) !== "absent") log.warn({ id }, "an instance that no cluster has: removed");
    await provider.terminate(id);
    await provider.reclaim(id);
  }
}
