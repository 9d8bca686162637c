/** Which nodes of a cluster hold blocks and run containers. A single-node cluster's master does everything. */
import type { ClusterFacts, Configuration, NodeFacts } from "../engine.ts";
import { propertiesOf } from "../settings.ts";

export const isSingleNode = (cluster: ClusterFacts) => cluster.nodes.every(({ role }) => role === "MASTER");

export const hasDataNode = (node: Pick<NodeFacts, "cluster" | "role">) => node.role === "CORE" || isSingleNode(node.cluster);
export const hasNodeManager = (node: Pick<NodeFacts, "cluster" | "role">) => node.role !== "MASTER" || isSingleNode(node.cluster);

/** Of the nodes that the cluster was created with. */
export function dataNodeCount(cluster: ClusterFacts): number {
  return cluster.nodes.filter(({ role }) => hasDataNode({ cluster, role })).length;
}

/** Of the nodes that must be there now. */
export const awaitedDataNodes = (cluster: ClusterFacts): number => cluster.awaited.filter((role) => hasDataNode({ cluster, role })).length;

export const awaitedNodeManagers = (cluster: ClusterFacts): number =>
  cluster.awaited.filter((role) => hasNodeManager({ cluster, role })).length;

/** dfs.replication as EMR sets it by the number of core nodes that a cluster is created with: 1 below four, 2 below ten, else 3. */
export const defaultReplication = (cores: number): number => (cores < 4 ? 1 : cores < 10 ? 2 : 3);

/** How many copies HDFS keeps of a block. `configurations`: as core nodes get them. */
export const replicationOf = (configurations: readonly Configuration[], cores: number): number =>
  Number(propertiesOf(configurations, "hdfs-site")["dfs.replication"] ?? defaultReplication(cores));
