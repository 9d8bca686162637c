/** What a cluster's daemons take of the host. Tasks are not counted: YARN's memory is overcommitted on purpose (see docs/limits.md). */
import type { NodeRole } from "../agent/manifest.ts";
import { engineNames } from "../engines/glue/settings.ts";
import { enginesFor } from "../engines/index.ts";
import { type ClusterRow, startingClusters } from "../store/clusters.ts";
import { comingInstances, groupsOf, instancesOf } from "../store/instances.ts";
import type { Db } from "../store/store.ts";

/** MiB resident of what every cluster has, measured on an idle one: NameNode 150, ResourceManager 185, history servers 2 × 170; DataNode 130; NodeManager 135; agent 60. */
const daemonMemoryMb: Record<NodeRole, number> = { MASTER: 750, CORE: 330, TASK: 200 };

/** Of one node. `applications`: names as in RunJobFlow. */
export const nodeMemoryMb = (role: NodeRole, applications: readonly string[]): number =>
  enginesFor(applications).reduce((sum, { memoryMb }) => sum + (memoryMb?.[role] ?? 0), daemonMemoryMb[role]);

/** Of a cluster's nodes; `roles`: each one's. */
export function neededMemoryMb(roles: readonly NodeRole[], applications: readonly string[]): number {
  const isAlone = roles.every((role) => role === "MASTER");
  const sum = roles.reduce((total, role) => total + nodeMemoryMb(role, applications), 0);
  return isAlone ? sum + nodeMemoryMb("CORE", applications) : sum;
}

/** Of new instances, in their order, those for whose daemons there is so much memory. */
export function fitting<New extends { group: { role: NodeRole } }>(
  wished: readonly New[],
  applications: readonly string[],
  freeMb: number,
): New[] {
  let left = freeMb;
  return wished.filter(({ group }) => {
    const mb = nodeMemoryMb(group.role, applications);
    if (mb > left) return false;
    left -= mb;
    return true;
  });
}

/** What daemons of clusters and nodes that have their place will still take: the host does not show it as taken yet. */
export async function promisedMemoryMb(db: Db): Promise<number> {
  let sum = 0;
  for (const cluster of await startingClusters(db)) {
    const roles = new Map((await groupsOf(db, cluster.id)).map(({ id, role }) => [id, role]));
    const placed = (await instancesOf(db, cluster.id)).filter(({ status }) => status !== "terminated");
    sum += neededMemoryMb(
      placed.map((instance) => roles.get(instance.group_id)!),
      applicationsOf(cluster),
    );
  }
  for (const { role, applications } of await comingInstances(db)) sum += nodeMemoryMb(role, applications);
  return sum;
}

/** Names as in RunJobFlow, and of what its settings bring. */
export const applicationsOf = ({ spec }: Pick<ClusterRow, "spec">): string[] => engineNames(spec);
