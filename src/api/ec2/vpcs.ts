/** VPCs: kept and shown, so that what asks for one finds it. Nodes are on the host's loopback network whatever their VPC. */
import type {
  CreateDefaultVpcRequest,
  CreateVpcRequest,
  DeleteVpcRequest,
  DescribeDhcpOptionsRequest,
  DescribeVpcAttributeRequest,
  DescribeVpcsRequest,
  ModifyVpcAttributeRequest,
  Tag,
  Vpc as VpcShape,
} from "@aws-sdk/client-ec2";
import { domainOf } from "../../agent/node-record.ts";
import { AwsError } from "../../aws/errors.ts";
import { changeSpec, deleteResource, listInVpc, listResources, type Vpc } from "../../store/ec2-resources.ts";
import { putResourceTags, resourceTags } from "../../store/ec2-tags.ts";
import { defaultVpc, dhcpOptionsId, insertDefaultVpc, insertVpc } from "../../store/ec2-vpcs.ts";
import { blockText, parseBlock } from "./cidr.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { dependencyViolation, invalidValue, missing, takeOnly } from "./errors.ts";
import { resourceListing, select } from "./listing.ts";
import { theResource } from "./lookup.ts";
import { newTags } from "./tags-input.ts";

const vpcShape = (vpc: Vpc, request: Ec2Request, Tags: Tag[]): VpcShape => ({
  VpcId: vpc.id,
  OwnerId: request.accountId,
  State: "available",
  CidrBlock: vpc.spec.cidr,
  CidrBlockAssociationSet: [{ AssociationId: cidrAssociation(vpc), CidrBlock: vpc.spec.cidr, CidrBlockState: { State: "associated" } }],
  Ipv6CidrBlockAssociationSet: [],
  DhcpOptionsId: vpc.spec.dhcpOptionsId,
  InstanceTenancy: "default",
  IsDefault: vpc.spec.isDefault,
  Tags,
});

/** A VPC has one block only, so its id is enough. */
const cidrAssociation = (vpc: Vpc) => vpc.id.replace("vpc-", "vpc-cidr-assoc-");

export async function CreateVpc({ store, ids }: Ec2Context, input: CreateVpcRequest, request: Ec2Request) {
  takeOnly("CreateVpc", input, ["CidrBlock", "TagSpecifications", "InstanceTenancy"]);
  if (input.InstanceTenancy && input.InstanceTenancy !== "default")
    throw invalidValue(`Value (${input.InstanceTenancy}) for parameter instanceTenancy is invalid. Howdah has the tenancy default only.`);
  if (input.CidrBlock === undefined) throw missing("cidrBlock");
  const block = parseBlock(input.CidrBlock);
  if (!block) throw invalidValue(`Value (${input.CidrBlock}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`);
  if (block.bits < 16 || block.bits > 28) throw new AwsError("InvalidVpc.Range", `The CIDR '${input.CidrBlock}' is invalid.`);
  const tags = newTags("vpc", input.TagSpecifications);
  return store.transaction(async (tx) => {
    const vpc = await insertVpc(tx, ids, request, blockText(block));
    await putResourceTags(tx, request, vpc.id, tags);
    return { Vpc: { ...vpcShape(vpc, request, tags), State: "pending" as const } };
  });
}

export async function CreateDefaultVpc({ store, ids }: Ec2Context, _input: CreateDefaultVpcRequest, request: Ec2Request) {
  return store.transaction(async (tx) => {
    const already = await defaultVpc(tx.db, request);
    if (already)
      throw new AwsError("DefaultVpcAlreadyExists", `A Default VPC already exists for this account in this region: ${already.id}`);
    return { Vpc: vpcShape(await insertDefaultVpc(tx, ids, request), request, []) };
  });
}

export async function DescribeVpcs({ store }: Ec2Context, input: DescribeVpcsRequest, request: Ec2Request) {
  const tags = await resourceTags(store.db, request);
  const listing = resourceListing(
    "vpc",
    {
      cidr: ({ spec }) => spec.cidr,
      "cidr-block-association.cidr-block": ({ spec }) => spec.cidr,
      "cidr-block-association.association-id": cidrAssociation,
      "cidr-block-association.state": () => "associated",
      "dhcp-options-id": ({ spec }) => spec.dhcpOptionsId,
      "is-default": ({ spec }) => spec.isDefault,
      // As older clients still spell it.
      isDefault: ({ spec }) => spec.isDefault,
      "owner-id": () => request.accountId,
      state: () => "available",
      "vpc-id": ({ id }) => id,
    },
    tags,
  );
  const { items, NextToken } = select(await listResources(store.db, request, "vpc"), { ...input, ids: input.VpcIds }, listing);
  return { Vpcs: items.map((vpc) => vpcShape(vpc, request, tags.get(vpc.id) ?? [])), NextToken };
}

/** With what came with it; refused while anything else is in it. */
export async function DeleteVpc({ store }: Ec2Context, input: DeleteVpcRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    const vpc = await theResource(tx.db, request, "vpc", input.VpcId);
    const inside = async <K extends "subnet" | "security-group" | "route-table" | "internet-gateway" | "network-acl">(kind: K) =>
      listInVpc(tx.db, request, kind, vpc.id);
    const groups = await inside("security-group");
    const tables = await inside("route-table");
    const isOwn =
      (await inside("subnet")).length === 0 &&
      (await inside("internet-gateway")).length === 0 &&
      groups.every(({ spec }) => spec.name === "default") &&
      tables.every(({ spec }) => spec.associations.some(({ subnetId }) => subnetId === null));
    if (!isOwn) throw dependencyViolation(`The vpc '${vpc.id}' has dependencies and cannot be deleted.`);
    for (const part of [...groups, ...tables, ...(await inside("network-acl")), vpc]) await deleteResource(tx, part);
  });
}

export async function DescribeVpcAttribute({ store }: Ec2Context, input: DescribeVpcAttributeRequest, request: Ec2Request) {
  const { id, spec } = await theResource(store.db, request, "vpc", input.VpcId);
  switch (input.Attribute) {
    case "enableDnsSupport":
      return { VpcId: id, EnableDnsSupport: { Value: spec.enableDnsSupport } };
    case "enableDnsHostnames":
      return { VpcId: id, EnableDnsHostnames: { Value: spec.enableDnsHostnames } };
    case "enableNetworkAddressUsageMetrics":
      return { VpcId: id, EnableNetworkAddressUsageMetrics: { Value: spec.enableNetworkAddressUsageMetrics } };
    default:
      throw missing("attribute");
  }
}

/** Kept and shown. One attribute a request, as EC2 has it. */
export async function ModifyVpcAttribute({ store }: Ec2Context, input: ModifyVpcAttributeRequest, request: Ec2Request) {
  takeOnly("ModifyVpcAttribute", input, ["VpcId", "EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics"]);
  const asked = {
    enableDnsSupport: input.EnableDnsSupport?.Value,
    enableDnsHostnames: input.EnableDnsHostnames?.Value,
    enableNetworkAddressUsageMetrics: input.EnableNetworkAddressUsageMetrics?.Value,
  };
  const change = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  if (Object.keys(change).length !== 1)
    throw new AwsError(
      "InvalidParameterCombination",
      "Exactly one attribute must be given: EnableDnsSupport, EnableDnsHostnames or EnableNetworkAddressUsageMetrics.",
    );
  await store.transaction(async (tx) => changeSpec(tx, await theResource(tx.db, request, "vpc", input.VpcId), change));
}

/** One set, which every VPC has: EC2's default, with the domain that nodes' names have here. Names are looked up as the host does it. */
export async function DescribeDhcpOptions({ store }: Ec2Context, input: DescribeDhcpOptionsRequest, request: Ec2Request) {
  const id = await dhcpOptionsId(store.db, request);
  const tags = await resourceTags(store.db, request);
  const configurations = { "domain-name": domainOf(request.region), "domain-name-servers": "AmazonProvidedDNS" };
  const { items, NextToken } = select(
    [id],
    { ...input, ids: input.DhcpOptionsIds },
    {
      thing: "dhcp-options",
      id: (own) => own,
      tags: (own) => tags.get(own) ?? [],
      position: (own) => [own],
      filters: {
        "dhcp-options-id": (own) => own,
        key: () => Object.keys(configurations),
        value: () => Object.values(configurations),
        "owner-id": () => request.accountId,
      },
    },
  );
  const shown = (own: string) => ({
    DhcpOptionsId: own,
    OwnerId: request.accountId,
    DhcpConfigurations: Object.entries(configurations).map(([Key, Value]) => ({ Key, Values: [{ Value }] })),
    Tags: tags.get(own) ?? [],
  });
  return { DhcpOptions: items.map(shown), NextToken };
}
