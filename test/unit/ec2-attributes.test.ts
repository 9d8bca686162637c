/** Where RunJobFlow puts a cluster: what it names must be there, and what it does not name is found or made. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as ec2 from "@aws-sdk/client-ec2";
import type { JobFlowInstancesConfig } from "@aws-sdk/client-emr";
import { eventsOf } from "../../src/store/events.ts";
import { create } from "./control-plane-harness.ts";
import { ec2World, type Ec2World } from "./ec2-world.ts";

let world: Ec2World;
/** Of the default VPC, in the order of the zones. */
let defaults: ec2.Subnet[];
/** Another VPC: its subnet, which has no way to the internet, and two groups. */
let vpc: string;
let lonely: string;
let groups: string[];
let defaultGroup: string;

const subnetsOf = async (VpcId: string) =>
  (await world.ec2.send(new ec2.DescribeSubnetsCommand({ Filters: [{ Name: "vpc-id", Values: [VpcId] }] }))).Subnets!;
const groupsOf = async (VpcId: string) =>
  (await world.ec2.send(new ec2.DescribeSecurityGroupsCommand({ Filters: [{ Name: "vpc-id", Values: [VpcId] }] }))).SecurityGroups!;

before(async () => {
  world = await ec2World();
  const { Vpcs } = await world.ec2.send(new ec2.DescribeVpcsCommand({}));
  defaults = await subnetsOf(Vpcs![0]!.VpcId!);
  defaultGroup = (await groupsOf(Vpcs![0]!.VpcId!))[0]!.GroupId!;
  vpc = (await world.ec2.send(new ec2.CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }))).Vpc!.VpcId!;
  const subnet = new ec2.CreateSubnetCommand({ VpcId: vpc, CidrBlock: "10.0.1.0/24", AvailabilityZone: "us-east-1c" });
  lonely = (await world.ec2.send(subnet)).Subnet!.SubnetId!;
  groups = [];
  for (const GroupName of ["a", "b", "c"])
    groups.push((await world.ec2.send(new ec2.CreateSecurityGroupCommand({ GroupName, Description: "d", VpcId: vpc }))).GroupId!);
  await world.ec2.send(new ec2.CreateKeyPairCommand({ KeyName: "mine", KeyType: "ed25519" }));
});
after(async () => {
  await world.close();
  assert.deepEqual(world.faults, []);
});

const base = { MasterInstanceType: "m5.xlarge", InstanceCount: 1, KeepJobFlowAliveWhenNoSteps: true };
async function run(Instances: Partial<JobFlowInstancesConfig>) {
  const id = await create(world.h, { Instances: { ...base, ...Instances } });
  const { Cluster } = await world.h.handlers.DescribeCluster!({ ClusterId: id }, world.h.request);
  return { id, attributes: Cluster!.Ec2InstanceAttributes! };
}

describe("RunJobFlow finds a place for what names none", () => {
  test("the default subnet of the region's first zone, with EMR's own security groups, made once", async () => {
    const first = await run({});
    assert.equal(first.attributes.Ec2SubnetId, defaults[0]!.SubnetId);
    assert.equal(first.attributes.Ec2AvailabilityZone, "us-east-1a");
    assert.deepEqual([first.attributes.RequestedEc2SubnetIds, first.attributes.RequestedEc2AvailabilityZones], [[], []]);
    const made = (await groupsOf(defaults[0]!.VpcId!)).filter(({ GroupName }) => GroupName?.startsWith("ElasticMapReduce"));
    assert.deepEqual(
      made.map(({ GroupName }) => GroupName),
      ["ElasticMapReduce-master", "ElasticMapReduce-slave"],
    );
    const [master, slave] = made.map(({ GroupId }) => GroupId);
    assert.deepEqual([first.attributes.EmrManagedMasterSecurityGroup, first.attributes.EmrManagedSlaveSecurityGroup], [master, slave]);
    for (const { IpPermissions } of made)
      assert.deepEqual(
        IpPermissions?.map((one) => [one.IpProtocol, one.FromPort, one.ToPort, one.UserIdGroupPairs?.map(({ GroupId }) => GroupId)]),
        [
          ["tcp", 0, 65_535, [master, slave]],
          ["udp", 0, 65_535, [master, slave]],
          ["icmp", -1, -1, [master, slave]],
        ],
      );
    const second = await run({});
    assert.deepEqual(second.attributes, first.attributes);
    assert.equal((await groupsOf(defaults[0]!.VpcId!)).length, 3);
  });

  test("the default subnet of the zone that is asked for", async () => {
    const { attributes, id } = await run({ Placement: { AvailabilityZone: "us-east-1b" } });
    assert.deepEqual([attributes.Ec2SubnetId, attributes.Ec2AvailabilityZone], [defaults[1]!.SubnetId, "us-east-1b"]);
    const one = await run({ Placement: { AvailabilityZone: undefined, AvailabilityZones: ["us-east-1c", "us-east-1a"] } });
    assert.equal(one.attributes.Ec2SubnetId, defaults[2]!.SubnetId);
    const Filters = [
      { Name: "subnet-id", Values: [defaults[1]!.SubnetId!] },
      { Name: "instance.group-name", Values: ["ElasticMapReduce-master"] },
    ];
    const { Reservations } = await world.ec2.send(new ec2.DescribeInstancesCommand({ Filters }));
    const [node] = Reservations!.flatMap(({ Instances }) => Instances!);
    assert.deepEqual(
      [node?.VpcId, node?.Placement?.AvailabilityZone, node?.Tags?.find(({ Key }) => Key?.endsWith("job-flow-id"))?.Value],
      [defaults[1]!.VpcId, "us-east-1b", id],
    );
  });

  test("in a private subnet EMR's groups for such, with service access", async () => {
    const { attributes } = await run({ Ec2SubnetId: lonely });
    assert.deepEqual([attributes.Ec2SubnetId, attributes.RequestedEc2SubnetIds], [lonely, [lonely]]);
    assert.equal(attributes.Ec2AvailabilityZone, "us-east-1c");
    const made = (await groupsOf(vpc)).filter(({ GroupName }) => GroupName?.startsWith("ElasticMapReduce"));
    const byName = Object.fromEntries(made.map((group) => [group.GroupName, group]));
    assert.deepEqual(
      [attributes.EmrManagedMasterSecurityGroup, attributes.EmrManagedSlaveSecurityGroup, attributes.ServiceAccessSecurityGroup],
      ["Master-Private", "Slave-Private", "ServiceAccess"].map((name) => byName[`ElasticMapReduce-${name}`]?.GroupId),
    );
    const service = byName["ElasticMapReduce-ServiceAccess"]!;
    assert.deepEqual([service.IpPermissions?.[0]?.FromPort, service.IpPermissionsEgress?.[0]?.FromPort], [9443, 8443]);
  });
});

test("names that are empty are none: so Terraform's provider sends what its user leaves out", async () => {
  const blank = { Ec2KeyName: "", EmrManagedMasterSecurityGroup: "", EmrManagedSlaveSecurityGroup: "", ServiceAccessSecurityGroup: "" };
  const { attributes, id } = await run({
    ...blank,
    Ec2SubnetIds: [],
    AdditionalMasterSecurityGroups: [""],
    AdditionalSlaveSecurityGroups: [""],
  });
  assert.deepEqual(attributes, (await run({})).attributes);
  const said = (await eventsOf(world.h.store.db, id)).filter(({ kind }) => kind === "warning").map(({ message }) => message);
  assert.ok(!said.join("; ").includes("Instances."), said.join("; "));
});

test("RunJobFlow takes what it names, and its nodes are in it", async () => {
  const [master, slave, extra] = groups as [string, string, string];
  const { attributes, id } = await run({
    MasterInstanceType: undefined,
    InstanceCount: undefined,
    InstanceGroups: [
      { InstanceRole: "MASTER", InstanceType: "m5.xlarge", InstanceCount: 1 },
      { InstanceRole: "CORE", InstanceType: "m5.xlarge", InstanceCount: 1 },
    ],
    Ec2KeyName: "mine",
    Ec2SubnetIds: [lonely],
    EmrManagedMasterSecurityGroup: master,
    EmrManagedSlaveSecurityGroup: slave,
    ServiceAccessSecurityGroup: extra,
    AdditionalMasterSecurityGroups: [extra],
  });
  assert.deepEqual(attributes, {
    Ec2KeyName: "mine",
    Ec2SubnetId: lonely,
    RequestedEc2SubnetIds: [lonely],
    Ec2AvailabilityZone: "us-east-1c",
    RequestedEc2AvailabilityZones: [],
    EmrManagedMasterSecurityGroup: master,
    EmrManagedSlaveSecurityGroup: slave,
    ServiceAccessSecurityGroup: extra,
    AdditionalMasterSecurityGroups: [extra],
    AdditionalSlaveSecurityGroups: [],
    IamInstanceProfile: "EMR_EC2_DefaultRole",
  });
  const Filters = [{ Name: "tag:aws:elasticmapreduce:job-flow-id", Values: [id] }];
  const { Reservations } = await world.ec2.send(new ec2.DescribeInstancesCommand({ Filters }));
  assert.deepEqual(
    Reservations!.flatMap(({ Instances }) =>
      Instances!.map((one) => [one.KeyName, one.SubnetId, one.VpcId, one.SecurityGroups?.map(({ GroupName }) => GroupName)]),
    ),
    [
      ["mine", lonely, vpc, ["a", "c"]],
      ["mine", lonely, vpc, ["b"]],
    ],
  );
  // As long as it lives, what it has stays.
  const fails = async (command: object) => {
    const sent = world.ec2.send(command as ec2.DeleteSubnetCommand);
    await assert.rejects(sent, { name: "DependencyViolation" });
  };
  await fails(new ec2.DeleteSubnetCommand({ SubnetId: lonely }));
  for (const GroupId of [master, slave, extra]) await fails(new ec2.DeleteSecurityGroupCommand({ GroupId }));
  const { NetworkInterfaces } = await world.ec2.send(
    new ec2.DescribeNetworkInterfacesCommand({ Filters: [{ Name: "group-id", Values: [slave] }] }),
  );
  assert.equal(NetworkInterfaces?.length, 1);
});

describe("RunJobFlow refuses, naming the member, and makes nothing", () => {
  const refusals: [string, () => Partial<JobFlowInstancesConfig>, RegExp][] = [
    [
      "a key pair that is not there",
      () => ({ Ec2KeyName: "yours" }),
      /^Instances\.Ec2KeyName: The key pair 'yours' does not exist in us-east-1\. .*ImportKeyPair/,
    ],
    [
      "a subnet that is not there",
      () => ({ Ec2SubnetId: "subnet-12345678" }),
      /^Instances\.Ec2SubnetId: The subnet ID 'subnet-12345678' does not exist/,
    ],
    ["one of several", () => ({ Ec2SubnetIds: [lonely, "subnet-1"] }), /^Instances\.Ec2SubnetIds: The subnet ID 'subnet-1'/],
    [
      "subnets of two VPCs",
      () => ({ Ec2SubnetIds: [lonely, defaults[0]!.SubnetId!] }),
      /^Instances\.Ec2SubnetIds: All subnets must be of one VPC/,
    ],
    [
      "both ways to name a subnet",
      () => ({ Ec2SubnetId: lonely, Ec2SubnetIds: [lonely] }),
      /Ec2SubnetId and Ec2SubnetIds exclude one another/,
    ],
    [
      "a zone of another region",
      () => ({ Placement: { AvailabilityZone: "eu-west-1a" } }),
      /^Instances\.Placement: 'eu-west-1a' is not an availability zone of us-east-1\. It has: us-east-1a, us-east-1b, us-east-1c\./,
    ],
    [
      "a zone that is not the subnet's",
      () => ({ Ec2SubnetId: lonely, Placement: { AvailabilityZone: "us-east-1a" } }),
      /^Instances\.Placement: the subnet subnet-\w+ is in us-east-1c, not in us-east-1a/,
    ],
    [
      "a group of another VPC",
      () => ({ Ec2SubnetId: lonely, AdditionalSlaveSecurityGroups: [defaultGroup] }),
      /^Instances\.AdditionalSlaveSecurityGroups: The security group 'sg-\w+' does not exist in the cluster's VPC vpc-/,
    ],
    [
      "one managed group without the other",
      () => ({ Ec2SubnetId: lonely, EmrManagedMasterSecurityGroup: groups[0] }),
      /must be given together/,
    ],
    [
      "own groups in a private subnet without one for service access",
      () => ({ Ec2SubnetId: lonely, EmrManagedMasterSecurityGroup: groups[0], EmrManagedSlaveSecurityGroup: groups[1] }),
      /^Instances\.ServiceAccessSecurityGroup: You must also specify/,
    ],
  ];
  for (const [what, instances, message] of refusals)
    test(what, async () => {
      const count = async () => [
        (await world.h.store.db.selectFrom("clusters").select("id").execute()).length,
        (await world.h.store.db.selectFrom("ec2_resources").select("id").execute()).length,
      ];
      const before = await count();
      await assert.rejects(create(world.h, { Instances: { ...base, ...instances() } }), { name: "ValidationException", message });
      assert.deepEqual(await count(), before);
    });

  test("no subnet where there is no default one", async () => {
    const { SubnetId } = defaults[1]!;
    for (const { id } of await world.h.store.db.selectFrom("clusters").select("id").execute())
      await world.h.handlers.TerminateJobFlows!({ JobFlowIds: [id] } as never, world.h.request);
    await world.h.settle();
    world.h.advance(60_000);
    await world.h.settle();
    await world.ec2.send(new ec2.DeleteSubnetCommand({ SubnetId }));
    await assert.rejects(create(world.h, { Instances: { ...base, Placement: { AvailabilityZone: "us-east-1b" } } }), {
      name: "ValidationException",
      message: /^Instances\.Ec2SubnetId: Subnet is required: us-east-1 has no default subnet in us-east-1b/,
    });
    const { attributes } = await run({});
    assert.equal(attributes.Ec2SubnetId, defaults[0]!.SubnetId);
  });
});
