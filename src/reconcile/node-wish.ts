/** What the store wants of a node. A manifest is this and the plan of the engines; a simulated node needs no more than this. */
import type { BootstrapOrder } from "../agent/manifest.ts";
import { type ClusterRow, findCluster } from "../store/clusters.ts";
import { type GroupRow, groupsOf, type InstanceRow, instancesOf } from "../store/instances.ts";
import { type StepRow, stepsInState } from "../store/steps.ts";
import type { Db } from "../store/store.ts";

export interface ClusterWish {
  cluster: ClusterRow;
  /** The master first; those that have left it are not among them. */
  instances: InstanceRow[];
  /** Those that are to go out of service: the master sees to it. */
  leaving: InstanceRow[];
  /** Core nodes that are gone, and whose blocks HDFS may still be copying. */
  gone: InstanceRow[];
  /** Addresses that nobody may be at who is of this cluster: of those that leave, and of those that have left or were lost and nobody has taken since. */
  excluded: string[];
  /** Those of them whose nodes HDFS empties, or has emptied: it is not to wait for what a lost one had. */
  emptied: string[];
  /** The steps that run: the master has them. */
  running: StepRow[];
}

/** undefined where no node of it is wanted (any more). */
export async function clusterWish(db: Db, clusterId: string): Promise<ClusterWish | undefined> {
  const cluster = await findCluster(db, clusterId);
  if (!cluster || cluster.phase === "ended") return undefined;
  const all = await instancesOf(db, clusterId);
  const instances = all.filter(({ wanted }) => wanted === 1);
  const leaving = instances.filter((one) => one.leaving === "decommissioning");
  const taken = new Set(instances.filter((one) => one.leaving === null).map(({ address }) => address));
  const free = (some: InstanceRow[]) => [...new Set(some.map(({ address }) => address))].filter((one) => !taken.has(one)).toSorted();
  const emptied = all.filter((one) => one.leaving === "decommissioning" || one.leaving === "stopping");
  const gone = all.filter((one) => one.leaving === "gone");
  const running = await stepsInState(db, clusterId, "RUNNING");
  return { cluster, instances, leaving, gone, excluded: free(all), emptied: free(emptied), running };
}

export interface NodeWish extends ClusterWish {
  groups: GroupRow[];
  instance: InstanceRow;
  master: InstanceRow;
}

/** undefined where the instance is not wanted (any more). */
export async function nodeWish(db: Db, instanceId: string, clusterId: string): Promise<NodeWish | undefined> {
  const wish = await clusterWish(db, clusterId);
  const instance = wish?.instances.find(({ id }) => id === instanceId);
  const master = wish?.instances[0];
  if (!wish || !instance || !master) return undefined;
  return { ...wish, groups: await groupsOf(db, clusterId), instance, master };
}

export const bootstrapOrders = ({ spec }: ClusterRow): BootstrapOrder[] =>
  spec.bootstrapActions.map((action, index) => ({ ordinal: index + 1, ...action }));
