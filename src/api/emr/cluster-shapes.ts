/** A cluster's rows as EMR's Cluster and ClusterSummary. Pure functions; the fields are those of the API reference, docs/api-fields.md says which are never there. */
import type { Cluster, ClusterStatus, ClusterSummary } from "@aws-sdk/client-emr";
import type { ClusterFacts, ClusterUse } from "../../store/cluster-lists.ts";
import { type ClusterRow, clusterState, type ListedCluster, stateChangeReason } from "../../store/clusters.ts";
import { date } from "./dates.ts";
import { configurationsShape } from "./instance-shapes.ts";

export const clusterArn = (cluster: { account_id: string; region: string; id: string }): string =>
  `arn:aws:elasticmapreduce:${cluster.region}:${cluster.account_id}:cluster/${cluster.id}`;

function clusterStatus(cluster: ListedCluster, { hasActiveSteps, hasHadSteps }: ClusterUse): ClusterStatus {
  const state = clusterState(cluster, hasActiveSteps);
  return {
    State: state,
    StateChangeReason: stateChangeReason(cluster, state, hasHadSteps),
    Timeline: {
      CreationDateTime: new Date(cluster.created_at),
      ReadyDateTime: date(cluster.ready_at),
      EndDateTime: date(cluster.ended_at),
    },
    ...(cluster.ending && cluster.ending.details.length > 0 ? { ErrorDetails: cluster.ending.details } : {}),
  };
}

export function clusterShape(cluster: ClusterRow, { use, tags, masterAddress }: ClusterFacts): Cluster {
  const { spec } = cluster;
  return {
    ...spec.shown,
    ...clusterSummary(cluster, use),
    InstanceCollectionType: spec.hasFleets ? "INSTANCE_FLEET" : "INSTANCE_GROUP",
    LogUri: spec.logUri ?? undefined,
    ReleaseLabel: spec.releaseLabel,
    AutoTerminate: cluster.keep_alive === 0,
    TerminationProtected: cluster.termination_protected === 1,
    Applications: spec.applications.filter(({ Name }) => !spec.hadoopIsImplied || Name !== "Hadoop"),
    Configurations: configurationsShape(spec.configurations),
    SecurityConfiguration: spec.securityConfiguration?.name,
    StepConcurrencyLevel: cluster.step_concurrency_level,
    UnhealthyNodeReplacement: cluster.unhealthy_node_replacement === 1,
    VisibleToAllUsers: cluster.visible_to_all_users === 1,
    ExtendedSupport: cluster.extended_support === null ? undefined : cluster.extended_support === 1,
    Tags: tags,
    // The address itself: it needs no name server, so ssh, browsers and the CLI's own ssh command reach it.
    MasterPublicDnsName: masterAddress,
  };
}

export function clusterSummary(cluster: ListedCluster, use: ClusterUse): ClusterSummary {
  return {
    Id: cluster.id,
    Name: cluster.spec.name,
    Status: clusterStatus(cluster, use),
    NormalizedInstanceHours: use.normalizedHours,
    ClusterArn: clusterArn(cluster),
  };
}
