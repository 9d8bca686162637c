/** Instances that are only simulated, in this process: the control plane over them is the real one. They need neither engines nor memory of the host. */
import { AddressTaken, type Provider } from "../provider.ts";
import { createNode, newRecord, type NodeRecord, type SimulatedNode, type Surroundings } from "./node.ts";
import { noShelf, type Shelf } from "./shelf.ts";

/** /24s of a /10. */
const mostNetworks = 64 * 256;

export interface SimulatedProvider extends Provider {
  /** The nodes of this cluster look for new orders. */
  manifestChanged(clusterId: string): void;
  /** By instance id. For who simulates faults. */
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  /** Does no more, as if this process had ended: another provider with its shelf goes on. */
  leave(): void;
}

/** With a shelf, nodes go on where an earlier process left them. */
export function createSimulatedProvider(around: Surroundings, shelf: Shelf = noShelf): SimulatedProvider {
  const nodes = new Map<string, SimulatedNode>();
  const networks = new Map(shelf.all<string>("network").map(({ id, value }) => [id, value]));
  const holders = new Map([...networks].map(([clusterId, network]) => [network, clusterId]));
  let next = 0;
  const byCluster = new Map<string, Set<SimulatedNode>>();
  const byNetwork = new Map<string, Set<SimulatedNode>>();
  const networkOf = ({ spec: { address } }: SimulatedNode) => address.slice(0, address.lastIndexOf("."));
  const siblings = (clusterId: string) => byCluster.get(clusterId) ?? new Set();

  function add(record: NodeRecord): SimulatedNode {
    const { clusterId, instanceId } = record.spec;
    const save = () => {
      try {
        shelf.put("node", instanceId, record);
      } catch (error) {
        // A full disk ends nothing: all of it is written again with its next report, a minute later at most.
        around.fault?.(error);
      }
    };
    const node = createNode(record, around, save);
    nodes.set(instanceId, node);
    byCluster.set(clusterId, siblings(clusterId).add(node));
    const network = networkOf(node);
    byNetwork.set(network, (byNetwork.get(network) ?? new Set()).add(node));
    return node;
  }
  for (const { value } of shelf.all<NodeRecord>("node")) add(value);

  /** Also of clusters that have given theirs back, and whose nodes live. */
  function isTaken(network: string, except: string): boolean {
    const holder = holders.get(network);
    if (holder !== undefined && holder !== except) return true;
    for (const node of byNetwork.get(network) ?? []) if (node.isRunning && node.spec.clusterId !== except) return true;
    return false;
  }

  /** The next that is free, of 127.64.0.0/10, as on real machines: 16,384 clusters at once. */
  function freeNetwork(clusterId: string): string {
    for (let tried = 0; tried < mostNetworks; tried++) {
      const network = `127.${64 + (next >> 8)}.${next & 255}`;
      next = (next + 1) % mostNetworks;
      if (!isTaken(network, clusterId)) return network;
    }
    throw new Error("no network is free: 16,384 clusters run");
  }

  return {
    name: "simulated",
    nodes,
    manifestChanged(clusterId) {
      for (const node of siblings(clusterId)) node.look();
    },
    leave() {
      for (const node of nodes.values()) node.leave();
    },
    async claimNetwork(clusterId, current) {
      const known = networks.get(clusterId);
      if (known !== undefined) return known;
      const network = current !== undefined && !isTaken(current, clusterId) ? current : freeNetwork(clusterId);
      shelf.put("network", clusterId, network);
      networks.set(clusterId, network);
      holders.set(network, clusterId);
      return network;
    },
    async releaseNetwork(clusterId) {
      shelf.remove("network", clusterId);
      const network = networks.get(clusterId);
      networks.delete(clusterId);
      if (network !== undefined && holders.get(network) === clusterId) holders.delete(network);
    },
    async launch(spec) {
      for (const { spec: other, isRunning } of siblings(spec.clusterId))
        if (isRunning && other.address === spec.address && other.instanceId !== spec.instanceId) throw new AddressTaken(spec.address);
      const problem = around.launchProblem?.(spec.instanceId);
      if (problem !== undefined) throw new Error(problem);
      (nodes.get(spec.instanceId) ?? add(newRecord(spec))).start();
    },
    async observe(instanceId) {
      const node = nodes.get(instanceId);
      return !node ? "absent" : node.isRunning ? "running" : "stopped";
    },
    async terminate(instanceId) {
      nodes.get(instanceId)?.stop();
    },
    async list() {
      return [...nodes.keys()];
    },
    async reclaim(instanceId) {
      const node = nodes.get(instanceId);
      if (!node) return;
      shelf.remove("node", instanceId);
      node.stop();
      nodes.delete(instanceId);
      const members = siblings(node.spec.clusterId);
      members.delete(node);
      if (members.size === 0) byCluster.delete(node.spec.clusterId);
      const neighbours = byNetwork.get(networkOf(node));
      neighbours?.delete(node);
      if (neighbours?.size === 0) byNetwork.delete(networkOf(node));
    },
  };
}
