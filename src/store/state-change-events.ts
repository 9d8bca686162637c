/**
 * EMR's state-change events as EventBridge carries them. Compared word by word with the EMR Management Guide, "Monitoring Amazon EMR events with
 * CloudWatch" (tables of cluster, instance fleet, instance group and step events: state, severity, message), and for the members of `detail` with the examples of the
 * EventBridge and CloudWatch Events guides, "Amazon EMR events" (a terminated cluster, a group, a failed step); of a fleet, with EventBridge's schema of
 * EMRInstanceFleetStateChange.
 *
 * EMR has no events of BOOTSTRAPPING, TERMINATING and INTERRUPTED, nor of a group that is made or ended: theirs are Howdah's own words. For a
 * fleet EMR's table says WAITING where its state is RUNNING. Its other events (reconfiguring, automatic scaling policies) come with what they tell of.
 */
import type { ClusterState, StepState } from "@aws-sdk/client-emr";
import { type ClusterRow, stateChangeReason } from "./clusters.ts";
import {
  type FleetRow,
  type GroupRow,
  type GroupState,
  hasFailed,
  type InstanceRow,
  instanceState,
  isLaunched,
  type UniformGroup,
  wasLost,
} from "./instances.ts";
import { unitsOf } from "./sizes.ts";
import type { StepRow } from "./steps.ts";
import type { Tx } from "./store.ts";

type Severity = "INFO" | "WARN" | "ERROR" | "CRITICAL";

export interface StateChangeEvent {
  version: "0";
  id: string;
  "detail-type":
    | "EMR Cluster State Change"
    | "EMR Step Status Change"
    | "EMR Instance Group State Change"
    | "EMR Instance Fleet State Change";
  source: "aws.emr";
  account: string;
  /** ISO 8601 in UTC, to the second. */
  time: string;
  region: string;
  resources: string[];
  /** All of its values are text, counts too. */
  detail: { severity: Severity; clusterId: string; state: string; message: string } & Record<string, string>;
}

/** When an event is told, and by what id. */
type Telling = Pick<Tx, "now" | "uuid">;

/** `before`: the state before this one; undefined for a new cluster. */
export function clusterEvent(cluster: ClusterRow, state: ClusterState, before: string | undefined, telling: Telling): StateChangeEvent {
  const { Code: code = "", Message: message } = stateChangeReason(cluster, state, before === "RUNNING");
  const which = `Amazon EMR cluster ${cluster.id} (${cluster.spec.name})`;
  // With a capital, in EMR too.
  const ended = `Amazon EMR Cluster ${cluster.id} (${cluster.spec.name})`;
  const at = minute(telling.now);
  const messages: Record<ClusterState, string> = {
    STARTING: before === undefined ? `${which} was requested at ${at} and is being created.` : `${which} is being started again at ${at}.`,
    BOOTSTRAPPING: `${which} began bootstrapping at ${at}.`,
    RUNNING: `${which} began running steps at ${at}.`,
    WAITING:
      before === "RUNNING"
        ? `${which} finished running all pending steps at ${at}.`
        : `${which} was created at ${at} and is ready for use.`,
    TERMINATING: `${which} began terminating at ${at} with a reason of ${code}.`,
    TERMINATED: `${ended} has terminated at ${at} with a reason of ${code}.`,
    TERMINATED_WITH_ERRORS: `${ended} has terminated with errors at ${at} with a reason of ${code}.`,
  };
  return envelope(cluster, "EMR Cluster State Change", telling, {
    severity: state === "TERMINATED_WITH_ERRORS" ? "CRITICAL" : "INFO",
    stateChangeReason: JSON.stringify({ code, message }),
    name: cluster.spec.name,
    clusterId: cluster.id,
    state,
    message: messages[state],
  });
}

const stepSeverities: Record<StepState, Severity> = {
  PENDING: "INFO",
  RUNNING: "INFO",
  COMPLETED: "INFO",
  CANCEL_PENDING: "WARN",
  CANCELLED: "WARN",
  INTERRUPTED: "WARN",
  FAILED: "ERROR",
};

export function stepEvent(cluster: ClusterRow, step: StepRow, state: StepState, telling: Telling): StateChangeEvent {
  const { now } = telling;
  const what = `${step.id} (${step.spec.name})`;
  const where = `Amazon EMR cluster ${cluster.id} (${cluster.spec.name})`;
  const at = minute(now);
  const started = step.started_at ?? now;
  const messages: Record<StepState, string> = {
    PENDING: `Step ${what} was added to ${where} at ${at} and is pending execution.`,
    CANCEL_PENDING: `Step ${what} in ${where} was cancelled at ${at} and is pending cancellation.`,
    RUNNING: `Step ${what} in ${where} started running at ${at}.`,
    COMPLETED: `Step ${what} in ${where} completed execution at ${at}. The step started running at ${minute(started)} and took ${Math.floor((now - started) / 60_000)} minutes to complete.`,
    CANCELLED: `Cancellation request has succeeded for cluster step ${what} in ${where} at ${at}, and the step is now cancelled.`,
    FAILED: `Step ${what} in ${where} failed at ${at}.`,
    INTERRUPTED: `Step ${what} in ${where} was interrupted at ${at}.`,
  };
  // Nobody requested it: an earlier step's failure, or the cluster's end.
  if (step.cancel_requested_at === null) messages.CANCELLED = `Step ${what} in ${where} was cancelled at ${at}.`;
  return envelope(cluster, "EMR Step Status Change", telling, {
    severity: stepSeverities[state],
    actionOnFailure: step.spec.actionOnFailure,
    stepId: step.id,
    name: step.spec.name,
    clusterId: cluster.id,
    state,
    message: messages[state],
  });
}

export function groupEvent(
  cluster: ClusterRow,
  group: UniformGroup,
  mine: readonly InstanceRow[],
  state: GroupState,
  before: string | undefined,
  telling: Telling,
): StateChangeEvent {
  const running = mine.filter((instance) => instanceState(instance) === "RUNNING").length;
  const which = `nstance group ${group.id} in Amazon EMR cluster ${cluster.id} (${cluster.spec.name})`;
  const at = minute(telling.now);
  const started = resizedAt(group, mine) ?? telling.now;
  const minutes = Math.max(0, Math.floor((telling.now - started) / 60_000));
  const messages: Partial<Record<GroupState, string>> = {
    RESIZING: `A resize for i${which} started at ${at}. It is resizing from an instance count of ${running} to ${group.requested_count}.`,
    SUSPENDED: `I${which} was arrested at ${at} for the following reason: ${lastFailure(mine)}.`,
    ...(before === "RESIZING"
      ? {
          RUNNING: `The resizing operation for i${which} is complete. It now has an instance count of ${running}. The resize started at ${minute(started)} and took ${minutes} minutes to complete.`,
        }
      : {}),
  };
  return envelope(cluster, "EMR Instance Group State Change", telling, {
    severity: state === "SUSPENDED" ? "ERROR" : "INFO",
    market: group.market,
    ...(group.bid_price === null ? {} : { bidPrice: group.bid_price }),
    requestedInstanceCount: String(group.requested_count),
    instanceType: group.instance_type,
    instanceGroupType: group.role,
    instanceGroupId: group.id,
    clusterId: cluster.id,
    runningInstanceCount: String(running),
    state,
    message: messages[state] ?? `I${which} became ${state} at ${at}. It has an instance count of ${running}.`,
  });
}

export function fleetEvent(
  cluster: ClusterRow,
  group: FleetRow,
  mine: readonly InstanceRow[],
  state: GroupState,
  before: string | undefined,
  telling: Telling,
): StateChangeEvent {
  const { fleet, shift } = group;
  const has = unitsOf(mine.filter((instance) => instanceState(instance) === "RUNNING"));
  const provisioned = unitsOf(mine.filter(isLaunched));
  const which = `nstance fleet ${group.id} in Amazon EMR cluster ${cluster.id} (${cluster.spec.name})`;
  const at = minute(telling.now);
  const started = resizedAt(group, mine) ?? group.created_at;
  const minutes = Math.max(0, Math.floor((telling.now - started) / 60_000));
  const capacities = `The instance fleet now has On-Demand capacity of ${has.ON_DEMAND} and Spot capacity of ${has.SPOT}. Target On-Demand capacity was ${fleet.onDemand}`;
  const gaveUp = before === "RESIZING" && state === "RUNNING" && shift?.resize === group.resize;
  const complete: Record<string, string> = {
    PROVISIONING: `Provisioning for i${which} is complete. Provisioning started at ${minute(started)} and took ${minutes} minutes. ${capacities}, and target Spot capacity was ${fleet.spot}.`,
    RESIZING: `The resizing operation for i${which} ${
      gaveUp
        ? `has reached the timeout and stopped. The resize started at ${minute(started)} and stopped after ${minutes} minutes`
        : `is complete. The resize started at ${minute(started)} and took ${minutes} minutes`
    }. ${capacities} and target Spot capacity was ${fleet.spot}.`,
  };
  const messages: Partial<Record<GroupState, string>> = {
    RUNNING: complete[before === "BOOTSTRAPPING" ? "PROVISIONING" : (before ?? "")],
    RESIZING: `A resize for i${which} started at ${at}. The instance fleet is resizing from an On-Demand capacity of ${has.ON_DEMAND} to a target of ${fleet.onDemand}, and from a Spot capacity of ${has.SPOT} to a target of ${fleet.spot}.`,
    SUSPENDED: `I${which} was arrested at ${at} for the following reason: ${lastFailure(mine)}.`,
  };
  return envelope(cluster, "EMR Instance Fleet State Change", telling, {
    severity: state === "SUSPENDED" ? "ERROR" : gaveUp ? "WARN" : "INFO",
    targetOnDemandCapacity: String(fleet.onDemand),
    targetSpotCapacity: String(fleet.spot),
    provisionedOnDemandCapacity: String(provisioned.ON_DEMAND),
    provisionedSpotCapacity: String(provisioned.SPOT),
    instanceFleetId: group.id,
    instanceFleetType: group.role,
    clusterId: cluster.id,
    state,
    message:
      messages[state] ??
      `I${which} became ${state} at ${at}. It has an On-Demand capacity of ${has.ON_DEMAND} and a Spot capacity of ${has.SPOT}.`,
  });
}

/** When its last resize was asked for, or began with the loss of a node; undefined where there was none. */
function resizedAt({ resized_at: asked }: GroupRow, mine: readonly InstanceRow[]): number | undefined {
  const losses = mine.filter(wasLost).map(({ ended_at: ended }) => ended ?? 0);
  return Math.max(asked ?? 0, ...losses) || undefined;
}

/** Why the last of them that failed did. */
export function lastFailure(mine: readonly InstanceRow[]): string {
  const last = mine.findLast(hasFailed);
  return `${last?.id}: ${last?.observed?.failure?.message ?? last?.end_message ?? "it could not be started"}`;
}

function envelope(
  cluster: ClusterRow,
  type: StateChangeEvent["detail-type"],
  { now, uuid }: Telling,
  detail: StateChangeEvent["detail"],
): StateChangeEvent {
  return {
    version: "0",
    id: uuid(),
    "detail-type": type,
    source: "aws.emr",
    account: cluster.account_id,
    time: `${new Date(now).toISOString().slice(0, 19)}Z`,
    region: cluster.region,
    resources: [],
    detail,
  };
}

/** 2016-12-16 20:53 UTC */
const minute = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
