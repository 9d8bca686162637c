/** The steps' reconciler, by cluster id: starts steps in their order, ends those that are to be cancelled, and records how steps ended. */
import type { FailureDetails } from "@aws-sdk/client-emr";
import type { StepReport } from "../agent/manifest.ts";
import { type ClusterRow, findCluster, isEnding, logFolder } from "../store/clusters.ts";
import { findMaster } from "../store/instances.ts";
import { addEvent } from "../store/events.ts";
import { cutOffState, fatalStep, hasStepIn, type StepRow, setStepStatus, stepsInState, stepsToCancel } from "../store/steps.ts";
import type { Tx } from "../store/store.ts";
import { endWithSteps } from "./clusters.ts";
import type { ReconcileContext } from "./context.ts";
import type { Outcome, Reconciler } from "./loop.ts";

const done: Outcome = { done: true };

export function stepsReconciler({ store }: ReconcileContext): Reconciler {
  return async (clusterId) => {
    await store.transaction(async (tx) => {
      // Read in the same transaction: a step must not begin on a cluster that has just begun to end.
      const cluster = await findCluster(tx.db, clusterId);
      if (!cluster) return;
      let running = await stepsInState(tx.db, clusterId, "RUNNING");
      const master = running.length > 0 ? await findMaster(tx.db, clusterId) : undefined;
      const reports = new Map(master?.observed?.steps.map((report) => [report.id, report]));
      const ended = running.filter(({ id }) => hasEnded(reports.get(id)));
      for (const step of ended) await recordEnd(tx, cluster, step, reports.get(step.id)!);
      if (ended.length > 0) running = running.filter((step) => !ended.includes(step));
      await cancelAsked(tx, cluster);

      if (cluster.phase === "ending" || cluster.phase === "ended") await cancelRest(tx, cluster, cluster.phase === "ended");
      else if (cluster.phase === "ready" && !isEnding(cluster)) {
        await startNext(tx, cluster, running.length);
        await endWithSteps(tx, cluster);
      }
    });
    return done;
  };
}

/** The agent says nothing yet of a step that was started, that it runs, or how it ended. */
const hasEnded = (report: StepReport | undefined): boolean =>
  report !== undefined && report.state !== "fetching" && report.state !== "running";

async function recordEnd(tx: Tx, cluster: ClusterRow, step: StepRow, report: StepReport): Promise<void> {
  const succeeded = report.state === "exited" && report.exitCode === 0;
  const ended_at = report.endedAt ?? tx.now;
  const started_at = report.startedAt ?? step.started_at;
  // What ends after its cluster began to end was ended by the node, on our order: no failure of the step's own.
  if (!succeeded && cluster.ending_at !== null && ended_at >= cluster.ending_at) {
    await setStepStatus(tx, step.id, { state: cutOffState(step), started_at, ended_at });
    await addEvent(tx, cluster.id, "step", `${step.id} ${step.spec.name}: interrupted, its cluster ends`);
    return;
  }
  const tell = (what: string) => addEvent(tx, cluster.id, "step", `${step.id} ${step.spec.name}: ${what}`);
  await tx.manifestChanged(cluster.id);
  await tx.wake("cluster", cluster.id);
  // What was to end and is gone with its node's init, or could not begin, has ended as was wished.
  const isGone = report.state === "lost" || report.state === "not-started";
  const cancelled = report.state === "cancelled" || (isGone && step.cancel_requested_at !== null);
  if (succeeded || cancelled) {
    await setStepStatus(tx, step.id, { state: succeeded ? "COMPLETED" : "CANCELLED", started_at, ended_at });
    await tell(succeeded ? "completed" : "cancelled");
    return;
  }
  await setStepStatus(tx, step.id, { state: "FAILED", started_at, ended_at, failure: failureDetails(cluster, step, report, ended_at) });
  await tell(`failed, ${report.message ?? `exit code ${report.exitCode}`}`);
  await actOnFailure(tx, cluster, step);
}

/**
 * ActionOnFailure counts with one step at a time only. Where the level was lowered to 1 and others still run, it may end the cluster, but
 * cancels nothing. Protection keeps a cluster from an end by error: then TERMINATE_CLUSTER is as CANCEL_AND_WAIT.
 */
async function actOnFailure(tx: Tx, cluster: ClusterRow, step: StepRow): Promise<void> {
  const { actionOnFailure } = step.spec;
  if (actionOnFailure === "CONTINUE" || cluster.step_concurrency_level > 1) return;
  // TERMINATE_JOB_FLOW is the older name of TERMINATE_CLUSTER.
  const isFatal = actionOnFailure !== "CANCEL_AND_WAIT";
  if (isFatal && cluster.termination_protected === 0) {
    await setStepStatus(tx, step.id, { ends_cluster: 1 });
    return;
  }
  if (isFatal)
    await addEvent(tx, cluster.id, "cluster", `goes on, though ${step.id} failed with ${actionOnFailure}: it is termination protected`);
  if (!(await hasStepIn(tx.db, cluster.id, ["RUNNING"]))) await cancelPending(tx, cluster.id);
}

/** FailureDetails: Reason is one line for a list, Message what the program said last, LogFile where all of it is. */
function failureDetails(cluster: ClusterRow, step: StepRow, report: StepReport, endedAt: number): FailureDetails {
  const { kept_at } = cluster;
  const wasCutOff = kept_at !== null && (step.started_at ?? kept_at) < kept_at && endedAt >= kept_at;
  const reasons = {
    exited: `Step exited with a non-zero code ${report.exitCode}.`,
    lost: "The step's process was lost before it could say how it ended; it is not run again.",
    "not-started": "The step could not be started.",
    "fetch-failed": "A file of the step could not be fetched.",
    cancelled: "",
    fetching: "",
    running: "",
  };
  const log = ["fetch-failed", "not-started"].includes(report.state) ? "controller" : "stderr";
  const logs = logFolder(cluster);
  return {
    Reason: wasCutOff ? "howdah down --keep ended its node while it ran; it is not run again." : reasons[report.state],
    ...(report.message ? { Message: report.message } : {}),
    ...(logs ? { LogFile: `${logs}/steps/${step.id}/${log}.gz` } : {}),
  };
}

/** `running`: how many do. */
async function startNext(tx: Tx, cluster: ClusterRow, running: number): Promise<void> {
  const room = cluster.step_concurrency_level - running;
  const next = room > 0 ? await stepsInState(tx.db, cluster.id, "PENDING", room) : [];
  // With one step at a time, a failed step that ends the cluster lets no other begin.
  if (next.length === 0 || (await fatalStep(tx.db, cluster.id))) return;
  for (const step of next) {
    await setStepStatus(tx, step.id, { state: "RUNNING", started_at: tx.now });
    await addEvent(tx, cluster.id, "step", `${step.id} ${step.spec.name}: started`);
    await tx.manifestChanged(cluster.id);
  }
}

/** Steps that have not begun end at once, whatever state their cluster is in; its node ends those that run. */
async function cancelAsked(tx: Tx, cluster: ClusterRow): Promise<void> {
  for (const step of await stepsToCancel(tx.db, cluster.id)) {
    await setStepStatus(tx, step.id, { state: "CANCELLED", ended_at: tx.now });
    await addEvent(tx, cluster.id, "step", `${step.id} ${step.spec.name}: cancelled before it began`);
    await tx.wake("cluster", cluster.id);
  }
}

async function cancelPending(tx: Tx, clusterId: string): Promise<void> {
  for (const step of await stepsInState(tx.db, clusterId, "PENDING"))
    await setStepStatus(tx, step.id, { state: "CANCELLED", ended_at: tx.now });
}

/** A running step is left to its node until the node is gone: its last report may still say how it ended. */
async function cancelRest(tx: Tx, cluster: ClusterRow, nodesAreGone: boolean): Promise<void> {
  await cancelPending(tx, cluster.id);
  if (!nodesAreGone) return;
  for (const step of await stepsInState(tx.db, cluster.id, "RUNNING"))
    await setStepStatus(tx, step.id, { state: cutOffState(step), ended_at: tx.now });
}
