/**
 * Part of the cluster's reconciler: makes the groups and fleets of a ready cluster as large as they are wished. What is missing is written down for its own reconciler to
 * launch; what is too many leaves by steps, each written down before the next: out of service (the master's agent says when), its last logs, its end. What was
 * lost is ended for good, and then another takes its place; what is unhealthy for long, or has a spot interruption notice, leaves as from a group that becomes
 * smaller, when another is on its way.
 */
import { mergeConfigurations } from "../engines/configurations.ts";
import { replicationOf } from "../engines/hadoop/roles.ts";
import type { InstanceRow, GroupRow } from "../store/instances.ts";
import {
  configurationsOf,
  groupsOf,
  hasFailed,
  illness,
  instancesOf,
  isSuspended,
  setInstanceStatus,
  setInstanceWish,
  spotTermination,
  stays,
} from "../store/instances.ts";
import { isOfItsSize, missingOf, surplusOf, wishOf } from "../store/sizes.ts";
import { type ClusterRow, findCluster, isEnding } from "../store/clusters.ts";
import { addEvent, addWarnings } from "../store/events.ts";
import type { Tx } from "../store/store.ts";
import { applicationsOf, fitting, nodeMemoryMb, promisedMemoryMb } from "./capacity.ts";
import type { ReconcileContext } from "./context.ts";
import { giveUp, noSpot } from "./fleets.ts";
import { leftOf, stopsBefore } from "./interruption.ts";
import { readyWithinMs, stoppingMs } from "./limits.ts";
import { writeDown } from "./new-instances.ts";
import type { Outcome } from "./loop.ts";
import { offerFor } from "./spot-offer.ts";

/** YARN's yarn.resourcemanager.nodemanager-graceful-decommission-timeout-secs, as EMR has it. */
const decommissionSeconds = 3600;
/** What YARN has of time beyond that to end what it has given up waiting for. */
const forceMs = 60_000;
/** How long HDFS may take for copies of what a core node had that is gone, until it is told that some are still missing. */
const copiesMs = 30 * 60_000;
/** Where the host has no memory for a node, or the network no address: when to look again. */
const againMs = 15_000;

/** `cluster`, its groups and its instances as they were read: nothing is written where all is as it is wished. */
export async function resize(
  context: ReconcileContext,
  cluster: ClusterRow,
  groups: readonly GroupRow[],
  instances: readonly InstanceRow[],
): Promise<Outcome> {
  for (const instance of instances) if (illness(instance) === undefined) context.waits.over(`health of ${instance.id}`);
  const isUnrest = instances.some((one) => one.leaving === "gone" || one.unhealthy_at !== null || illness(one) !== undefined);
  if (!isUnrest && groups.every((group) => isAtRest(group, membersOf(group, instances)))) return { done: true };
  return context.store.transaction(async (tx) => {
    // Read again: a request may have come meanwhile.
    const now = await findCluster(tx.db, cluster.id);
    if (!now || now.phase !== "ready" || isEnding(now)) return { done: true };
    for (const one of await instancesOf(tx.db, cluster.id)) {
      const isIll = illness(one) !== undefined;
      if (isIll !== (one.unhealthy_at !== null)) await setInstanceWish(tx, one.id, { unhealthy_at: isIll ? tx.now : null });
    }
    const waits: number[] = [];
    for (const group of await groupsOf(tx.db, cluster.id))
      if (group.role !== "MASTER") waits.push(await resizeGroup(context, tx, now, group, await instancesOf(tx.db, cluster.id)));
    waits.push(await followCopies(context, tx, now, await instancesOf(tx.db, cluster.id)));
    const next = Math.min(...waits);
    return next === Infinity ? { done: true } : { againMs: next };
  });
}

const membersOf = (group: GroupRow, instances: readonly InstanceRow[]) =>
  instances.filter((instance) => instance.group_id === group.id && instance.status !== "terminated");

const isAtRest = (group: GroupRow, mine: readonly InstanceRow[]): boolean =>
  group.role === "MASTER" ||
  (isOfItsSize(group, mine) &&
    mine.every(
      (instance) => stays(instance) && instance.first_ready_at !== null && instance.status !== "lost" && instance.interrupted_at === null,
    ));

/** `all`: the cluster's instances. When to look again, in milliseconds; Infinity where somebody will wake this. */
async function resizeGroup(
  context: ReconcileContext,
  tx: Tx,
  cluster: ClusterRow,
  group: GroupRow,
  all: readonly InstanceRow[],
): Promise<number> {
  const { waits } = context;
  const mine = all.filter((instance) => instance.group_id === group.id);
  const here = mine.filter(({ status, wanted }) => status !== "terminated" && wanted === 1);
  const tell = (message: string) => addEvent(tx, cluster.id, "instance", message);
  let next = Infinity;

  async function letGo(instance: InstanceRow, message: string): Promise<void> {
    for (const wait of ["decommission", "last logs", "readiness", "interruption"]) waits.over(`${wait} of ${instance.id}`);
    const hasBlocks = group.role === "CORE" && instance.first_ready_at !== null && instance.leaving !== "stopping";
    await setInstanceWish(tx, instance.id, { wanted: 0, ...(hasBlocks ? { leaving: "gone" } : {}) });
    const copies = replicationOf(mergeConfigurations(cluster.spec.configurations, configurationsOf(group, instance)), group.founding_count);
    if (hasBlocks && instance.status === "lost" && copies === 1)
      await addWarnings(tx, cluster.id, [
        `${instance.id}, a core node, was lost, and HDFS keeps one copy of each block (dfs.replication): what only it had is lost with it`,
      ]);
    await tx.wake("instance", instance.id);
    await tx.manifestChanged(cluster.id);
    await tell(`${instance.id} of ${group.id} is removed: ${message}`);
  }

  const staying: InstanceRow[] = [];
  for (const instance of here) {
    if (instance.removal_requested === 1) await letGo(instance, "EC2InstanceIdsToTerminate names it");
    else if (instance.interrupted_at !== null) next = Math.min(next, await giveBack(instance));
    else if (instance.leaving !== null) next = Math.min(next, await takeOut(instance));
    else if (hasFailed(instance) || instance.status === "lost")
      await letGo(instance, instance.end_message ?? instance.observed?.failure?.message ?? "it failed");
    else if (instance.first_ready_at === null && waits.for(`readiness of ${instance.id}`) >= readyWithinMs)
      await letGo(instance, `it was not ready within ${readyWithinMs / 60_000} minutes`);
    else if (isOverdue(instance)) await replaceUnhealthy(instance, illness(instance)!);
    else {
      staying.push(instance);
      if (instance.first_ready_at === null) next = Math.min(next, readyWithinMs - waits.for(`readiness of ${instance.id}`));
    }
  }

  /** Its illness has lasted for as long as EMR waits: by the steady clock, and what came before this process by the store's. */
  function isOverdue({ id, unhealthy_at: since }: InstanceRow): boolean {
    if (since === null) return false;
    const leftMs = waits.left(`health of ${id}`, context.unhealthyMs - Math.max(0, tx.now - since));
    if (leftMs > 0) next = Math.min(next, leftMs);
    return leftMs <= 0 && !isSuspended(group, mine);
  }

  /** SetUnhealthyNodeReplacement is about core nodes: where it is off they stay, and YARN gives them no work. */
  async function replaceUnhealthy(instance: InstanceRow, why: string): Promise<void> {
    const long = `${instance.id} has been unhealthy for ${context.unhealthyMs / 60_000} minutes (${why})`;
    if (group.role === "CORE" && cluster.unhealthy_node_replacement === 0) {
      staying.push(instance);
      return addWarnings(tx, cluster.id, [`${long}, and stays, for UnhealthyNodeReplacement is off: YARN gives it no work`]);
    }
    await setInstanceWish(tx, instance.id, { leaving: "decommissioning", decommission_seconds: decommissionSeconds });
    await setInstanceStatus(tx, instance.id, { end_code: "INSTANCE_FAILURE", end_message: `It was unhealthy: ${why}` });
    await tx.manifestChanged(cluster.id);
    await tell(`${long}: another takes its place, and it leaves ${group.id}`);
    next = Math.min(next, decommissionSeconds * 1000 + forceMs - waits.for(`decommission of ${instance.id}`));
  }

  /**
   * One step of an instance that EC2 takes back. It has its whole notice, as on EC2: what watches the notice on the node may need it. Its last logs go to S3 shortly before the end,
   * but of a core node that still has blocks: HDFS copies them to the last.
   */
  async function giveBack(instance: InstanceRow): Promise<number> {
    const { id, status, leaving, end_message: why } = instance;
    if (status === "lost" || instance.observed?.phase === "stopped") {
      await letGo(instance, why ?? spotTermination);
      return Infinity;
    }
    const leftMs = leftOf(context, instance);
    const worksMs = leftMs - stopsBefore(instance);
    if (why !== spotTermination) {
      const seconds = Math.max(0, Math.floor(worksMs / 1000));
      await setInstanceWish(tx, id, { leaving: leaving ?? "decommissioning", decommission_seconds: seconds });
      await setInstanceStatus(tx, id, { end_code: "INSTANCE_FAILURE", end_message: spotTermination });
      await tx.manifestChanged(cluster.id);
      await tell(`${id} leaves ${group.id}: what runs there has ${seconds} s, and another takes its place`);
    }
    if (leaving === "stopping") return Infinity;
    if (worksMs > 0) return worksMs;
    if (group.role === "CORE" && all[0]?.observed?.decommission?.[id] !== "DECOMMISSIONED") return Infinity;
    await setInstanceWish(tx, id, { leaving: "stopping" });
    await tx.manifestChanged(cluster.id);
    return Infinity;
  }

  /** One step of an instance that leaves. */
  async function takeOut(instance: InstanceRow): Promise<number> {
    if (instance.status === "lost" || instance.first_ready_at === null) {
      await letGo(instance, instance.end_message ?? "its group became smaller before it was ready");
      return Infinity;
    }
    if (instance.leaving === "stopping") {
      const leftMs = stoppingMs - waits.for(`last logs of ${instance.id}`);
      const why = instance.end_message ?? "its group became smaller";
      if (instance.observed?.phase === "stopped") await letGo(instance, why);
      else if (leftMs <= 0) {
        await addWarnings(tx, cluster.id, [
          `${instance.id} did not ship its last logs in ${stoppingMs / 1000} s: they stay in its folder on the host`,
        ]);
        await letGo(instance, why);
      } else return leftMs;
      return Infinity;
    }
    const [master] = all;
    const isOut = master?.observed?.decommission?.[instance.id] === "DECOMMISSIONED";
    const seconds = instance.decommission_seconds ?? decommissionSeconds;
    const leftMs = seconds * 1000 + forceMs - waits.for(`decommission of ${instance.id}`);
    // A core node may have the only copy of something: it stays until HDFS says that it has not.
    if (!isOut && leftMs <= 0 && group.role === "CORE") {
      await addWarnings(tx, cluster.id, [
        `${instance.id} is to leave ${group.id}, and HDFS has not moved all of its blocks: they do not fit elsewhere, or are being written. It stays until they are`,
      ]);
      return Infinity;
    }
    if (!isOut && leftMs > 0) return leftMs;
    waits.for(`last logs of ${instance.id}`);
    await setInstanceWish(tx, instance.id, { leaving: "stopping" });
    await tx.manifestChanged(cluster.id);
    await tell(
      isOut ? `${instance.id} is out of service` : `${instance.id} is out of service by force: it had ${seconds} s to finish its work`,
    );
    return stoppingMs;
  }

  for (const instance of surplusOf(group, staying, inOrderOfLeaving(group, staying))) {
    const isNew = instance.first_ready_at === null;
    await setInstanceWish(tx, instance.id, { leaving: "decommissioning", decommission_seconds: timeoutOf(group, instance) });
    await tell(`${instance.id} is to leave ${group.id}, which is to have ${sizeText(group)}`);
    if (isNew) await letGo(instance, "its group became smaller before it was ready");
    else next = Math.min(next, timeoutOf(group, instance) * 1000 + forceMs - waits.for(`decommission of ${instance.id}`));
    await tx.manifestChanged(cluster.id);
  }

  // One that was lost may run on, for all that is known: until its end nobody takes its place. Then its reconciler wakes this.
  const ending = mine.filter(({ status }) => status === "lost");
  const counted = [...staying, ...ending];
  const missing = missingOf(group, counted);
  if (missing.length === 0) waits.over(`capacity of ${group.id}`);
  if (missing.length === 0 || isSuspended(group, mine)) return next;
  return Math.min(next, await add(context, tx, cluster, group, all, counted));
}

/** Core nodes that are gone: when HDFS has copies again of what they had. When to look again; Infinity where none is. */
async function followCopies({ waits }: ReconcileContext, tx: Tx, cluster: ClusterRow, all: readonly InstanceRow[]): Promise<number> {
  const report = all[0]?.observed;
  let next = Infinity;
  for (const { id } of all.filter(({ leaving }) => leaving === "gone")) {
    const isOver = report?.decommission?.[id] === "DECOMMISSIONED";
    const leftMs = copiesMs - waits.for(`copies of ${id}`);
    if (!isOver && leftMs > 0) {
      next = Math.min(next, leftMs);
      continue;
    }
    waits.over(`copies of ${id}`);
    await setInstanceWish(tx, id, { leaving: "copied" });
    await tx.manifestChanged(cluster.id);
    const { missing = 0, short = 0 } = report?.blocks ?? {};
    if (isOver && missing === 0) await addEvent(tx, cluster.id, "instance", `HDFS has all copies again of what ${id} had`);
    if (missing > 0)
      await addWarnings(tx, cluster.id, [
        `HDFS has no copy of ${missing} blocks since ${id} is gone. On the master, hdfs fsck / -list-corruptfileblocks names their files`,
      ]);
    if (!isOver)
      await addWarnings(tx, cluster.id, [
        `HDFS has not made all copies of what ${id} had in ${copiesMs / 60_000} minutes: ${short} blocks have fewer than they are to have`,
      ]);
  }
  return next;
}

/** Writes down as many new instances as are missing and fit; `counted`: those that it has. When to look again where not all do. */
async function add(
  context: ReconcileContext,
  tx: Tx,
  cluster: ClusterRow,
  group: GroupRow,
  all: readonly InstanceRow[],
  counted: readonly InstanceRow[],
): Promise<number> {
  const names = applicationsOf(cluster);
  const offered = missingOf(group, counted, await offerFor(context, tx, cluster));
  const wished = offered.map((hardware) => ({ group, hardware }));
  const hostMb = context.freeMemoryMb();
  const fit = hostMb === Infinity ? wished : fitting(wished, names, hostMb - (await promisedMemoryMb(tx.db)));
  const added = await writeDown(context, tx, cluster.network!, fit, all);
  for (const id of added) await addEvent(tx, cluster.id, "instance", `${id} is added to ${group.id}`);
  if (added.length > 0) await tx.manifestChanged(cluster.id);
  const has = [...counted, ...fit.slice(0, added.length).map(({ hardware }) => hardware)];
  if (missingOf(group, has).length === 0) return Infinity;
  if (group.fleet) {
    const again = await giveUp(context, tx, group, has);
    if (again === Infinity) return Infinity;
  }
  await addWarnings(tx, cluster.id, [
    added.length === offered.length
      ? noSpot(group)
      : fit.length < offered.length
        ? `the host has no memory for all instances of ${group.id} (${nodeMemoryMb(group.role, names)} MiB each): they are added when it has. Terminate another cluster, or ask for fewer`
        : `the cluster's network has no address for all instances of ${group.id}: they are added when others have left`,
  ]);
  return againMs;
}

/** Fleets have none. */
const shrinkPolicyOf = (group: GroupRow) => (group.fleet ? null : group.shrink_policy);
const policyOf = (group: GroupRow) => shrinkPolicyOf(group)?.InstanceResizePolicy ?? {};

function sizeText(group: GroupRow): string {
  const { ON_DEMAND, SPOT } = wishOf(group);
  return group.fleet ? `${ON_DEMAND} units on demand and ${SPOT} of spot` : `${ON_DEMAND + SPOT} instances`;
}

/** Seconds. */
function timeoutOf(group: GroupRow, { id }: InstanceRow): number {
  const { InstancesToTerminate: named = [], InstanceTerminationTimeout: ofNamed } = policyOf(group);
  const own = named.includes(id) ? ofNamed : undefined;
  return own ?? shrinkPolicyOf(group)?.DecommissionTimeout ?? decommissionSeconds;
}

/** Which of these leave first: those that are named, then those that are not ready yet, then the newest; never one that is protected. */
function inOrderOfLeaving(group: GroupRow, staying: readonly InstanceRow[]): InstanceRow[] {
  const { InstancesToTerminate: named = [], InstancesToProtect: safe = [] } = policyOf(group);
  const rank = ({ id, first_ready_at: ready }: InstanceRow) => (named.includes(id) ? 0 : ready === null ? 1 : 2);
  return staying.filter(({ id }) => !safe.includes(id)).toSorted((a, b) => rank(a) - rank(b) || b.ordinal - a.ordinal);
}
