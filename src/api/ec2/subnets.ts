/** Subnets. Nodes of a cluster in one have its zone and are shown in it; their addresses are the host's. */
import type {
  CreateDefaultSubnetRequest,
  CreateSubnetRequest,
  DeleteSubnetRequest,
  DescribeSubnetsRequest,
  ModifySubnetAttributeRequest,
  Subnet as SubnetShape,
  Tag,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import { zonesOf } from "../../releases/zones.ts";
import { attributesOf, livingClusters } from "../../store/ec2-nodes.ts";
import { changeSpec, deleteResource, listInVpc, listResources, type Subnet } from "../../store/ec2-resources.ts";
import { putResourceTags, resourceTags } from "../../store/ec2-tags.ts";
import { defaultSubnet, defaultSubnetCidr, defaultVpc, insertSubnet } from "../../store/ec2-vpcs.ts";
import { type Block, blockText, contains, overlap, parseBlock, sizeOf } from "./cidr.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { dependencyViolation, invalidValue, missing, takeOnly } from "./errors.ts";
import { resourceListing, select } from "./listing.ts";
import { theResource } from "./lookup.ts";
import { newTags } from "./tags-input.ts";

/** The first four addresses and the last one of a subnet are AWS's own. */
const reservedAddresses = 5;

const blockOf = (cidr: string): Block => parseBlock(cidr) ?? { first: 0, bits: 0 };

const available = ({ spec }: Subnet) => sizeOf(blockOf(spec.cidr)) - reservedAddresses;
const zoneId = ({ spec }: Subnet, { region }: Ec2Request) => zonesOf(region).find(({ name }) => name === spec.zone)?.id;
const arn = ({ id }: Subnet, { region, accountId }: Ec2Request) => `arn:aws:ec2:${region}:${accountId}:subnet/${id}`;

const subnetShape = (subnet: Subnet, request: Ec2Request, Tags: Tag[]): SubnetShape => ({
  SubnetId: subnet.id,
  SubnetArn: arn(subnet, request),
  VpcId: subnet.vpcId ?? undefined,
  OwnerId: request.accountId,
  State: "available",
  CidrBlock: subnet.spec.cidr,
  AvailableIpAddressCount: available(subnet),
  AvailabilityZone: subnet.spec.zone,
  AvailabilityZoneId: zoneId(subnet, request),
  DefaultForAz: subnet.spec.isDefault,
  MapPublicIpOnLaunch: subnet.spec.mapPublicIpOnLaunch,
  MapCustomerOwnedIpOnLaunch: false,
  AssignIpv6AddressOnCreation: false,
  EnableDns64: false,
  Ipv6Native: false,
  Ipv6CidrBlockAssociationSet: [],
  PrivateDnsNameOptionsOnLaunch: { HostnameType: "ip-name", EnableResourceNameDnsARecord: false, EnableResourceNameDnsAAAARecord: false },
  Tags,
});

export async function CreateSubnet({ store, ids }: Ec2Context, input: CreateSubnetRequest, request: Ec2Request) {
  takeOnly("CreateSubnet", input, ["VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId", "TagSpecifications"]);
  if (input.CidrBlock === undefined) throw missing("cidrBlock");
  const block = parseBlock(input.CidrBlock);
  if (!block) throw invalidValue(`Value (${input.CidrBlock}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`);
  const zone = readZone(input, request.region);
  const tags = newTags("subnet", input.TagSpecifications);
  return store.transaction(async (tx) => {
    const vpc = await theResource(tx.db, request, "vpc", input.VpcId);
    if (block.bits < 16 || block.bits > 28 || !contains(blockOf(vpc.spec.cidr), block))
      throw new AwsError("InvalidSubnet.Range", `The CIDR '${input.CidrBlock}' is invalid.`);
    const siblings = await listInVpc(tx.db, request, "subnet", vpc.id);
    if (siblings.some(({ spec }) => overlap(blockOf(spec.cidr), block)))
      throw new AwsError("InvalidSubnet.Conflict", `The CIDR '${input.CidrBlock}' conflicts with another subnet`);
    const spec = { cidr: blockText(block), zone, isDefault: false, mapPublicIpOnLaunch: false };
    const subnet = await insertSubnet(tx, ids, request, vpc.id, spec);
    await putResourceTags(tx, request, subnet.id, tags);
    return { Subnet: subnetShape(subnet, request, tags) };
  });
}

/** The region's first, where none is asked for. */
function readZone(
  { AvailabilityZone, AvailabilityZoneId }: { AvailabilityZone?: string; AvailabilityZoneId?: string },
  region: string,
): string {
  const zones = zonesOf(region);
  const asked = AvailabilityZone ?? AvailabilityZoneId;
  const found = asked === undefined ? zones[0] : zones.find(({ name, id }) => name === AvailabilityZone || id === AvailabilityZoneId);
  if (!found)
    throw invalidValue(
      `Value (${asked}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: ${zones.map(({ name }) => name).join(", ")}.`,
    );
  return found.name;
}

export async function CreateDefaultSubnet({ store, ids }: Ec2Context, input: CreateDefaultSubnetRequest, request: Ec2Request) {
  takeOnly("CreateDefaultSubnet", input, ["AvailabilityZone", "AvailabilityZoneId"]);
  if (!input.AvailabilityZone && !input.AvailabilityZoneId) throw missing("AvailabilityZone");
  const zone = readZone(input, request.region);
  return store.transaction(async (tx) => {
    const vpc = await defaultVpc(tx.db, request);
    if (!vpc) throw new AwsError("DefaultVpcDoesNotExist", "There is no default VPC in this region: make one with CreateDefaultVpc.");
    const siblings = await listInVpc(tx.db, request, "subnet", vpc.id);
    if (siblings.some(({ spec }) => spec.isDefault && spec.zone === zone))
      throw new AwsError("DefaultSubnetAlreadyExistsInAvailabilityZone", `There is a default subnet in ${zone} already.`);
    const isFree = (cidr: string) => !siblings.some(({ spec }) => overlap(blockOf(spec.cidr), blockOf(cidr)));
    const cidr = Array.from({ length: 16 }, (_, index) => defaultSubnetCidr(index)).find(isFree);
    if (!cidr) throw new AwsError("InvalidSubnet.Conflict", `The VPC ${vpc.id} has no /20 that is free.`);
    return { Subnet: subnetShape(await insertSubnet(tx, ids, request, vpc.id, defaultSubnet(zone, cidr)), request, []) };
  });
}

export async function DescribeSubnets({ store }: Ec2Context, input: DescribeSubnetsRequest, request: Ec2Request) {
  const tags = await resourceTags(store.db, request);
  const listing = resourceListing(
    "subnet",
    {
      "availability-zone": ({ spec }) => spec.zone,
      availabilityZone: ({ spec }) => spec.zone,
      "availability-zone-id": (subnet) => zoneId(subnet, request),
      availabilityZoneId: (subnet) => zoneId(subnet, request),
      "available-ip-address-count": available,
      "cidr-block": ({ spec }) => spec.cidr,
      cidr: ({ spec }) => spec.cidr,
      cidrBlock: ({ spec }) => spec.cidr,
      "default-for-az": ({ spec }) => spec.isDefault,
      defaultForAz: ({ spec }) => spec.isDefault,
      "map-public-ip-on-launch": ({ spec }) => spec.mapPublicIpOnLaunch,
      "owner-id": () => request.accountId,
      state: () => "available",
      "subnet-arn": (subnet) => arn(subnet, request),
      "subnet-id": ({ id }) => id,
      "vpc-id": ({ vpcId }) => vpcId,
    },
    tags,
  );
  const { items, NextToken } = select(await listResources(store.db, request, "subnet"), { ...input, ids: input.SubnetIds }, listing);
  return { Subnets: items.map((subnet) => subnetShape(subnet, request, tags.get(subnet.id) ?? [])), NextToken };
}

/** Refused while a cluster's nodes are in it. */
export async function DeleteSubnet({ store }: Ec2Context, input: DeleteSubnetRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    const subnet = await theResource(tx.db, request, "subnet", input.SubnetId);
    const user = (await livingClusters(tx.db, request)).find((cluster) => attributesOf(cluster).Ec2SubnetId === subnet.id);
    if (user) throw dependencyViolation(`The subnet '${subnet.id}' has dependencies and cannot be deleted: cluster ${user.id} is in it.`);
    const without = <A extends { subnetId: string | null }>(associations: A[]) =>
      associations.filter(({ subnetId }) => subnetId !== subnet.id);
    const vpcId = subnet.vpcId ?? "";
    for (const table of await listInVpc(tx.db, request, "route-table", vpcId))
      await changeSpec(tx, table, { associations: without(table.spec.associations) });
    for (const acl of await listInVpc(tx.db, request, "network-acl", vpcId))
      await changeSpec(tx, acl, { associations: without(acl.spec.associations) });
    await deleteResource(tx, subnet);
  });
}

/** Kept and shown: every node has the host's addresses. */
export async function ModifySubnetAttribute({ store }: Ec2Context, input: ModifySubnetAttributeRequest, request: Ec2Request) {
  takeOnly("ModifySubnetAttribute", input, ["SubnetId", "MapPublicIpOnLaunch"]);
  await store.transaction(async (tx) => {
    const subnet = await theResource(tx.db, request, "subnet", input.SubnetId);
    const isAsked = input.MapPublicIpOnLaunch?.Value;
    if (isAsked !== undefined) await changeSpec(tx, subnet, { mapPublicIpOnLaunch: isAsked });
  });
}
