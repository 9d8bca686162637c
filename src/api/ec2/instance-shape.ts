/** A node as EC2's Instance. The addresses are the host's: EC2's names for what is private and what is public are the same one. */
import type { GroupIdentifier, Instance } from "@aws-sdk/client-ec2";
import { domainOf, hostnameOf } from "../../agent/node-record.ts";
import { rootDevice } from "../../releases/ebs.ts";
import { instanceType } from "../../releases/instance-types.ts";
import { attributesOf } from "../../store/ec2-nodes.ts";
import { spotTermination } from "../../store/instances.ts";
import type { Ec2Request } from "./context.ts";
import { hostArchitecture, type NodeFacts } from "./nodes.ts";

export const launchTime = ({ instance }: NodeFacts) => new Date(instance.launched_at ?? instance.created_at);

export const privateDnsName = ({ instance, cluster }: NodeFacts) => `${hostnameOf(instance.address)}.${domainOf(cluster.region)}`;

export const groupIdentifiers = ({ groups }: NodeFacts): GroupIdentifier[] =>
  groups.map(({ id, spec }) => ({ GroupId: id, GroupName: spec.name }));

/** Gone from a terminated instance: addresses, network and volumes, as in EC2. */
export function instanceShape(node: NodeFacts, request: Ec2Request): Instance {
  const { instance, cluster, state } = node;
  const isGone = state.Name === "terminated";
  const type = instanceType(instance.instance_type);
  return {
    InstanceId: instance.id,
    ImageId: node.imageId,
    State: state,
    StateTransitionReason: endTime(node) ? `User initiated (${endTime(node)})` : "",
    StateReason: stateReason(node),
    InstanceType: instance.instance_type as Instance["InstanceType"],
    InstanceLifecycle: instance.market === "SPOT" ? "spot" : undefined,
    KeyName: attributesOf(cluster).Ec2KeyName,
    LaunchTime: launchTime(node),
    AmiLaunchIndex: 0,
    ClientToken: "",
    Placement: { AvailabilityZone: node.zone, GroupName: "", Tenancy: "default" },
    Monitoring: { State: "disabled" },
    PrivateDnsName: isGone ? "" : privateDnsName(node),
    PublicDnsName: isGone ? "" : instance.address,
    ...(isGone
      ? {}
      : { PrivateIpAddress: instance.address, PublicIpAddress: instance.address, SubnetId: node.subnetId, VpcId: node.vpcId }),
    Architecture: hostArchitecture,
    BlockDeviceMappings: node.volumes.map(({ id, device }) => ({
      DeviceName: device,
      Ebs: { VolumeId: id, Status: "attached", AttachTime: launchTime(node), DeleteOnTermination: true },
    })),
    RootDeviceName: rootDevice,
    RootDeviceType: "ebs",
    EbsOptimized: type?.ebsOptimizedByDefault ?? false,
    EnaSupport: true,
    Hypervisor: "xen",
    VirtualizationType: "hvm",
    IamInstanceProfile: node.profile as Instance["IamInstanceProfile"],
    SecurityGroups: isGone ? [] : groupIdentifiers(node),
    NetworkInterfaces: isGone ? [] : [networkInterface(node, request)],
    SourceDestCheck: true,
    MetadataOptions: {
      State: "applied",
      HttpTokens: cluster.spec.needsMetadataToken ? "required" : "optional",
      HttpEndpoint: "enabled",
      HttpPutResponseHopLimit: 1,
      HttpProtocolIpv6: "disabled",
      InstanceMetadataTags: "disabled",
    },
    CpuOptions: type && { CoreCount: type.vcpu, ThreadsPerCore: 1 },
    PlatformDetails: "Linux/UNIX",
    UsageOperation: "RunInstances",
    ProductCodes: [],
    Tags: node.tags,
  };
}

const endTime = ({ instance }: NodeFacts): string | undefined =>
  instance.ended_at === null ? undefined : new Date(instance.ended_at).toISOString().replace("T", " ").replace(/\..*/, " GMT");

function stateReason({ instance, state }: NodeFacts): Instance["StateReason"] {
  if (state.Name === "pending" || state.Name === "running") return undefined;
  if (instance.interrupted_at !== null && instance.terminate_requested_at === null)
    return { Code: "Server.SpotInstanceTermination", Message: spotTermination };
  const isFault = instance.end_code === "INSTANCE_FAILURE" || instance.end_code === "INTERNAL_ERROR";
  if (isFault && instance.terminate_requested_at === null)
    return { Code: "Server.InternalError", Message: `Server.InternalError: ${instance.end_message}` };
  return { Code: "Client.UserInitiatedShutdown", Message: "Client.UserInitiatedShutdown: User initiated shutdown" };
}

export const attachmentId = ({ networkInterfaceId }: NodeFacts) => networkInterfaceId.replace("eni-", "eni-attach-");

/** Also of DescribeNetworkInterfaces. */
export function networkInterface(node: NodeFacts, request: Ec2Request) {
  const { instance, networkInterfaceId } = node;
  const PrivateDnsName = privateDnsName(node);
  const Association = { IpOwnerId: "amazon", PublicIp: instance.address, PublicDnsName: instance.address };
  return {
    NetworkInterfaceId: networkInterfaceId,
    InterfaceType: "interface" as const,
    Description: "",
    Status: "in-use" as const,
    OwnerId: request.accountId,
    SubnetId: node.subnetId,
    VpcId: node.vpcId,
    SourceDestCheck: true,
    PrivateIpAddress: instance.address,
    PrivateDnsName,
    PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: instance.address, PrivateDnsName, Association }],
    Association,
    Ipv6Addresses: [],
    Groups: groupIdentifiers(node),
    Attachment: {
      AttachmentId: attachmentId(node),
      AttachTime: launchTime(node),
      DeleteOnTermination: true,
      DeviceIndex: 0,
      NetworkCardIndex: 0,
      Status: "attached" as const,
    },
  };
}
