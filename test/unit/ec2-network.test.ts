import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as ec2 from "@aws-sdk/client-ec2";
import { ec2Handlers } from "../../src/api/ec2/handlers.ts";
import constraints from "../../src/aws/constraints/ec2.json" with { type: "json" };
import { ec2World, type Ec2World } from "./ec2-world.ts";

let world: Ec2World;
/** The default VPC and what is in it. */
let vpc: string;
let subnet: string;
let defaultGroup: string;
let gateway: string;
before(async () => {
  world = await ec2World();
  const subnets = (await world.ec2.send(new ec2.DescribeSubnetsCommand({}))).Subnets!;
  [vpc, subnet] = [subnets[0]!.VpcId!, subnets[0]!.SubnetId!];
  defaultGroup = (await world.ec2.send(new ec2.DescribeSecurityGroupsCommand({ GroupNames: ["default"] }))).SecurityGroups![0]!.GroupId!;
  gateway = (await world.ec2.send(new ec2.DescribeInternetGatewaysCommand({}))).InternetGateways![0]!.InternetGatewayId!;
});
after(async () => {
  await world.close();
  assert.deepEqual(world.faults, []);
});

type Sent = Parameters<Ec2World["ec2"]["send"]>[0];
async function refusal(command: object, client = world.ec2): Promise<[string, string, number | undefined]> {
  try {
    await client.send(command as Sent);
  } catch (error) {
    const { name, message, $metadata } = error as ec2.EC2ServiceException;
    return [name, message, $metadata.httpStatusCode];
  }
  return ["", "it was not refused", 200];
}

const tcp = (port: number, CidrIp = "10.0.0.0/8") => ({ IpProtocol: "tcp", FromPort: port, ToPort: port, IpRanges: [{ CidrIp }] });
const ingress = (...IpPermissions: ec2.IpPermission[]) =>
  new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId: defaultGroup, IpPermissions });
const nowhere = "0123456789abcdef0";

const refusals: [string, () => object, string, RegExp][] = [
  [
    "a block that is none",
    () => new ec2.CreateVpcCommand({ CidrBlock: "10.0.0.0" }),
    "InvalidParameterValue",
    /\(10\.0\.0\.0\).*cidrBlock/,
  ],
  [
    "a VPC that is too large",
    () => new ec2.CreateVpcCommand({ CidrBlock: "10.0.0.0/8" }),
    "InvalidVpc.Range",
    /'10\.0\.0\.0\/8' is invalid/,
  ],
  ["no block", () => new ec2.CreateVpcCommand({}), "MissingParameter", /cidrBlock/],
  [
    "IPv6, which is not there",
    () => new ec2.CreateVpcCommand({ CidrBlock: "10.0.0.0/16", AmazonProvidedIpv6CidrBlock: true }),
    "UnsupportedOperation",
    /AmazonProvidedIpv6CidrBlock is not in Howdah/,
  ],
  [
    "a tenancy that is not there",
    () => new ec2.CreateVpcCommand({ CidrBlock: "10.0.0.0/16", InstanceTenancy: "dedicated" }),
    "InvalidParameterValue",
    /dedicated/,
  ],
  [
    "tags of another kind",
    () =>
      new ec2.CreateVpcCommand({
        CidrBlock: "10.0.0.0/16",
        TagSpecifications: [{ ResourceType: "subnet", Tags: [{ Key: "a", Value: "b" }] }],
      }),
    "InvalidParameterValue",
    /'subnet' is not a valid taggable resource type/,
  ],
  ["a second default VPC", () => new ec2.CreateDefaultVpcCommand({}), "DefaultVpcAlreadyExists", /vpc-/],
  ["the end of a VPC that is in use", () => new ec2.DeleteVpcCommand({ VpcId: vpc }), "DependencyViolation", /has dependencies/],
  ["a VPC that is not there", () => new ec2.DeleteVpcCommand({ VpcId: `vpc-${nowhere}` }), "InvalidVpcID.NotFound", /The vpc ID 'vpc-0123/],
  [
    "several of them",
    () => new ec2.DescribeVpcsCommand({ VpcIds: ["vpc-1", vpc, "vpc-2"] }),
    "InvalidVpcID.NotFound",
    /The vpc IDs 'vpc-1, vpc-2' do not exist/,
  ],
  [
    "a subnet outside its VPC",
    () => new ec2.CreateSubnetCommand({ VpcId: vpc, CidrBlock: "10.0.0.0/24" }),
    "InvalidSubnet.Range",
    /10\.0\.0\.0\/24/,
  ],
  [
    "a subnet in another",
    () => new ec2.CreateSubnetCommand({ VpcId: vpc, CidrBlock: "172.31.16.0/24" }),
    "InvalidSubnet.Conflict",
    /conflicts with another subnet/,
  ],
  [
    "a zone of elsewhere",
    () => new ec2.CreateSubnetCommand({ VpcId: vpc, CidrBlock: "172.31.64.0/24", AvailabilityZone: "eu-west-1a" }),
    "InvalidParameterValue",
    /\(eu-west-1a\).*us-east-1a, us-east-1b, us-east-1c/,
  ],
  [
    "a default subnet where there is one",
    () => new ec2.CreateDefaultSubnetCommand({ AvailabilityZone: "us-east-1a" }),
    "DefaultSubnetAlreadyExistsInAvailabilityZone",
    /us-east-1a/,
  ],
  [
    "a route of the same block",
    async () => {
      const { RouteTables } = await world.ec2.send(new ec2.DescribeRouteTablesCommand({}));
      return new ec2.CreateRouteCommand({
        RouteTableId: RouteTables![0]!.RouteTableId,
        DestinationCidrBlock: "0.0.0.0/0",
        GatewayId: gateway,
      });
    },
    "RouteAlreadyExists",
    /0\.0\.0\.0\/0 already exists/,
  ],
  [
    "a second gateway of a VPC",
    () => new ec2.AttachInternetGatewayCommand({ InternetGatewayId: gateway, VpcId: vpc }),
    "Resource.AlreadyAssociated",
    /already attached/,
  ],
  [
    "a group without a description",
    () => new ec2.CreateSecurityGroupCommand({ GroupName: "g", Description: "" }),
    "MissingParameter",
    /groupDescription/,
  ],
  [
    "the name default",
    () => new ec2.CreateSecurityGroupCommand({ GroupName: "default", Description: "d" }),
    "InvalidGroup.Reserved",
    /default/,
  ],
  [
    "a name that looks like an id",
    () => new ec2.CreateSecurityGroupCommand({ GroupName: "sg-x", Description: "d" }),
    "InvalidParameterValue",
    /sg-\*/,
  ],
  [
    "the end of a default group",
    () => new ec2.DeleteSecurityGroupCommand({ GroupName: "default" }),
    "CannotDelete",
    /cannot be deleted by a user/,
  ],
  [
    "an id that cannot be one",
    () => new ec2.DescribeSecurityGroupsCommand({ GroupIds: ["sg-x"] }),
    "InvalidGroupId.Malformed",
    /Invalid id: "sg-x"/,
  ],
  [
    "a name that no group has",
    () => new ec2.DescribeSecurityGroupsCommand({ GroupNames: ["no"] }),
    "InvalidGroup.NotFound",
    /'no' does not exist in default VPC 'vpc-/,
  ],
  ["a rule for no one", () => ingress({ IpProtocol: "tcp", FromPort: 1, ToPort: 1 }), "MissingParameter", /ipRanges/],
  [
    "a rule without ports",
    () => ingress({ IpProtocol: "tcp", IpRanges: [{ CidrIp: "0.0.0.0/0" }] }),
    "InvalidParameterValue",
    /Must specify both from and to ports/,
  ],
  ["ports the wrong way round", () => ingress({ ...tcp(9), ToPort: 8 }), "InvalidParameterValue", /'9-8' for portRange/],
  ["a port that is none", () => ingress(tcp(65_536)), "InvalidParameterValue", /'65536' for portRange/],
  ["a protocol that is none", () => ingress({ ...tcp(1), IpProtocol: "http" }), "InvalidParameterValue", /'http' for IP protocol/],
  ["a source that is none", () => ingress(tcp(1, "all")), "InvalidParameterValue", /CIDR block all is malformed/],
  [
    "a source group that is not there",
    () => ingress({ IpProtocol: "-1", UserIdGroupPairs: [{ GroupId: `sg-${nowhere}` }] }),
    "InvalidGroup.NotFound",
    /sg-0123/,
  ],
  [
    "a prefix list",
    () => ingress({ IpProtocol: "-1", PrefixListIds: [{ PrefixListId: "pl-1" }] }),
    "UnsupportedOperation",
    /prefix lists are not in Howdah/,
  ],
  [
    "a rule twice in a request",
    () => ingress(tcp(7), tcp(7)),
    "InvalidPermission.Duplicate",
    /peer: 10\.0\.0\.0\/8, TCP, from port: 7, to port: 7, ALLOW/,
  ],
  ["too many rules", () => ingress(...Array.from({ length: 60 }, (_, n) => tcp(100 + n))), "RulesPerSecurityGroupLimitExceeded", /60 in/],
  [
    "a tag of AWS's own",
    () => new ec2.CreateTagsCommand({ Resources: [vpc], Tags: [{ Key: "aws:x", Value: "y" }] }),
    "InvalidParameterValue",
    /reserved for internal use/,
  ],
  [
    "more tags than fifty",
    () => new ec2.CreateTagsCommand({ Resources: [vpc], Tags: Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: "" })) }),
    "TagLimitExceeded",
    /50/,
  ],
  [
    "a tag on nothing",
    () => new ec2.CreateTagsCommand({ Resources: [vpc, "vpc-1"], Tags: [{ Key: "k", Value: "v" }] }),
    "InvalidVpcID.NotFound",
    /vpc-1/,
  ],
  [
    "a tag on what is no id",
    () => new ec2.CreateTagsCommand({ Resources: ["nothing"], Tags: [{ Key: "k", Value: "v" }] }),
    "InvalidID",
    /nothing/,
  ],
  [
    "a filter that is not there",
    () => new ec2.DescribeSubnetsCommand({ Filters: [{ Name: "mood", Values: ["good"] }] }),
    "InvalidParameterValue",
    /'mood' is invalid/,
  ],
  ["a page that is too small", () => new ec2.DescribeSubnetsCommand({ MaxResults: 4 }), "InvalidParameterValue", /\(4\).*MaxResults/],
  [
    "a zone that is not there",
    () => new ec2.DescribeAvailabilityZonesCommand({ ZoneNames: ["us-east-1z"] }),
    "InvalidParameterValue",
    /us-east-1z/,
  ],
  [
    "an attribute that is not there",
    () => new ec2.DescribeAccountAttributesCommand({ AttributeNames: ["max-elastic-ips" as never] }),
    "InvalidParameterValue",
    /max-elastic-ips/,
  ],
  [
    "an operation that is not there",
    () => new ec2.CreateNatGatewayCommand({ SubnetId: subnet }),
    "UnsupportedOperation",
    /CreateNatGateway is not there yet/,
  ],
];

async function everything(): Promise<string> {
  const { db } = world.h.store;
  return JSON.stringify([
    await db.selectFrom("ec2_resources").selectAll().execute(),
    await db.selectFrom("ec2_tags").selectAll().execute(),
  ]);
}

describe("EC2 refuses, in its own words, and changes nothing", () => {
  for (const [what, command, name, message] of refusals)
    test(what, async () => {
      const before = await everything();
      const [code, text, status] = await refusal(await command());
      assert.deepEqual([code, status], [name, 400], text);
      assert.match(text, message);
      assert.equal(await everything(), before);
    });

  test("what is only tried", async () => {
    const before = await everything();
    assert.deepEqual(await refusal(new ec2.CreateVpcCommand({ CidrBlock: "10.0.0.0/16", DryRun: true })), [
      "DryRunOperation",
      "Request would have succeeded, but DryRun flag is set.",
      412,
    ]);
    assert.equal(await everything(), before);
    const elsewhere = world.client(undefined, "eu-north-1");
    await refusal(new ec2.DescribeVpcsCommand({ DryRun: true }), elsewhere);
    assert.equal(await everything(), before, "not even a default VPC is made");
  });
});

describe("EC2", () => {
  test("accounts and regions are kept apart, each with a default VPC of its own", async () => {
    const clients = [
      world.ec2,
      world.client(undefined, "eu-west-1"),
      world.client("222222222222"),
      world.client("222222222222", "eu-west-1"),
    ];
    const ids = new Set<string>();
    for (const client of clients) {
      const { Vpcs } = await client.send(new ec2.DescribeVpcsCommand({}));
      assert.equal(Vpcs?.length, 1);
      ids.add(Vpcs[0]!.VpcId!);
      const { Subnets } = await client.send(new ec2.DescribeSubnetsCommand({}));
      assert.deepEqual(new Set(Subnets?.map(({ VpcId }) => VpcId)), new Set([Vpcs[0]!.VpcId]));
    }
    assert.equal(ids.size, 4);
    for (const command of [
      new ec2.DescribeVpcsCommand({ VpcIds: [vpc] }),
      new ec2.DeleteVpcCommand({ VpcId: vpc }),
      new ec2.CreateTagsCommand({ Resources: [vpc], Tags: [{ Key: "a", Value: "b" }] }),
    ])
      assert.equal((await refusal(command, clients[2]))[0], "InvalidVpcID.NotFound");
    assert.equal((await refusal(new ec2.DeleteSubnetCommand({ SubnetId: subnet }), clients[1]))[0], "InvalidSubnetID.NotFound");
  });

  test("a default VPC that was deleted does not come back by itself, but when it is asked for", async () => {
    const client = world.client("333333333333");
    const { Subnets } = await client.send(new ec2.DescribeSubnetsCommand({}));
    const VpcId = Subnets![0]!.VpcId!;
    for (const { SubnetId } of Subnets!) await client.send(new ec2.DeleteSubnetCommand({ SubnetId }));
    const InternetGatewayId = (await client.send(new ec2.DescribeInternetGatewaysCommand({}))).InternetGateways![0]!.InternetGatewayId!;
    await client.send(new ec2.DetachInternetGatewayCommand({ InternetGatewayId, VpcId }));
    const { RouteTables } = await client.send(
      new ec2.DescribeRouteTablesCommand({ Filters: [{ Name: "route.state", Values: ["blackhole"] }] }),
    );
    assert.equal(RouteTables?.length, 1, "its route leads nowhere now");
    await client.send(new ec2.DeleteInternetGatewayCommand({ InternetGatewayId }));
    await client.send(new ec2.DeleteVpcCommand({ VpcId }));
    assert.deepEqual((await client.send(new ec2.DescribeVpcsCommand({}))).Vpcs, []);
    const account = await client.send(new ec2.DescribeAccountAttributesCommand({ AttributeNames: ["default-vpc"] }));
    assert.equal(account.AccountAttributes?.[0]?.AttributeValues?.[0]?.AttributeValue, "none");
    assert.equal((await refusal(new ec2.CreateSecurityGroupCommand({ GroupName: "g", Description: "d" }), client))[0], "VPCIdNotSpecified");
    const made = (await client.send(new ec2.CreateDefaultVpcCommand({}))).Vpc;
    assert.equal(made?.IsDefault, true);
    assert.equal((await client.send(new ec2.DescribeSubnetsCommand({}))).Subnets?.length, 3);
  });

  test("a main route table is another one's, once it is replaced", async () => {
    const client = world.client("444444444444");
    const main = (await client.send(new ec2.DescribeRouteTablesCommand({}))).RouteTables![0]!;
    const { RouteTable } = await client.send(new ec2.CreateRouteTableCommand({ VpcId: main.VpcId }));
    await client.send(
      new ec2.ReplaceRouteTableAssociationCommand({
        AssociationId: main.Associations![0]!.RouteTableAssociationId,
        RouteTableId: RouteTable!.RouteTableId,
      }),
    );
    const { RouteTables } = await client.send(
      new ec2.DescribeRouteTablesCommand({ Filters: [{ Name: "association.main", Values: ["true"] }] }),
    );
    assert.deepEqual(
      RouteTables?.map(({ RouteTableId }) => RouteTableId),
      [RouteTable!.RouteTableId],
    );
    await client.send(new ec2.DeleteRouteTableCommand({ RouteTableId: main.RouteTableId }));
  });

  test("rules are taken away by what they say or by their ids, changed, and described", async () => {
    const client = world.client("555555555555");
    const { GroupId } = await client.send(new ec2.CreateSecurityGroupCommand({ GroupName: "g", Description: "d" }));
    const made = await client.send(
      new ec2.AuthorizeSecurityGroupIngressCommand({
        GroupId,
        IpPermissions: [
          tcp(22, "10.0.0.9/8"),
          { ...tcp(443), Ipv6Ranges: [{ CidrIpv6: "2001:DB8::/32" }] },
          { ...tcp(0), IpProtocol: "50" },
        ],
        TagSpecifications: [{ ResourceType: "security-group-rule", Tags: [{ Key: "Name", Value: "r" }] }],
      }),
    );
    assert.deepEqual(
      made.SecurityGroupRules?.map((rule) => [rule.IpProtocol, rule.FromPort, rule.ToPort, rule.CidrIpv4 ?? rule.CidrIpv6]),
      [
        ["tcp", 22, 22, "10.0.0.0/8"],
        ["tcp", 443, 443, "10.0.0.0/8"],
        ["tcp", 443, 443, "2001:db8::/32"],
        ["50", -1, -1, "10.0.0.0/8"],
      ],
    );
    const rules = async () => {
      const Filters = [
        { Name: "group-id", Values: [GroupId!] },
        { Name: "tag:Name", Values: ["r"] },
      ];
      return (await client.send(new ec2.DescribeSecurityGroupRulesCommand({ Filters }))).SecurityGroupRules!;
    };
    assert.equal((await rules()).length, 4);
    await client.send(
      new ec2.ModifySecurityGroupRulesCommand({
        GroupId,
        SecurityGroupRules: [
          {
            SecurityGroupRuleId: made.SecurityGroupRules![0]!.SecurityGroupRuleId,
            SecurityGroupRule: { IpProtocol: "tcp", FromPort: 8088, ToPort: 8088, ReferencedGroupId: GroupId, Description: "YARN" },
          },
        ],
      }),
    );
    const id = made.SecurityGroupRules![0]!.SecurityGroupRuleId!;
    const theRule = async () => (await rules()).find(({ SecurityGroupRuleId }) => SecurityGroupRuleId === id);
    const changed = await theRule();
    assert.deepEqual(
      [changed?.FromPort, changed?.ReferencedGroupInfo?.GroupId, changed?.Description, changed?.CidrIpv4],
      [8088, GroupId, "YARN", undefined],
    );
    await client.send(
      new ec2.UpdateSecurityGroupRuleDescriptionsIngressCommand({
        GroupId,
        SecurityGroupRuleDescriptions: [{ SecurityGroupRuleId: changed!.SecurityGroupRuleId, Description: "pages" }],
      }),
    );
    assert.equal((await theRule())?.Description, "pages");
    await client.send(new ec2.RevokeSecurityGroupIngressCommand({ GroupId, SecurityGroupRuleIds: [changed!.SecurityGroupRuleId!] }));
    await client.send(new ec2.RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions: [tcp(443)] }));
    assert.deepEqual((await rules()).map((rule) => rule.CidrIpv6 ?? rule.IpProtocol).toSorted(), ["2001:db8::/32", "50"]);
    // The older spelling, of a rule that is not there: in the default VPC EC2 only tells of it.
    const told = await client.send(
      new ec2.RevokeSecurityGroupIngressCommand({ GroupName: "g", IpProtocol: "tcp", FromPort: 5, ToPort: 5, CidrIp: "10.0.0.0/8" }),
    );
    assert.equal(told.UnknownIpPermissions?.[0]?.FromPort, 5);
    const { Vpc } = await client.send(new ec2.CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
    const other = await client.send(new ec2.CreateSecurityGroupCommand({ GroupName: "g", Description: "d", VpcId: Vpc?.VpcId }));
    const [code] = await refusal(new ec2.RevokeSecurityGroupIngressCommand({ GroupId: other.GroupId, IpPermissions: [tcp(5)] }), client);
    assert.equal(code, "InvalidPermission.NotFound");
    const [twin] = await refusal(new ec2.CreateSecurityGroupCommand({ GroupName: "g", Description: "d", VpcId: Vpc?.VpcId }), client);
    assert.equal(twin, "InvalidGroup.Duplicate");
  });

  test("a rule that goes out is described anew, by its id or by what it says; ingress is another list", async () => {
    const client = world.client("777777777777");
    const { GroupId } = await client.send(new ec2.CreateSecurityGroupCommand({ GroupName: "g", Description: "d" }));
    const rules = async () => {
      const Filters = [{ Name: "group-id", Values: [GroupId!] }];
      return (await client.send(new ec2.DescribeSecurityGroupRulesCommand({ Filters }))).SecurityGroupRules!;
    };
    // What every group begins with.
    const [all] = await rules();
    const describe = (change: object) => new ec2.UpdateSecurityGroupRuleDescriptionsEgressCommand({ GroupId, ...change });
    const SecurityGroupRuleDescriptions = [{ SecurityGroupRuleId: all!.SecurityGroupRuleId, Description: "out" }];
    assert.equal((await client.send(describe({ SecurityGroupRuleDescriptions }))).Return, true);
    assert.deepEqual(
      (await rules()).map((rule) => [rule.IsEgress, rule.Description]),
      [[true, "out"]],
    );
    const IpPermissions = [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0", Description: "everywhere" }] }];
    await client.send(describe({ IpPermissions }));
    assert.equal((await rules())[0]?.Description, "everywhere");
    assert.equal((await refusal(describe({ IpPermissions: [tcp(5)] }), client))[0], "InvalidPermission.NotFound");
    const ingress = new ec2.UpdateSecurityGroupRuleDescriptionsIngressCommand({ GroupId, SecurityGroupRuleDescriptions });
    assert.equal((await refusal(ingress, client))[0], "InvalidSecurityGroupRuleId.NotFound");
  });

  test("a route is replaced where it is there; a VPC's DHCP options are the region's own", async () => {
    const client = world.client("888888888888");
    const { Vpc } = await client.send(new ec2.CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
    const { RouteTable } = await client.send(new ec2.CreateRouteTableCommand({ VpcId: Vpc?.VpcId }));
    const attach = async () => {
      const { InternetGateway } = await client.send(new ec2.CreateInternetGatewayCommand({}));
      await client.send(new ec2.AttachInternetGatewayCommand({ VpcId: Vpc?.VpcId, InternetGatewayId: InternetGateway?.InternetGatewayId }));
      return InternetGateway?.InternetGatewayId;
    };
    const GatewayId = await attach();
    const { RouteTableId } = RouteTable!;
    const route = { RouteTableId, DestinationCidrBlock: "0.0.0.0/0", GatewayId };
    assert.equal((await refusal(new ec2.ReplaceRouteCommand(route), client))[0], "InvalidRoute.NotFound");
    await client.send(new ec2.CreateRouteCommand(route));
    await client.send(new ec2.ReplaceRouteCommand(route));
    const { RouteTables } = await client.send(new ec2.DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId!] }));
    assert.deepEqual(
      RouteTables?.[0]?.Routes?.map((one) => [one.DestinationCidrBlock, one.GatewayId]),
      [
        ["10.0.0.0/16", "local"],
        ["0.0.0.0/0", GatewayId],
      ],
    );
    const unknown = new ec2.ReplaceRouteCommand({ ...route, GatewayId: `igw-${nowhere}` });
    assert.equal((await refusal(unknown, client))[0], "InvalidInternetGatewayID.NotFound");

    const { DhcpOptions } = await client.send(new ec2.DescribeDhcpOptionsCommand({ DhcpOptionsIds: [Vpc!.DhcpOptionsId!] }));
    assert.deepEqual(
      DhcpOptions?.[0]?.DhcpConfigurations?.map(({ Key, Values }) => [Key, Values?.map(({ Value }) => Value)]),
      [
        ["domain-name", ["ec2.internal"]],
        ["domain-name-servers", ["AmazonProvidedDNS"]],
      ],
    );
    const none = new ec2.DescribeDhcpOptionsCommand({ DhcpOptionsIds: [`dopt-${nowhere}`] });
    assert.equal((await refusal(none, client))[0], "InvalidDhcpOptionID.NotFound");
  });

  test("a group that another's rule names stays until the rule is gone", async () => {
    const client = world.client("666666666666");
    const make = async (GroupName: string) =>
      (await client.send(new ec2.CreateSecurityGroupCommand({ GroupName, Description: "d" }))).GroupId!;
    const [a, b] = [await make("a"), await make("b")];
    const IpPermissions = [{ IpProtocol: "-1", UserIdGroupPairs: [{ GroupId: b }] }];
    await client.send(new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId: a, IpPermissions }));
    const named = await client.send(
      new ec2.DescribeSecurityGroupsCommand({ Filters: [{ Name: "ip-permission.group-name", Values: ["b"] }] }),
    );
    assert.deepEqual(
      named.SecurityGroups?.map(({ GroupName }) => GroupName),
      ["a"],
    );
    assert.equal((await refusal(new ec2.DeleteSecurityGroupCommand({ GroupId: b }), client))[0], "DependencyViolation");
    await client.send(new ec2.RevokeSecurityGroupIngressCommand({ GroupId: a, IpPermissions }));
    await client.send(new ec2.DeleteSecurityGroupCommand({ GroupId: b }));
  });

  test("regions, their zones, and pages of what is in one", async () => {
    const { Regions } = await world.ec2.send(new ec2.DescribeRegionsCommand({ Filters: [{ Name: "region-name", Values: ["eu-*-1"] }] }));
    assert.deepEqual(
      Regions?.map(({ RegionName }) => RegionName),
      ["eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1"],
    );
    const zones = await world.client("777777777777", "ap-northeast-1").send(new ec2.DescribeAvailabilityZonesCommand({}));
    assert.deepEqual(
      zones.AvailabilityZones?.map(({ ZoneName, ZoneId }) => [ZoneName, ZoneId]),
      ["a", "b", "c"].map((letter, index) => [`ap-northeast-1${letter}`, `apne1-az${index + 1}`]),
    );
    const { Vpc } = await world.ec2.send(new ec2.CreateVpcCommand({ CidrBlock: "10.9.0.0/16" }));
    const made: string[] = [];
    for (let n = 0; n < 12; n++) {
      const command = new ec2.CreateSubnetCommand({ VpcId: Vpc?.VpcId, CidrBlock: `10.9.${n}.0/24` });
      made.push((await world.ec2.send(command)).Subnet!.SubnetId!);
    }
    const seen: (string | undefined)[] = [];
    const Filters = [{ Name: "vpc-id", Values: [Vpc!.VpcId!] }];
    for await (const page of ec2.paginateDescribeSubnets({ client: world.ec2, pageSize: 5 }, { Filters }))
      seen.push(...(page.Subnets ?? []).map(({ SubnetId }) => SubnetId));
    assert.deepEqual(seen, made);
  });

  test("of every operation that is built, the constraints are there", () => {
    for (const name of Object.keys(ec2Handlers({} as never)))
      assert.ok(constraints.operations.includes(name), `${name}: name its resource in tools/generate-constraints.py, and run it`);
  });
});
