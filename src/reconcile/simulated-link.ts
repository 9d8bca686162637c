/** What the agent link is to real nodes: a simulated node's way to its orders and for its reports. */
import type { Orders, Surroundings } from "../providers/simulated/node.ts";
import { findInstance } from "../store/instances.ts";
import type { ReconcileContext } from "./context.ts";
import { bootstrapOrders, clusterWish, type ClusterWish } from "./node-wish.ts";
import { heardOf, takeReport } from "./reports.ts";

/** Said of a cluster with a LogUri, by its master. */
export const noLogs = "the nodes are simulated: nothing is written below LogUri";

export type SimulatedLink = Pick<Surroundings, "orders" | "report" | "alive">;

/** When its work is done. Who shares has the result of work of the same key that has not begun yet. */
export interface When {
  take<T>(work: () => Promise<T>): Promise<T>;
  share<T>(key: string, work: () => Promise<T>): Promise<T>;
}

const atOnce: When = { take: (work) => work(), share: (_key, work) => work() };

/** As the agent link: nothing that was read leaves before it is on the disk. */
export function simulatedLink({ store, silence }: Pick<ReconcileContext, "store" | "silence">, when = atOnce): SimulatedLink {
  return {
    // Nodes of a cluster that ask at the same time, as all do at a start, cost one look into the store.
    orders: async (instanceId, clusterId) =>
      ordersOf(instanceId, await when.share(clusterId, () => clusterWish(store.db, clusterId)).finally(store.durable)),
    report: (report) =>
      when
        .take(async () => {
          const instance = await findInstance(store.db, report.instanceId);
          if (instance) await takeReport({ store, silence }, instance, report);
        })
        .finally(store.durable),
    alive: (id) => heardOf({ store, silence }, { id }),
  };
}

function ordersOf(instanceId: string, wish: ClusterWish | undefined): Orders | undefined {
  const instance = wish?.instances.find(({ id }) => id === instanceId);
  if (!wish || !instance) return undefined;
  const { cluster, instances, leaving, gone, running } = wish;
  const isMaster = instance === instances[0];
  return {
    generation: cluster.generation,
    bootstrapActions: bootstrapOrders(cluster),
    steps: (isMaster ? running : []).map(({ id, spec, cancel_option }) => ({
      id,
      name: spec.name,
      jar: spec.jar,
      args: spec.args,
      ...(cancel_option === null ? {} : { cancel: cancel_option }),
    })),
    leaving: isMaster ? [...leaving, ...gone].map(({ id }) => id) : [],
    stopping: cluster.phase === "ending" || instance.leaving === "stopping",
    warnings: isMaster && cluster.spec.logUri ? [noLogs] : [],
    known: instance.observed,
  };
}
