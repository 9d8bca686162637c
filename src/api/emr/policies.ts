/**
 * Policies that are attached to clusters: automatic scaling (of an instance group), managed scaling and auto-termination. They are checked, kept
 * and shown; none has its effect yet, which each Put records as a warning of its cluster.
 */
import type {
  GetAutoTerminationPolicyInput,
  GetManagedScalingPolicyInput,
  PutAutoScalingPolicyInput,
  PutAutoTerminationPolicyInput,
  PutManagedScalingPolicyInput,
  RemoveAutoScalingPolicyInput,
  RemoveAutoTerminationPolicyInput,
  RemoveManagedScalingPolicyInput,
} from "@aws-sdk/client-emr";
import { validationException } from "../../aws/errors.ts";
import { type ClusterWish, setClusterWish } from "../../store/clusters.ts";
import { addEvent, addWarnings } from "../../store/events.ts";
import { groupsOf, isUniform, setAutoScalingPolicy, type UniformGroup } from "../../store/instances.ts";
import type { Db, Tx } from "../../store/store.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { theCluster, theLivingCluster } from "./lookup.ts";
import { noIdleEnd, noScaling } from "./parameters.ts";
import { readAutoScalingPolicy, readAutoTerminationPolicy, readManagedScalingPolicy } from "./policies-input.ts";
import { clusterArn } from "./cluster-shapes.ts";
import { autoScalingShape } from "./instance-shapes.ts";

export async function PutManagedScalingPolicy({ store }: EmrContext, input: PutManagedScalingPolicyInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theLivingCluster(tx.db, request, input.ClusterId);
    const scaled = (await groupsOf(tx.db, cluster.id)).filter(isUniform).find((group) => group.auto_scaling_policy !== null);
    if (scaled)
      throw validationException(
        `ManagedScalingPolicy: instance group ${scaled.id} has an automatic scaling policy, and a cluster may have only one kind. Remove it first.`,
      );
    const policy = readManagedScalingPolicy(input.ManagedScalingPolicy ?? {}, cluster.spec.hasFleets === true);
    await attach(tx, cluster.id, { managed_scaling_policy: policy }, `ManagedScalingPolicy ${noScaling}`);
    return {};
  });
}

export async function GetManagedScalingPolicy({ store }: EmrContext, input: GetManagedScalingPolicyInput, request: EmrRequest) {
  const { managed_scaling_policy: policy } = await theCluster(store.db, request, input.ClusterId);
  return policy ? { ManagedScalingPolicy: policy } : {};
}

/** A cluster without one is no error, here and below: what was to be is so. */
export async function RemoveManagedScalingPolicy({ store }: EmrContext, input: RemoveManagedScalingPolicyInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theCluster(tx.db, request, input.ClusterId);
    await setClusterWish(tx, cluster.id, { managed_scaling_policy: null });
    return {};
  });
}

export async function PutAutoTerminationPolicy({ store }: EmrContext, input: PutAutoTerminationPolicyInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theLivingCluster(tx.db, request, input.ClusterId);
    const policy = readAutoTerminationPolicy(input.AutoTerminationPolicy ?? {});
    await attach(tx, cluster.id, { auto_termination_policy: policy }, `AutoTerminationPolicy ${noIdleEnd}`);
    return {};
  });
}

export async function GetAutoTerminationPolicy({ store }: EmrContext, input: GetAutoTerminationPolicyInput, request: EmrRequest) {
  const { auto_termination_policy: policy } = await theCluster(store.db, request, input.ClusterId);
  return policy ? { AutoTerminationPolicy: policy } : {};
}

export async function RemoveAutoTerminationPolicy({ store }: EmrContext, input: RemoveAutoTerminationPolicyInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theCluster(tx.db, request, input.ClusterId);
    await setClusterWish(tx, cluster.id, { auto_termination_policy: null });
    return {};
  });
}

/** The cluster must have been created with an AutoScalingRole: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-automatic-scaling.html */
export async function PutAutoScalingPolicy({ store }: EmrContext, input: PutAutoScalingPolicyInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theLivingCluster(tx.db, request, input.ClusterId);
    const group = await theGroup(tx.db, cluster.id, input.InstanceGroupId);
    if (group.role === "MASTER")
      throw validationException(
        `InstanceGroupId: ${group.id} is the master's group: core and task groups may have an automatic scaling policy.`,
      );
    if (!cluster.spec.shown.AutoScalingRole)
      throw validationException(`${cluster.id} was created without AutoScalingRole, which an automatic scaling policy needs.`);
    if (cluster.managed_scaling_policy)
      throw validationException(
        `AutoScalingPolicy: ${cluster.id} has a managed scaling policy, and a cluster may have only one kind. Remove it first.`,
      );
    const policy = readAutoScalingPolicy(input.AutoScalingPolicy, cluster.id, group.role);
    await setAutoScalingPolicy(tx, group.id, policy);
    await addEvent(tx, cluster.id, "cluster", `automatic scaling policy of ${group.id} put by ${request.principal.arn}`);
    await addWarnings(tx, cluster.id, [`AutoScalingPolicy of ${group.id} ${noScaling}`]);
    return {
      ClusterId: cluster.id,
      InstanceGroupId: group.id,
      AutoScalingPolicy: autoScalingShape({ auto_scaling_policy: policy }),
      ClusterArn: clusterArn(cluster),
    };
  });
}

export async function RemoveAutoScalingPolicy({ store }: EmrContext, input: RemoveAutoScalingPolicyInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theCluster(tx.db, request, input.ClusterId);
    const group = await theGroup(tx.db, cluster.id, input.InstanceGroupId);
    await setAutoScalingPolicy(tx, group.id, null);
    return {};
  });
}

async function theGroup(db: Db, clusterId: string, id: string | undefined): Promise<UniformGroup> {
  const group = (await groupsOf(db, clusterId)).filter(isUniform).find((one) => one.id === id);
  if (!group) throw validationException(`Instance group id '${id ?? ""}' is not valid: cluster ${clusterId} has no such group.`);
  return group;
}

async function attach(tx: Tx, clusterId: string, wish: Partial<ClusterWish>, warning: string): Promise<void> {
  await setClusterWish(tx, clusterId, wish);
  await addWarnings(tx, clusterId, [warning]);
}
