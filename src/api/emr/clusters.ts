/** DescribeCluster, ListClusters, TerminateJobFlows, and what of a cluster can be changed. RunJobFlow has a file of its own. */
import type {
  DescribeClusterInput,
  ListClustersInput,
  ModifyClusterInput,
  SetKeepJobFlowAliveWhenNoStepsInput,
  SetTerminationProtectionInput,
  SetUnhealthyNodeReplacementInput,
  SetVisibleToAllUsersInput,
  TerminateJobFlowsInput,
} from "@aws-sdk/client-emr";
import { validationException } from "../../aws/errors.ts";
import { type ClusterRow, type ClusterWish, isEnding, listClusters, setClusterWish } from "../../store/clusters.ts";
import { addEvent, addWarnings } from "../../store/events.ts";
import { groupsOf, instancesOf } from "../../store/instances.ts";
import { activeStates, countActiveSteps, stepsOf } from "../../store/steps.ts";
import type { Db } from "../../store/store.ts";
import { tagsOf } from "../../store/tags.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { theCluster, theLivingCluster } from "./lookup.ts";
import { page, readMarker } from "./paging.ts";
import { extendedSupport, nodeReplacement } from "./parameters.ts";
import { clusterShape, clusterSummary } from "./shapes.ts";
import { readStepConcurrencyLevel } from "./steps.ts";

const pageSize = 50;

async function factsOf(db: Db, cluster: ClusterRow, now: number) {
  return {
    hasActiveSteps: (await countActiveSteps(db, cluster.id)) > 0,
    instances: await instancesOf(db, cluster.id),
    groups: await groupsOf(db, cluster.id),
    now,
  };
}

export async function DescribeCluster({ store }: EmrContext, input: DescribeClusterInput, request: EmrRequest) {
  const cluster = await theCluster(store.db, request, input.ClusterId);
  const facts = await factsOf(store.db, cluster, store.now());
  return { Cluster: clusterShape(cluster, { ...facts, tags: await tagsOf(store.db, cluster.id) }) };
}

export async function ListClusters({ store }: EmrContext, input: ListClustersInput, request: EmrRequest) {
  const rows = await listClusters(store.db, {
    accountId: request.accountId,
    region: request.region,
    createdAfter: input.CreatedAfter?.getTime(),
    createdBefore: input.CreatedBefore?.getTime(),
    after: readMarker<{ createdAt: number; id: string }>(input.Marker),
  });
  const found = [];
  for (const row of rows) {
    const summary = clusterSummary(row, await factsOf(store.db, row, store.now()));
    const state = summary.Status?.State;
    if (input.ClusterStates?.length && !(state && input.ClusterStates.includes(state))) continue;
    found.push({ row, summary });
    if (found.length > pageSize) break;
  }
  const { items, Marker } = page(found, pageSize, ({ row }) => ({ createdAt: row.created_at, id: row.id }));
  return { Clusters: items.map(({ summary }) => summary), Marker };
}

/** All or none: one protected cluster refuses the request, as in EMR where the clusters are in one zone. A cluster that has ended stays so. */
export async function TerminateJobFlows({ store }: EmrContext, input: TerminateJobFlowsInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const clusters = [];
    for (const id of input.JobFlowIds ?? []) clusters.push(await theCluster(tx.db, request, id));
    const living = clusters.filter((cluster) => !isEnding(cluster));
    if (living.some((cluster) => cluster.termination_protected === 1))
      throw validationException("Could not shut down one or more job flows since they are termination protected.");
    for (const cluster of living) {
      await setClusterWish(tx, cluster.id, { terminate_requested_at: tx.now });
      await addEvent(tx, cluster.id, "cluster", `termination requested by ${request.principal.arn}`);
      await tx.wake("cluster", cluster.id);
    }
    return {};
  });
}

/** All or none: one cluster that ends or is unknown refuses the request. */
async function change(
  { store }: EmrContext,
  ids: string[] | undefined,
  request: EmrRequest,
  wish: Partial<ClusterWish>,
  warnings: string[] = [],
) {
  return store.transaction(async (tx) => {
    for (const id of ids ?? []) {
      const cluster = await theLivingCluster(tx.db, request, id);
      await setClusterWish(tx, cluster.id, wish);
      await addWarnings(tx, cluster.id, warnings);
      await tx.wake("cluster", cluster.id);
    }
    return {};
  });
}

export async function SetTerminationProtection(context: EmrContext, input: SetTerminationProtectionInput, request: EmrRequest) {
  return change(context, input.JobFlowIds, request, { termination_protected: input.TerminationProtected ? 1 : 0 });
}

/** `false` on a cluster that has no step ends it at once, as if its last step had just completed. */
export async function SetKeepJobFlowAliveWhenNoSteps(context: EmrContext, input: SetKeepJobFlowAliveWhenNoStepsInput, request: EmrRequest) {
  return change(context, input.JobFlowIds, request, { keep_alive: input.KeepJobFlowAliveWhenNoSteps ? 1 : 0 });
}

export async function SetVisibleToAllUsers(context: EmrContext, input: SetVisibleToAllUsersInput, request: EmrRequest) {
  return change(context, input.JobFlowIds, request, { visible_to_all_users: input.VisibleToAllUsers ? 1 : 0 });
}

export async function SetUnhealthyNodeReplacement(context: EmrContext, input: SetUnhealthyNodeReplacementInput, request: EmrRequest) {
  const wanted = input.UnhealthyNodeReplacement === true;
  return change(context, input.JobFlowIds, request, { unhealthy_node_replacement: wanted ? 1 : 0 }, wanted ? [nodeReplacement] : []);
}

/** A lower StepConcurrencyLevel lets the steps that run end by themselves. */
export async function ModifyCluster({ store }: EmrContext, input: ModifyClusterInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theLivingCluster(tx.db, request, input.ClusterId);
    const level = readStepConcurrencyLevel(input.StepConcurrencyLevel ?? cluster.step_concurrency_level);
    const support = input.ExtendedSupport === undefined ? cluster.extended_support : Number(input.ExtendedSupport);
    await setClusterWish(tx, cluster.id, { step_concurrency_level: level, extended_support: support });
    const warnings = input.ExtendedSupport ? [extendedSupport] : [];
    if (level > 1)
      for (const { id, spec, state } of await stepsOf(tx.db, cluster.id))
        if (activeStates.includes(state) && spec.actionOnFailure !== "CONTINUE")
          warnings.push(`ActionOnFailure ${spec.actionOnFailure} of ${id} has no effect while StepConcurrencyLevel is above 1`);
    await addWarnings(tx, cluster.id, warnings);
    await tx.wake("steps", cluster.id);
    return { StepConcurrencyLevel: level, ...(support === null ? {} : { ExtendedSupport: support === 1 }) };
  });
}
