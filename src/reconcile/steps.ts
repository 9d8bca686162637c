/** The steps' reconciler, by cluster id: starts the next step when none runs, and records how steps ended. */
import type { FailureDetails } from "@aws-sdk/client-emr";
import type { StepReport } from "../agent/manifest.ts";
import { type ClusterRow, findCluster, isEnding, logFolder } from "../store/clusters.ts";
import { instancesOf } from "../store/instances.ts";
import { addEvent } from "../store/events.ts";
import { type StepRow, endsCluster, setStepStatus, stepsOf } from "../store/steps.ts";
import type { Tx } from "../store/store.ts";
import type { ReconcileContext } from "./context.ts";
import type { Outcome, Reconciler } from "./loop.ts";

const done: Outcome = { done: true };

export function stepsReconciler({ store }: ReconcileContext): Reconciler {
  return async (clusterId) => {
    await store.transaction(async (tx) => {
      // Read in the same transaction: a step must not begin on a cluster that has just begun to end.
      const cluster = await findCluster(tx.db, clusterId);
      if (!cluster) return;
      const steps = await stepsOf(tx.db, clusterId);
      const [master] = await instancesOf(tx.db, clusterId);
      const reports = new Map(master?.observed?.steps.map((report) => [report.id, report]));
      for (const step of steps) if (step.state === "RUNNING") await recordEnd(tx, cluster, step, reports.get(step.id));

      if (cluster.phase === "ending" || cluster.phase === "ended") await cancelRest(tx, cluster, cluster.phase === "ended");
      else if (cluster.phase === "ready" && !isEnding(cluster)) await startNext(tx, cluster);
    });
    return done;
  };
}

/** What the agent said of a step that was started: nothing yet, running, or how it ended. */
async function recordEnd(tx: Tx, cluster: ClusterRow, step: StepRow, report: StepReport | undefined): Promise<void> {
  if (!report || report.state === "fetching" || report.state === "running") return;
  const succeeded = report.state === "exited" && report.exitCode === 0;
  const ended_at = report.endedAt ?? tx.now;
  const started_at = report.startedAt ?? step.started_at;
  // What ends after its cluster began to end was ended by the node, on our order: no failure of the step's own.
  if (!succeeded && cluster.ending_at !== null && ended_at >= cluster.ending_at) {
    await setStepStatus(tx, step.id, { state: "INTERRUPTED", started_at, ended_at });
    await addEvent(tx, cluster.id, "step", `${step.id} ${step.spec.name}: interrupted, its cluster ends`);
    return;
  }
  if (succeeded) await setStepStatus(tx, step.id, { state: "COMPLETED", started_at, ended_at });
  else await setStepStatus(tx, step.id, { state: "FAILED", started_at, ended_at, failure: failureDetails(cluster, step, report) });
  await addEvent(
    tx,
    cluster.id,
    "step",
    `${step.id} ${step.spec.name}: ${succeeded ? "completed" : `failed, ${report.message ?? `exit code ${report.exitCode}`}`}`,
  );
  await tx.manifestChanged(cluster.id);
  await tx.wake("cluster", cluster.id);
  if (!succeeded && step.spec.actionOnFailure === "CANCEL_AND_WAIT") await cancelPending(tx, cluster.id);
}

/** FailureDetails: Reason is one line for a list, Message what the program said last, LogFile where all of it is. */
function failureDetails(cluster: ClusterRow, step: StepRow, report: StepReport): FailureDetails {
  const reasons = {
    exited: `Step exited with a non-zero code ${report.exitCode}.`,
    lost: "The step's process was lost before it could say how it ended; it is not run again.",
    "fetch-failed": "A file of the step could not be fetched.",
    fetching: "",
    running: "",
  };
  const log = report.state === "fetch-failed" ? "controller" : "stderr";
  const logs = logFolder(cluster);
  return {
    Reason: reasons[report.state],
    ...(report.message ? { Message: report.message } : {}),
    ...(logs ? { LogFile: `${logs}/steps/${step.id}/${log}.gz` } : {}),
  };
}

async function startNext(tx: Tx, cluster: ClusterRow): Promise<void> {
  const steps = await stepsOf(tx.db, cluster.id);
  let running = steps.filter((step) => step.state === "RUNNING").length;
  // With one step at a time, a failed step that ends the cluster lets no other begin.
  if (steps.some(endsCluster)) return;
  for (const step of steps) {
    if (step.state !== "PENDING" || running >= cluster.spec.stepConcurrencyLevel) continue;
    running += 1;
    await setStepStatus(tx, step.id, { state: "RUNNING", started_at: tx.now });
    await addEvent(tx, cluster.id, "step", `${step.id} ${step.spec.name}: started`);
    await tx.manifestChanged(cluster.id);
  }
}

async function cancelPending(tx: Tx, clusterId: string): Promise<void> {
  for (const step of await stepsOf(tx.db, clusterId))
    if (step.state === "PENDING") await setStepStatus(tx, step.id, { state: "CANCELLED", ended_at: tx.now });
}

/** A running step is left to its node until the node is gone: its last report may still say how it ended. */
async function cancelRest(tx: Tx, cluster: ClusterRow, nodesAreGone: boolean): Promise<void> {
  await cancelPending(tx, cluster.id);
  if (!nodesAreGone) return;
  for (const step of await stepsOf(tx.db, cluster.id))
    if (step.state === "RUNNING") await setStepStatus(tx, step.id, { state: "INTERRUPTED", ended_at: tx.now });
}
