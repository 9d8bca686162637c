/** Takes what an agent reports of its node: observed state, and the wakes that follow from it. */
import type { Report } from "../agent/manifest.ts";
import { hasSaved, type InstanceRow, recordReport } from "../store/instances.ts";
import type { Store } from "../store/store.ts";

/** An unchanged report is written so often only, so that its time stays true: each write is a sync of the disk. */
const writtenEveryMs = 30_000;

/** `instance`: as it is in the store. */
export async function takeReport(store: Store, instance: InstanceRow, report: Report): Promise<void> {
  const isNews = JSON.stringify({ ...report, seq: 0 }) !== JSON.stringify({ ...instance.observed, seq: 0 });
  if (!isNews && Math.abs(store.now() - (instance.observed_at ?? 0)) <= writtenEveryMs) return;
  await store.transaction(async (tx) => {
    if (!(await recordReport(tx, report)) || !isNews) return;
    await tx.wake("cluster", instance.cluster_id);
    // The other nodes' manifests wait for this of the master.
    if (!hasSaved(instance) && hasSaved({ ...instance, observed: report })) await tx.manifestChanged(instance.cluster_id);
    if (report.steps.length > 0) await tx.wake("steps", instance.cluster_id);
  });
}
