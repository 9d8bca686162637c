/** The calls that Terraform's AWS provider makes, in its order, for the network that an EMR cluster is put in. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as ec2 from "@aws-sdk/client-ec2";
import { ec2World, type Ec2World } from "./ec2-world.ts";

let world: Ec2World;
before(async () => {
  world = await ec2World();
});
after(() => world.close());

const named = (ResourceType: ec2.ResourceType, Name: string) => [{ ResourceType, Tags: [{ Key: "Name", Value: Name }] }];
const is = (Name: string, ...Values: string[]) => ({ Name, Values });
const fails = (name: string) => (error: Error) => {
  assert.equal(error.name, name, error.message);
  return true;
};

test("data sources: the default VPC, its subnets, the zones", async () => {
  const { ec2: client } = world;
  const { Vpcs } = await client.send(new ec2.DescribeVpcsCommand({ Filters: [is("isDefault", "true")] }));
  assert.equal(Vpcs?.length, 1);
  const { VpcId, CidrBlock } = Vpcs[0]!;
  assert.equal(CidrBlock, "172.31.0.0/16");
  const { EnableDnsHostnames } = await client.send(new ec2.DescribeVpcAttributeCommand({ VpcId, Attribute: "enableDnsHostnames" }));
  assert.deepEqual(EnableDnsHostnames, { Value: true });
  const main = await client.send(new ec2.DescribeRouteTablesCommand({ Filters: [is("association.main", "true"), is("vpc-id", VpcId!)] }));
  assert.deepEqual(
    main.RouteTables?.[0]?.Routes?.map(({ DestinationCidrBlock, GatewayId, State }) => [
      DestinationCidrBlock,
      GatewayId?.slice(0, 4),
      State,
    ]),
    [
      ["172.31.0.0/16", "loca", "active"],
      ["0.0.0.0/0", "igw-", "active"],
    ],
  );
  const { Subnets } = await client.send(new ec2.DescribeSubnetsCommand({ Filters: [is("vpc-id", VpcId!)] }));
  assert.deepEqual(
    Subnets?.map((subnet) => [subnet.AvailabilityZone, subnet.AvailabilityZoneId, subnet.CidrBlock, subnet.DefaultForAz]),
    [
      ["us-east-1a", "use1-az1", "172.31.0.0/20", true],
      ["us-east-1b", "use1-az2", "172.31.16.0/20", true],
      ["us-east-1c", "use1-az3", "172.31.32.0/20", true],
    ],
  );
  assert.equal(Subnets?.[0]?.AvailableIpAddressCount, 4091);
  const zones = await client.send(
    new ec2.DescribeAvailabilityZonesCommand({ AllAvailabilityZones: false, Filters: [is("opt-in-status", "opt-in-not-required")] }),
  );
  assert.deepEqual(
    zones.AvailabilityZones?.map(({ ZoneName, State }) => [ZoneName, State]),
    [
      ["us-east-1a", "available"],
      ["us-east-1b", "available"],
      ["us-east-1c", "available"],
    ],
  );
  const again = await client.send(new ec2.DescribeVpcsCommand({ Filters: [is("is-default", "true")] }));
  assert.equal(again.Vpcs?.[0]?.VpcId, VpcId, "its id stays");
});

test("aws_vpc, aws_subnet, aws_internet_gateway, aws_route_table, aws_security_group, aws_key_pair: create, read, delete", async () => {
  const { ec2: client } = world;

  // aws_vpc
  const vpc = await client.send(
    new ec2.CreateVpcCommand({ CidrBlock: "10.20.0.0/16", InstanceTenancy: "default", TagSpecifications: named("vpc", "emr") }),
  );
  const VpcId = vpc.Vpc!.VpcId!;
  const read = await client.send(new ec2.DescribeVpcsCommand({ VpcIds: [VpcId] }));
  assert.equal(read.Vpcs?.[0]?.State, "available");
  assert.deepEqual(read.Vpcs?.[0]?.Tags, [{ Key: "Name", Value: "emr" }]);
  await client.send(new ec2.ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: true } }));
  for (const Attribute of ["enableDnsHostnames", "enableDnsSupport", "enableNetworkAddressUsageMetrics"] as const) {
    const answer = await client.send(new ec2.DescribeVpcAttributeCommand({ VpcId, Attribute }));
    const value = answer.EnableDnsHostnames ?? answer.EnableDnsSupport ?? answer.EnableNetworkAddressUsageMetrics;
    assert.equal(value?.Value, Attribute !== "enableNetworkAddressUsageMetrics", Attribute);
  }
  const acls = await client.send(new ec2.DescribeNetworkAclsCommand({ Filters: [is("default", "true"), is("vpc-id", VpcId)] }));
  assert.equal(acls.NetworkAcls?.length, 1);
  const mains = await client.send(new ec2.DescribeRouteTablesCommand({ Filters: [is("association.main", "true"), is("vpc-id", VpcId)] }));
  assert.equal(mains.RouteTables?.length, 1);
  const defaults = await client.send(
    new ec2.DescribeSecurityGroupsCommand({ Filters: [is("group-name", "default"), is("vpc-id", VpcId)] }),
  );
  const defaultGroup = defaults.SecurityGroups?.[0];
  assert.deepEqual(defaultGroup?.IpPermissions?.[0]?.UserIdGroupPairs, [{ GroupId: defaultGroup?.GroupId, UserId: "123456789012" }]);

  // aws_subnet
  const subnet = await client.send(
    new ec2.CreateSubnetCommand({
      VpcId,
      CidrBlock: "10.20.1.0/24",
      AvailabilityZone: "us-east-1b",
      TagSpecifications: named("subnet", "emr-b"),
    }),
  );
  const SubnetId = subnet.Subnet!.SubnetId!;
  await client.send(new ec2.ModifySubnetAttributeCommand({ SubnetId, MapPublicIpOnLaunch: { Value: true } }));
  const readSubnet = (await client.send(new ec2.DescribeSubnetsCommand({ SubnetIds: [SubnetId] }))).Subnets?.[0];
  assert.deepEqual(
    [readSubnet?.VpcId, readSubnet?.CidrBlock, readSubnet?.AvailabilityZone, readSubnet?.MapPublicIpOnLaunch, readSubnet?.State],
    [VpcId, "10.20.1.0/24", "us-east-1b", true, "available"],
  );

  // aws_internet_gateway, aws_route_table, aws_route, aws_route_table_association
  const gateway = await client.send(new ec2.CreateInternetGatewayCommand({ TagSpecifications: named("internet-gateway", "emr") }));
  const InternetGatewayId = gateway.InternetGateway!.InternetGatewayId!;
  await client.send(new ec2.AttachInternetGatewayCommand({ InternetGatewayId, VpcId }));
  const attached = await client.send(new ec2.DescribeInternetGatewaysCommand({ InternetGatewayIds: [InternetGatewayId] }));
  assert.deepEqual(attached.InternetGateways?.[0]?.Attachments, [{ State: "available", VpcId }]);
  const table = await client.send(new ec2.CreateRouteTableCommand({ VpcId, ClientToken: "terraform-1" }));
  const RouteTableId = table.RouteTable!.RouteTableId!;
  const route = { RouteTableId, DestinationCidrBlock: "0.0.0.0/0" };
  assert.equal((await client.send(new ec2.CreateRouteCommand({ ...route, GatewayId: InternetGatewayId }))).Return, true);
  const { AssociationId } = await client.send(new ec2.AssociateRouteTableCommand({ RouteTableId, SubnetId }));
  const associated = await client.send(
    new ec2.DescribeRouteTablesCommand({ Filters: [is("association.route-table-association-id", AssociationId!)] }),
  );
  assert.deepEqual(
    associated.RouteTables?.map((found) => found.RouteTableId),
    [RouteTableId],
  );

  // aws_security_group: the provider takes away the rule that lets everything out, and writes its own.
  const group = await client.send(
    new ec2.CreateSecurityGroupCommand({
      GroupName: "emr-ssh",
      Description: "Managed by Terraform",
      VpcId,
      TagSpecifications: named("security-group", "emr-ssh"),
    }),
  );
  const GroupId = group.GroupId!;
  const everything = { IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] };
  await client.send(new ec2.RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: [everything] }));
  await client.send(
    new ec2.AuthorizeSecurityGroupIngressCommand({
      GroupId,
      IpPermissions: [
        { IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "192.0.2.0/24", Description: "office" }] },
        { IpProtocol: "-1", UserIdGroupPairs: [{ GroupId }] },
      ],
    }),
  );
  await client.send(new ec2.AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions: [everything] }));
  const readGroup = (await client.send(new ec2.DescribeSecurityGroupsCommand({ GroupIds: [GroupId] }))).SecurityGroups?.[0];
  const none = { IpRanges: [], Ipv6Ranges: [], PrefixListIds: [], UserIdGroupPairs: [] };
  assert.deepEqual(readGroup?.IpPermissions, [
    { ...none, IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "192.0.2.0/24", Description: "office" }] },
    { ...none, IpProtocol: "-1", UserIdGroupPairs: [{ GroupId, UserId: "123456789012" }] },
  ]);
  assert.deepEqual(readGroup?.IpPermissionsEgress, [{ ...none, ...everything }]);
  const ruleList = await client.send(new ec2.DescribeSecurityGroupRulesCommand({ Filters: [is("group-id", GroupId)] }));
  assert.equal(ruleList.SecurityGroupRules?.length, 3);

  // aws_key_pair
  const key = await client.send(
    new ec2.ImportKeyPairCommand({
      KeyName: "deployer",
      PublicKeyMaterial: Buffer.from("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl user@example"),
      TagSpecifications: named("key-pair", "deployer"),
    }),
  );
  const readKey = (await client.send(new ec2.DescribeKeyPairsCommand({ KeyNames: ["deployer"], IncludePublicKey: true }))).KeyPairs?.[0];
  assert.deepEqual([readKey?.KeyPairId, readKey?.KeyType, readKey?.KeyFingerprint], [key.KeyPairId, "ed25519", key.KeyFingerprint]);

  // aws_ec2_tag, and a changed tag
  await client.send(new ec2.CreateTagsCommand({ Resources: [VpcId, SubnetId], Tags: [{ Key: "team", Value: "data" }] }));
  await client.send(new ec2.DeleteTagsCommand({ Resources: [VpcId], Tags: [{ Key: "Name", Value: "emr" }] }));
  const tags = await client.send(new ec2.DescribeTagsCommand({ Filters: [is("resource-id", VpcId)] }));
  assert.deepEqual(tags.Tags, [{ Key: "team", ResourceId: VpcId, ResourceType: "vpc", Value: "data" }]);

  // destroy: what others depend on stays until they are gone
  await assert.rejects(client.send(new ec2.DeleteVpcCommand({ VpcId })), fails("DependencyViolation"));
  await assert.rejects(client.send(new ec2.DeleteRouteTableCommand({ RouteTableId })), fails("DependencyViolation"));
  await assert.rejects(client.send(new ec2.DeleteInternetGatewayCommand({ InternetGatewayId })), fails("DependencyViolation"));
  await client.send(new ec2.DeleteKeyPairCommand({ KeyName: "deployer" }));
  await assert.rejects(client.send(new ec2.DescribeKeyPairsCommand({ KeyNames: ["deployer"] })), fails("InvalidKeyPair.NotFound"));
  await client.send(new ec2.DeleteSecurityGroupCommand({ GroupId }));
  await assert.rejects(client.send(new ec2.DescribeSecurityGroupsCommand({ GroupIds: [GroupId] })), fails("InvalidGroup.NotFound"));
  await client.send(new ec2.DisassociateRouteTableCommand({ AssociationId }));
  await client.send(new ec2.DeleteRouteCommand(route));
  await client.send(new ec2.DeleteRouteTableCommand({ RouteTableId }));
  await assert.rejects(
    client.send(new ec2.DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId] })),
    fails("InvalidRouteTableID.NotFound"),
  );
  await client.send(new ec2.DetachInternetGatewayCommand({ InternetGatewayId, VpcId }));
  await client.send(new ec2.DeleteInternetGatewayCommand({ InternetGatewayId }));
  await client.send(new ec2.DeleteSubnetCommand({ SubnetId }));
  await assert.rejects(client.send(new ec2.DescribeSubnetsCommand({ SubnetIds: [SubnetId] })), fails("InvalidSubnetID.NotFound"));
  await client.send(new ec2.DeleteVpcCommand({ VpcId }));
  await assert.rejects(client.send(new ec2.DescribeVpcsCommand({ VpcIds: [VpcId] })), fails("InvalidVpcID.NotFound"));
  for (const Filters of [[is("vpc-id", VpcId)]]) {
    assert.deepEqual((await client.send(new ec2.DescribeSecurityGroupsCommand({ Filters }))).SecurityGroups, []);
    assert.deepEqual((await client.send(new ec2.DescribeNetworkAclsCommand({ Filters }))).NetworkAcls, []);
    assert.deepEqual((await client.send(new ec2.DescribeRouteTablesCommand({ Filters }))).RouteTables, []);
  }
  assert.deepEqual((await client.send(new ec2.DescribeTagsCommand({}))).Tags, []);
  assert.deepEqual(world.faults, []);
});
