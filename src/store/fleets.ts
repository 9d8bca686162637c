/**
 * What an instance fleet is made of, and which of its types new instances have. Pure functions.
 *
 * EMR's rules: a fleet has a target of units on demand and one of spot; an instance counts as many as its type's weight; instances are added until a target
 * is reached, even where that exceeds it (EMR Management Guide, "Configure instance fleets").
 */
import type {
  EbsConfiguration,
  InstanceFleetProvisioningSpecifications,
  InstanceFleetResizingSpecifications,
  MarketType,
} from "@aws-sdk/client-emr";
import type { Configuration } from "../engines/engine.ts";
import { onDemandPrice } from "../releases/prices.ts";
import type { GroupRow } from "./instances.ts";
import type { InstancesTable } from "./schema.ts";

/** EMR's InstanceTypeConfig. */
export interface FleetType {
  instanceType: string;
  weight: number;
  /** The lowest comes first. */
  priority: number | null;
  bidPrice: string | null;
  bidPercentage: number | null;
  configurations: Configuration[];
  ebs: EbsConfiguration | null;
}

export interface Fleet {
  /** Units. */
  onDemand: number;
  spot: number;
  /** Those that it has ever had: what an instance is of stays. */
  types: FleetType[];
  /** Which of `types` new instances may have. */
  offered: number[];
  launch: InstanceFleetProvisioningSpecifications | null;
  resize: InstanceFleetResizingSpecifications | null;
  context: string | null;
  /** Instance types of those that the cluster was created with, never changed: settings that go by a cluster's size go by these. */
  founding: string[];
}

/** What timeouts have made of targets, in units that are added to them: as long as nobody has asked for others, which `resize` counts. */
export interface FleetShift {
  resize: number;
  onDemand: number;
  spot: number;
}

/** Units by market; of a group, instances. */
export type Units = Record<MarketType, number>;

/** Of what kind an instance is. `type_config`: which of its fleet's types; null in a group. */
export type Hardware = Pick<InstancesTable, "instance_type" | "weight" | "type_config"> & { market: MarketType };

/** What the spot market has in a cluster's zone. */
export interface Offer {
  /** USD an hour. */
  price(instanceType: string): number;
  /** Instances that can still be had; Infinity where nothing limits them. */
  room(instanceType: string): number;
}

/** Where nothing is said of the market: its prices stand for nothing but the order of types. */
const anything: Offer = { price: onDemandPrice, room: () => Infinity };

/** USD an hour that are paid at most. EMR's: without a bid, the price on demand. */
export function bidOf(
  group: GroupRow,
  { instance_type: type, type_config: index }: Pick<Hardware, "instance_type" | "type_config">,
): number {
  return group.fleet ? bidOfType(group.fleet.types[index!]!) : Number(group.bid_price ?? onDemandPrice(type));
}

const bidOfType = ({ instanceType, bidPrice, bidPercentage }: FleetType): number =>
  bidPrice === null ? (onDemandPrice(instanceType) * (bidPercentage ?? 100)) / 100 : Number(bidPrice);

type Candidate = FleetType & { index: number };

/** More than a cluster's network has addresses for: who asks for more units than fit is refused, and nothing is reckoned to the end for it. */
const mostChosen = 255;

/** Instances for so many units, `mostChosen` at most, and no more than the market has where that is given for spot. `isResize`: a fleet has strategies of its own for that. `had`: units of this market that the fleet has, by `type_config`. */
export function chooseTypes(
  fleet: Fleet,
  market: MarketType,
  units: number,
  isResize: boolean,
  had: ReadonlyMap<number, number>,
  offer?: Offer,
): Hardware[] {
  const strategy = strategyOf(fleet, market, isResize);
  const ofMarket = market === "SPOT" ? offer : undefined;
  const { price, room } = ofMarket ?? anything;
  const pricePerUnit = ({ instanceType, weight }: FleetType): number => price(instanceType) / weight;
  const ranked = fleet.offered
    .map((index): Candidate => ({ ...fleet.types[index]!, index }))
    .filter((type) => !ofMarket || !(price(type.instanceType) > bidOfType(type)))
    .toSorted((a, b) => comparePriority(strategy, a, b) || compareRoom(strategy, a, b, room, units) || pricePerUnit(a) - pricePerUnit(b));
  const rooms = new Map(ranked.map(({ index, instanceType }) => [index, room(instanceType)]));
  const has = new Map(had);
  const unitsOf = ({ index }: Candidate) => has.get(index) ?? 0;
  const chosen: Hardware[] = [];
  let left = units;
  while (left > 0 && chosen.length < mostChosen) {
    const there = ranked.filter(({ index }) => rooms.get(index)! > 0);
    const fitting = there.filter(({ weight }) => weight <= left);
    // One that exceeds the target is taken only where no other is left.
    const candidates = fitting.length > 0 ? fitting : there.toSorted((a, b) => a.weight - b.weight).slice(0, 1);
    const [next] = strategy === "diversified" ? candidates.toSorted((a, b) => unitsOf(a) - unitsOf(b)) : candidates;
    if (!next) break;
    has.set(next.index, unitsOf(next) + next.weight);
    rooms.set(next.index, rooms.get(next.index)! - 1);
    left -= next.weight;
    chosen.push({ instance_type: next.instanceType, market, weight: next.weight, type_config: next.index });
  }
  // A large one, taken for want of small ones, may make small ones needless that were taken before it.
  let over = -left;
  return chosen.filter(({ weight }) => {
    if (weight > over) return true;
    over -= weight;
    return false;
  });
}

/** Instance types of a new fleet's instances. */
export const plannedTypes = (fleet: Fleet): string[] =>
  [...chooseTypes(fleet, "ON_DEMAND", fleet.onDemand, false, new Map()), ...chooseTypes(fleet, "SPOT", fleet.spot, false, new Map())].map(
    (hardware) => hardware.instance_type,
  );

/** Where none is given, EMR's defaults of emr-6.9 and newer. */
function strategyOf({ launch, resize }: Fleet, market: MarketType, isResize: boolean) {
  if (market === "SPOT")
    return (isResize ? resize?.SpotResizeSpecification : launch?.SpotSpecification)?.AllocationStrategy ?? "price-capacity-optimized";
  return (isResize ? resize?.OnDemandResizeSpecification : launch?.OnDemandSpecification)?.AllocationStrategy ?? "lowest-price";
}

function comparePriority(strategy: string, a: FleetType, b: FleetType): number {
  if (strategy !== "prioritized" && strategy !== "capacity-optimized-prioritized") return 0;
  const [first, second] = [a.priority ?? Number.MAX_VALUE, b.priority ?? Number.MAX_VALUE];
  return first - second;
}

/** The one goes by the deepest pool, the other by the cheapest of those that are deep enough for all of it. */
function compareRoom(strategy: string, a: FleetType, b: FleetType, room: Offer["room"], units: number): number {
  if (!strategy.includes("capacity-optimized")) return 0;
  const [first, second] = [a, b].map(({ instanceType, weight }) =>
    strategy === "price-capacity-optimized" ? Math.min(room(instanceType) * weight, units) : room(instanceType),
  ) as [number, number];
  return first === second ? 0 : second - first;
}
