/** What the agent link is to real nodes: a simulated node's way to its orders and for its reports. */
import type { Surroundings } from "../providers/simulated/node.ts";
import { findInstance } from "../store/instances.ts";
import type { ReconcileContext } from "./context.ts";
import { bootstrapOrders, nodeWish } from "./node-wish.ts";
import { takeReport } from "./reports.ts";

const noLogs = "the nodes are simulated: nothing is written below LogUri";

export function simulatedLink(context: Pick<ReconcileContext, "store" | "silence">): Pick<Surroundings, "orders" | "report"> {
  const { store } = context;
  return {
    async orders(instanceId, clusterId) {
      const wish = await nodeWish(store.db, instanceId, clusterId);
      if (!wish) return undefined;
      const { cluster, instance, master, running } = wish;
      return {
        generation: cluster.generation,
        bootstrapActions: bootstrapOrders(cluster),
        steps: (instance === master ? running : []).map(({ id, spec, cancel_option }) => ({
          id,
          name: spec.name,
          jar: spec.jar,
          args: spec.args,
          ...(cancel_option === null ? {} : { cancel: cancel_option }),
        })),
        stopping: cluster.phase === "ending",
        warnings: instance === master && cluster.spec.logUri ? [noLogs] : [],
      };
    },
    async report(report) {
      const instance = await findInstance(store.db, report.instanceId);
      if (instance) await takeReport(context, instance, report);
    },
  };
}
