/** DescribeNetworkInterfaces: one for each node. Terraform looks here for what is in a subnet or a security group before it deletes it. */
import type { DescribeNetworkInterfacesRequest, NetworkInterface } from "@aws-sdk/client-ec2";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { attachmentId, networkInterface, privateDnsName } from "./instance-shape.ts";
import { select } from "./listing.ts";
import { allNodes, type NodeFacts } from "./nodes.ts";

const shape = (node: NodeFacts, request: Ec2Request): NetworkInterface => {
  const common = networkInterface(node, request);
  return {
    ...common,
    RequesterManaged: false,
    AvailabilityZone: node.zone,
    Attachment: { ...common.Attachment, InstanceId: node.instance.id, InstanceOwnerId: request.accountId },
    TagSet: node.given,
  };
};

export async function DescribeNetworkInterfaces({ store }: Ec2Context, input: DescribeNetworkInterfacesRequest, request: Ec2Request) {
  const all = (await allNodes(store, request)).filter(({ state }) => state.Name !== "terminated");
  const { items, NextToken } = select(
    all,
    { ...input, ids: input.NetworkInterfaceIds },
    {
      thing: "network-interface",
      id: ({ networkInterfaceId }) => networkInterfaceId,
      tags: ({ given }) => given,
      position: ({ cluster, instance }) => [cluster.created_at, cluster.id, instance.ordinal],
      filters: {
        "addresses.private-ip-address": ({ instance }) => instance.address,
        "association.public-ip": ({ instance }) => instance.address,
        "attachment.attachment-id": attachmentId,
        "attachment.instance-id": ({ instance }) => instance.id,
        "attachment.instance-owner-id": () => request.accountId,
        "attachment.status": () => "attached",
        "availability-zone": ({ zone }) => zone,
        description: () => "",
        "group-id": ({ groups }) => groups.map(({ id }) => id),
        "group-name": ({ groups }) => groups.map(({ spec }) => spec.name),
        "interface-type": () => "interface",
        "network-interface-id": ({ networkInterfaceId }) => networkInterfaceId,
        "owner-id": () => request.accountId,
        "private-dns-name": privateDnsName,
        "private-ip-address": ({ instance }) => instance.address,
        "requester-id": () => undefined,
        "requester-managed": () => false,
        status: () => "in-use",
        "subnet-id": ({ subnetId }) => subnetId,
        "vpc-id": ({ vpcId }) => vpcId,
      },
    },
  );
  return { NetworkInterfaces: items.map((node) => shape(node, request)), NextToken };
}
