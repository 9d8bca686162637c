/** The cluster's reconciler: from the wish for a cluster to running nodes, and to its end. */
import { type GroupRow, groupsOf, instancesOf, type InstanceRow, isLaunched, setWanted, stays, wasLost } from "../store/instances.ts";
import { type ClusterEnding, type ClusterRow, findCluster, keepsAlive, setClusterStatus } from "../store/clusters.ts";
import { disableClusterKeys } from "../store/access-keys.ts";
import { addEvent, addWarnings } from "../store/events.ts";
import { activeStates, fatalStep, hasStepIn } from "../store/steps.ts";
import type { Db, Store, Tx } from "../store/store.ts";
import { missingOf } from "../store/sizes.ts";
import { applicationsOf, fitting, neededMemoryMb, promisedMemoryMb } from "./capacity.ts";
import type { ReconcileContext } from "./context.ts";
import { failureOfInstance, insufficientCapacity, neverReady, noSlaveLeft, notInstalled, stepFailure, stepsCompleted } from "./endings.ts";
import { awaitMaster, mayWait, provision } from "./fleets.ts";
import { readyWithinMs, stoppingMs } from "./limits.ts";
import type { Outcome, Reconciler } from "./loop.ts";
import { writeDown } from "./new-instances.ts";
import { resize } from "./resize.ts";
import { offerFor } from "./spot-offer.ts";

const done: Outcome = { done: true };
/** How often to look whether engines have come that were not on this machine. */
const enginesMs = 1_000;

export function clusterReconciler(context: ReconcileContext): Reconciler {
  return async (id) => {
    const cluster = await findCluster(context.store.db, id);
    if (!cluster || cluster.phase === "ended") return done;
    if (cluster.phase === "ending") return remove(context, cluster);
    if (cluster.terminate_requested_at !== null) return beginEnding(context, cluster, null);
    if (cluster.network === null) return place(context, cluster);
    return follow(context, cluster);
  };
}

/** Gives the cluster a network and writes down its instances; their own reconcilers launch them. */
async function place(context: ReconcileContext, cluster: ClusterRow): Promise<Outcome> {
  const { store, provider } = context;
  const groups = await groupsOf(store.db, cluster.id);
  const names = applicationsOf(cluster);
  const engines = context.engines(cluster.spec.releaseLabel, names, cluster.spec.usesCatalog && cluster.account_id);
  if (engines !== "there") {
    if ("failed" in engines) return beginEnding(context, cluster, notInstalled(engines.failed));
    if (context.waits.for(`engines of ${cluster.id}`) === 0)
      await store.transaction((tx) => addEvent(tx, cluster.id, "cluster", engines.coming));
    return { againMs: enginesMs };
  }
  const network = await provider.claimNetwork(cluster.id, undefined);
  return store.transaction(async (tx) => {
    // One transaction for the look and its result: two clusters that were asked for at once do not both count on the same memory, or the same spot capacity.
    const offer = await offerFor(context, tx, cluster);
    const planned = groups.flatMap((group) => missingOf(group, [], offer).map((hardware) => ({ group, hardware })));
    // Spot capacity may come later, but the master's comes first; all else must be there at once.
    if (!planned.some(({ group }) => group.role === "MASTER")) {
      const waited = await awaitMaster(context, tx, cluster, groups[0]!);
      if (!("code" in waited)) return waited;
      await recordEnding(tx, cluster, waited);
      return done;
    }
    const [later, needed] = [planned.filter(mayWait), planned.filter((one) => !mayWait(one))];
    const neededMb = neededMemoryMb(
      needed.map(({ group }) => group.role),
      names,
    );
    const hostMb = context.freeMemoryMb();
    const free = hostMb === Infinity ? hostMb : hostMb - (await promisedMemoryMb(tx.db));
    if (neededMb > free) {
      await recordEnding(tx, cluster, insufficientCapacity(neededMb, free));
      return done;
    }
    await setClusterStatus(tx, cluster.id, { network });
    const granted = new Set(fitting(later, names, free - neededMb));
    const placed = planned.filter((one) => !mayWait(one) || granted.has(one));
    await writeDown(context, tx, network, placed, []);
    // What is missing is `provision`'s matter.
    return placed.length === groups.flatMap((group) => missingOf(group, [])).length ? done : { againMs: 0 };
  });
}

async function takeOverWarnings(store: Store, cluster: ClusterRow, instances: readonly InstanceRow[]): Promise<void> {
  const warnings = instances.flatMap((instance) => instance.observed?.warnings ?? []);
  if (warnings.length > 0) await store.transaction((tx) => addWarnings(tx, cluster.id, warnings));
}

/** Reads what the nodes report and moves the cluster on. */
async function follow(context: ReconcileContext, cluster: ClusterRow): Promise<Outcome> {
  const { store } = context;
  const all = await instancesOf(store.db, cluster.id);
  await takeOverWarnings(store, cluster, all);
  const wasReady = cluster.ready_at !== null;
  // Once it has been ready it can do without any but its master, and a core node: resize.ts sees to those that are lost, leave, or came later.
  for (const instance of wasReady ? all.slice(0, 1) : all) {
    const ending = failureOfInstance(cluster, instance, all, context.portsTaken);
    if (ending) return beginEnding(context, cluster, ending);
  }
  if (wasReady && all.some(wasLost)) {
    const lost = lostCores(await groupsOf(store.db, cluster.id), all);
    if (lost.length > 0) return beginEnding(context, cluster, noSlaveLeft(lost));
  }
  const instances = all.filter((one) => !wasReady || (stays(one) && one.first_ready_at !== null && one.status !== "lost"));
  if (cluster.phase === "ready") {
    await store.transaction((tx) => endWithSteps(tx, cluster));
    return resize(context, cluster, await groupsOf(store.db, cluster.id), all);
  }

  if (!wasReady && (await lacksCapacity(store.db, cluster, all))) {
    const provisioned = await provision(context, cluster);
    return "code" in provisioned ? beginEnding(context, cluster, provisioned) : provisioned;
  }
  const reached = (phases: readonly string[]) => (instance: InstanceRow) => phases.includes(instance.observed?.phase ?? "");
  if (instances.every(reached(["ready"]))) {
    await store.transaction(async (tx) => {
      await setClusterStatus(tx, cluster.id, { phase: "ready", ready_at: cluster.ready_at ?? tx.now });
      await addEvent(tx, cluster.id, "cluster", "ready: every node's daemons answer");
      await tx.wake("steps", cluster.id);
      await tx.wake("cluster", cluster.id);
      await endWithSteps(tx, cluster);
    });
    return done;
  }
  if (cluster.phase === "starting" && instances.every((instance) => instance.observed !== null)) {
    await store.transaction(async (tx) => {
      await setClusterStatus(tx, cluster.id, { phase: "bootstrapping" });
      await addEvent(tx, cluster.id, "cluster", "all nodes are up: bootstrap actions and daemons");
    });
  }
  const leftMs = readyWithinMs - context.waits.for(`readiness of ${cluster.id}`);
  if (leftMs > 0) return { againMs: leftMs };
  const ending = neverReady(instances, readyWithinMs);
  if (cluster.ready_at === null) return beginEnding(context, cluster, ending);
  // It was kept, and has data: its user decides.
  await store.transaction((tx) => addWarnings(tx, cluster.id, [ending.message]));
  return done;
}

/** A cluster is not ready before its groups and fleets have what they are to have. */
async function lacksCapacity(db: Db, cluster: ClusterRow, all: readonly InstanceRow[]): Promise<boolean> {
  const groups = await groupsOf(db, cluster.id);
  return groups.some(
    (group) =>
      missingOf(
        group,
        all.filter((one) => one.group_id === group.id && one.status !== "terminated"),
      ).length > 0,
  );
}

/** Core nodes that are lost and not let go yet, where no other is in use. */
function lostCores(groups: readonly GroupRow[], all: readonly InstanceRow[]): InstanceRow[] {
  const core = groups.find(({ role }) => role === "CORE");
  const used = all.filter(
    (one) => one.group_id === core?.id && one.first_ready_at !== null && one.wanted === 1 && one.removal_requested === 0,
  );
  const lost = used.filter(({ status }) => status === "lost");
  return lost.length === used.length ? lost : [];
}

/**
 * A ready cluster ends by a failed step that says so, or when it is transient and has no step left. In the transaction of what makes it so: such a cluster
 * is never WAITING.
 */
export async function endWithSteps(tx: Tx, cluster: ClusterRow): Promise<void> {
  // Look and result are one: neither a step that AddJobFlowSteps has accepted nor a wish to go on is overlooked.
  const fatal = await fatalStep(tx.db, cluster.id);
  if (fatal) return recordEnding(tx, cluster, stepFailure(fatal));
  if ((await keepsAlive(tx.db, cluster.id)) || (await hasStepIn(tx.db, cluster.id, activeStates))) return;
  const anyOther = await hasStepIn(tx.db, cluster.id, ["FAILED", "CANCELLED", "INTERRUPTED"]);
  await recordEnding(tx, cluster, stepsCompleted(!anyOther));
}

async function beginEnding(context: ReconcileContext, cluster: ClusterRow, ending: ClusterEnding | null): Promise<Outcome> {
  await context.store.transaction((tx) => recordEnding(tx, cluster, ending));
  return done;
}

/** `ending` null: the user's wish. The nodes are told first, so that steps end and the last logs reach S3. */
async function recordEnding(tx: Tx, cluster: ClusterRow, ending: ClusterEnding | null): Promise<void> {
  await setClusterStatus(tx, cluster.id, { phase: "ending", ending_at: tx.now, ending });
  await addEvent(tx, cluster.id, "cluster", `ends: ${ending?.message ?? "terminated by user request"}`);
  await tx.manifestChanged(cluster.id);
  await tx.wake("steps", cluster.id);
  await tx.wake("cluster", cluster.id);
}

/** Waits for the nodes' last logs, has them removed, and closes the cluster when none is left. */
async function remove(context: ReconcileContext, cluster: ClusterRow): Promise<Outcome> {
  const { store, provider } = context;
  const instances = await instancesOf(store.db, cluster.id);
  await takeOverWarnings(store, cluster, instances); // Of the last logs, too.
  if (instances.some((instance) => instance.wanted === 1)) {
    const waits = instances.filter((one) => isLaunched(one) && one.wanted === 1 && one.observed && one.observed.phase !== "stopped");
    const leftMs = stoppingMs - context.waits.for(`last logs of ${cluster.id}`);
    if (waits.length > 0 && leftMs > 0) return { againMs: leftMs };
    await store.transaction(async (tx) => {
      for (const instance of waits)
        await addWarnings(tx, cluster.id, [
          `${instance.id} did not ship its last logs in ${stoppingMs / 1000} s: they stay in its folder on the host`,
        ]);
      await setWanted(tx, cluster.id, false);
      for (const instance of instances) await tx.wake("instance", instance.id);
    });
    return done;
  }
  if (instances.some((instance) => instance.status !== "terminated")) return done; // The last one to end wakes this.
  for (const wait of ["engines", "spot capacity", "readiness", "last logs"]) context.waits.over(`${wait} of ${cluster.id}`);
  await provider.releaseNetwork(cluster.id);
  await store.transaction(async (tx) => {
    await setClusterStatus(tx, cluster.id, { phase: "ended", ended_at: tx.now });
    await disableClusterKeys(tx, cluster.id);
    await addEvent(tx, cluster.id, "cluster", "ended: no process of it is left");
    await tx.wake("steps", cluster.id);
  });
  return done;
}
