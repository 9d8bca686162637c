/** Takes what an agent reports of its node: observed state, and the wakes that follow from it. */
import type { Report } from "../agent/manifest.ts";
import { addEvent } from "../store/events.ts";
import { findInstance, hasSaved, illness, type InstanceRow, recordReport } from "../store/instances.ts";
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
  await heardOf({ store, silence }, instance, report.seq);
  const isNews = JSON.stringify({ ...report, seq: 0 }) !== JSON.stringify({ ...instance.observed, seq: 0 });
  if (isNews) await record(store, instance, report);
}

/** That it answers again, where it was told that it does not. */
export async function heardOf(
  { store, silence }: Pick<ReconcileContext, "store" | "silence">,
  { id }: Pick<InstanceRow, "id">,
  seq?: number,
): Promise<void> {
  const silentMs = silence.begin(id, seq);
  if (silentMs === 0) return;
  await store.transaction(async (tx) => {
    const instance = await findInstance(tx.db, id);
    const text = `${id} answers again, after ${Math.floor(silentMs / 1000)} s`;
    if (instance?.status === "launched") await addEvent(tx, instance.cluster_id, "instance", text);
  });
}

async function record(store: Store, instance: InstanceRow, report: Report): Promise<void> {
  await store.transaction(async (tx) => {
    if (!(await recordReport(tx, report))) return;
    const [was, is] = [illness(instance), illness({ ...instance, observed: report })];
    const { id, cluster_id: of } = instance;
    if (is !== undefined && is !== was) await addEvent(tx, of, "instance", `${id} is unhealthy: ${is}`);
    if (is === undefined && was !== undefined && report.phase === "ready") await addEvent(tx, of, "instance", `${id} is healthy again`);
    await tx.wake("cluster", instance.cluster_id);
    // The other nodes' manifests wait for this of the master.
    if (!hasSaved(instance) && hasSaved({ ...instance, observed: report })) await tx.manifestChanged(instance.cluster_id);
    if (report.steps.length > 0) await tx.wake("steps", instance.cluster_id);
  });
}
