/** What a group or a fleet is to have, what it lacks, and what it has too many of: by units of each market. An instance of a group counts one. */
import { bidOf, chooseTypes, type Hardware, type Offer, type Units } from "./fleets.ts";
import type { GroupRow, InstanceRow } from "./instances.ts";

const markets = ["ON_DEMAND", "SPOT"] as const;

/** What of an instance counts. */
export type Sized = Pick<InstanceRow, "market" | "weight" | "type_config">;

export function wishOf(group: GroupRow): Units {
  const { fleet } = group;
  if (!fleet) return { ON_DEMAND: 0, SPOT: 0, [group.market]: group.requested_count };
  const shift = group.shift?.resize === group.resize ? group.shift : { onDemand: 0, spot: 0 };
  return { ON_DEMAND: fleet.onDemand + shift.onDemand, SPOT: fleet.spot + shift.spot };
}

export function unitsOf(instances: readonly Sized[]): Units {
  const units: Units = { ON_DEMAND: 0, SPOT: 0 };
  for (const { market, weight } of instances) units[market] += weight;
  return units;
}

/** Instances that it lacks beside those that stay; with an `offer`, those of them that can be had. */
export function missingOf(group: GroupRow, staying: readonly Sized[], offer?: Offer): Hardware[] {
  const [wish, has] = [wishOf(group), unitsOf(staying)];
  return markets.flatMap((market): Hardware[] => {
    const units = wish[market] - has[market];
    if (units <= 0) return [];
    const { fleet } = group;
    if (!fleet) {
      const one: Hardware = { instance_type: group.instance_type, market, weight: 1, type_config: null };
      const isSpot = market === "SPOT" && offer !== undefined;
      const room = !isSpot ? units : offer.price(group.instance_type) > bidOf(group, one) ? 0 : offer.room(group.instance_type);
      return Array.from({ length: Math.max(0, Math.min(units, room)) }, () => one);
    }
    const byType = new Map<number, number>();
    for (const { type_config: index, weight, ...one } of staying)
      if (one.market === market) byType.set(index!, (byType.get(index!) ?? 0) + weight);
    return chooseTypes(fleet, market, units, group.resize > 0, byType, offer);
  });
}

/** Those that can leave, of some in the order in which they would: the others have as much as is wished. */
export function surplusOf<Instance extends Sized>(group: GroupRow, staying: readonly Sized[], inOrder: readonly Instance[]): Instance[] {
  const [wish, left] = [wishOf(group), unitsOf(staying)];
  return inOrder.filter(({ market, weight }) => {
    if (left[market] - weight < wish[market]) return false;
    left[market] -= weight;
    return true;
  });
}

/** It lacks nothing, and nothing of it can leave. */
export const isOfItsSize = (group: GroupRow, instances: readonly Sized[]): boolean =>
  missingOf(group, instances).length === 0 && surplusOf(group, instances, instances).length === 0;
