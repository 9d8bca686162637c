import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunJobFlowInput } from "@aws-sdk/client-emr";
import { eventsOf } from "../../src/store/events.ts";
import { harness } from "./control-plane-harness.ts";

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
    "instance fleets",
    { Instances: { InstanceFleets: [{ InstanceFleetType: "MASTER" }] } },
    /InstanceFleets: instance fleets are not in Howdah yet/,
  ],
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
    { Steps: [{ Name: "q", HadoopJarStep: { Jar: "command-runner.jar", Args: ["hive-script", "--run-hive-script"] } }] },
    /Steps\[0\] \(q\): hive-script needs Hive, which is not in Howdah yet/,
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
  ["no master", { Instances: { InstanceGroups: [group("CORE", 1)] } }, /exactly one group must have InstanceRole MASTER/],
  [
    "task nodes without core nodes",
    { Instances: { InstanceGroups: [group("MASTER", 1), group("TASK", 1)] } },
    /needs at least one core node/,
  ],
  ["both spellings of instances", { Instances: { InstanceGroups: [group("MASTER", 1)], InstanceCount: 3 } }, /exclude one another/],
  ["an unknown classification", { Configurations: [{ Classification: "no-such-site", Properties: { a: "b" } }] }, /no-such-site/],
  ["a log location outside S3", { LogUri: "/tmp/logs" }, /LogUri: '\/tmp\/logs' is not an S3 location/],
  [
    "a bootstrap action from nowhere",
    { BootstrapActions: [{ Name: "x", ScriptBootstrapAction: { Path: "x.sh" } }] },
    /BootstrapActions\[0\]/,
  ],
  ["a security configuration that is not there", { SecurityConfiguration: "s" }, /Security configuration with name 's' does not exist/],
  ["Kerberos", { KerberosAttributes: { Realm: "r", KdcAdminPassword: "p" } }, /KerberosAttributes/],
  ["managed scaling", { ManagedScalingPolicy: {} }, /ManagedScalingPolicy/],
  ["a tag key that is reserved", { Tags: [{ Key: "aws:x", Value: "y" }] }, /aws:/],
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

test("lists page by page, newest first, and a cluster of another account is not there", async () => {
  const h = await harness();
  const made: string[] = [];
  for (let n = 0; n < 53; n++) {
    h.advance(1000);
    made.unshift((await h.handlers.RunJobFlow!(base as never, h.request)).JobFlowId ?? "");
  }
  const first = await h.handlers.ListClusters!({}, h.request);
  const second = await h.handlers.ListClusters!({ Marker: first.Marker }, h.request);
  assert.deepEqual(
    [...first.Clusters!, ...second.Clusters!].map(({ Id }) => Id),
    made,
  );
  assert.equal(second.Marker, undefined);
  await assert.rejects(async () => h.handlers.ListClusters!({ Marker: "@" }, h.request), /Marker '@' is not valid/);
  await assert.rejects(
    async () => h.handlers.DescribeCluster!({ ClusterId: made[0]! }, { ...h.request, accountId: "999999999999" }),
    /is not valid/,
  );
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
