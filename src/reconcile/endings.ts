/** Why clusters end by themselves, in EMR's codes and words (StateChangeReason and ErrorDetails of DescribeCluster). */
import type { ErrorDetail } from "@aws-sdk/client-emr";
import { type ClusterEnding, type ClusterRow, logFolder } from "../store/clusters.ts";
import type { InstanceRow } from "../store/instances.ts";
import type { StepRow } from "../store/steps.ts";

const failed = (code: ClusterEnding["code"], message: string, details: ErrorDetail[] = []): ClusterEnding => ({
  code,
  message,
  failed: true,
  details,
});

export function insufficientCapacity(neededMb: number, freeMb: number): ClusterEnding {
  const message = `This host has ${Math.max(0, freeMb)} MiB of memory free for it (what other clusters that start will take is counted), and the cluster's daemons alone need ${neededMb} MiB. Terminate another cluster, or ask for fewer instances.`;
  return failed("INTERNAL_ERROR", message, [{ ErrorCode: "INTERNAL_ERROR_EC2_INSUFFICIENT_CAPACITY_AZ", ErrorMessage: message }]);
}

/** `message` says what is missing and what to do. */
export const notInstalled = (message: string): ClusterEnding => failed("INTERNAL_ERROR", message);

export const stepFailure = (step: StepRow): ClusterEnding =>
  failed("STEP_FAILURE", `Shut down as step failed: ${step.spec.name} (${step.id})`);

/** `all`: none of them ended otherwise. */
export const stepsCompleted = (all: boolean): ClusterEnding => ({
  code: "ALL_STEPS_COMPLETED",
  message: all ? "Steps completed" : "Steps completed with errors",
  failed: false,
  details: [],
});

/** Of spot capacity that a new cluster's fleet did not get in its time. */
export const fleetTimeout = (fleetId: string, minutes: number): ClusterEnding =>
  failed("INSTANCE_FLEET_TIMEOUT", `Spot capacity of instance fleet ${fleetId} could not be provisioned in ${minutes} minutes`);

/** Names what is still awaited: the daemons, or a node that is not even there yet. */
export function neverReady(instances: readonly InstanceRow[], afterMs: number): ClusterEnding {
  const waits = instances.flatMap(({ id, observed }) => {
    if (observed?.phase === "ready") return [];
    const daemons = observed?.daemons.filter(({ state }) => state !== "ready").map(({ name }) => name) ?? [];
    return `${id} (${daemons.join(", ") || (observed?.phase ?? "not launched")})`;
  });
  return failed("INTERNAL_ERROR", `Not ready after ${afterMs / 60_000} minutes. Still waiting for ${waits.join("; ")}.`);
}

/** `lost`: its core nodes, of which none is left. EMR calls it NO_SLAVE_LEFT ("Cluster terminates with NO_SLAVE_LEFT" in its Management Guide). */
export const noSlaveLeft = (lost: readonly InstanceRow[]): ClusterEnding =>
  failed(
    "INSTANCE_FAILURE",
    `NO_SLAVE_LEFT: all core instances were lost (${lost.map(({ id, end_message: why }) => `${id}: ${why}`).join("; ")}), and with them what only HDFS had`,
  );

/** undefined where the instance is well enough for the cluster to go on. */
export function failureOfInstance(
  cluster: ClusterRow,
  instance: InstanceRow,
  all: readonly InstanceRow[],
  portsTaken: (message: string) => string[],
): ClusterEnding | undefined {
  const isMaster = instance.id === all[0]?.id;
  if (instance.status === "lost")
    return failed(
      "INSTANCE_FAILURE",
      `${isMaster ? "The master instance" : "Instance"} ${instance.id} was lost: ${instance.end_message ?? "its host went away"}`,
    );
  const failure = instance.observed?.phase === "failed" ? instance.observed.failure : undefined;
  if (!failure) return undefined;

  const where = `On the ${isMaster ? "master" : "slave"} instance (${instance.id})`;
  const kind = isMaster ? "PRIMARY" : "WORKER";
  const logs = logFolder(cluster);
  const log = logs ? `${logs}/node/${instance.id}/bootstrap-actions/${failure.ordinal}/stderr.gz` : (failure.logFile ?? "");
  const detail = (code: string): ErrorDetail[] => [
    {
      ErrorCode: code,
      ErrorMessage: failure.message,
      ErrorData: [{ [isMaster ? "primary-instance-id" : "worker-instance-ids"]: instance.id, log }],
    },
  ];
  switch (failure.kind) {
    case "bootstrap-exit":
      return failed(
        "BOOTSTRAP_FAILURE",
        failure.exitCode === undefined
          ? `${where}, ${failure.message}. See ${log}`
          : `${where}, bootstrap action ${failure.ordinal} returned a non-zero return code (${failure.exitCode}). See ${log}`,
        detail(`BOOTSTRAP_FAILURE_${kind}_WITH_NON_ZERO_CODE`),
      );
    case "bootstrap-download":
      return failed(
        "BOOTSTRAP_FAILURE",
        `${where}, bootstrap action ${failure.ordinal} could not be fetched: ${failure.message}`,
        detail(`BOOTSTRAP_FAILURE_BA_DOWNLOAD_FAILED_${kind}`),
      );
    default: {
      const ports = failure.kind === "daemon" ? portsTaken(failure.message) : [];
      return failed(
        "INSTANCE_FAILURE",
        [`${where}: ${failure.message}`, ...ports, ...(failure.logFile ? [`See ${failure.logFile}`] : [])].join(". "),
      );
    }
  }
}
