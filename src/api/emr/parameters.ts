/**
 * What becomes of each parameter of RunJobFlow, and of a group's change: none is dropped. The tables name every member of the SDK's input, so a member that a new
 * SDK brings does not compile until somebody has decided.
 */
import type {
  InstanceGroupModifyConfig,
  InstanceResizePolicy,
  JobFlowInstancesConfig,
  RunJobFlowInput,
  ShrinkPolicy,
} from "@aws-sdk/client-emr";
import { validationException } from "../../aws/errors.ts";

/**
 * honoured: it has its effect, or is kept and shown where showing is all it does. A function sees the value, and returns a warning, throws
 * (`refused`), or returns undefined for a value that needs nothing.
 */
type Fate<Value> = "honoured" | ((value: NonNullable<Value>) => string | undefined);
export type Fates<Input> = { [Name in keyof Required<Input>]: Fate<Input[Name]> };

export const refused = (why: string) => (): never => {
  throw validationException(why);
};
export const warned = (text: string) => () => text;
const within = (name: string, least: number, most: number, unit: string, why: string) => (value: number) => {
  if (value < least || value > most) throw validationException(`${name} must be from ${least} to ${most} ${unit}, not ${value}.`);
  return `${name} is kept and shown, but ${why}`;
};

/** Also of fleets. */
export const noAmi = refused("CustomAmiId: nodes are made of the host's own system, not of an AMI. Use a bootstrap action instead.");

/** Also of ModifyCluster. */
export const extendedSupport =
  "ExtendedSupport is kept and shown, but has no effect: releases are what the label says, for as long as you like";

/** Also of PutManagedScalingPolicy and, of a group, PutAutoScalingPolicy. */
export const noScaling = "is kept and shown, but has no effect yet: the cluster keeps the instances that it was created with";

/** Also of PutAutoTerminationPolicy. */
export const noIdleEnd = "is kept and shown, but has no effect yet: the cluster goes on until it is terminated or its last step ends it";

const parameters: Fates<RunJobFlowInput> = {
  Name: "honoured",
  LogUri: "honoured",
  ReleaseLabel: "honoured",
  Instances: "honoured",
  Steps: "honoured",
  BootstrapActions: "honoured",
  Applications: "honoured",
  Configurations: "honoured",
  VisibleToAllUsers: "honoured",
  JobFlowRole: "honoured",
  ServiceRole: "honoured",
  AutoScalingRole: "honoured",
  Tags: "honoured",
  ScaleDownBehavior: "honoured",
  StepConcurrencyLevel: "honoured",
  LogEncryptionKmsKeyId: refused("LogEncryptionKmsKeyId: logs cannot be encrypted with a KMS key yet. Leave the parameter out."),
  AdditionalInfo: warned("AdditionalInfo has no effect"),
  AmiVersion: refused(
    "AmiVersion belongs to releases before emr-4.0, which Howdah does not run. Only one AMI version and release label may be specified: use ReleaseLabel.",
  ),
  StepExecutionRoleArn: "honoured",
  SupportedProducts: (value) =>
    value.length > 0 ? refused("SupportedProducts belongs to releases before emr-4.0. Use Applications.")() : undefined,
  NewSupportedProducts: (value) =>
    value.length > 0 ? refused("NewSupportedProducts belongs to releases before emr-4.0. Use Applications.")() : undefined,
  SecurityConfiguration: "honoured",
  CustomAmiId: noAmi,
  EbsRootVolumeSize: within("EbsRootVolumeSize", 10, 100, "GiB", "a node's disk is its folder on the host"),
  EbsRootVolumeIops: within("EbsRootVolumeIops", 3000, 16_000, "IOPS", "has no effect"),
  EbsRootVolumeThroughput: within("EbsRootVolumeThroughput", 125, 1000, "MiB/s", "has no effect"),
  RepoUpgradeOnBoot: (value) => (value === "NONE" ? undefined : "RepoUpgradeOnBoot is kept and shown, but nothing is upgraded on boot"),
  KerberosAttributes: refused("KerberosAttributes: Kerberos is not in Howdah yet. Leave the parameter out."),
  ManagedScalingPolicy: warned(`ManagedScalingPolicy ${noScaling}`),
  PlacementGroupConfigs: (value) => {
    if (value.some(({ InstanceRole }) => InstanceRole !== "MASTER"))
      throw validationException("PlacementGroupConfigs: the only InstanceRole that EMR places is MASTER.");
    return value.length > 0 ? "PlacementGroupConfigs is kept and shown, but all nodes are on this host" : undefined;
  },
  AutoTerminationPolicy: warned(`AutoTerminationPolicy ${noIdleEnd}`),
  OSReleaseLabel: warned("OSReleaseLabel is kept and shown, but nodes run the host's own system"),
  ExtendedSupport: (value) => (value ? extendedSupport : undefined),
  MonitoringConfiguration: refused("MonitoringConfiguration is not in Howdah yet: logs go to LogUri. Leave the parameter out."),
  SessionEnabled: (value) => (value ? refused("SessionEnabled: sessions are not in Howdah yet. Leave the parameter out.")() : undefined),
};

const network = "is kept and shown, but nodes are on the host's loopback network";

const instanceParameters: Fates<JobFlowInstancesConfig> = {
  MasterInstanceType: "honoured",
  SlaveInstanceType: "honoured",
  InstanceCount: "honoured",
  InstanceGroups: "honoured",
  InstanceFleets: "honoured",
  KeepJobFlowAliveWhenNoSteps: "honoured",
  TerminationProtected: "honoured",
  Ec2KeyName: warned("Instances.Ec2KeyName is kept and shown, but nodes have no ssh server yet"),
  Placement: "honoured",
  UnhealthyNodeReplacement: "honoured",
  HadoopVersion: refused("Instances.HadoopVersion belongs to AMI versions before emr-4.0. The release label decides."),
  Ec2SubnetId: warned(`Instances.Ec2SubnetId ${network}`),
  Ec2SubnetIds: (value) => (value.length > 0 ? `Instances.Ec2SubnetIds ${network}` : undefined),
  EmrManagedMasterSecurityGroup: warned(`Instances.EmrManagedMasterSecurityGroup ${network}`),
  EmrManagedSlaveSecurityGroup: warned(`Instances.EmrManagedSlaveSecurityGroup ${network}`),
  ServiceAccessSecurityGroup: warned(`Instances.ServiceAccessSecurityGroup ${network}`),
  AdditionalMasterSecurityGroups: (value) => (value.length > 0 ? `Instances.AdditionalMasterSecurityGroups ${network}` : undefined),
  AdditionalSlaveSecurityGroups: (value) => (value.length > 0 ? `Instances.AdditionalSlaveSecurityGroups ${network}` : undefined),
};

const notReconfigured = "groups of a running cluster cannot be reconfigured yet. Give Configurations to RunJobFlow or AddInstanceGroups.";

const groupChange: Fates<InstanceGroupModifyConfig> = {
  InstanceGroupId: "honoured",
  InstanceCount: "honoured",
  EC2InstanceIdsToTerminate: "honoured",
  ShrinkPolicy: "honoured",
  ReconfigurationType: refused(`ReconfigurationType: ${notReconfigured}`),
  Configurations: (value) => (value.length > 0 ? refused(`Configurations: ${notReconfigured}`)() : undefined),
};
const shrinkPolicy: Fates<ShrinkPolicy> = { DecommissionTimeout: "honoured", InstanceResizePolicy: "honoured" };
const resizePolicy: Fates<InstanceResizePolicy> = {
  InstancesToTerminate: "honoured",
  InstancesToProtect: "honoured",
  InstanceTerminationTimeout: "honoured",
};

/** Warnings to record. Throws ValidationException for a parameter that is refused. */
export function sortOut<Input extends object>(input: Input, fates: Fates<Input>): string[] {
  const warnings: string[] = [];
  for (const name of Object.keys(fates) as (keyof Input)[]) {
    const value = input[name];
    const fate = fates[name];
    if (value === undefined || value === null || fate === "honoured") continue;
    const warning = fate(value as NonNullable<Input[typeof name]>);
    if (warning) warnings.push(warning);
  }
  return warnings;
}

/** Instances without names that are empty: so Terraform's provider sends what its user leaves out, and EMR takes it for that. */
export function withoutBlanks(input: Partial<JobFlowInstancesConfig>): Partial<JobFlowInstancesConfig> {
  const named = Object.entries(input).map(([member, value]: [string, unknown]) => [
    member,
    Array.isArray(value) ? value.filter((one) => one !== "") : value,
  ]);
  return Object.fromEntries(named.filter(([, value]) => value !== ""));
}

/** Throws ValidationException for a parameter that is refused. */
export function sortOutGroupChange(change: InstanceGroupModifyConfig): void {
  const { ShrinkPolicy: policy = {} } = change;
  sortOut(change, groupChange);
  sortOut(policy, shrinkPolicy);
  sortOut(policy.InstanceResizePolicy ?? {}, resizePolicy as Fates<InstanceResizePolicy>);
}

/** Warnings to record. Throws ValidationException for a parameter that is refused. */
export const sortOutParameters = (input: RunJobFlowInput): string[] => sortOut(input, parameters);
export const sortOutInstances = (input: Partial<JobFlowInstancesConfig>): string[] =>
  sortOut(input, instanceParameters as Fates<Partial<JobFlowInstancesConfig>>);
