/** Who counts in a group or a fleet, and whether these are as many as it is to have, by the store's rows. */
import type { Rows } from "./rows.ts";

type Instance = Rows["instances"][number];
type Group = Rows["groups"][number];

/** Was never in use, and never will be. */
export const hasFailed = ({ first_ready_at: ready, nodePhase, end_code: code }: Instance): boolean =>
  ready === null && (nodePhase === "failed" || code === "INTERNAL_ERROR" || code === "INSTANCE_FAILURE");

/** Is there, or is coming, and is to stay. */
export const stays = (instance: Instance): boolean =>
  instance.wanted === 1 &&
  instance.leaving === null &&
  instance.removal_requested === 0 &&
  instance.status !== "terminated" &&
  !hasFailed(instance);

/** It was lost, and is not ended for good yet: nobody may take its place. */
export const isBeingFenced = ({ status, wanted }: Instance): boolean => status === "lost" && wanted === 0;

const markets = ["ON_DEMAND", "SPOT"] as const;

/** Units that it is to have in a market; of a group, instances. */
function wished({ on_demand: onDemand, spot, shift, resize, market: its, requested_count: count }: Group, market: string): number {
  if (onDemand === null || spot === null) return its === market ? count : 0;
  const shifted = shift?.resize === resize ? shift : { onDemand: 0, spot: 0 };
  return market === "SPOT" ? spot + shifted.spot : onDemand + shifted.onDemand;
}

const units = (some: readonly Instance[], market: string): number =>
  some.reduce((sum, one) => sum + (one.market === market ? one.weight : 0), 0);

/** These are not enough. */
export const isShort = (group: Group, some: readonly Instance[]): boolean =>
  markets.some((market) => units(some, market) < wished(group, market));

/** It is one of these, and the others were not enough. */
export const isNeededFor = (group: Group, one: Instance, some: readonly Instance[]): boolean =>
  units(some, one.market) - one.weight < wished(group, one.market);

/** One of these could leave, and the others were enough. */
export const isMore = (group: Group, some: readonly Instance[]): boolean => some.some((one) => !isNeededFor(group, one, some));

/** What its users have asked for. */
export const sizeText = ({ requested_count: count, on_demand: onDemand, spot }: Group): string =>
  onDemand === null ? String(count) : `${onDemand} + ${spot}`;

/** Its last resize has had its tries since one of them was ready. */
export function isSuspended(group: Group, mine: readonly Instance[]): boolean {
  const tried = mine.slice(mine.findLastIndex(({ first_ready_at: ready }) => ready !== null) + 1);
  return tried.filter((instance) => instance.resize === group.resize && hasFailed(instance)).length >= 3;
}
