/** Rows of the store as EMR's shapes. Pure functions; the fields are those of the API reference's Cluster, InstanceGroup, Instance and Step. */
import type {
  AutoScalingPolicyDescription,
  Cluster,
  ClusterStatus,
  ClusterSummary,
  Instance,
  InstanceGroup,
  Step,
  StepSummary,
  Tag,
} from "@aws-sdk/client-emr";
import type { ClusterUse } from "../../store/cluster-lists.ts";
import { type ClusterRow, clusterState, stateChangeReason } from "../../store/clusters.ts";
import { type GroupRow, hostnameOf, type InstanceRow, instanceState } from "../../store/instances.ts";
import { type StepRow, stepState } from "../../store/steps.ts";
import { ebsBlockDevices } from "./ebs-input.ts";

export const clusterArn = (cluster: { account_id: string; region: string; id: string }): string =>
  `arn:aws:elasticmapreduce:${cluster.region}:${cluster.account_id}:cluster/${cluster.id}`;

export const date = (ms: number | null): Date | undefined => (ms === null ? undefined : new Date(ms));

function clusterStatus(cluster: ClusterRow, hasActiveSteps: boolean): ClusterStatus {
  const state = clusterState(cluster, hasActiveSteps);
  return {
    State: state,
    StateChangeReason: stateChangeReason(cluster, state),
    Timeline: {
      CreationDateTime: new Date(cluster.created_at),
      ReadyDateTime: date(cluster.ready_at),
      EndDateTime: date(cluster.ended_at),
    },
    ...(cluster.ending && cluster.ending.details.length > 0 ? { ErrorDetails: cluster.ending.details } : {}),
  };
}

export function clusterShape(
  cluster: ClusterRow,
  use: ClusterUse,
  facts: { tags: Tag[]; master: InstanceRow | undefined },
  now: number,
): Cluster {
  const { spec } = cluster;
  const { master } = facts;
  return {
    ...spec.shown,
    ...clusterSummary(cluster, use, now),
    InstanceCollectionType: "INSTANCE_GROUP",
    LogUri: spec.logUri ?? undefined,
    ReleaseLabel: spec.releaseLabel,
    AutoTerminate: cluster.keep_alive === 0,
    TerminationProtected: cluster.termination_protected === 1,
    Applications: spec.applications.filter(({ Name }) => !spec.hadoopIsImplied || Name !== "Hadoop"),
    Configurations: spec.configurations,
    SecurityConfiguration: spec.securityConfiguration?.name,
    StepConcurrencyLevel: cluster.step_concurrency_level,
    UnhealthyNodeReplacement: cluster.unhealthy_node_replacement === 1,
    VisibleToAllUsers: cluster.visible_to_all_users === 1,
    ExtendedSupport: cluster.extended_support === null ? undefined : cluster.extended_support === 1,
    Tags: facts.tags,
    // The address itself: it needs no name server, so ssh, browsers and the CLI's own ssh command reach it.
    MasterPublicDnsName: master && master.status !== "provisioning" ? master.address : undefined,
  };
}

export function clusterSummary(cluster: ClusterRow, use: ClusterUse, now: number): ClusterSummary {
  return {
    Id: cluster.id,
    Name: cluster.spec.name,
    Status: clusterStatus(cluster, use.hasActiveSteps),
    NormalizedInstanceHours: normalizedInstanceHours(use.instances, now),
    ClusterArn: clusterArn(cluster),
  };
}

/** An m1.small hour is 1; a size's factor is EC2's (large 4, xlarge 8, n×large n times that); each started hour counts. */
export function normalizedInstanceHours(instances: ClusterUse["instances"], now: number): number {
  const hours = (launchedAt: number, endedAt: number) => Math.ceil((endedAt - launchedAt) / 3_600_000);
  const all = instances.map(({ instanceType, launchedAt, endedAt }) => hours(launchedAt, endedAt ?? now) * sizeFactor(instanceType));
  return all.reduce((sum, one) => sum + one, 0);
}

function sizeFactor(instanceType: string): number {
  const size = instanceType.split(".")[1] ?? "";
  const times = /^(\d+)xlarge$/.exec(size)?.[1];
  if (times) return 8 * Number(times);
  return { nano: 0.25, micro: 0.5, small: 1, medium: 2, large: 4, xlarge: 8 }[size] ?? 8;
}

export function instanceGroupShape(group: GroupRow, cluster: ClusterRow, instances: readonly InstanceRow[]): InstanceGroup {
  const mine = instances.filter((instance) => instance.group_id === group.id);
  const running = mine.filter((instance) => instanceState(instance) === "RUNNING").length;
  return {
    Id: group.id,
    Name: group.name,
    InstanceGroupType: group.role,
    Market: group.market === "SPOT" ? "SPOT" : "ON_DEMAND",
    BidPrice: group.bid_price ?? undefined,
    InstanceType: group.instance_type,
    RequestedInstanceCount: group.requested_count,
    RunningInstanceCount: running,
    Status: {
      State: groupState(cluster, mine, running, group.requested_count),
      StateChangeReason: cluster.phase === "ended" ? { Code: "CLUSTER_TERMINATED", Message: "Job flow terminated" } : { Message: "" },
      Timeline: {
        CreationDateTime: new Date(group.created_at),
        ReadyDateTime: date(cluster.ready_at),
        EndDateTime: date(cluster.ended_at),
      },
    },
    Configurations: group.configurations,
    ConfigurationsVersion: 0,
    LastSuccessfullyAppliedConfigurationsVersion: 0,
    EbsBlockDevices: ebsBlockDevices(group.ebs),
    EbsOptimized: group.ebs?.EbsOptimized,
    ShrinkPolicy: {},
    AutoScalingPolicy: autoScalingShape(group),
  };
}

function groupState(cluster: ClusterRow, mine: readonly InstanceRow[], running: number, wanted: number) {
  if (cluster.phase === "ended") return "TERMINATED" as const;
  if (cluster.phase === "ending" || cluster.terminate_requested_at !== null) return "TERMINATING" as const;
  if (mine.length === 0 || mine.some((instance) => instanceState(instance) === "PROVISIONING")) return "PROVISIONING" as const;
  return running >= wanted ? ("RUNNING" as const) : ("BOOTSTRAPPING" as const);
}

export function instanceShape(instance: InstanceRow, group: GroupRow): Instance {
  return {
    Id: instance.cluster_instance_id,
    Ec2InstanceId: instance.id,
    PublicDnsName: instance.address,
    PublicIpAddress: instance.address,
    PrivateDnsName: hostnameOf(instance.address),
    PrivateIpAddress: instance.address,
    Status: {
      State: instanceState(instance),
      StateChangeReason: instance.end_message ? { Code: endCode(instance.end_code), Message: instance.end_message } : {},
      Timeline: {
        CreationDateTime: new Date(instance.created_at),
        ReadyDateTime: date(instance.first_ready_at),
        EndDateTime: date(instance.ended_at),
      },
    },
    InstanceGroupId: group.id,
    Market: group.market === "SPOT" ? "SPOT" : "ON_DEMAND",
    InstanceType: group.instance_type,
    EbsVolumes: [],
  };
}

/** It stays PENDING, for nothing scales the group yet. */
export function autoScalingShape({
  auto_scaling_policy: policy,
}: Pick<GroupRow, "auto_scaling_policy">): AutoScalingPolicyDescription | undefined {
  if (!policy) return undefined;
  const Message = "Kept; automatic scaling is not in effect in Howdah yet.";
  return { Status: { State: "PENDING", StateChangeReason: { Code: "USER_REQUEST", Message } }, ...policy };
}

function endCode(code: string | null) {
  return code === "INSTANCE_FAILURE" || code === "INTERNAL_ERROR" ? code : ("CLUSTER_TERMINATED" as const);
}

export function stepSummary(step: StepRow): StepSummary {
  const { spec } = step;
  return {
    Id: step.id,
    Name: spec.name,
    Config: { Jar: spec.jar, Properties: spec.properties, MainClass: spec.mainClass ?? undefined, Args: spec.args },
    ActionOnFailure: spec.actionOnFailure,
    Status: {
      State: stepState(step),
      StateChangeReason: {},
      ...(step.failure ? { FailureDetails: step.failure } : {}),
      Timeline: { CreationDateTime: new Date(step.created_at), StartDateTime: date(step.started_at), EndDateTime: date(step.ended_at) },
    },
  };
}

export const stepShape = (step: StepRow): Step => stepSummary(step);
