/** DescribeNetworkAcls: each VPC has its own, which lets everything through. Others cannot be made. */
import type { DescribeNetworkAclsRequest, NetworkAcl as AclShape, NetworkAclEntry } from "@aws-sdk/client-ec2";
import { listResources, type NetworkAcl } from "../../store/ec2-resources.ts";
import { resourceTags } from "../../store/ec2-tags.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { resourceListing, select } from "./listing.ts";

const lastRule = 32_767;

/** Everything is allowed by the first rule; the last one, which every list has, denies. */
const entries: NetworkAclEntry[] = [true, false].flatMap((Egress) => [
  { CidrBlock: "0.0.0.0/0", Egress, Protocol: "-1", RuleAction: "allow" as const, RuleNumber: 100 },
  { CidrBlock: "0.0.0.0/0", Egress, Protocol: "-1", RuleAction: "deny" as const, RuleNumber: lastRule },
]);

export async function DescribeNetworkAcls({ store }: Ec2Context, input: DescribeNetworkAclsRequest, request: Ec2Request) {
  const tags = await resourceTags(store.db, request);
  const listing = resourceListing(
    "network-acl",
    {
      "association.association-id": ({ spec }) => spec.associations.map(({ id }) => id),
      "association.network-acl-id": ({ id, spec }) => (spec.associations.length > 0 ? id : undefined),
      "association.subnet-id": ({ spec }) => spec.associations.map(({ subnetId }) => subnetId),
      default: ({ spec }) => spec.isDefault,
      "network-acl-id": ({ id }) => id,
      "owner-id": () => request.accountId,
      "vpc-id": ({ vpcId }) => vpcId,
    },
    tags,
  );
  const acls = await listResources(store.db, request, "network-acl");
  const { items, NextToken } = select(acls, { ...input, ids: input.NetworkAclIds }, listing);
  const shape = ({ id, vpcId, spec }: NetworkAcl): AclShape => ({
    NetworkAclId: id,
    VpcId: vpcId ?? undefined,
    OwnerId: request.accountId,
    IsDefault: spec.isDefault,
    Entries: entries,
    Associations: spec.associations.map((association) => ({
      NetworkAclAssociationId: association.id,
      NetworkAclId: id,
      SubnetId: association.subnetId,
    })),
    Tags: tags.get(id) ?? [],
  });
  return { NetworkAcls: items.map(shape), NextToken };
}
