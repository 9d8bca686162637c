/** Takes what an agent reports of its node: observed state, and the wakes that follow from it. */
import type { Report } from "../agent/manifest.ts";
import { hasSaved, type InstanceRow, recordReport } from "../store/instances.ts";
import type { Store } from "../store/store.ts";
import type { ReconcileContext } from "./context.ts";

/**
 * `instance`: as it is in the store. What has no news is not written, for each write is a sync of the disk: that it came, and its number, is known to
 * this process (silence.ts), and all other numbers are in the store.
 */
export async function takeReport(
  { store, silence }: Pick<ReconcileContext, "store" | "silence">,
  instance: InstanceRow,
  report: Report,
): Promise<void> {
  if (report.seq < silence.latest(instance.id)) return;
  const isNews = JSON.stringify({ ...report, seq: 0 }) !== JSON.stringify({ ...instance.observed, seq: 0 });
  if (isNews) await record(store, instance, report);
  silence.begin(instance.id, report.seq);
}

async function record(store: Store, instance: InstanceRow, report: Report): Promise<void> {
  await store.transaction(async (tx) => {
    if (!(await recordReport(tx, report))) return;
    await tx.wake("cluster", instance.cluster_id);
    // The other nodes' manifests wait for this of the master.
    if (!hasSaved(instance) && hasSaved({ ...instance, observed: report })) await tx.manifestChanged(instance.cluster_id);
    if (report.steps.length > 0) await tx.wake("steps", instance.cluster_id);
  });
}
