/**
 * Spot interruptions, as EC2 has them: a notice, and the end of the instance so long after it, whatever it does then. The notice is a row, so no end of the
 * process loses it: resize.ts has the node leave in order meanwhile, instances.ts ends it. Source: EC2 User Guide, "Spot Instance interruption notices".
 */
import { findCluster, isEnding } from "../store/clusters.ts";
import { addEvent, addWarnings } from "../store/events.ts";
import { findInstance, groupsOf, type InstanceRow, noteInterruption } from "../store/instances.ts";
import type { Tx } from "../store/store.ts";
import type { ReconcileContext } from "./context.ts";

/** Its daemons end, and its last logs go to S3, so long before its end; milliseconds. At most a third of its notice. */
const lastLogsMs = 20_000;

/** Why an instance cannot have a notice; undefined where it has one now. `noticeMs`: how long before its end. */
export async function giveNotice(tx: Tx, id: string, noticeMs: number, why: string): Promise<string | undefined> {
  const instance = await findInstance(tx.db, id);
  const cluster = instance && (await findCluster(tx.db, instance.cluster_id));
  if (!instance || !cluster) return `there is no instance ${id}`;
  if (instance.market !== "SPOT") return `${id} is on demand: only instances of the market SPOT are taken back`;
  if (instance.status !== "launched" || instance.first_ready_at === null || instance.wanted === 0 || isEnding(cluster))
    return `${id} is not in use`;
  if (instance.interrupted_at !== null) return `${id} has its notice already`;
  const endsAt = tx.now + noticeMs;
  await noteInterruption(tx, id, endsAt);
  const { role } = (await groupsOf(tx.db, cluster.id)).find((group) => group.id === instance.group_id)!;
  await addEvent(
    tx,
    cluster.id,
    "instance",
    `${id} (${role.toLowerCase()}): EC2 Spot Instance Interruption Warning: ${why}. It is terminated at ${ec2Time(endsAt)}`,
  );
  if (role === "MASTER")
    await addWarnings(tx, cluster.id, [
      `${id}, the master, is a Spot Instance that is taken back at ${ec2Time(endsAt)}: the cluster ends with it`,
    ]);
  await tx.manifestChanged(cluster.id);
  await tx.wake("instance", id);
  await tx.wake("cluster", cluster.id);
  return undefined;
}

/** Milliseconds until it is taken back, by the steady clock from the first look on; Infinity where it has no notice. */
export function leftOf({ waits, store }: Pick<ReconcileContext, "waits" | "store">, instance: InstanceRow): number {
  const { id, interrupted_at: at, interruption_ends_at: endsAt } = instance;
  if (at === null || endsAt === null) return Infinity;
  return waits.left(`interruption of ${id}`, Math.min(endsAt - at, endsAt - store.now()));
}

/** How long before its end an instance with a notice begins to stop; milliseconds. */
export const stopsBefore = ({ interrupted_at: at, interruption_ends_at: endsAt }: InstanceRow): number =>
  Math.min(lastLogsMs, (endsAt! - at!) / 3);

/** As the instance metadata has it: 2026-01-01T00:02:00Z */
export const ec2Time = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
