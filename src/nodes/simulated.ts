/** Simulated nodes, in this process: no engines, no Java, no S3 server, and nothing of the host but a file that they are kept in. */
import type { Logger } from "pino";
import { systemClock } from "../clock.ts";
import type { DataFolder } from "../data-folder.ts";
import type { Provider } from "../providers/provider.ts";
import { openFaults } from "../providers/simulated/faults.ts";
import { outcome, type Rules } from "../providers/simulated/outcomes.ts";
import { paces } from "../providers/simulated/pace.ts";
import { createSimulatedProvider } from "../providers/simulated/provider.ts";
import { openShelf } from "../providers/simulated/shelf.ts";
import { simulatedLink } from "../reconcile/simulated-link.ts";
import { byTurns } from "./by-turns.ts";
import { faultsLink } from "./faults-link.ts";
import type { Nodes } from "./nodes.ts";

export interface Simulated {
  pace: keyof typeof paces;
  rules: Rules;
}

/** They end by orders only, and whoever orders it says so: a look now and then is for what nobody thought of. */
const watchMs = 60_000;
/** Ten thousand nodes that all begin to talk at a start are not to keep everybody else from the store. */
const talkingAtOnce = 32;

export function simulatedNodes(data: DataFolder, { pace: paceName, rules }: Simulated, log: Logger): Nodes {
  const pace = paces[paceName];
  return {
    startS3: async () => undefined,
    async join(context, _ids, _endpoint, secret) {
      const { store } = context;
      const shelf = openShelf(data.simulated);
      const faults = openFaults(shelf);
      const provider = createSimulatedProvider(
        {
          clock: systemClock,
          pace,
          ...simulatedLink(context, byTurns(talkingAtOnce)),
          outcomeOf: (what) =>
            "step" in what
              ? outcome(what.step.name, rules.steps, faults.ofStep(what.step), pace.stepMs)
              : outcome(what.bootstrapAction.name, rules.bootstrapActions, undefined, pace.bootstrapActionMs),
          launchProblem: faults.ofLaunch,
          fault: (error) => log.error({ err: error }, "what happened on a simulated node could not be kept, will be tried again"),
        },
        shelf,
      );
      store.onManifest = (clusterId) => provider.manifestChanged(clusterId);
      return {
        degree: "simulated",
        provider,
        engines: () => "there",
        catalogs: undefined,
        portsTaken: () => [],
        freeMemoryMb: () => Infinity,
        watchMs,
        handle: faultsLink(store, provider, faults, secret),
        stop() {
          provider.leave();
          shelf.close();
        },
      };
    },
  };
}

/** The same nodes for who ends them: nothing happens on them any more. */
export function nodesAtRest(data: DataFolder): { provider: Provider; close(): void } {
  const shelf = openShelf(data.simulated);
  const unreachable = () => Promise.reject(new Error("no control plane runs"));
  const provider = createSimulatedProvider(
    {
      clock: { ...systemClock, after: () => () => {} },
      pace: paces.instant,
      orders: unreachable,
      report: unreachable,
      alive: unreachable,
      outcomeOf: () => ({ afterMs: null, exitCode: 0 }),
    },
    shelf,
  );
  return { provider, close: shelf.close };
}
