/** A provider that is told nothing before what it rests on is on the disk (src/store/durability.ts): a power cut must not leave what no store knows of. */
import type { Provider } from "./provider.ts";

export function durably(provider: Provider, durable: () => Promise<void>): Provider {
  const after =
    <A extends unknown[], R>(order: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      await durable();
      return order(...args);
    };
  return {
    name: provider.name,
    claimNetwork: after((clusterId, current) => provider.claimNetwork(clusterId, current)),
    releaseNetwork: after((clusterId) => provider.releaseNetwork(clusterId)),
    launch: after((spec) => provider.launch(spec)),
    terminate: after((instanceId) => provider.terminate(instanceId)),
    reclaim: after((instanceId) => provider.reclaim(instanceId)),
    observe: (instanceId) => provider.observe(instanceId),
    list: () => provider.list(),
  };
}
