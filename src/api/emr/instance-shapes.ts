/** Instance groups, fleets and instances as EMR's InstanceGroup, InstanceFleet and Instance. Pure functions; docs/api-fields.md says which fields are never there. */
import type {
  AutoScalingPolicyDescription,
  Instance,
  InstanceFleet,
  InstanceGroup,
  InstanceGroupStateChangeReason,
  InstanceStateChangeReason,
  InstanceTypeSpecification,
  Configuration as WireConfiguration,
} from "@aws-sdk/client-emr";
import { hostnameOf } from "../../agent/node-record.ts";
import type { Configuration } from "../../engines/engine.ts";
import type { ClusterRow } from "../../store/clusters.ts";
import type { FleetType } from "../../store/fleets.ts";
import {
  ebsOf,
  type FleetRow,
  type GroupRow,
  type GroupState,
  groupState,
  hasFailed,
  type InstanceRow,
  instanceState,
  isLaunched,
  removedByResize,
  stays,
  type UniformGroup,
} from "../../store/instances.ts";
import { missingOf, unitsOf } from "../../store/sizes.ts";
import { lastFailure } from "../../store/state-change-events.ts";
import { storageDevices, volumeId } from "../../releases/ebs.ts";
import { date } from "./dates.ts";

export function instanceGroupShape(group: UniformGroup, cluster: ClusterRow, instances: readonly InstanceRow[]): InstanceGroup {
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
    Status: groupStatus(group, cluster, mine),
    Configurations: configurationsShape(group.configurations),
    // The first version; a reconfiguration would make the next.
    ConfigurationsVersion: 0,
    LastSuccessfullyAppliedConfigurations: cluster.ready_at === null ? [] : configurationsShape(group.configurations),
    LastSuccessfullyAppliedConfigurationsVersion: 0,
    EbsBlockDevices: storageDevices(group.ebs, group.instance_type),
    EbsOptimized: group.ebs?.EbsOptimized,
    ShrinkPolicy: group.shrink_policy ?? {},
    AutoScalingPolicy: autoScalingShape(group),
  };
}

export function instanceFleetShape(group: FleetRow, cluster: ClusterRow, instances: readonly InstanceRow[]): InstanceFleet {
  const { fleet } = group;
  const mine = instances.filter((instance) => instance.group_id === group.id);
  const provisioned = unitsOf(mine.filter(isLaunched));
  return {
    Id: group.id,
    Name: group.name,
    Status: groupStatus(group, cluster, mine),
    InstanceFleetType: group.role,
    TargetOnDemandCapacity: fleet.onDemand,
    TargetSpotCapacity: fleet.spot,
    ProvisionedOnDemandCapacity: provisioned.ON_DEMAND,
    ProvisionedSpotCapacity: provisioned.SPOT,
    InstanceTypeSpecifications: fleet.offered.map((index) => typeShape(fleet.types[index]!)),
    LaunchSpecifications: fleet.launch ?? undefined,
    ResizeSpecifications: fleet.resize ?? undefined,
    Context: fleet.context ?? undefined,
  };
}

const typeShape = (type: FleetType): InstanceTypeSpecification => ({
  InstanceType: type.instanceType,
  WeightedCapacity: type.weight,
  BidPrice: type.bidPrice ?? undefined,
  BidPriceAsPercentageOfOnDemandPrice: type.bidPercentage ?? undefined,
  Configurations: configurationsShape(type.configurations),
  EbsBlockDevices: storageDevices(type.ebs, type.instanceType),
  EbsOptimized: type.ebs?.EbsOptimized,
  Priority: type.priority ?? undefined,
});

/** Of a fleet too. It has no times of its own: those of its instances and its cluster stand in their order, though somebody sets the clock back. */
function groupStatus(group: GroupRow, cluster: ClusterRow, mine: readonly InstanceRow[]) {
  const state = groupState(cluster, group, mine);
  const ready = atLeast(readyAt(group, cluster, mine), group.created_at);
  return {
    State: state,
    StateChangeReason: groupReason(cluster, state, mine),
    Timeline: {
      CreationDateTime: new Date(group.created_at),
      ReadyDateTime: date(ready),
      EndDateTime: date(atLeast(cluster.ended_at, ready ?? group.created_at)),
    },
  };
}

function groupReason(cluster: ClusterRow, state: GroupState, mine: readonly InstanceRow[]): InstanceGroupStateChangeReason {
  if (cluster.phase === "ended") return { Code: "CLUSTER_TERMINATED", Message: "Job flow terminated" };
  return state === "SUSPENDED" ? { Code: "INSTANCE_FAILURE", Message: lastFailure(mine) } : { Message: "" };
}

/** Of what has no parts none are shown, not an empty list of them: a client that compares would find a change. */
export const configurationsShape = (configurations: readonly Configuration[]): WireConfiguration[] =>
  configurations.map(({ Classification, Properties, Configurations: parts }) => ({
    Classification,
    Properties,
    ...(parts.length > 0 ? { Configurations: configurationsShape(parts) } : {}),
  }));

/** When the last of the instances that it was made with was; a group of none is so with its cluster. */
function readyAt(group: GroupRow, cluster: ClusterRow, mine: readonly InstanceRow[]): number | null {
  const first = mine.filter((instance) => instance.resize === 0 && !hasFailed(instance));
  if (first.length === 0) return missingOf(group, []).length === 0 || group.resize > 0 ? cluster.ready_at : null;
  // One that was taken away before it was ready is not waited for.
  const times = first.filter(stays).map((instance) => instance.first_ready_at);
  const all = first.flatMap((instance) => instance.first_ready_at ?? []);
  return times.includes(null) || all.length === 0 ? null : Math.max(...all);
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
      StateChangeReason: instanceReason(instance),
      Timeline: {
        CreationDateTime: new Date(instance.created_at),
        ReadyDateTime: date(instance.first_ready_at),
        EndDateTime: date(instance.ended_at),
      },
    },
    ...(group.fleet ? { InstanceFleetId: group.id } : { InstanceGroupId: group.id }),
    Market: instance.market,
    InstanceType: instance.instance_type,
    EbsVolumes:
      instanceState(instance) === "TERMINATED"
        ? []
        : storageDevices(ebsOf(group, instance), instance.instance_type).map(({ Device = "" }) => ({
            Device,
            VolumeId: volumeId(instance.id, Device),
          })),
  };
}

/** It stays PENDING, for nothing scales the group yet. */
export function autoScalingShape({
  auto_scaling_policy: policy,
}: Pick<UniformGroup, "auto_scaling_policy">): AutoScalingPolicyDescription | undefined {
  if (!policy) return undefined;
  const Message = "Kept; automatic scaling is not in effect in Howdah yet.";
  return { Status: { State: "PENDING", StateChangeReason: { Code: "USER_REQUEST", Message } }, ...policy };
}

/** What ended it, or what is wrong with it while its cluster ends because of that. */
function instanceReason({ end_code: code, end_message: Message, observed }: InstanceRow): InstanceStateChangeReason {
  const failure = observed?.phase === "failed" ? observed.failure : undefined;
  if (failure) return { Code: failure.kind.startsWith("bootstrap") ? "BOOTSTRAP_FAILURE" : "INSTANCE_FAILURE", Message: failure.message };
  if (!Message) return {};
  if (code === removedByResize) return { Message };
  return { Code: code === "INSTANCE_FAILURE" || code === "INTERNAL_ERROR" ? code : "CLUSTER_TERMINATED", Message };
}

const atLeast = (at: number | null, earliest: number): number | null => (at === null ? null : Math.max(at, earliest));
