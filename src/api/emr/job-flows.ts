/** DescribeJobFlows: clusters in the shapes and states of EMR's first years, which old clients still ask for. */
import type {
  ClusterState,
  DescribeJobFlowsInput,
  InstanceGroupDetail,
  InstanceGroupState,
  JobFlowDetail,
  JobFlowExecutionState,
  JobFlowInstancesDetail,
  StepDetail,
} from "@aws-sdk/client-emr";
import { findRelease } from "../../releases/release.ts";
import { type ClusterUse, eachCluster, useOfCluster } from "../../store/cluster-lists.ts";
import { type ClusterRow, clusterState, stateChangeReason } from "../../store/clusters.ts";
import { type GroupRow, groupsOf, type InstanceRow, instancesOf, isUniform, type UniformGroup } from "../../store/instances.ts";
import { activeStates, type StepRow, stepsOf } from "../../store/steps.ts";
import type { Db } from "../../store/store.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { date } from "./dates.ts";
import { instanceGroupShape } from "./instance-shapes.ts";

/** The API reference: "a maximum of 512 job flow descriptions", none older than two months. */
const mostJobFlows = 512;
const dayMs = 24 * 3600_000;
const [recentMs, rememberedMs] = [14 * dayMs, 61 * dayMs];
/** Without any parameter: the recent ones, and of the others those that go on. */
const goingOn: readonly JobFlowExecutionState[] = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING", "SHUTTING_DOWN"];

/** Newest first. */
export async function DescribeJobFlows({ store }: EmrContext, input: DescribeJobFlowsInput, request: EmrRequest) {
  const now = store.now();
  const { JobFlowIds: ids = [], JobFlowStates: states = [], CreatedAfter, CreatedBefore } = input;
  const isUnfiltered = ids.length === 0 && states.length === 0 && !CreatedAfter && !CreatedBefore;
  const candidates = eachCluster(store.db, {
    accountId: request.accountId,
    region: request.region,
    createdAfter: Math.max(now - rememberedMs, CreatedAfter?.getTime() ?? 0),
    createdBefore: CreatedBefore?.getTime(),
    states: states.map((state) => newerStates[state]),
    ids: ids.length > 0 ? ids : undefined,
  });
  const found: JobFlowDetail[] = [];
  for await (const row of candidates) {
    const detail = await jobFlowShape(store.db, row, now);
    const state = detail.ExecutionStatusDetail!.State!;
    const isWanted = isUnfiltered
      ? goingOn.includes(state) || row.created_at > now - recentMs
      : states.length === 0 || states.includes(state);
    if (isWanted) found.push(detail);
    if (found.length === mostJobFlows) break;
  }
  return { JobFlows: found };
}

/** Clusters of both COMPLETED and TERMINATED are TERMINATED now: why they ended tells them apart. */
const newerStates: Record<JobFlowExecutionState, ClusterState> = {
  STARTING: "STARTING",
  BOOTSTRAPPING: "BOOTSTRAPPING",
  RUNNING: "RUNNING",
  WAITING: "WAITING",
  SHUTTING_DOWN: "TERMINATING",
  TERMINATED: "TERMINATED",
  COMPLETED: "TERMINATED",
  FAILED: "TERMINATED_WITH_ERRORS",
};

async function jobFlowShape(db: Db, cluster: ClusterRow, now: number): Promise<JobFlowDetail> {
  const steps = await stepsOf(db, cluster.id);
  const state = clusterState(
    cluster,
    steps.some((step) => activeStates.includes(step.state)),
  );
  const { spec } = cluster;
  return {
    JobFlowId: cluster.id,
    Name: spec.name,
    LogUri: spec.logUri ?? undefined,
    ExecutionStatusDetail: {
      State: legacyState(cluster, state),
      CreationDateTime: new Date(cluster.created_at),
      StartDateTime: date(cluster.ready_at),
      ReadyDateTime: date(cluster.ready_at),
      EndDateTime: date(cluster.ended_at),
      LastStateChangeReason: stateChangeReason(cluster, state, steps.length > 0).Message,
    },
    Instances: instancesShape(
      cluster,
      await groupsOf(db, cluster.id),
      await instancesOf(db, cluster.id),
      await useOfCluster(db, cluster.id, now),
    ),
    Steps: steps.map(stepDetail),
    BootstrapActions: spec.bootstrapActions.map(({ name, path, args }) => ({
      BootstrapActionConfig: { Name: name, ScriptBootstrapAction: { Path: path, Args: args } },
    })),
    SupportedProducts: [],
    VisibleToAllUsers: cluster.visible_to_all_users === 1,
    JobFlowRole: spec.shown.Ec2InstanceAttributes?.IamInstanceProfile,
    ServiceRole: spec.shown.ServiceRole,
    AutoScalingRole: spec.shown.AutoScalingRole,
    ScaleDownBehavior: spec.shown.ScaleDownBehavior,
  };
}

/** What ended by itself after its last step was COMPLETED then, and what ended by a fault FAILED. */
function legacyState(cluster: ClusterRow, state: ReturnType<typeof clusterState>): JobFlowExecutionState {
  if (state === "TERMINATING") return "SHUTTING_DOWN";
  if (state === "TERMINATED_WITH_ERRORS") return "FAILED";
  if (state === "TERMINATED" && cluster.ending?.code === "ALL_STEPS_COMPLETED") return "COMPLETED";
  return state;
}

function instancesShape(
  cluster: ClusterRow,
  groups: readonly GroupRow[],
  instances: readonly InstanceRow[],
  use: ClusterUse,
): JobFlowInstancesDetail {
  const [master] = instances;
  const typeOf = (...roles: string[]) => {
    const group = groups.find(({ role }) => roles.includes(role));
    return group && (group.fleet ? group.fleet.founding[0] : group.instance_type);
  };
  const attributes = cluster.spec.shown.Ec2InstanceAttributes;
  return {
    MasterInstanceType: typeOf("MASTER"),
    MasterPublicDnsName: master && master.status !== "provisioning" ? master.address : undefined,
    MasterInstanceId: master?.id,
    // Where there is one node, it is both.
    SlaveInstanceType: typeOf("CORE", "TASK") ?? typeOf("MASTER"),
    InstanceCount: groups.reduce((sum, group) => sum + sizeOf(group, instances), 0),
    // Fleets came later than this operation.
    InstanceGroups: groups.filter(isUniform).map((group) => groupDetail(group, cluster, instances)),
    NormalizedInstanceHours: use.normalizedHours,
    Ec2KeyName: attributes?.Ec2KeyName,
    Ec2SubnetId: attributes?.Ec2SubnetId,
    Placement: attributes?.Ec2AvailabilityZone ? { AvailabilityZone: attributes.Ec2AvailabilityZone } : undefined,
    KeepJobFlowAliveWhenNoSteps: cluster.keep_alive === 1,
    TerminationProtected: cluster.termination_protected === 1,
    UnhealthyNodeReplacement: cluster.unhealthy_node_replacement === 1,
    HadoopVersion: findRelease(cluster.spec.releaseLabel)?.hadoop.version,
  };
}

/** How many instances it is to have; of a fleet, whose types decide that, how many it has. */
const sizeOf = (group: GroupRow, instances: readonly InstanceRow[]): number =>
  group.fleet ? instances.filter(({ group_id: of, status }) => of === group.id && status !== "terminated").length : group.requested_count;

function groupDetail(group: UniformGroup, cluster: ClusterRow, instances: readonly InstanceRow[]): InstanceGroupDetail {
  const shape = instanceGroupShape(group, cluster, instances);
  return {
    InstanceGroupId: shape.Id,
    Name: shape.Name,
    Market: shape.Market,
    InstanceRole: shape.InstanceGroupType,
    BidPrice: shape.BidPrice,
    InstanceType: shape.InstanceType,
    InstanceRequestCount: shape.RequestedInstanceCount,
    InstanceRunningCount: shape.RunningInstanceCount,
    State: legacyGroupState(shape.Status?.State),
    LastStateChangeReason: shape.Status?.StateChangeReason?.Message,
    CreationDateTime: shape.Status?.Timeline?.CreationDateTime,
    ReadyDateTime: shape.Status?.Timeline?.ReadyDateTime,
    EndDateTime: shape.Status?.Timeline?.EndDateTime,
  };
}

/** "The following values are no longer supported: STARTING, TERMINATED, and FAILED." */
function legacyGroupState(state: InstanceGroupState | undefined): InstanceGroupState | undefined {
  if (state === "TERMINATING") return "SHUTTING_DOWN";
  return state === "TERMINATED" ? "ENDED" : state;
}

/** There was no CANCEL_PENDING: such a step is as it was before its cancellation was asked for. */
function stepDetail(step: StepRow): StepDetail {
  const { spec } = step;
  return {
    StepConfig: {
      Name: spec.name,
      ActionOnFailure: spec.actionOnFailure,
      HadoopJarStep: {
        Jar: spec.jar,
        MainClass: spec.mainClass ?? undefined,
        Args: spec.args,
        Properties: Object.entries(spec.properties).map(([Key, Value]) => ({ Key, Value })),
      },
    },
    ExecutionStatusDetail: {
      State: step.state,
      CreationDateTime: new Date(step.created_at),
      StartDateTime: date(step.started_at),
      EndDateTime: date(step.ended_at),
      LastStateChangeReason: step.failure?.Reason,
    },
  };
}
