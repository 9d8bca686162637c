/** What a cluster's daemons take of the host. Tasks are not counted: YARN's memory is overcommitted on purpose (see docs/limits.md). */
import type { NodeRole } from "../agent/manifest.ts";
import { enginesFor } from "../engines/index.ts";

/** MiB resident of what every cluster has, measured on an idle one: NameNode 150, ResourceManager 185, history servers 2 × 170; DataNode 130; NodeManager 135; agent 60. */
const daemonMemoryMb: Record<NodeRole, number> = { MASTER: 750, CORE: 330, TASK: 200 };

/** `applications`: names as in RunJobFlow. */
export function neededMemoryMb(groups: readonly { role: NodeRole; requested_count: number }[], applications: readonly string[]): number {
  const engines = enginesFor(applications);
  const nodeMb = (role: NodeRole) => engines.reduce((sum, { memoryMb }) => sum + (memoryMb?.[role] ?? 0), daemonMemoryMb[role]);
  const isAlone = groups.every((group) => group.role === "MASTER");
  const sum = groups.reduce((total, group) => total + group.requested_count * nodeMb(group.role), 0);
  return isAlone ? sum + nodeMb("CORE") : sum;
}
