/** What a cluster's daemons take of the host. Tasks are not counted: YARN's memory is overcommitted on purpose (see docs/limits.md). */
import type { NodeRole } from "../agent/manifest.ts";

/** MiB resident, measured on an idle cluster: NameNode 150, ResourceManager 185, history servers 2 × 170; DataNode 130; NodeManager 135; agent 60. */
const daemonMemoryMb: Record<NodeRole, number> = { MASTER: 750, CORE: 330, TASK: 200 };

export function neededMemoryMb(groups: readonly { role: NodeRole; requested_count: number }[]): number {
  const isAlone = groups.every((group) => group.role === "MASTER");
  const sum = groups.reduce((total, group) => total + group.requested_count * daemonMemoryMb[group.role], 0);
  return isAlone ? sum + daemonMemoryMb.CORE : sum;
}
