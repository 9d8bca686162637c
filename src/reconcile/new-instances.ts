/** Writes new instances down, for their own reconcilers to launch. */
import type { Hardware } from "../store/fleets.ts";
import { type GroupRow, insertInstance, type InstanceRow } from "../store/instances.ts";
import type { Tx } from "../store/store.ts";
import type { ReconcileContext } from "./context.ts";

export interface NewInstance {
  group: GroupRow;
  hardware: Hardware;
}

/** As many of `wished` as the network has addresses for, in their order; `all`: the cluster's instances. Their ids. */
export async function writeDown(
  { ids }: Pick<ReconcileContext, "ids">,
  tx: Tx,
  network: string,
  wished: readonly NewInstance[],
  all: readonly InstanceRow[],
): Promise<string[]> {
  const addresses = freeAddresses(network, all).slice(0, wished.length);
  let ordinal = Math.max(0, ...all.map((one) => one.ordinal));
  const added: string[] = [];
  for (const [index, address] of addresses.entries()) {
    const { group, hardware } = wished[index]!;
    ordinal += 1;
    const id = ids.instance();
    await insertInstance(tx, {
      id,
      cluster_instance_id: ids.clusterInstance(),
      cluster_id: group.cluster_id,
      group_id: group.id,
      ...hardware,
      ordinal,
      address,
      agent_token: ids.token(),
      resize: group.resize,
    });
    await tx.wake("instance", id);
    added.push(id);
  }
  return added;
}

/** Those that nobody has had first; then those whose instances ended, the one that did first coming first. */
function freeAddresses(network: string, all: readonly InstanceRow[]): string[] {
  const lastEnd = new Map<string, number>();
  for (const { address, status, ended_at: ended } of all)
    lastEnd.set(address, Math.max(lastEnd.get(address) ?? 0, status === "terminated" ? (ended ?? 0) : Infinity));
  return Array.from({ length: 254 }, (_, n) => `${network}.${n + 1}`)
    .filter((address) => lastEnd.get(address) !== Infinity)
    .toSorted((a, b) => (lastEnd.get(a) ?? 0) - (lastEnd.get(b) ?? 0));
}
