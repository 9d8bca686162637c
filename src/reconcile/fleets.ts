/**
 * Part of the cluster's reconciler: capacity that a fleet or a spot group lacks, for the market has none at its bid or the host no memory, and what becomes of a fleet's when its
 * time is over. A group waits for as long as it takes, as on EMR.
 */
import { addEvent, addWarnings } from "../store/events.ts";
import type { Fleet } from "../store/fleets.ts";
import { type ClusterEnding, type ClusterRow, findCluster, isEnding } from "../store/clusters.ts";
import { type FleetRow, type GroupRow, groupsOf, type InstanceRow, instancesOf, isFleet, setFleetShift } from "../store/instances.ts";
import { missingOf, type Sized, unitsOf, wishOf } from "../store/sizes.ts";
import type { Tx } from "../store/store.ts";
import { applicationsOf, fitting, neededMemoryMb, promisedMemoryMb } from "./capacity.ts";
import type { ReconcileContext } from "./context.ts";
import { fleetTimeout, insufficientCapacity } from "./endings.ts";
import type { Outcome } from "./loop.ts";
import { type NewInstance, writeDown } from "./new-instances.ts";
import { offerFor } from "./spot-offer.ts";

/** EMR's, where a fleet says nothing. */
const usualTimeout = { TimeoutDurationMinutes: 60, TimeoutAction: "TERMINATE_CLUSTER" } as const;
/** When to look again for capacity that was not there. */
const againMs = 15_000;
const minuteMs = 60_000;

/** Where the host has no memory for it: spot capacity of fleets may come later; a master, what is on demand and what is of groups must be there at once. */
export const mayWait = ({ group, hardware }: NewInstance): boolean =>
  group.fleet !== null && group.role !== "MASTER" && hardware.market === "SPOT";

/** Of a cluster whose master's spot capacity is not there: nothing of it is. As `provision`. */
export async function awaitMaster(
  context: ReconcileContext,
  tx: Tx,
  cluster: ClusterRow,
  group: GroupRow,
): Promise<Outcome | ClusterEnding> {
  const waited = context.waits.for(`spot capacity of ${cluster.id}`);
  await addWarnings(tx, cluster.id, [noSpot(group)]);
  if (!isFleet(group)) return { againMs };
  const { minutes, action } = timeoutOf(group);
  if (waited < minutes * minuteMs) return { againMs: Math.min(againMs, minutes * minuteMs - waited) };
  if (action === "TERMINATE_CLUSTER") return fleetTimeout(group.id, minutes);
  await switchToOnDemand(tx, group, 1, minutes);
  return { againMs: 0 };
}

export const noSpot = (group: GroupRow): string =>
  `the spot market has no capacity for all of ${group.id} at its bid: it is added when there is. EC2's DescribeSpotPriceHistory says what it costs`;

function timeoutOf(group: FleetRow) {
  const timeout = group.fleet.launch?.SpotSpecification ?? usualTimeout;
  return { minutes: timeout.TimeoutDurationMinutes ?? usualTimeout.TimeoutDurationMinutes, action: timeout.TimeoutAction };
}

/** The group as it is then. */
async function switchToOnDemand(tx: Tx, group: FleetRow, units: number, minutes: number): Promise<FleetRow> {
  const shift = { resize: group.resize, onDemand: units, spot: -units };
  await setFleetShift(tx, group.id, shift);
  await addEvent(
    tx,
    group.cluster_id,
    "cluster",
    `${group.id} had no spot capacity in ${minutes} minutes: ${units} units are on demand now`,
  );
  return { ...group, shift };
}

/**
 * What a cluster's groups and fleets still lack before it was ever ready: added as soon as there is capacity. After a fleet's timeout what is left of spot capacity
 * becomes capacity on demand, or the cluster ends.
 */
export async function provision(context: ReconcileContext, cluster: ClusterRow): Promise<Outcome | ClusterEnding> {
  const { store, waits } = context;
  const waited = waits.for(`spot capacity of ${cluster.id}`);
  return store.transaction(async (tx) => {
    const now = await findCluster(tx.db, cluster.id);
    if (!now || now.phase === "ready" || isEnding(now)) return { done: true };
    let next = Infinity;
    for (const group of await groupsOf(tx.db, cluster.id)) {
      const lacking = await grant(context, tx, now, group);
      if (lacking.length === 0) continue;
      if (!isFleet(group)) {
        next = Math.min(next, againMs);
        continue;
      }
      const { minutes, action } = timeoutOf(group);
      const isOver = waited >= minutes * minuteMs;
      if (isOver && action === "TERMINATE_CLUSTER") return fleetTimeout(group.id, minutes);
      if (!isOver) {
        next = Math.min(next, againMs, minutes * minuteMs - waited);
        continue;
      }
      const rest = await grant(context, tx, now, await switchToOnDemand(tx, group, unitsOf(lacking).SPOT, minutes));
      if (rest.length > 0) return shortOf(context, tx, now, group, rest.length);
    }
    return next === Infinity ? { done: true } : { againMs: next };
  });
}

/** Writes down what there is of it. What the group or fleet lacks then. */
async function grant(context: ReconcileContext, tx: Tx, cluster: ClusterRow, group: GroupRow) {
  const all = await instancesOf(tx.db, cluster.id);
  const members = membersOf(group, all);
  if (missingOf(group, members).length === 0) return [];
  const offered = missingOf(group, members, await offerFor(context, tx, cluster));
  const wished = offered.map((hardware) => ({ group, hardware }));
  const granted = fitting(wished, applicationsOf(cluster), context.freeMemoryMb() - (await promisedMemoryMb(tx.db)));
  const added = await writeDown(context, tx, cluster.network!, granted, all);
  for (const id of added) await addEvent(tx, cluster.id, "instance", `${id} is added to ${group.id}`);
  if (added.length > 0) await tx.manifestChanged(cluster.id);
  const lacking = missingOf(group, [...members, ...granted.slice(0, added.length).map(({ hardware }) => hardware)]);
  if (lacking.length > 0)
    await addWarnings(tx, cluster.id, [
      granted.length === offered.length
        ? noSpot(group)
        : `the host has no memory for all spot capacity of ${group.id}: it is added when it has, until the fleet's timeout. Terminate another cluster to make room`,
    ]);
  return lacking;
}

const membersOf = (group: GroupRow, all: readonly InstanceRow[]) =>
  all.filter((instance) => instance.group_id === group.id && instance.status !== "terminated");

async function shortOf(context: ReconcileContext, tx: Tx, cluster: ClusterRow, group: FleetRow, count: number): Promise<ClusterEnding> {
  const roles = Array.from({ length: count }, () => group.role);
  return insufficientCapacity(neededMemoryMb(roles, applicationsOf(cluster)), context.freeMemoryMb() - (await promisedMemoryMb(tx.db)));
}

/**
 * Of a fleet of a ready cluster that lacks capacity. `has`: its instances that stay, the new ones too. What is missing after its resize timeout is given up until
 * somebody asks for a capacity again. When to look again, in milliseconds; Infinity where nothing is left to wait for.
 */
export async function giveUp({ waits }: ReconcileContext, tx: Tx, group: FleetRow, has: readonly Sized[]): Promise<number> {
  const waited = waits.for(`capacity of ${group.id}`, group.resize);
  const [wish, units] = [wishOf(group), unitsOf(has)];
  const shift = group.shift?.resize === group.resize ? { ...group.shift } : { resize: group.resize, onDemand: 0, spot: 0 };
  const given: string[] = [];
  let next = Infinity;
  for (const market of ["ON_DEMAND", "SPOT"] as const) {
    const lacks = wish[market] - units[market];
    if (lacks <= 0) continue;
    const leftMs = resizeMinutes(group.fleet, market) * minuteMs - waited;
    if (leftMs > 0) next = Math.min(next, leftMs, againMs);
    else {
      shift[market === "SPOT" ? "spot" : "onDemand"] -= lacks;
      given.push(`${lacks} units ${market === "SPOT" ? "of spot" : "on demand"}`);
    }
  }
  if (given.length === 0) return next;
  await setFleetShift(tx, group.id, shift);
  await addWarnings(tx, group.cluster_id, [
    `${group.id} lacks ${given.join(" and ")} at the end of its resize timeout: they are given up until ModifyInstanceFleet asks for a capacity again`,
  ]);
  return next;
}

function resizeMinutes({ resize }: Fleet, market: "ON_DEMAND" | "SPOT"): number {
  const specification = market === "SPOT" ? resize?.SpotResizeSpecification : resize?.OnDemandResizeSpecification;
  return specification?.TimeoutDurationMinutes ?? usualTimeout.TimeoutDurationMinutes;
}
