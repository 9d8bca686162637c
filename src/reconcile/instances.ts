/** The instance's reconciler: launches it, starts its init again where it stopped, and removes it. */
import { hostnameOf } from "../agent/node-record.ts";
import { findCluster, isEnding } from "../store/clusters.ts";
import {
  findInstance,
  findMaster,
  groupsOf,
  removedByResize,
  setInstanceStatus,
  spotTermination,
  type InstanceRow,
} from "../store/instances.ts";
import type { Tx } from "../store/store.ts";
import { addEvent, addWarnings } from "../store/events.ts";
import { AddressTaken } from "../providers/provider.ts";
import type { ReconcileContext } from "./context.ts";
import { leftOf } from "./interruption.ts";
import type { Outcome, Reconciler } from "./loop.ts";
import { readyWithinMs } from "./limits.ts";
import { volumesFor } from "./node-volumes.ts";
import { silentMs } from "./watch.ts";

const done: Outcome = { done: true };
const mostLaunches = 5;
const mostRelaunches = 20;
const launchAgainMs = 500;

/** One that runs has nothing to do: the watch wakes this when it does not, or is silent. */
export function instanceReconciler(context: ReconcileContext): Reconciler {
  return async (id) => {
    const instance = await findInstance(context.store.db, id);
    if (!instance) return done;
    if (instance.status === "terminated") {
      // Woken again only where a crash or a fault came between its end and the removal of its folder.
      await context.provider.reclaim(id);
      return done;
    }
    if (instance.wanted === 0) return remove(context, instance);
    if (instance.status === "lost") return done;
    if (instance.terminate_requested_at !== null) return terminate(context, instance);
    const leftMs = leftOf(context, instance);
    if (leftMs <= 0) return takeBack(context, instance);
    if (instance.status === "provisioning") return within(leftMs, await launch(context, instance));

    const seen = await context.provider.observe(id);
    if (seen === "running") return within(leftMs, await listen(context, instance));
    // On a new disk its steps would run once more: what says that they have begun was on the old one.
    if (seen === "absent") return lose(context, instance, "INSTANCE_FAILURE", "nothing of it is left on its host");
    if (seen === "rebooted") return lose(context, instance, "INSTANCE_FAILURE", "its host was started again since");
    // One that could not be started again has not stopped once more.
    if (instance.launch_failures === 0) {
      if (instance.relaunches >= mostRelaunches)
        return lose(
          context,
          instance,
          "INSTANCE_FAILURE",
          `its init stopped by itself more than ${mostRelaunches} times. See its howdah-agent.log`,
        );
      await context.store.transaction(async (tx) => {
        await setInstanceStatus(tx, id, { relaunches: instance.relaunches + 1 });
        await addEvent(tx, instance.cluster_id, "instance", `${id} had stopped by itself: its init is started again`);
      });
    }
    return within(leftMs, await launch(context, instance));
  };
}

/** As `outcome` says, but another look in `ms` at the latest. */
const within = (ms: number, outcome: Outcome): Outcome =>
  ms === Infinity ? outcome : { againMs: Math.min(ms, "done" in outcome ? Infinity : outcome.againMs) };

/**
 * An instance that runs, but whose agent says nothing. One that never did is lost, and so is, after a while, one that was in use: another can take its place. Of a master,
 * whose place nobody can take, there is a warning.
 */
async function listen(context: ReconcileContext, instance: InstanceRow): Promise<Outcome> {
  const { silence, store } = context;
  const { limits } = silence;
  const wasInUse = instance.first_ready_at !== null;
  const seconds = Math.floor(silence.of(instance.id) / 1000);
  if (wasInUse && silence.of(instance.id) >= limits.lost && (await findMaster(store.db, instance.cluster_id))?.id !== instance.id)
    return lose(
      context,
      instance,
      "INSTANCE_FAILURE",
      `it runs, but its agent has not answered for ${seconds} s. See its howdah-agent.log`,
    );
  if (silence.tells(instance.id, limits.told) && wasInUse)
    await store.transaction((tx) =>
      addEvent(tx, instance.cluster_id, "instance", `${instance.id} does not answer: nothing of it for ${seconds} s`),
    );
  const isLong = silence.tells(instance.id, silentMs);
  silence.tells(instance.id, limits.lost); // Of a master nothing comes of it.
  if (!isLong) return done;
  const minutes = silentMs / 60_000;
  if (!instance.observed && !wasInUse)
    return lose(
      context,
      instance,
      "INTERNAL_ERROR",
      `its agent has not reported in ${minutes} minutes since its launch. See its howdah-agent.log`,
    );
  await store.transaction((tx) =>
    addWarnings(tx, instance.cluster_id, [
      `${instance.id} runs, but its agent did not report for ${minutes} minutes. See its howdah-agent.log`,
    ]),
  );
  return done;
}

async function launch(context: ReconcileContext, instance: InstanceRow): Promise<Outcome> {
  const { store, provider } = context;
  const cluster = await findCluster(store.db, instance.cluster_id);
  if (!cluster) return done;
  const group = (await groupsOf(store.db, cluster.id)).find(({ id }) => id === instance.group_id)!;
  try {
    await provider.launch({
      clusterId: instance.cluster_id,
      instanceId: instance.id,
      address: instance.address,
      hostname: hostnameOf(instance.address),
      region: cluster.region,
      ...(cluster.spec.loopVolumes && { volumes: volumesFor(cluster, group, instance) }),
      agentToken: instance.agent_token,
    });
  } catch (error) {
    if (error instanceof AddressTaken) return lose(context, instance, "INTERNAL_ERROR", `${error.message}; create the cluster again`);
    return launchFailed(context, instance, error);
  }
  if (instance.status === "provisioning" || instance.launch_failures > 0)
    await store.transaction(async (tx) => {
      await setInstanceStatus(tx, instance.id, { status: "launched", launched_at: instance.launched_at ?? tx.now, launch_failures: 0 });
      await addEvent(tx, instance.cluster_id, "instance", `${instance.id} launched at ${instance.address}`);
      await addWarnings(
        tx,
        instance.cluster_id,
        context.portsTaken("").map((taken) => `${taken}: daemons that need it cannot start`),
      );
    });
  return done;
}

/**
 * Tried again a few times, for a host may be short of something for a moment; then the cluster is told, and its user sees why. One that was in use may have data, and is tried with
 * a warning for as long as a node may be silent: then another takes its place. A master, and whoever was kept by `howdah down --keep`, is tried for ever.
 */
async function launchFailed(context: ReconcileContext, instance: InstanceRow, error: unknown): Promise<Outcome> {
  const { store, silence } = context;
  const message = error instanceof Error ? error.message : String(error);
  const failures = instance.launch_failures + 1;
  context.log.error({ err: error, instance: instance.id, failures }, "an instance could not be launched");
  if (failures >= mostLaunches && instance.first_ready_at === null)
    return lose(context, instance, "INTERNAL_ERROR", `it could not be launched: ${message}`);
  const silentFor = silence.of(instance.id);
  const isKept = instance.status === "provisioning";
  if (silentFor >= silence.limits.lost && !isKept && (await findMaster(store.db, instance.cluster_id))?.id !== instance.id) {
    const seconds = Math.floor(silentFor / 1000);
    return lose(context, instance, "INSTANCE_FAILURE", `it had stopped, and could not be launched again for ${seconds} s: ${message}`);
  }
  const told = `${instance.id} could not be launched, will be tried again: ${message}`;
  await store.transaction(async (tx) => {
    await setInstanceStatus(tx, instance.id, { launch_failures: failures });
    if (failures < mostLaunches) await addEvent(tx, instance.cluster_id, "instance", told);
    else await addWarnings(tx, instance.cluster_id, [told]);
  });
  return { againMs: launchAgainMs * Math.min(failures, mostLaunches * 4) };
}

async function lose(context: ReconcileContext, instance: InstanceRow, code: string, message: string): Promise<Outcome> {
  await context.store.transaction(async (tx) => {
    await setInstanceStatus(tx, instance.id, { status: "lost", end_code: code, end_message: message });
    await addEvent(tx, instance.cluster_id, "instance", `${instance.id} is lost: ${message}`);
    await tx.wake("cluster", instance.cluster_id);
  });
  return done;
}

/** By EC2's TerminateInstances or DetachVolume: for its cluster it is lost, as if its host had died. */
async function terminate(context: ReconcileContext, instance: InstanceRow): Promise<Outcome> {
  await context.provider.terminate(instance.id);
  const { detached_volume: volume } = instance;
  const why = volume === null ? "it was terminated by EC2's TerminateInstances" : `its volume ${volume} was detached by EC2's DetachVolume`;
  return lose(context, instance, "INSTANCE_FAILURE", why);
}

/** Two minutes after its interruption notice, whatever it does: for its cluster it is lost. */
async function takeBack(context: ReconcileContext, instance: InstanceRow): Promise<Outcome> {
  await context.provider.terminate(instance.id);
  context.waits.over(`interruption of ${instance.id}`);
  return lose(context, instance, "INSTANCE_FAILURE", spotTermination);
}

async function remove(context: ReconcileContext, instance: InstanceRow): Promise<Outcome> {
  await context.provider.terminate(instance.id);
  await context.store.transaction(async (tx) => {
    const why = instance.end_code ? {} : await whyRemoved(tx, instance);
    await setInstanceStatus(tx, instance.id, { status: "terminated", ended_at: tx.now, ...why });
    await addEvent(tx, instance.cluster_id, "instance", `${instance.id} terminated`);
    await tx.wake("cluster", instance.cluster_id);
  });
  await context.provider.reclaim(instance.id);
  return done;
}

async function whyRemoved(tx: Tx, { cluster_id, leaving, removal_requested, observed }: InstanceRow) {
  const why = (end_code: string, end_message: string) => ({ end_code, end_message });
  const failure = observed?.phase === "failed" ? observed.failure : undefined;
  const cluster = await findCluster(tx.db, cluster_id);
  if (!cluster || isEnding(cluster)) return why("CLUSTER_TERMINATED", "Job flow terminated");
  if (leaving !== null || removal_requested === 1) return why(removedByResize, "Removed by a resize of its instance group");
  if (failure) return why("INSTANCE_FAILURE", failure.message);
  return why("INTERNAL_ERROR", `It was not ready within ${readyWithinMs / 60_000} minutes`);
}
