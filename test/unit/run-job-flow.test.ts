import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunJobFlowInput } from "@aws-sdk/client-emr";
import { eventsOf } from "../../src/store/events.ts";
import { harness, makeNetwork } from "./control-plane-harness.ts";

const base: RunJobFlowInput = {
  Name: "test",
  ReleaseLabel: "emr-7.13.0",
  Instances: { MasterInstanceType: "m5.xlarge", InstanceCount: 1, KeepJobFlowAliveWhenNoSteps: true },
};
const group = (InstanceRole: "MASTER" | "CORE" | "TASK", InstanceCount: number, InstanceType = "m5.xlarge") => ({
  InstanceRole,
  InstanceCount,
  InstanceType,
});

const refusals: [string, Partial<RunJobFlowInput>, RegExp][] = [
  ["an unknown release label", { ReleaseLabel: "emr-5.36.0" }, /release label is invalid: emr-5\.36\.0.*emr-7\.13\.0/],
  ["no release label", { ReleaseLabel: undefined }, /ReleaseLabel is required/],
  ["an AMI version", { AmiVersion: "3.11" }, /AmiVersion/],
  ["an application that is not there", { Applications: [{ Name: "Hue" }] }, /Hue is not in Howdah's emr-7\.13\.0.*Spark/],
  [
    "an unknown instance type",
    { Instances: { InstanceGroups: [group("MASTER", 1, "m99.huge")] } },
    /InstanceGroups\[0\]\.InstanceType.*m99\.huge/,
  ],
  [
    "an unknown instance type in the short spelling",
    { Instances: { MasterInstanceType: "m99.huge", InstanceCount: 1 } },
    /Instances\.MasterInstanceType: .*m99\.huge/,
  ],
  ["a StepConcurrencyLevel at which no step would run", { StepConcurrencyLevel: 0 }, /StepConcurrencyLevel must be from 1 to 256, not 0/],
  ["a StepConcurrencyLevel above EMR's", { StepConcurrencyLevel: 257 }, /StepConcurrencyLevel/],
  [
    "a step of an application that is not there",
    { Steps: [{ Name: "q", HadoopJarStep: { Jar: "command-runner.jar", Args: ["pig-script", "--run-pig-script"] } }] },
    /Steps\[0\] \(q\): pig-script needs Pig, which is not in Howdah yet/,
  ],
  [
    "such a step in its older spelling",
    {
      Steps: [
        {
          Name: "q",
          HadoopJarStep: {
            Jar: "s3://elasticmapreduce/libs/script-runner/script-runner.jar",
            Args: ["s3://eu-west-1.elasticmapreduce/libs/pig/pig-script"],
          },
        },
      ],
    },
    /pig-script needs Pig/,
  ],
  [
    "no master",
    { Instances: { InstanceGroups: [group("CORE", 1)] } },
    /Zero master instance groups supplied, you must specify exactly one/,
  ],
  [
    "task nodes without core nodes",
    { Instances: { InstanceGroups: [group("MASTER", 1), group("TASK", 1)] } },
    /Clusters with task nodes must also define core nodes/,
  ],
  [
    "both spellings of instances",
    { Instances: { InstanceGroups: [group("MASTER", 1)], InstanceCount: 3 } },
    /using one and only one of the following/,
  ],
  ["an unknown classification", { Configurations: [{ Classification: "no-such-site", Properties: { a: "b" } }] }, /no-such-site/],
  ...["__proto__", "constructor-site"].map((Classification): [string, Partial<RunJobFlowInput>, RegExp] => [
    `the classification ${Classification}`,
    { Configurations: [{ Classification, Properties: {} }] },
    new RegExp(`Unknown classification '${Classification}'`),
  ]),
  ["an application without a name", { Applications: [{}] }, /Applications\[0\]\.Name is required/],
  ["a log location outside S3", { LogUri: "/tmp/logs" }, /LogUri: '\/tmp\/logs' is not an S3 location/],
  [
    "a bootstrap action from nowhere",
    { BootstrapActions: [{ Name: "x", ScriptBootstrapAction: { Path: "x.sh" } }] },
    /BootstrapActions\[0\]/,
  ],
  ["a security configuration that is not there", { SecurityConfiguration: "s" }, /Security configuration with name 's' does not exist/],
  ["Kerberos", { KerberosAttributes: { Realm: "r", KdcAdminPassword: "p" } }, /KerberosAttributes/],
  ["managed scaling without limits", { ManagedScalingPolicy: {} }, /ManagedScalingPolicy\.ComputeLimits is required/],
  ["an idle end at once", { AutoTerminationPolicy: { IdleTimeout: 1 } }, /AutoTerminationPolicy\.IdleTimeout must be from 60/],
  ["a tag key that is reserved", { Tags: [{ Key: "aws:x", Value: "y" }] }, /Invalid tag key: 'aws:x' begins with aws:, which is reserved/],
  ["a tag value that is reserved", { Tags: [{ Key: "x", Value: "AWS:y" }] }, /Invalid tag value: 'AWS:y' begins with aws:/],
  ["a tag without a key", { Tags: [{ Value: "y" }] }, /Invalid tag key: ''. Tag keys must be between 1 and 128/],
  ["a tag with a sign that EMR does not take", { Tags: [{ Key: "a,b", Value: "y" }] }, /Invalid tag key: 'a,b'. Letters, digits/],
  ["too many tags", { Tags: Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: "" })) }, /at most 50, and would have 51/],
  ["a name with a sign that EMR does not take", { Name: "a|b" }, /Name: 'a\|b' must not contain any of < > \$ \| and `/],
  ["an AMI version beside the label", { AmiVersion: "3.11.0", ReleaseLabel: "emr-7.13.0" }, /Only one AMI version and release label/],
  ["two masters", { Instances: { InstanceGroups: [group("MASTER", 1), group("MASTER", 1)] } }, /Multiple master instance groups supplied/],
  [
    "a price for instances on demand",
    { Instances: { InstanceGroups: [{ ...group("MASTER", 1), BidPrice: "0.1" }] } },
    /InstanceGroups\[0\]\.BidPrice: Attempted to set bid price for on demand instance group/,
  ],
  ...["0", "-1", "1.2345", "much"].map((BidPrice): [string, Partial<RunJobFlowInput>, RegExp] => [
    `a bid price of ${BidPrice}`,
    { Instances: { InstanceGroups: [{ ...group("MASTER", 1), Market: "SPOT", BidPrice }] } },
    /InstanceGroups\[0\]\.BidPrice: /,
  ]),
  ...(
    [
      [{ VolumeType: "floppy", SizeInGB: 1 }, /VolumeType must be one of gp3, gp2, io1, st1, sc1, standard, not 'floppy'/],
      [{ VolumeType: "constructor", SizeInGB: 1 }, /VolumeType must be one of/],
      [{ VolumeType: "gp2", SizeInGB: 0 }, /SizeInGB must be from 1 to 16384, not 0/],
      [{ VolumeType: "io1", SizeInGB: 10 }, /Iops: IOPS setting is required for volume type io1/],
      [{ VolumeType: "gp2", SizeInGB: 10, Iops: 100 }, /Iops: the setting is not supported for volume type gp2/],
      [{ VolumeType: "gp3", SizeInGB: 10, Throughput: 100 }, /Throughput must be from 125 to 1000 for volume type gp3, not 100/],
    ] as const
  ).map(([VolumeSpecification, message]): [string, Partial<RunJobFlowInput>, RegExp] => [
    `a volume ${JSON.stringify(VolumeSpecification)}`,
    {
      Instances: {
        InstanceGroups: [{ ...group("MASTER", 1), EbsConfiguration: { EbsBlockDeviceConfigs: [{ VolumeSpecification }] } }],
      },
    },
    new RegExp(`InstanceGroups\\[0\\]\\.EbsConfiguration\\.EbsBlockDeviceConfigs\\[0\\].*${message.source}`),
  ]),
  [
    "more volumes than an instance may have",
    {
      Instances: {
        InstanceGroups: [
          {
            ...group("MASTER", 1),
            EbsConfiguration: {
              EbsBlockDeviceConfigs: [{ VolumeSpecification: { VolumeType: "gp2", SizeInGB: 10 }, VolumesPerInstance: 26 }],
            },
          },
        ],
      },
    },
    /an instance may have 25 volumes, not 26/,
  ],
  ["a root volume that is too small", { EbsRootVolumeSize: 9 }, /EbsRootVolumeSize must be from 10 to 100 GiB, not 9/],
  ["too many IOPS of it", { EbsRootVolumeIops: 16_001 }, /EbsRootVolumeIops must be from 3000 to 16000 IOPS/],
  ["too little throughput of it", { EbsRootVolumeThroughput: 124 }, /EbsRootVolumeThroughput must be from 125 to 1000 MiB\/s/],
  ["a placement of core nodes", { PlacementGroupConfigs: [{ InstanceRole: "CORE" }] }, /PlacementGroupConfigs: the only InstanceRole/],
  [
    "17 bootstrap actions",
    { BootstrapActions: Array.from({ length: 17 }, () => ({ Name: "x", ScriptBootstrapAction: { Path: "s3://a/b.sh" } })) },
    /BootstrapActions: at most 16, not 17/,
  ],
  [
    "a step with too much text",
    { Steps: [{ Name: "s", HadoopJarStep: { Jar: "command-runner.jar", Args: ["echo", "x".repeat(10_240)] } }] },
    /Steps\[0\]\.HadoopJarStep: its texts have 10262 characters together, and may have 10240/,
  ],
  ["a step that names no command", { Steps: [{ Name: "s", HadoopJarStep: { Jar: "command-runner.jar" } }] }, /Steps\[0\] \(s\)/],
  [
    "an action on failure with concurrent steps",
    {
      StepConcurrencyLevel: 2,
      Steps: [{ Name: "s", ActionOnFailure: "TERMINATE_CLUSTER", HadoopJarStep: { Jar: "command-runner.jar", Args: ["x"] } }],
    },
    /only CONTINUE is allowed/,
  ],
];

for (const [what, change, message] of refusals)
  test(`RunJobFlow refuses ${what}, and creates nothing`, async () => {
    const h = await harness();
    await assert.rejects(async () => h.handlers.RunJobFlow!({ ...base, ...change } as never, h.request), message);
    assert.deepEqual((await h.handlers.ListClusters!({}, h.request)).Clusters, []);
  });

test("what has no effect is recorded as a warning, and shown again", async () => {
  const h = await harness();
  await makeNetwork(h);
  const { JobFlowId } = await h.handlers.RunJobFlow!(
    {
      ...base,
      Instances: { ...base.Instances, Ec2KeyName: "mine", Ec2SubnetId: "subnet-1" },
      EbsRootVolumeSize: 20,
      OSReleaseLabel: "2.0",
    } as never,
    { ...h.request, unknownMembers: ["Instances.Colour"] },
  );
  const warnings = (await eventsOf(h.store.db, JobFlowId!)).filter(({ kind }) => kind === "warning").map(({ message }) => message);
  for (const name of ["Ec2KeyName", "Ec2SubnetId", "EbsRootVolumeSize", "OSReleaseLabel", "Instances.Colour", "one copy of each block"])
    assert.ok(
      warnings.some((warning) => warning.includes(name)),
      `no warning of ${name} in ${warnings.join("; ")}`,
    );
  const { Cluster } = await h.handlers.DescribeCluster!({ ClusterId: JobFlowId! }, h.request);
  assert.equal(Cluster?.Ec2InstanceAttributes?.Ec2KeyName, "mine");
  assert.equal(Cluster?.EbsRootVolumeSize, 20);
});

test("a cluster of another account is not there", async () => {
  const h = await harness();
  const { JobFlowId: ClusterId = "" } = await h.handlers.RunJobFlow!(base as never, h.request);
  for (const other of [
    { ...h.request, accountId: "999999999999" },
    { ...h.request, region: "eu-west-1" },
  ]) {
    await assert.rejects(async () => h.handlers.DescribeCluster!({ ClusterId }, other), {
      name: "InvalidRequestException",
      message: `Cluster id '${ClusterId}' is not valid.`,
    });
    await assert.rejects(async () => h.handlers.TerminateJobFlows!({ JobFlowIds: [ClusterId] }, other), {
      name: "ValidationException",
      message: /^Specified job flow ID does not exist\./,
    });
    assert.deepEqual((await h.handlers.ListClusters!({}, other)).Clusters, []);
  }
});

test("volumes are shown as the devices of an instance, and Hadoop only where it was asked for or nothing was", async () => {
  const h = await harness();
  const gp3 = { VolumeType: "gp3", SizeInGB: 100, Iops: 3000, Throughput: 125 };
  const io1 = { VolumeType: "io1", SizeInGB: 10, Iops: 100 };
  const EbsConfiguration = {
    EbsOptimized: true,
    EbsBlockDeviceConfigs: [{ VolumeSpecification: gp3, VolumesPerInstance: 2 }, { VolumeSpecification: io1 }],
  };
  const InstanceGroups = [{ ...group("MASTER", 1), Market: "SPOT", BidPrice: "0.125", EbsConfiguration }];
  const run = async (change: object) => (await h.handlers.RunJobFlow!({ ...base, ...change } as never, h.request)).JobFlowId!;
  const ClusterId = await run({ Instances: { InstanceGroups }, Applications: [{ Name: "spark" }] });
  const [shown] = (await h.handlers.ListInstanceGroups!({ ClusterId }, h.request)).InstanceGroups!;
  assert.equal(shown?.EbsOptimized, true);
  assert.equal(shown?.BidPrice, "0.125");
  assert.deepEqual(shown?.EbsBlockDevices, [
    { Device: "/dev/sdb", VolumeSpecification: gp3 },
    { Device: "/dev/sdc", VolumeSpecification: gp3 },
    { Device: "/dev/sdd", VolumeSpecification: io1 },
  ]);
  const blank = [{ ...group("MASTER", 1), EbsConfiguration: { EbsBlockDeviceConfigs: [] } }];
  const usual = (await h.handlers.ListInstanceGroups!({ ClusterId: await run({ Instances: { InstanceGroups: blank } }) }, h.request))
    .InstanceGroups;
  assert.deepEqual(
    usual?.[0]?.EbsBlockDevices?.map(({ VolumeSpecification }) => VolumeSpecification?.SizeInGB),
    [32, 32],
    "a list of no volumes asks for EMR's own",
  );
  const applications = async (id: string) =>
    (await h.handlers.DescribeCluster!({ ClusterId: id }, h.request)).Cluster?.Applications?.map(({ Name }) => Name);
  assert.deepEqual(await applications(ClusterId), ["Spark"]);
  assert.deepEqual(await applications(await run({})), ["Hadoop"]);
  assert.deepEqual(await applications(await run({ Applications: [{ Name: "Spark" }, { Name: "HADOOP" }] })), ["Hadoop", "Spark"]);
});

test("at most 256 active steps", async () => {
  const h = await harness();
  const { JobFlowId } = await h.handlers.RunJobFlow!(base as never, h.request);
  const steps = (count: number) =>
    Array.from({ length: count }, (_, n) => ({
      Name: `s${n}`,
      ActionOnFailure: "CONTINUE",
      HadoopJarStep: { Jar: "command-runner.jar", Args: ["true"] },
    }));
  await h.handlers.AddJobFlowSteps!({ JobFlowId, Steps: steps(256) } as never, h.request);
  await assert.rejects(
    async () => h.handlers.AddJobFlowSteps!({ JobFlowId, Steps: steps(1) } as never, h.request),
    /Maximum number of active steps/,
  );
});

test("an application that is not there is left out, with a warning, where the operator chose so", async () => {
  const h = await harness();
  h.releases.missingApplications = "warn";
  const { JobFlowId = "" } = await h.handlers.RunJobFlow!(
    { ...base, Applications: [{ Name: "Hue" }, { Name: "spark" }] } as never,
    h.request,
  );
  const { Cluster } = await h.handlers.DescribeCluster!({ ClusterId: JobFlowId }, h.request);
  assert.deepEqual(
    Cluster?.Applications?.map(({ Name }) => Name),
    ["Spark"],
  );
  const warnings = (await eventsOf(h.store.db, JobFlowId)).filter(({ kind }) => kind === "warning");
  assert.ok(warnings.some(({ message }) => /Hue is not in Howdah's emr-7\.13\.0.* THE CLUSTER IS WITHOUT IT/.test(message)));
});
