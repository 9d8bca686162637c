/**
 * Makes and removes instances; knows nothing of engines, manifests or the store. Every call is idempotent and may be repeated
 * after a crash at any point. One conformance suite runs against all providers: test/integration/provider-conformance.ts.
 */
export interface Provider {
  readonly name: string;
  /**
   * A network for a cluster's nodes: `127.64.3` gives 127.64.3.1 to 127.64.3.254. `current` is the one that the store remembers:
   * it is kept where it can be. Throws where no network is free.
   */
  claimNetwork(clusterId: string, current: string | undefined): Promise<string>;
  releaseNetwork(clusterId: string): Promise<void>;
  /** Resolves once the node's init runs; the agent under it then reports by itself. Throws AddressTaken where another owns the address. */
  launch(spec: LaunchSpec): Promise<void>;
  observe(instanceId: string): Promise<InstanceObservation>;
  /** Resolves when no process of the node is left. Its folder stays: logs may still be wanted. */
  terminate(instanceId: string): Promise<void>;
  /** Every instance that the provider has anything of, running or not. */
  list(): Promise<string[]>;
  /** Removes what is left of a terminated instance on disk, but for its logs. */
  reclaim(instanceId: string): Promise<void>;
}

/** `rebooted`: the machine was started again since the launch, so the instance is lost. */
export type InstanceObservation = "absent" | "running" | "stopped" | "rebooted";

export interface LaunchSpec {
  clusterId: string;
  instanceId: string;
  address: string;
  hostname: string;
  region: string;
  /** Bytes of each volume that is to be a filesystem of its own, EMR's /mnt first; without it volumes are folders. */
  volumes?: number[];
  /** Secret that the agent shows to the control plane: goes only into a file of mode 0600. */
  agentToken: string;
}

export class AddressTaken extends Error {
  constructor(address: string) {
    super(`address ${address} is used by another node on this machine`);
  }
}
