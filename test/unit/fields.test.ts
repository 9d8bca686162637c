/** Every field that the model has for clusters, steps, instances and groups is in some answer, or docs/api-fields.md says why it never is. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { RunJobFlowInput } from "@aws-sdk/client-emr";
import type { Schema } from "../../src/aws/operations.ts";
import { emrService } from "../../src/aws/services/emr.ts";
import { instancesOf } from "../../src/store/instances.ts";
import { insertEntity } from "../../src/store/iam-entities.ts";
import { adminKey } from "./keys.ts";
import { create, type Harness, harness, makeNetwork, makeReady, step } from "./control-plane-harness.ts";

/** Everything that RunJobFlow takes. */
const rich: Partial<RunJobFlowInput> = {
  Name: "rich",
  LogUri: "s3n://logs/x",
  Applications: [{ Name: "hadoop" }, { Name: "Spark" }],
  Configurations: [
    { Classification: "hadoop-env", Configurations: [{ Classification: "export", Properties: { A: "b" } }] },
    { Classification: "core-site", Properties: { "io.file.buffer.size": "77824" } },
  ],
  BootstrapActions: [{ Name: "prepare", ScriptBootstrapAction: { Path: "s3a://b/prepare.sh", Args: ["x"] } }],
  Instances: {
    InstanceGroups: [
      { InstanceRole: "MASTER", InstanceType: "m5.xlarge", InstanceCount: 1, Name: "first" },
      {
        InstanceRole: "CORE",
        InstanceType: "m5.2xlarge",
        InstanceCount: 2,
        Market: "SPOT",
        BidPrice: "0.15",
        Configurations: [{ Classification: "yarn-site", Properties: { "yarn.log-aggregation.retain-seconds": "60" } }],
        EbsConfiguration: {
          EbsOptimized: true,
          EbsBlockDeviceConfigs: [{ VolumeSpecification: { VolumeType: "gp3", SizeInGB: 32, Iops: 3000, Throughput: 125 } }],
        },
      },
    ],
    KeepJobFlowAliveWhenNoSteps: true,
    TerminationProtected: false,
    UnhealthyNodeReplacement: true,
    Ec2KeyName: "mine",
    Placement: { AvailabilityZone: "us-east-1b", AvailabilityZones: ["us-east-1b"] },
    EmrManagedMasterSecurityGroup: "sg-1",
    EmrManagedSlaveSecurityGroup: "sg-2",
    ServiceAccessSecurityGroup: "sg-3",
    AdditionalMasterSecurityGroups: ["sg-4"],
    AdditionalSlaveSecurityGroups: ["sg-5"],
    Ec2SubnetId: "subnet-1",
  },
  SecurityConfiguration: "roles",
  StepExecutionRoleArn: `arn:aws:iam::${adminKey.principal.accountId}:role/runtime`,
  ServiceRole: "EMR_DefaultRole",
  JobFlowRole: "EMR_EC2_DefaultRole",
  AutoScalingRole: "EMR_AutoScaling_DefaultRole",
  ScaleDownBehavior: "TERMINATE_AT_TASK_COMPLETION",
  EbsRootVolumeSize: 20,
  EbsRootVolumeIops: 3000,
  EbsRootVolumeThroughput: 125,
  RepoUpgradeOnBoot: "NONE",
  OSReleaseLabel: "2023.1",
  PlacementGroupConfigs: [{ InstanceRole: "MASTER", PlacementStrategy: "SPREAD" }],
  ExtendedSupport: true,
  VisibleToAllUsers: true,
  StepConcurrencyLevel: 1,
  Tags: [{ Key: "team", Value: "elephants" }],
  Steps: [
    {
      Name: "s",
      ActionOnFailure: "CANCEL_AND_WAIT",
      HadoopJarStep: { Jar: "s3://b/x.jar", MainClass: "org.example.Main", Args: ["a"], Properties: [{ Key: "k", Value: "v" }] },
    },
  ],
};

const typeConfig = {
  InstanceType: "m5.2xlarge",
  WeightedCapacity: 2,
  Priority: 1,
  Configurations: [{ Classification: "yarn-site", Properties: { "yarn.log-aggregation.retain-seconds": "60" } }],
  EbsConfiguration: { EbsOptimized: true },
} as const;
const reservations = { UsageStrategy: "use-capacity-reservations-first", CapacityReservationPreference: "open" } as const;
const CapacityReservationOptions = { ...reservations, CapacityReservationResourceGroupArn: "arn:aws:resource-groups:us-east-1:1:group/g" };

/** The same of fleets. */
const richFleets: Partial<RunJobFlowInput> = {
  Instances: {
    InstanceFleets: [
      {
        InstanceFleetType: "MASTER",
        TargetSpotCapacity: 1,
        InstanceTypeConfigs: [{ InstanceType: "m5.xlarge", BidPrice: "0.15" }],
      },
      {
        InstanceFleetType: "CORE",
        Name: "workers",
        TargetOnDemandCapacity: 2,
        TargetSpotCapacity: 2,
        InstanceTypeConfigs: [{ ...typeConfig, Configurations: [...typeConfig.Configurations] }],
        LaunchSpecifications: {
          SpotSpecification: { TimeoutDurationMinutes: 5, TimeoutAction: "SWITCH_TO_ON_DEMAND", AllocationStrategy: "diversified" },
          OnDemandSpecification: { AllocationStrategy: "prioritized", CapacityReservationOptions },
        },
        ResizeSpecifications: {
          SpotResizeSpecification: { TimeoutDurationMinutes: 5, AllocationStrategy: "diversified" },
          OnDemandResizeSpecification: { TimeoutDurationMinutes: 5, AllocationStrategy: "prioritized", CapacityReservationOptions },
        },
        Context: "ours",
      },
    ],
    KeepJobFlowAliveWhenNoSteps: true,
  },
};

async function fleetCluster(): Promise<Example> {
  const h = await harness();
  const id = await create(h, richFleets);
  h.advance(1000);
  await makeReady(h, id);
  return { h, id, stepId: undefined };
}

interface Example {
  h: Harness;
  id: string;
  stepId: string | undefined;
}

async function richCluster(): Promise<Example> {
  const h = await harness();
  const SecurityConfiguration = JSON.stringify({
    AuthorizationConfiguration: { IAMConfiguration: { EnableApplicationScopedIAMRole: true } },
  });
  await h.handlers.CreateSecurityConfiguration!({ Name: "roles", SecurityConfiguration }, h.request);
  const { accountId } = h.request;
  const AWS = `arn:aws:iam::${accountId}:role/EMR_EC2_DefaultRole`;
  const trust = JSON.stringify({ Statement: [{ Effect: "Allow", Principal: { AWS }, Action: "sts:AssumeRole" }] });
  const runtime = { account_id: accountId, kind: "role", name: "runtime", path: "/", trust } as const;
  await h.store.transaction((tx) => insertEntity(tx, h.context.ids, runtime));
  await makeNetwork(h);
  const id = await create(h, rich);
  h.advance(1000);
  const master = await makeReady(h, id);
  const { InstanceGroups = [] } = await h.handlers.ListInstanceGroups!({ ClusterId: id }, h.request);
  const core = InstanceGroups.find((group) => group.InstanceGroupType === "CORE");
  const [first, second] = (await instancesOf(h.store.db, id)).filter((instance) => instance.group_id === core?.Id);
  const ShrinkPolicy = {
    DecommissionTimeout: 60,
    InstanceResizePolicy: { InstancesToTerminate: [second!.id], InstancesToProtect: [first!.id], InstanceTerminationTimeout: 30 },
  };
  await h.handlers.ModifyInstanceGroups!({ ClusterId: id, InstanceGroups: [{ InstanceGroupId: core!.Id!, ShrinkPolicy }] }, h.request);
  const alarm = {
    ComparisonOperator: "LESS_THAN",
    MetricName: "YARNMemoryAvailablePercentage",
    Period: 300,
    Threshold: 15,
    Unit: "PERCENT",
  };
  const rule = {
    Name: "out",
    Description: "more",
    Action: { SimpleScalingPolicyConfiguration: { ScalingAdjustment: 1 } },
    Trigger: { CloudWatchAlarmDefinition: alarm },
  };
  const AutoScalingPolicy = { Constraints: { MinCapacity: 1, MaxCapacity: 3 }, Rules: [rule] };
  await h.handlers.PutAutoScalingPolicy!({ ClusterId: id, InstanceGroupId: InstanceGroups[1]!.Id, AutoScalingPolicy } as never, h.request);
  const { Steps = [] } = await h.handlers.ListSteps!({ ClusterId: id }, h.request);
  const stepId = Steps[0]!.Id!;
  h.advance(1000);
  await h.report(master, {
    steps: [{ id: stepId, state: "exited", exitCode: 3, startedAt: h.store.now() - 500, endedAt: h.store.now(), message: "no" } as never],
  });
  await h.settle();
  return { h, id, stepId };
}

async function ended({ h, id, stepId }: Example): Promise<Example> {
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.settle();
  h.advance(6 * 60_000);
  await h.settle();
  return { h, id, stepId };
}

async function brokenBootstrap(): Promise<Example> {
  const h = await harness();
  const id = await create(h, { BootstrapActions: rich.BootstrapActions });
  const [master] = await instancesOf(h.store.db, id);
  await h.report(master!.id, { phase: "failed", failure: { kind: "bootstrap-exit", ordinal: 1, exitCode: 7, message: "it said no" } });
  await h.settle();
  return { h, id, stepId: undefined };
}

async function cancelledStep(): Promise<Example> {
  const h = await harness();
  const id = await create(h, { Steps: [step("a")] });
  const { Steps = [] } = await h.handlers.ListSteps!({ ClusterId: id }, h.request);
  await h.handlers.CancelSteps!({ ClusterId: id, StepIds: [Steps[0]!.Id!] } as never, h.request);
  await h.settle();
  return { h, id, stepId: Steps[0]!.Id! };
}

/** What there is to see of an example, by operation. */
async function answers({ h, id, stepId }: Example): Promise<[operation: string, answer: object][]> {
  const ask = async (name: string, more: object = {}): Promise<[string, object]> => [
    name,
    (await h.handlers[name as "DescribeCluster"]!({ ClusterId: id, ...more }, h.request)) as object,
  ];
  const { InstanceCollectionType: kind } = (await h.handlers.DescribeCluster!({ ClusterId: id }, h.request)).Cluster!;
  const collections = kind === "INSTANCE_FLEET" ? "ListInstanceFleets" : "ListInstanceGroups";
  const all = ["DescribeCluster", "ListInstances", collections, "ListBootstrapActions", "ListSteps"].map((name) => ask(name));
  if (stepId) all.push(ask("DescribeStep", { StepId: stepId }));
  return [...(await Promise.all(all)), ["ListClusters", (await h.handlers.ListClusters!({}, h.request)) as object]];
}

/** Names structures and members as docs/api-fields.md does; `seen` are the members that have a value, `all` those of structures that were met. */
function walk(schema: Schema, value: unknown, all: Set<string>, seen: Set<string>): void {
  if (schema.isListSchema() || schema.isMapSchema()) {
    for (const element of Object.values(value as object)) walk(schema.getValueSchema(), element, all, seen);
    return;
  }
  if (!schema.isStructSchema()) return;
  for (const [name, member] of schema.structIterator()) {
    const key = `${schema.getName()}.${name}`;
    const given = (value as Record<string, unknown>)[name];
    all.add(key);
    const isEmpty = given === undefined || given === null || (Array.isArray(given) && given.length === 0);
    if (isEmpty) continue;
    seen.add(key);
    walk(member, given, all, seen);
  }
}

const ofLists = new Set(["Marker"]);

test("every field of the model is in an answer, or docs/api-fields.md says why not", async () => {
  const [all, seen] = [new Set<string>(), new Set<string>()];
  const running = await richCluster();
  const examples = [await answers(running), await answers(await brokenBootstrap()), await answers(await cancelledStep())];
  const fleets = await fleetCluster();
  examples.push(await answers(fleets), await answers(await ended(fleets)), await answers(await ended(running)));
  for (const example of examples)
    for (const [operation, answer] of example) walk(emrService.operations.get(operation)!.output, answer, all, seen);

  const text = readFileSync(join(import.meta.dirname, "../../docs/api-fields.md"), "utf8");
  const never = [...text.matchAll(/^\| (\w+\.\w+) \| \S/gm)].map(([, field]) => field!);
  const missing = [...all].filter((key) => !seen.has(key) && !ofLists.has(key.split(".")[1]!));
  assert.deepEqual(missing.toSorted(), never.toSorted());
});

test("a cluster is described as it was asked for, and as it is", async () => {
  const { h, id } = await richCluster();
  const { Cluster } = await h.handlers.DescribeCluster!({ ClusterId: id }, h.request);
  const start = Date.UTC(2026, 0, 1);
  assert.deepEqual(Cluster, {
    Id: id,
    Name: "rich",
    ClusterArn: `arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/${id}`,
    Status: {
      State: "WAITING",
      StateChangeReason: { Message: "Cluster ready after last step completed." },
      Timeline: { CreationDateTime: new Date(start), ReadyDateTime: new Date(start + 1000), EndDateTime: undefined },
    },
    Ec2InstanceAttributes: {
      Ec2KeyName: "mine",
      Ec2SubnetId: "subnet-1",
      RequestedEc2SubnetIds: ["subnet-1"],
      Ec2AvailabilityZone: "us-east-1b",
      RequestedEc2AvailabilityZones: ["us-east-1b"],
      IamInstanceProfile: "EMR_EC2_DefaultRole",
      EmrManagedMasterSecurityGroup: "sg-1",
      EmrManagedSlaveSecurityGroup: "sg-2",
      ServiceAccessSecurityGroup: "sg-3",
      AdditionalMasterSecurityGroups: ["sg-4"],
      AdditionalSlaveSecurityGroups: ["sg-5"],
    },
    InstanceCollectionType: "INSTANCE_GROUP",
    LogUri: "s3://logs/x/",
    ReleaseLabel: "emr-7.13.0",
    AutoTerminate: false,
    TerminationProtected: false,
    UnhealthyNodeReplacement: true,
    VisibleToAllUsers: true,
    Applications: [
      { Name: "Hadoop", Version: "3.4.2" },
      { Name: "Spark", Version: "3.5.6" },
    ],
    Tags: [{ Key: "team", Value: "elephants" }],
    ServiceRole: "EMR_DefaultRole",
    // Less than an hour of an xlarge (8) and of two 2xlarge (16).
    NormalizedInstanceHours: 40,
    MasterPublicDnsName: "127.64.1.1",
    Configurations: [
      {
        Classification: "hadoop-env",
        Properties: {},
        Configurations: [{ Classification: "export", Properties: { A: "b" } }],
      },
      { Classification: "core-site", Properties: { "io.file.buffer.size": "77824" } },
    ],
    SecurityConfiguration: "roles",
    AutoScalingRole: "EMR_AutoScaling_DefaultRole",
    ScaleDownBehavior: "TERMINATE_AT_TASK_COMPLETION",
    EbsRootVolumeSize: 20,
    EbsRootVolumeIops: 3000,
    EbsRootVolumeThroughput: 125,
    RepoUpgradeOnBoot: "NONE",
    OSReleaseLabel: "2023.1",
    StepConcurrencyLevel: 1,
    PlacementGroups: [{ InstanceRole: "MASTER", PlacementStrategy: "SPREAD" }],
    ExtendedSupport: true,
  });
});

test("a group is ready when the last of its instances is", async () => {
  const h = await harness();
  const id = await create(h);
  const [master, first, second] = await instancesOf(h.store.db, id);
  const groups = async () =>
    (await h.handlers.ListInstanceGroups!({ ClusterId: id }, h.request)).InstanceGroups!.map((group) => [
      group.Status?.State,
      group.RunningInstanceCount,
      group.Status?.Timeline?.ReadyDateTime?.getTime(),
    ]);
  const start = h.store.now();
  assert.deepEqual(await groups(), [
    ["PROVISIONING", 0, undefined],
    ["PROVISIONING", 0, undefined],
  ]);
  await h.report(master!.id, {});
  await h.report(first!.id, { phase: "bootstrapping" });
  await h.report(second!.id, { phase: "bootstrapping" });
  assert.deepEqual(await groups(), [
    ["RUNNING", 1, start],
    ["BOOTSTRAPPING", 0, undefined],
  ]);
  h.advance(1000);
  await h.report(first!.id, {});
  h.advance(1000);
  await h.report(second!.id, {});
  await h.settle();
  assert.deepEqual(await groups(), [
    ["RUNNING", 1, start],
    ["RUNNING", 2, start + 2000],
  ]);
});

test("an instance has the volumes of its group, until it is gone", async () => {
  const h = await harness();
  const id = await create(h);
  const [group] = (await h.handlers.ListInstanceGroups!({ ClusterId: id }, h.request)).InstanceGroups!;
  const volumes = async () => (await h.handlers.ListInstances!({ ClusterId: id }, h.request)).Instances![0]!.EbsVolumes!;
  assert.deepEqual(
    group!.EbsBlockDevices!.map(({ Device, VolumeSpecification }) => [Device, VolumeSpecification!.SizeInGB]),
    [
      ["/dev/sdb", 32],
      ["/dev/sdc", 32],
    ],
  );
  assert.deepEqual(
    (await volumes()).map(({ Device }) => Device),
    ["/dev/sdb", "/dev/sdc"],
  );
  for (const { VolumeId } of await volumes()) assert.match(VolumeId!, /^vol-[0-9a-f]{17}$/);
  await ended({ h, id, stepId: undefined });
  assert.deepEqual(await volumes(), []);
});

test("instances and steps say why they ended", async () => {
  const broken = await brokenBootstrap();
  const { Instances = [] } = await broken.h.handlers.ListInstances!({ ClusterId: broken.id }, broken.h.request);
  assert.deepEqual(Instances[0]?.Status?.StateChangeReason, { Code: "BOOTSTRAP_FAILURE", Message: "it said no" });
  const cancelled = await cancelledStep();
  const { Step } = await cancelled.h.handlers.DescribeStep!({ ClusterId: cancelled.id, StepId: cancelled.stepId! }, cancelled.h.request);
  assert.deepEqual(Step?.Status?.StateChangeReason, { Code: "NONE", Message: "Cancelled by user request" });
});
