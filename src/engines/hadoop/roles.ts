/** Which nodes of a cluster hold blocks and run containers. A single-node cluster's master does everything. */
import type { ClusterFacts, NodeFacts } from "../engine.ts";

export const isSingleNode = (cluster: ClusterFacts) => cluster.nodes.every(({ role }) => role === "MASTER");

export const hasDataNode = (node: Pick<NodeFacts, "cluster" | "role">) => node.role === "CORE" || isSingleNode(node.cluster);
export const hasNodeManager = (node: Pick<NodeFacts, "cluster" | "role">) => node.role !== "MASTER" || isSingleNode(node.cluster);

export function dataNodeCount(cluster: ClusterFacts): number {
  return cluster.nodes.filter(({ role }) => hasDataNode({ cluster, role })).length;
}

export function nodeManagerCount(cluster: ClusterFacts): number {
  return cluster.nodes.filter(({ role }) => hasNodeManager({ cluster, role })).length;
}

/** dfs.replication as EMR sets it by the number of core nodes: 1 below four, 2 below ten, else 3. */
export function defaultReplication(cluster: ClusterFacts): number {
  const cores = dataNodeCount(cluster);
  return cores < 4 ? 1 : cores < 10 ? 2 : 3;
}
