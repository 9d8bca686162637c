import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as ec2 from "@aws-sdk/client-ec2";
import { storageDevices } from "../../src/releases/ebs.ts";
import { instanceTypeNames } from "../../src/releases/instance-types.ts";
import { create, makeReady, state } from "./control-plane-harness.ts";
import { ec2World, type Ec2World } from "./ec2-world.ts";

let world: Ec2World;
before(async () => {
  world = await ec2World();
});
after(async () => {
  await world.close();
  assert.deepEqual(world.faults, []);
});

const is = (Name: string, ...Values: string[]) => ({ Name, Values });
const describeAll = async (Filters?: ec2.Filter[]) => {
  const { Reservations } = await world.ec2.send(new ec2.DescribeInstancesCommand({ Filters }));
  return Reservations!.flatMap(({ Instances }) => Instances!);
};
const ofCluster = (id: string) => describeAll([is("tag:aws:elasticmapreduce:job-flow-id", id)]);
const fails =
  (name: string, message = /./) =>
  (error: Error) => {
    assert.equal(error.name, name, error.message);
    assert.match(error.message, message);
    return true;
  };

describe("a cluster's nodes are instances", () => {
  let cluster: string;
  before(async () => {
    cluster = await create(world.h, {
      Instances: {
        InstanceGroups: [
          { InstanceRole: "MASTER", InstanceType: "m5.xlarge", InstanceCount: 1 },
          {
            InstanceRole: "CORE",
            InstanceType: "r5d.xlarge",
            InstanceCount: 2,
            Market: "SPOT",
            EbsConfiguration: {
              EbsBlockDeviceConfigs: [{ VolumeSpecification: { VolumeType: "gp2", SizeInGB: 100 }, VolumesPerInstance: 2 }],
            },
          },
        ],
        KeepJobFlowAliveWhenNoSteps: true,
      },
      Tags: [{ Key: "team", Value: "data" }],
    });
  });

  test("with the states, addresses and types that EMR tells of", async () => {
    const { Instances } = await world.h.handlers.ListInstances!({ ClusterId: cluster } as never, world.h.request);
    const found = await ofCluster(cluster);
    assert.deepEqual(
      found.map((one) => [one.InstanceId, one.PrivateIpAddress, one.InstanceType]),
      Instances!.map((one) => [one.Ec2InstanceId, one.PrivateIpAddress, one.InstanceType]),
    );
    assert.deepEqual(
      found.map((one) => [one.State?.Code, one.State?.Name, one.InstanceLifecycle]),
      [
        [16, "running", undefined],
        [16, "running", "spot"],
        [16, "running", "spot"],
      ],
    );
    const [master] = found;
    assert.equal(master?.Placement?.AvailabilityZone, "us-east-1a");
    assert.equal(master?.IamInstanceProfile?.Arn, "arn:aws:iam::123456789012:instance-profile/EMR_EC2_DefaultRole");
    assert.match(master?.IamInstanceProfile?.Id ?? "", /^AIPA/);
    assert.equal(master?.PrivateDnsName, `ip-${master?.PrivateIpAddress?.replaceAll(".", "-")}.ec2.internal`);
  });

  test("a reservation for each group", async () => {
    const { Reservations } = await world.ec2.send(new ec2.DescribeInstancesCommand({}));
    assert.deepEqual(
      Reservations?.map(({ Instances }) => Instances?.length),
      [1, 2],
    );
    const id = Reservations![1]!.ReservationId!;
    assert.equal((await describeAll([is("reservation-id", id)])).length, 2);
  });

  test("with EMR's tags and the cluster's, as the cluster has them now", async () => {
    const emr = world.h.handlers;
    const tagsOf = async (role: string) => {
      const [one] = await describeAll([is("tag:aws:elasticmapreduce:instance-group-role", role)]);
      return Object.fromEntries(one!.Tags!.map(({ Key, Value }) => [Key, Value]));
    };
    const own = { "aws:elasticmapreduce:job-flow-id": cluster, "aws:elasticmapreduce:instance-group-role": "MASTER" };
    assert.deepEqual(await tagsOf("MASTER"), { ...own, team: "data" });
    await emr.AddTags!({ ResourceId: cluster, Tags: [{ Key: "stage", Value: "test" }] } as never, world.h.request);
    assert.equal((await tagsOf("CORE")).stage, "test");
    await emr.RemoveTags!({ ResourceId: cluster, TagKeys: ["stage"] } as never, world.h.request);
    assert.deepEqual(await tagsOf("MASTER"), { ...own, team: "data" });

    const [master] = await describeAll([is("tag:aws:elasticmapreduce:instance-group-role", "MASTER")]);
    const Resources = [master!.InstanceId!, master!.BlockDeviceMappings![0]!.Ebs!.VolumeId!];
    await world.ec2.send(new ec2.CreateTagsCommand({ Resources, Tags: [{ Key: "Name", Value: "the first" }] }));
    assert.equal((await tagsOf("MASTER")).Name, "the first");
    assert.equal((await tagsOf("CORE")).Name, undefined);
    const { Tags } = await world.ec2.send(
      new ec2.DescribeTagsCommand({ Filters: [is("key", "Name", "team"), is("resource-id", ...Resources)] }),
    );
    assert.deepEqual(Tags?.map(({ ResourceType, Key }) => `${ResourceType} ${Key}`).toSorted(), [
      "instance Name",
      "instance team",
      "volume Name",
      "volume team",
    ]);
    await assert.rejects(
      world.ec2.send(new ec2.DeleteTagsCommand({ Resources, Tags: [{ Key: "team" }] })),
      fails("UnsupportedOperation", /that of its cluster j-.*RemoveTags/),
    );
    await assert.rejects(
      world.ec2.send(new ec2.DeleteTagsCommand({ Resources, Tags: [{ Key: "aws:elasticmapreduce:job-flow-id" }] })),
      fails("InvalidParameterValue", /reserved/),
    );
    await world.ec2.send(new ec2.DeleteTagsCommand({ Resources, Tags: [{ Key: "Name" }] }));
    assert.deepEqual(await tagsOf("MASTER"), { ...own, team: "data" });
  });

  test("with the volumes that were asked for, or EMR's default of the type", async () => {
    const { Volumes } = await world.ec2.send(new ec2.DescribeVolumesCommand({}));
    const byInstance = new Map<string, string[]>();
    for (const { Attachments, Size, VolumeType } of Volumes!) {
      const { InstanceId, Device } = Attachments![0]!;
      byInstance.set(InstanceId!, [...(byInstance.get(InstanceId!) ?? []), `${Device} ${VolumeType} ${Size}`]);
    }
    const [master, core] = await ofCluster(cluster);
    assert.deepEqual(byInstance.get(master!.InstanceId!)?.toSorted(), ["/dev/sdb gp3 32", "/dev/sdc gp3 32", "/dev/xvda gp3 15"]);
    assert.deepEqual(byInstance.get(core!.InstanceId!)?.toSorted(), ["/dev/sdb gp2 100", "/dev/sdc gp2 100", "/dev/xvda gp3 15"]);
    assert.deepEqual(core!.BlockDeviceMappings?.map(({ DeviceName }) => DeviceName).toSorted(), ["/dev/sdb", "/dev/sdc", "/dev/xvda"]);
    const id = core!.BlockDeviceMappings![1]!.Ebs!.VolumeId!;
    const one = await world.ec2.send(new ec2.DescribeVolumesCommand({ VolumeIds: [id] }));
    assert.equal(one.Volumes?.[0]?.Attachments?.[0]?.InstanceId, core!.InstanceId);
    const gp2 = await world.ec2.send(new ec2.DescribeVolumesCommand({ Filters: [is("volume-type", "gp2")] }));
    assert.equal(gp2.Volumes?.length, 4);
    await assert.rejects(
      world.ec2.send(new ec2.DescribeVolumesCommand({ VolumeIds: ["vol-0123456789abcdef0"] })),
      fails("InvalidVolume.NotFound"),
    );
  });

  test("found by filters, and page by page", async () => {
    const [master, core, second] = await ofCluster(cluster);
    const found = async (...Filters: ec2.Filter[]) => (await describeAll(Filters)).map(({ InstanceId }) => InstanceId);
    const all = [master, core, second].map((one) => one!.InstanceId);
    assert.deepEqual(await found(is("instance-state-name", "running", "pending")), all);
    assert.deepEqual(await found(is("instance-state-code", "48")), []);
    assert.deepEqual(await found(is("private-ip-address", core!.PrivateIpAddress!)), [core!.InstanceId]);
    assert.deepEqual(await found(is("instance-type", "m5.*")), [master!.InstanceId]);
    assert.deepEqual(await found(is("instance-lifecycle", "spot"), is("tag:team", "data")), all.slice(1));
    assert.deepEqual(await found(is("tag-key", "team"), is("availability-zone", "us-east-1b")), []);
    assert.deepEqual(await found(is("block-device-mapping.volume-id", second!.BlockDeviceMappings![1]!.Ebs!.VolumeId!)), [
      second!.InstanceId,
    ]);
    assert.deepEqual(await found(is("iam-instance-profile.arn", "*/EMR_EC2_DefaultRole")), all);
    await assert.rejects(describeAll([is("weather", "fine")]), fails("InvalidParameterValue", /'weather'/));
    await assert.rejects(
      world.ec2.send(new ec2.DescribeInstancesCommand({ InstanceIds: [all[0]!], MaxResults: 5 })),
      fails("InvalidParameterCombination"),
    );
    for (let n = 0; n < 3; n++) await create(world.h);
    const every = (await describeAll()).map(({ InstanceId }) => InstanceId);
    const paged: (string | undefined)[] = [];
    let pages = 0;
    for await (const page of ec2.paginateDescribeInstances({ client: world.ec2, pageSize: 5 }, {})) {
      pages += 1;
      paged.push(...page.Reservations!.flatMap(({ Instances }) => Instances!.map(({ InstanceId }) => InstanceId)));
    }
    assert.deepEqual([paged, pages, paged.length], [every, 3, 12]);
  });

  test("by their ids only, and to nobody else", async () => {
    const [master] = await ofCluster(cluster);
    const InstanceIds = [master!.InstanceId!];
    const { Reservations } = await world.ec2.send(new ec2.DescribeInstancesCommand({ InstanceIds }));
    assert.equal(Reservations?.[0]?.Instances?.length, 1);
    for (const client of [world.client("999999999999"), world.client(undefined, "eu-west-1")])
      for (const command of [
        new ec2.DescribeInstancesCommand({ InstanceIds }),
        new ec2.TerminateInstancesCommand({ InstanceIds }),
        new ec2.CreateTagsCommand({ Resources: InstanceIds, Tags: [{ Key: "a", Value: "b" }] }),
      ])
        await assert.rejects(client.send(command as ec2.DescribeInstancesCommand), fails("InvalidInstanceID.NotFound", /does not exist/));
    await assert.rejects(
      world.ec2.send(new ec2.DescribeInstancesCommand({ InstanceIds: ["i-nothing"] })),
      fails("InvalidInstanceID.Malformed", /Invalid id: "i-nothing"/),
    );
  });

  test("with a status once the agent has reported", async () => {
    const [master] = await ofCluster(cluster);
    const status = async (IncludeAllInstances = false) => {
      const { InstanceStatuses } = await world.ec2.send(
        new ec2.DescribeInstanceStatusCommand({ InstanceIds: [master!.InstanceId!], IncludeAllInstances }),
      );
      return InstanceStatuses?.map((one) => [one.InstanceState?.Name, one.InstanceStatus?.Status]);
    };
    assert.deepEqual(await status(), [["running", "initializing"]]);
    await makeReady(world.h, cluster);
    assert.deepEqual(await status(), [["running", "ok"]]);
    await world.ec2.send(new ec2.DescribeInstanceStatusCommand({ Filters: [is("instance-state-name", "running")] }));
  });

  test("with attributes", async () => {
    const [master] = await ofCluster(cluster);
    const InstanceId = master!.InstanceId!;
    const attribute = async (Attribute: ec2.InstanceAttributeName) =>
      world.ec2.send(new ec2.DescribeInstanceAttributeCommand({ InstanceId, Attribute }));
    assert.equal((await attribute("instanceType")).InstanceType?.Value, "m5.xlarge");
    assert.equal((await attribute("disableApiTermination")).DisableApiTermination?.Value, false);
    assert.equal((await attribute("blockDeviceMapping")).BlockDeviceMappings?.length, 3);
    await assert.rejects(attribute("enclaveOptions"), fails("UnsupportedOperation", /enclaveOptions/));
  });
});

describe("DetachVolume", () => {
  const detach = (VolumeId: string, more: object = {}) => world.ec2.send(new ec2.DetachVolumeCommand({ VolumeId, ...more }));
  const volumesOf = (InstanceId: string) =>
    world.ec2
      .send(new ec2.DescribeVolumesCommand({ Filters: [is("attachment.instance-id", InstanceId)] }))
      .then(({ Volumes = [] }) => Volumes.map(({ VolumeId = "", Attachments = [] }) => ({ id: VolumeId, device: Attachments[0]?.Device })));

  test("of a core node ends it, and another takes its place; the root's, and one that is elsewhere, are refused", async () => {
    const cluster = await create(world.h);
    const masterId = await makeReady(world.h, cluster);
    const [, core] = await ofCluster(cluster);
    const InstanceId = core!.InstanceId!;
    const volumes = await volumesOf(InstanceId);
    const root = volumes.find(({ device }) => device === core!.RootDeviceName)!;
    const data = volumes.find(({ device }) => device !== core!.RootDeviceName)!;
    await assert.rejects(detach(root.id), fails("OperationNotPermitted", /Unable to detach root volume/));
    await assert.rejects(detach(data.id, { InstanceId: masterId }), fails("InvalidAttachment.NotFound", new RegExp(InstanceId)));
    await assert.rejects(detach("vol-0123456789abcdef0"), fails("InvalidVolume.NotFound", /does not exist/));
    const said = await detach(data.id, { InstanceId, Device: data.device });
    assert.deepEqual([said.VolumeId, said.InstanceId, said.Device, said.State], [data.id, InstanceId, data.device, "detaching"]);
    await world.h.settle();
    assert.deepEqual(await volumesOf(InstanceId), []);
    const { Instances = [] } = await world.h.handlers.ListInstances!({ ClusterId: cluster }, world.h.request);
    const gone = Instances.find(({ Ec2InstanceId }) => Ec2InstanceId === InstanceId);
    assert.deepEqual([gone?.Status?.State, gone?.Status?.StateChangeReason?.Code], ["TERMINATED", "INSTANCE_FAILURE"]);
    assert.match(gone?.Status?.StateChangeReason?.Message ?? "", new RegExp(`${data.id} was detached`));
    assert.equal((await ofCluster(cluster)).filter(({ State }) => State?.Name === "running").length, 2 + 1);
    assert.equal((await state(world.h, cluster))?.State, "WAITING");
  });
});

describe("TerminateInstances", () => {
  const terminate = (...InstanceIds: string[]) => world.ec2.send(new ec2.TerminateInstancesCommand({ InstanceIds }));

  test("ends a node's processes, and its cluster does what it does when a host dies", async () => {
    const cluster = await create(world.h);
    const masterId = await makeReady(world.h, cluster);
    const [, core] = await ofCluster(cluster);
    const { TerminatingInstances } = await terminate(core!.InstanceId!);
    assert.deepEqual(TerminatingInstances, [
      {
        InstanceId: core!.InstanceId,
        PreviousState: { Code: 16, Name: "running" },
        CurrentState: { Code: 32, Name: "shutting-down" },
      },
    ]);
    assert.equal((await describeAll([is("instance-id", core!.InstanceId!)]))[0]?.State?.Name, "shutting-down");
    await world.h.settle();
    assert.equal(world.h.provider.observations.has(core!.InstanceId!), false);
    const gone = (await describeAll([is("instance-id", core!.InstanceId!)]))[0];
    assert.deepEqual(
      [gone?.State?.Name, gone?.StateReason?.Code, gone?.PrivateIpAddress, gone?.BlockDeviceMappings],
      ["terminated", "Client.UserInitiatedShutdown", undefined, []],
    );
    assert.equal((await state(world.h, cluster))?.State, "WAITING");
    const [, , , successor] = await ofCluster(cluster);
    assert.equal(successor?.State?.Name, "running");
    assert.equal((await describeAll([is("instance-id", masterId)]))[0]?.State?.Name, "running");
    // Once more says the same, and does nothing.
    const again = await terminate(core!.InstanceId!);
    assert.deepEqual(again.TerminatingInstances?.[0]?.CurrentState, { Code: 48, Name: "terminated" });
  });

  test("of a protected cluster's nodes none", async () => {
    const Instances = { MasterInstanceType: "m5.xlarge", InstanceCount: 1, TerminationProtected: true, KeepJobFlowAliveWhenNoSteps: true };
    const cluster = await create(world.h, { Instances });
    const masterId = await makeReady(world.h, cluster);
    const other = await makeReady(world.h, await create(world.h));
    await assert.rejects(terminate(other, masterId), fails("OperationNotPermitted", /may not be terminated.*SetTerminationProtection/));
    await world.h.settle();
    for (const id of [other, masterId]) assert.equal((await describeAll([is("instance-id", id)]))[0]?.State?.Name, "running");
    const { DisableApiTermination } = await world.ec2.send(
      new ec2.DescribeInstanceAttributeCommand({ InstanceId: masterId, Attribute: "disableApiTermination" }),
    );
    assert.equal(DisableApiTermination?.Value, true);
  });

  test("what has ended is told of for an hour", async () => {
    const cluster = await create(world.h);
    await makeReady(world.h, cluster);
    await world.h.handlers.TerminateJobFlows!({ JobFlowIds: [cluster] } as never, world.h.request);
    await world.h.settle();
    assert.deepEqual(new Set((await ofCluster(cluster)).map(({ State }) => State?.Name)), new Set(["running"]), "last logs come first");
    world.h.advance(6 * 60_000);
    await world.h.settle();
    const gone = await ofCluster(cluster);
    assert.deepEqual(
      gone.map(({ State }) => State?.Name),
      ["terminated", "terminated", "terminated"],
    );
    world.h.advance(3600_000);
    assert.deepEqual(await ofCluster(cluster), []);
    await assert.rejects(
      world.ec2.send(new ec2.DescribeInstancesCommand({ InstanceIds: [gone[0]!.InstanceId!] })),
      fails("InvalidInstanceID.NotFound"),
    );
  });
});

describe("instance types, images and what cannot be", () => {
  test("types are EMR's", async () => {
    const { InstanceTypes } = await world.ec2.send(new ec2.DescribeInstanceTypesCommand({ InstanceTypes: ["m5.xlarge"] }));
    // Terraform's provider reads into both without looking whether they are there.
    assert.deepEqual(
      [InstanceTypes?.[0]?.NetworkInfo?.MaximumNetworkInterfaces, InstanceTypes?.[0]?.NetworkInfo?.Ipv6Supported],
      [1, false],
    );
    assert.ok(InstanceTypes?.[0]?.PlacementGroupInfo);
    const [m5] = InstanceTypes!;
    assert.deepEqual(
      [m5?.VCpuInfo?.DefaultVCpus, m5?.MemoryInfo?.SizeInMiB, m5?.InstanceStorageSupported, m5?.ProcessorInfo?.SupportedArchitectures],
      [4, 16_384, false, ["x86_64"]],
    );
    const names: string[] = [];
    for await (const page of ec2.paginateDescribeInstanceTypes({ client: world.ec2, pageSize: 100 }, {}))
      names.push(...page.InstanceTypes!.map(({ InstanceType }) => InstanceType!));
    assert.deepEqual(names, instanceTypeNames().toSorted());
    const arm = await world.ec2.send(
      new ec2.DescribeInstanceTypesCommand({
        Filters: [is("processor-info.supported-architecture", "arm64"), is("vcpu-info.default-vcpus", "4")],
      }),
    );
    assert.ok(arm.InstanceTypes!.length > 0 && arm.InstanceTypes!.every(({ VCpuInfo }) => VCpuInfo?.DefaultVCpus === 4));
    await assert.rejects(
      world.ec2.send(new ec2.DescribeInstanceTypesCommand({ InstanceTypes: ["t9.tiny" as "t2.micro"] })),
      fails("InvalidInstanceType", /t9\.tiny/),
    );
    const { InstanceTypeOfferings } = await world.ec2.send(
      new ec2.DescribeInstanceTypeOfferingsCommand({ LocationType: "availability-zone", Filters: [is("instance-type", "m5.xlarge")] }),
    );
    assert.deepEqual(
      InstanceTypeOfferings?.map(({ Location }) => Location),
      ["us-east-1a", "us-east-1b", "us-east-1c"],
    );
  });

  test("default volumes grow with the size of a type that has no disks", () => {
    const sizes = (type: string) => storageDevices(null, type).map(({ VolumeSpecification }) => VolumeSpecification?.SizeInGB);
    assert.deepEqual(sizes("m5.xlarge"), [32, 32]);
    assert.deepEqual(sizes("m4.large"), [32]);
    assert.deepEqual(sizes("m5.2xlarge"), [32, 32, 32, 32]);
    assert.deepEqual(sizes("m5.12xlarge"), [192, 192, 192, 192]);
    assert.deepEqual(sizes("r5d.xlarge"), []);
  });

  test("the image of nodes is the host's system", async () => {
    const [one] = await describeAll();
    const { Images } = await world.ec2.send(new ec2.DescribeImagesCommand({ ImageIds: [one!.ImageId!] }));
    assert.match(Images?.[0]?.Description ?? "", /host's own system/);
    const linux = await world.ec2.send(new ec2.DescribeImagesCommand({ Owners: ["amazon"], Filters: [is("name", "amzn2-ami-hvm-*")] }));
    assert.deepEqual(linux.Images, []);
  });

  test("instances come by clusters only", async () => {
    const InstanceIds = [(await describeAll())[0]!.InstanceId!];
    for (const command of [
      new ec2.RunInstancesCommand({ ImageId: "ami-1", MinCount: 1, MaxCount: 1 }),
      new ec2.StopInstancesCommand({ InstanceIds }),
      new ec2.StartInstancesCommand({ InstanceIds }),
      new ec2.RebootInstancesCommand({ InstanceIds }),
      new ec2.ModifyInstanceAttributeCommand({ InstanceId: InstanceIds[0], DisableApiTermination: { Value: true } }),
    ])
      await assert.rejects(world.ec2.send(command as ec2.StopInstancesCommand), fails("UnsupportedOperation", /nodes of EMR clusters/));
  });

  test("spot prices: of now, by type and zone, below those on demand; their history in pages", async () => {
    const ask = (input: ec2.DescribeSpotPriceHistoryCommandInput) => world.ec2.send(new ec2.DescribeSpotPriceHistoryCommand(input));
    const { SpotPriceHistory: now = [] } = await ask({ InstanceTypes: ["m5.xlarge"] });
    assert.deepEqual(
      now.map(({ AvailabilityZone, InstanceType, ProductDescription }) => [AvailabilityZone, InstanceType, ProductDescription]),
      ["a", "b", "c"].map((letter) => [`us-east-1${letter}`, "m5.xlarge", "Linux/UNIX"]),
    );
    for (const { SpotPrice } of now) {
      assert.match(SpotPrice ?? "", /^0\.\d{6}$/);
      assert.ok(Number(SpotPrice) < 0.192);
    }
    const end = now[0]!.Timestamp!;
    const asked = {
      InstanceTypes: ["m5.xlarge" as const],
      AvailabilityZone: "us-east-1a",
      StartTime: new Date(end.getTime() - 10 * 3600_000),
      EndTime: new Date(end.getTime() + 1),
    };
    const { SpotPriceHistory: history = [] } = await ask(asked);
    assert.deepEqual(
      history.map(({ Timestamp }) => (end.getTime() - Timestamp!.getTime()) / 3600_000),
      Array.from({ length: 11 }, (_, hours) => hours),
    );
    assert.ok(new Set(history.map(({ SpotPrice }) => SpotPrice)).size > 5, "they move");
    const paged: ec2.SpotPrice[] = [];
    for (let NextToken: string | undefined, pages = 0; pages === 0 || NextToken; pages++) {
      const page = await ask({ ...asked, MaxResults: 4, NextToken });
      paged.push(...(page.SpotPriceHistory ?? []));
      NextToken = page.NextToken;
    }
    assert.deepEqual(paged, history);
    const [first] = history;
    const filter = async (Name: string, value: string) => (await ask({ ...asked, Filters: [{ Name, Values: [value] }] })).SpotPriceHistory;
    assert.ok((await filter("spot-price", first!.SpotPrice!))!.length >= 1);
    assert.deepEqual(await filter("availability-zone", "us-east-1b"), []);
    assert.deepEqual((await ask({ ProductDescriptions: ["Windows"] })).SpotPriceHistory, []);
  });
});
