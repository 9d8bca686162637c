/** Provider `simulated`: the conformance suite. Each `create` is a process that ends and one that begins, over the same file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import type { Provider } from "../../src/providers/provider.ts";
import type { SimulatedStep } from "../../src/providers/simulated/node.ts";
import { paces } from "../../src/providers/simulated/pace.ts";
import { createSimulatedProvider } from "../../src/providers/simulated/provider.ts";
import { openShelf } from "../../src/providers/simulated/shelf.ts";
import { eventually, launchSpec } from "../integration/node-harness.ts";
import { providerConformance } from "../integration/provider-conformance.ts";

providerConformance("simulated", async () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-simulated-"));
  const steps = new Map<string, SimulatedStep[]>();

  function open() {
    const shelf = openShelf(join(folder, "simulated.db"));
    const provider = createSimulatedProvider(
      {
        clock: systemClock,
        pace: paces.instant,
        orders: async (instanceId) => ({
          generation: 1,
          bootstrapActions: [],
          steps: steps.get(instanceId) ?? [],
          leaving: [],
          stopping: false,
          warnings: [],
          known: null,
        }),
        report: async () => {},
        alive: async () => {},
        outcomeOf: () => ({ afterMs: null, exitCode: 0 }),
      },
      shelf,
    );
    return { provider, shelf };
  }

  let current = open();
  const end = () => {
    current.provider.leave();
    current.shelf.close();
  };
  const node = (instanceId: string) => current.provider.nodes.get(instanceId);
  /** Whatever process there is now. */
  const provider: Provider = {
    name: "simulated",
    claimNetwork: (...args) => current.provider.claimNetwork(...args),
    releaseNetwork: (...args) => current.provider.releaseNetwork(...args),
    launch: (spec) => current.provider.launch(spec),
    observe: (id) => current.provider.observe(id),
    terminate: (id) => current.provider.terminate(id),
    list: () => current.provider.list(),
    reclaim: (id) => current.provider.reclaim(id),
  };
  return {
    provider,
    create() {
      end();
      current = open();
      return provider;
    },
    launchSpec,
    async occupy({ instanceId, clusterId }) {
      const id = `s-${steps.size}-${(steps.get(instanceId) ?? []).length}`;
      steps.set(instanceId, [...(steps.get(instanceId) ?? []), { id, name: "stay", jar: "command-runner.jar", args: [] }]);
      current.provider.manifestChanged(clusterId);
      await eventually("the step", () =>
        node(instanceId)
          ?.runningSteps()
          .some((step) => step.id === id),
      );
    },
    kill: (instanceId) => node(instanceId)?.stop(),
    processes: (instanceId) => (node(instanceId)?.isRunning ? 1 + node(instanceId)!.runningSteps().length : 0),
    async dispose() {
      end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
