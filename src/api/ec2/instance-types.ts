/** DescribeInstanceTypes, DescribeInstanceTypeOfferings: the types that EMR takes, all in every zone. */
import type { DescribeInstanceTypeOfferingsRequest, DescribeInstanceTypesRequest, InstanceTypeInfo } from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import { type InstanceType, instanceType, instanceTypeNames } from "../../releases/instance-types.ts";
import { zonesOf } from "../../releases/zones.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { select } from "./listing.ts";

type Name = InstanceTypeInfo["InstanceType"];

const all = (): InstanceType[] => instanceTypeNames().map((name) => instanceType(name)!);

/** Of the type, not of the host: nodes have the host's, whatever their type. */
const architecture = (type: InstanceType) => (type.architecture === "AARCH64" ? "arm64" : "x86_64");
const isCurrent = ({ family }: InstanceType) => family.endsWith("CURRENT_GEN");
const ebs = (type: InstanceType) => (type.ebsOptimizedByDefault ? "default" : type.ebsOptimized ? "supported" : "unsupported");

const shape = (type: InstanceType): InstanceTypeInfo => ({
  InstanceType: type.name as Name,
  CurrentGeneration: isCurrent(type),
  FreeTierEligible: false,
  SupportedUsageClasses: ["on-demand", "spot"],
  SupportedRootDeviceTypes: ["ebs"],
  SupportedVirtualizationTypes: ["hvm"],
  BareMetal: false,
  ProcessorInfo: { SupportedArchitectures: [architecture(type)] },
  VCpuInfo: { DefaultVCpus: type.vcpu },
  MemoryInfo: { SizeInMiB: type.memoryMb },
  InstanceStorageSupported: type.storageGb > 0,
  InstanceStorageInfo:
    type.storageGb > 0
      ? { TotalSizeInGB: type.storageGb, Disks: [{ Count: type.disks, SizeInGB: Math.round(type.storageGb / type.disks) }] }
      : undefined,
  EbsInfo: { EbsOptimizedSupport: ebs(type), EncryptionSupport: "unsupported" },
  // Every type has these two, and clients read into them: here they are what a node has.
  NetworkInfo: {
    MaximumNetworkInterfaces: 1,
    MaximumNetworkCards: 1,
    Ipv4AddressesPerInterface: 1,
    Ipv6AddressesPerInterface: 0,
    Ipv6Supported: false,
    EnaSupport: "unsupported",
    EfaSupported: false,
    EncryptionInTransitSupported: false,
  },
  PlacementGroupInfo: { SupportedStrategies: [] },
});

export async function DescribeInstanceTypes(_context: Ec2Context, input: DescribeInstanceTypesRequest, _request: Ec2Request) {
  const { InstanceTypes: asked = [], ...rest } = input;
  const unknown = asked.filter((name) => !instanceType(name));
  if (unknown.length > 0)
    throw new AwsError("InvalidInstanceType", `The following supplied instance types do not exist: [${unknown.join(", ")}]`);
  const types = asked.length > 0 ? all().filter(({ name }) => asked.includes(name as (typeof asked)[number])) : all();
  const { items, NextToken } = select(types, rest, {
    thing: "instance",
    id: ({ name }) => name,
    position: ({ name }) => [name],
    filters: {
      "bare-metal": () => false,
      "current-generation": isCurrent,
      "ebs-info.ebs-optimized-support": ebs,
      "free-tier-eligible": () => false,
      "instance-storage-info.disk.count": ({ disks, storageGb }) => (storageGb > 0 ? disks : undefined),
      "instance-storage-info.total-size-in-gb": ({ storageGb }) => (storageGb > 0 ? storageGb : undefined),
      "instance-storage-supported": ({ storageGb }) => storageGb > 0,
      "instance-type": ({ name }) => name,
      "memory-info.size-in-mib": ({ memoryMb }) => memoryMb,
      "processor-info.supported-architecture": architecture,
      "supported-root-device-type": () => "ebs",
      "supported-usage-class": () => ["on-demand", "spot"],
      "supported-virtualization-type": () => "hvm",
      "vcpu-info.default-vcpus": ({ vcpu }) => vcpu,
    },
  });
  return { InstanceTypes: items.map(shape), NextToken };
}

export async function DescribeInstanceTypeOfferings(
  _context: Ec2Context,
  input: DescribeInstanceTypeOfferingsRequest,
  { region }: Ec2Request,
) {
  const LocationType = input.LocationType ?? "region";
  const places = {
    region: [region],
    "availability-zone": zonesOf(region).map(({ name }) => name),
    "availability-zone-id": zonesOf(region).map(({ id }) => id),
  };
  const locations = LocationType === "outpost" ? [] : places[LocationType];
  const offerings = instanceTypeNames().flatMap((name) =>
    locations.map((Location) => ({ InstanceType: name as Name, LocationType, Location })),
  );
  const { items, NextToken } = select(offerings, input, {
    thing: "instance",
    id: ({ InstanceType }) => InstanceType ?? "",
    position: ({ InstanceType, Location }) => [InstanceType ?? "", Location],
    filters: { "instance-type": ({ InstanceType }) => InstanceType, location: ({ Location }) => Location },
  });
  return { InstanceTypeOfferings: items, NextToken };
}
