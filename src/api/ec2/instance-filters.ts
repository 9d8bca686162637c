/** Filters of DescribeInstances, over what it shows. */
import type { Instance } from "@aws-sdk/client-ec2";
import type { Ec2Request } from "./context.ts";
import type { FilterTable } from "./filters.ts";
import type { NodeFacts } from "./nodes.ts";

const time = (date: Date | undefined) => date?.toISOString();

export function instanceFilters(request: Ec2Request): FilterTable<{ node: NodeFacts; shape: Instance }> {
  const ofGroups =
    (look: (group: { GroupId?: string; GroupName?: string }) => string | undefined): FilterTable<{ shape: Instance }>[string] =>
    ({ shape }) =>
      shape.SecurityGroups?.map(look) ?? [];
  const ofDevices =
    (
      look: (device: NonNullable<Instance["BlockDeviceMappings"]>[number]) => string | boolean | undefined,
    ): FilterTable<{ shape: Instance }>[string] =>
    ({ shape }) =>
      shape.BlockDeviceMappings?.map(look) ?? [];
  return {
    architecture: ({ shape }) => shape.Architecture,
    "availability-zone": ({ node }) => node.zone,
    "block-device-mapping.attach-time": ofDevices(({ Ebs }) => time(Ebs?.AttachTime)),
    "block-device-mapping.delete-on-termination": ofDevices(({ Ebs }) => Ebs?.DeleteOnTermination),
    "block-device-mapping.device-name": ofDevices(({ DeviceName }) => DeviceName),
    "block-device-mapping.status": ofDevices(({ Ebs }) => Ebs?.Status),
    "block-device-mapping.volume-id": ofDevices(({ Ebs }) => Ebs?.VolumeId),
    "client-token": ({ shape }) => shape.ClientToken,
    "dns-name": ({ shape }) => shape.PublicDnsName,
    "ebs-optimized": ({ shape }) => shape.EbsOptimized,
    "group-id": ofGroups(({ GroupId }) => GroupId),
    "group-name": ofGroups(({ GroupName }) => GroupName),
    hypervisor: ({ shape }) => shape.Hypervisor,
    "iam-instance-profile.arn": ({ node }) => node.profile.Arn,
    "iam-instance-profile.id": ({ node }) => node.profile.Id,
    "image-id": ({ node }) => node.imageId,
    "instance-id": ({ node }) => node.instance.id,
    "instance-lifecycle": ({ shape }) => shape.InstanceLifecycle,
    "instance-state-code": ({ node }) => node.state.Code,
    "instance-state-name": ({ node }) => node.state.Name,
    "instance-type": ({ shape }) => shape.InstanceType,
    "instance.group-id": ofGroups(({ GroupId }) => GroupId),
    "instance.group-name": ofGroups(({ GroupName }) => GroupName),
    "ip-address": ({ shape }) => shape.PublicIpAddress,
    "key-name": ({ shape }) => shape.KeyName,
    "launch-index": ({ shape }) => shape.AmiLaunchIndex,
    "launch-time": ({ shape }) => time(shape.LaunchTime),
    "monitoring-state": ({ shape }) => shape.Monitoring?.State,
    "network-interface.network-interface-id": ({ shape }) => shape.NetworkInterfaces?.map((one) => one.NetworkInterfaceId) ?? [],
    "network-interface.subnet-id": ({ shape }) => shape.SubnetId,
    "network-interface.vpc-id": ({ shape }) => shape.VpcId,
    "owner-id": () => request.accountId,
    platform: ({ shape }) => shape.Platform,
    "platform-details": ({ shape }) => shape.PlatformDetails,
    "private-dns-name": ({ shape }) => shape.PrivateDnsName,
    "private-ip-address": ({ shape }) => shape.PrivateIpAddress,
    "reservation-id": ({ node }) => node.reservationId,
    "root-device-name": ({ shape }) => shape.RootDeviceName,
    "root-device-type": ({ shape }) => shape.RootDeviceType,
    "source-dest-check": ({ shape }) => shape.SourceDestCheck,
    "state-reason-code": ({ shape }) => shape.StateReason?.Code,
    "subnet-id": ({ shape }) => shape.SubnetId,
    tenancy: ({ shape }) => shape.Placement?.Tenancy,
    "virtualization-type": ({ shape }) => shape.VirtualizationType,
    "vpc-id": ({ shape }) => shape.VpcId,
  };
}
