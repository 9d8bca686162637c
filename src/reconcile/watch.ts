/**
 * The watch: what needs a look from time to time is found by one query, so that ten thousand things at rest have no wake and no write of their own. Its own
 * wake is there for ever, from the first start on.
 */
import { forgetEndedClusters } from "../store/ended-clusters.ts";
import { runningInstances } from "../store/instances.ts";
import type { ReconcileContext } from "./context.ts";
import type { Outcome, Reconciler } from "./loop.ts";
import { takeBack } from "./spot-offer.ts";

/** How often running instances are looked at. */
export const watchEveryMs = 3_000;
/** An agent reports a second after its launch, and every few seconds from then on. After so long without a word something is wrong: a warning. */
export const silentMs = 5 * 60_000;

/** How often spot instances are compared with what the market says of them. */
const marketMs = 15_000;
const hourMs = 3600_000;
const breathMs = 50;
const forgottenAtOnce = 10;

/** By what is watched. */
export function watchReconciler(context: ReconcileContext, everyMs: number): Reconciler {
  let lastLook = Infinity;
  const watched: Record<string, () => Promise<Outcome>> = {
    async instances() {
      const { store, silence } = context;
      const lateMs = store.steady() - lastLook - everyMs;
      if (lateMs > silence.limits.late) silence.excuse(lateMs);
      lastLook = store.steady();
      await wakeUnwell(context);
      return { againMs: everyMs };
    },
    /** Spot instances that the market takes back. */
    async market() {
      const { store, market } = context;
      if (!market.interruptions) return { done: true };
      await store.transaction((tx) => takeBack(tx, market));
      return { againMs: marketMs };
    },
    /** Clusters that ended long ago, a few at a time: requests come in between. */
    async ended() {
      const { store, keepEndedMs } = context;
      const forgotten = await store.transaction((tx) => forgetEndedClusters(tx, tx.now - keepEndedMs, forgottenAtOnce));
      return { againMs: forgotten < forgottenAtOnce ? hourMs : breathMs };
    },
  };
  return async (what) => (await watched[what]?.()) ?? { done: true };
}

/** Instances that do not run, or whose agents are silent: what becomes of them is their own reconciler's matter. */
async function wakeUnwell({ store, provider, silence }: ReconcileContext): Promise<void> {
  const ids = await runningInstances(store.db);
  const unwell = new Set(silence.untold(ids, silence.limits.told, silentMs, silence.limits.lost));
  for (const id of ids) {
    // One that cannot be asked does not keep the others from being looked at.
    const seen = await provider.observe(id).catch(() => undefined);
    if (seen !== "running") unwell.add(id);
  }
  if (unwell.size === 0) return;
  await store.transaction(async (tx) => {
    for (const id of unwell) await tx.wake("instance", id);
  });
}
