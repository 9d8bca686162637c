/** Instance groups and instances as EMR's InstanceGroup and Instance. Pure functions; docs/api-fields.md says which fields are never there. */
import type {
  AutoScalingPolicyDescription,
  Instance,
  InstanceGroup,
  InstanceStateChangeReason,
  Configuration as WireConfiguration,
} from "@aws-sdk/client-emr";
import type { Configuration } from "../../engines/engine.ts";
import type { ClusterRow } from "../../store/clusters.ts";
import { type GroupRow, groupState, hostnameOf, type InstanceRow, instanceState } from "../../store/instances.ts";
import { storageDevices, volumeId } from "../../releases/ebs.ts";
import { date } from "./dates.ts";

export function instanceGroupShape(group: GroupRow, cluster: ClusterRow, instances: readonly InstanceRow[]): InstanceGroup {
  const mine = instances.filter((instance) => instance.group_id === group.id);
  const running = mine.filter((instance) => instanceState(instance) === "RUNNING").length;
  // A group has no times of its own: those of its instances and its cluster stand in their order, though somebody sets the clock back.
  const ready = atLeast(readyAt(group, cluster, mine), group.created_at);
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
      State: groupState(cluster, mine),
      StateChangeReason: cluster.phase === "ended" ? { Code: "CLUSTER_TERMINATED", Message: "Job flow terminated" } : { Message: "" },
      Timeline: {
        CreationDateTime: new Date(group.created_at),
        ReadyDateTime: date(ready),
        EndDateTime: date(atLeast(cluster.ended_at, ready ?? group.created_at)),
      },
    },
    Configurations: configurationsShape(group.configurations),
    // The first version; a reconfiguration would make the next.
    ConfigurationsVersion: 0,
    LastSuccessfullyAppliedConfigurations: cluster.ready_at === null ? [] : configurationsShape(group.configurations),
    LastSuccessfullyAppliedConfigurationsVersion: 0,
    EbsBlockDevices: storageDevices(group.ebs, group.instance_type),
    EbsOptimized: group.ebs?.EbsOptimized,
    ShrinkPolicy: {},
    AutoScalingPolicy: autoScalingShape(group),
  };
}

/** Of what has no parts none are shown, not an empty list of them: a client that compares would find a change. */
export const configurationsShape = (configurations: readonly Configuration[]): WireConfiguration[] =>
  configurations.map(({ Classification, Properties, Configurations: parts }) => ({
    Classification,
    Properties,
    ...(parts.length > 0 ? { Configurations: configurationsShape(parts) } : {}),
  }));

/** When the last of its instances was; a group of none is so with its cluster. */
function readyAt(group: GroupRow, cluster: ClusterRow, mine: readonly InstanceRow[]): number | null {
  if (group.requested_count === 0) return cluster.ready_at;
  const times = mine.map((instance) => instance.first_ready_at);
  return times.length > 0 && times.every((time) => time !== null) ? Math.max(...times) : null;
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
    InstanceGroupId: group.id,
    Market: group.market === "SPOT" ? "SPOT" : "ON_DEMAND",
    InstanceType: group.instance_type,
    EbsVolumes:
      instanceState(instance) === "TERMINATED"
        ? []
        : storageDevices(group.ebs, group.instance_type).map(({ Device = "" }) => ({ Device, VolumeId: volumeId(instance.id, Device) })),
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

/** What ended it, or what is wrong with it while its cluster ends because of that. */
function instanceReason({ end_code: code, end_message: Message, observed }: InstanceRow): InstanceStateChangeReason {
  const failure = observed?.phase === "failed" ? observed.failure : undefined;
  if (failure) return { Code: failure.kind.startsWith("bootstrap") ? "BOOTSTRAP_FAILURE" : "INSTANCE_FAILURE", Message: failure.message };
  if (!Message) return {};
  return { Code: code === "INSTANCE_FAILURE" || code === "INTERNAL_ERROR" ? code : "CLUSTER_TERMINATED", Message };
}

const atLeast = (at: number | null, earliest: number): number | null => (at === null ? null : Math.max(at, earliest));
