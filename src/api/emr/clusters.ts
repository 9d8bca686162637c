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
import { invalidRequest, validationException } from "../../aws/errors.ts";
import { findDescribed, pageOfListed } from "../../store/cluster-lists.ts";
import { type ClusterWish, isEnding, setClusterWish } from "../../store/clusters.ts";
import { addEvent, addWarnings } from "../../store/events.ts";
import { activeStepsOf } from "../../store/steps.ts";
import type { Db } from "../../store/store.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { callersOwn, theJobFlow, theLivingCluster } from "./lookup.ts";
import { openList } from "./paging.ts";
import { extendedSupport } from "./parameters.ts";
import { clusterShape, clusterSummary } from "./cluster-shapes.ts";
import { readStepConcurrencyLevel } from "./steps.ts";

const pageSize = 50;
const mostTerminated = 10;

export async function DescribeCluster({ store }: EmrContext, input: DescribeClusterInput, request: EmrRequest) {
  const id = input.ClusterId ?? "";
  const cluster = callersOwn(await findDescribed(store.db, id, store.now()), request, id);
  return { Cluster: clusterShape(cluster, cluster.facts) };
}

/** Newest first. */
export async function ListClusters({ store }: EmrContext, input: ListClustersInput, request: EmrRequest) {
  const { Marker: marker, ...filters } = input;
  const list = openList("ListClusters", request, filters, ["number", "string"], marker);
  const filter = {
    accountId: request.accountId,
    region: request.region,
    createdAfter: filters.CreatedAfter?.getTime(),
    createdBefore: filters.CreatedBefore?.getTime(),
    states: filters.ClusterStates,
  };
  const read = (db: Db) => pageOfListed(db, filter, list.after, pageSize + 1, store.now());
  // Of several states there is a query each; one query is of one moment by itself.
  const rows = await ((filter.states?.length ?? 0) > 1 ? store.snapshot(read) : read(store.db));
  const { items, Marker } = list.page(rows, pageSize, (row) => [row.created_at, row.id]);
  return { Clusters: items.map((row) => clusterSummary(row, row.use)), Marker };
}

/** All or none: one protected cluster refuses the request, as in EMR where the clusters are in one zone. A cluster that has ended stays so. */
export async function TerminateJobFlows({ store }: EmrContext, input: TerminateJobFlowsInput, request: EmrRequest) {
  const ids = [...new Set(input.JobFlowIds)];
  if (ids.length === 0) throw validationException("The JobFlowId list cannot be empty: JobFlowIds must hold at least one id.");
  if (ids.length > mostTerminated)
    throw validationException(`JobFlowIds: at most ${mostTerminated} clusters in one request, not ${ids.length}.`);
  return store.transaction(async (tx) => {
    const clusters = [];
    for (const id of ids) clusters.push(await theJobFlow(tx.db, request, id));
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
async function change({ store }: EmrContext, ids: string[] | undefined, request: EmrRequest, wish: Partial<ClusterWish>) {
  return store.transaction(async (tx) => {
    for (const id of ids ?? []) {
      const cluster = await theLivingCluster(tx.db, request, id, theJobFlow);
      await setClusterWish(tx, cluster.id, wish);
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
  return change(context, input.JobFlowIds, request, { unhealthy_node_replacement: input.UnhealthyNodeReplacement ? 1 : 0 });
}

/** A lower StepConcurrencyLevel lets the steps that run end by themselves. */
export async function ModifyCluster({ store }: EmrContext, input: ModifyClusterInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theLivingCluster(tx.db, request, input.ClusterId);
    const level = readStepConcurrencyLevel(input.StepConcurrencyLevel ?? cluster.step_concurrency_level, invalidRequest);
    const support = input.ExtendedSupport === undefined ? cluster.extended_support : Number(input.ExtendedSupport);
    await setClusterWish(tx, cluster.id, { step_concurrency_level: level, extended_support: support });
    const warnings = input.ExtendedSupport ? [extendedSupport] : [];
    if (level > 1)
      for (const { id, spec } of await activeStepsOf(tx.db, cluster.id))
        if (spec.actionOnFailure !== "CONTINUE")
          warnings.push(`ActionOnFailure ${spec.actionOnFailure} of ${id} has no effect while StepConcurrencyLevel is above 1`);
    await addWarnings(tx, cluster.id, warnings);
    await tx.wake("steps", cluster.id);
    return { StepConcurrencyLevel: level, ...(support === null ? {} : { ExtendedSupport: support === 1 }) };
  });
}
