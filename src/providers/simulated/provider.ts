/** Instances that are only simulated, in this process: the control plane over them is the real one. They need neither engines nor memory of the host. */
import type { Provider } from "../provider.ts";
import { createNode, type SimulatedNode, type Surroundings } from "./node.ts";

export interface SimulatedProvider extends Provider {
  /** The nodes of this cluster look for new orders. */
  manifestChanged(clusterId: string): void;
  /** By instance id. For who simulates faults. */
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
}

export function createSimulatedProvider(around: Surroundings): SimulatedProvider {
  const nodes = new Map<string, SimulatedNode>();
  const networks = new Map<string, string>();
  const byCluster = new Map<string, Set<SimulatedNode>>();
  const gone = (instanceId: string): void => {
    const node = nodes.get(instanceId);
    if (!node) return;
    node.stop();
    nodes.delete(instanceId);
    byCluster.get(node.spec.clusterId)?.delete(node);
  };
  return {
    name: "simulated",
    nodes,
    manifestChanged(clusterId) {
      for (const node of byCluster.get(clusterId) ?? []) node.look();
    },
    async claimNetwork(clusterId, current) {
      const network = networks.get(clusterId) ?? current ?? freeNetwork(new Set(networks.values()));
      networks.set(clusterId, network);
      return network;
    },
    async releaseNetwork(clusterId) {
      networks.delete(clusterId);
      byCluster.delete(clusterId);
    },
    async launch(spec) {
      let node = nodes.get(spec.instanceId);
      if (!node) {
        node = createNode(spec, around);
        nodes.set(spec.instanceId, node);
        const others = byCluster.get(spec.clusterId) ?? new Set();
        byCluster.set(spec.clusterId, others.add(node));
      }
      node.start();
    },
    async observe(instanceId) {
      const node = nodes.get(instanceId);
      return !node ? "absent" : node.isRunning ? "running" : "stopped";
    },
    async terminate(instanceId) {
      gone(instanceId);
    },
    async list() {
      return [...nodes.keys()];
    },
    async reclaim() {},
  };
}

/** Of 127.64.0.0/10, as on real machines: 16,384 clusters at once. */
function freeNetwork(taken: ReadonlySet<string>): string {
  for (let n = 0; n < 64 * 256; n++) {
    const network = `127.${64 + (n >> 8)}.${n & 255}`;
    if (!taken.has(network)) return network;
  }
  throw new Error("no network is free: 16,384 clusters run");
}
