/** What the store wants of a node. A manifest is this and the plan of the engines; a simulated node needs no more than this. */
import type { BootstrapOrder } from "../agent/manifest.ts";
import { type ClusterRow, findCluster } from "../store/clusters.ts";
import { type GroupRow, groupsOf, type InstanceRow, instancesOf } from "../store/instances.ts";
import { type StepRow, stepsInState } from "../store/steps.ts";
import type { Db } from "../store/store.ts";

export interface NodeWish {
  cluster: ClusterRow;
  groups: GroupRow[];
  /** Of the whole cluster, the master first. */
  instances: InstanceRow[];
  instance: InstanceRow;
  master: InstanceRow;
  /** The cluster's running steps: the master has them. */
  running: StepRow[];
}

/** undefined where the instance is not wanted (any more). */
export async function nodeWish(db: Db, instanceId: string, clusterId: string): Promise<NodeWish | undefined> {
  const cluster = await findCluster(db, clusterId);
  if (!cluster || cluster.phase === "ended") return undefined;
  const instances = await instancesOf(db, clusterId);
  const instance = instances.find(({ id }) => id === instanceId);
  const [master] = instances;
  if (!instance || !master || instance.wanted === 0) return undefined;
  const running = await stepsInState(db, clusterId, "RUNNING");
  return { cluster, groups: await groupsOf(db, clusterId), instances, instance, master, running };
}

export const bootstrapOrders = ({ spec }: ClusterRow): BootstrapOrder[] =>
  spec.bootstrapActions.map((action, index) => ({ ordinal: index + 1, ...action }));
