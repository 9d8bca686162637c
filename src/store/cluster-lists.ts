/** Lists of clusters, chosen and limited in SQL, so that a page costs the same among ten clusters and ten thousand. */
import type { ClusterState } from "@aws-sdk/client-emr";
import { sql } from "kysely";
import { type ClusterRow, clusterFromRow } from "./clusters.ts";
import type { ClustersTable } from "./schema.ts";
import { activeStates } from "./steps.ts";
import type { Db } from "./store.ts";

export interface ClusterFilter {
  accountId: string;
  region: string;
  /** Epoch milliseconds, both included. */
  createdAfter?: number | undefined;
  createdBefore?: number | undefined;
  /** As users see them; all where it is empty. */
  states?: readonly ClusterState[] | undefined;
  ids?: readonly string[] | undefined;
}

/** Of a list that has the newest first. Neither part of it ever changes. */
export type ClusterPosition = [createdAt: number, id: string];

/** clusterState() as SQL, for a row of `clusters` that lives. */
const livingState = sql<ClusterState>`CASE
  WHEN phase = 'ending' OR terminate_requested_at IS NOT NULL THEN 'TERMINATING'
  WHEN phase = 'bootstrapping' THEN 'BOOTSTRAPPING'
  WHEN phase <> 'ready' THEN 'STARTING'
  WHEN EXISTS (SELECT 1 FROM steps WHERE cluster_id = clusters.id AND state IN (${sql.join(activeStates)})) THEN 'RUNNING'
  ELSE 'WAITING' END`;

const endedAs = { TERMINATED: "terminated", TERMINATED_WITH_ERRORS: "failed" } as const;

/** Newest first, those after `after`. */
export async function pageOfClusters(
  db: Db,
  filter: ClusterFilter,
  after: ClusterPosition | undefined,
  limit: number,
): Promise<ClusterRow[]> {
  const { states = [] } = filter;
  if (states.length === 0) return (await query(db, filter, after, limit).execute()).map(clusterFromRow);
  // An index has the clusters of each outcome in their order: one short look into it for each.
  const living = states.filter((state) => !(state in endedAs));
  const parts = Object.entries(endedAs)
    .filter(([state]) => states.includes(state as ClusterState))
    .map(([, outcome]) => query(db, filter, after, limit).where("outcome", "=", outcome));
  if (living.length > 0) parts.push(query(db, filter, after, limit).where("outcome", "=", "living").where(livingState, "in", living));
  const rows = [];
  for (const part of parts) rows.push(...(await part.execute()));
  const isNewer = (a: Order, b: Order) => a.created_at > b.created_at || (a.created_at === b.created_at && a.id > b.id);
  return rows
    .toSorted((a, b) => (isNewer(a, b) ? -1 : 1))
    .slice(0, limit)
    .map(clusterFromRow);
}

type Order = Pick<ClustersTable, "created_at" | "id">;

function query(db: Db, filter: ClusterFilter, after: ClusterPosition | undefined, limit: number) {
  let chosen = db.selectFrom("clusters").selectAll().where("account_id", "=", filter.accountId).where("region", "=", filter.region);
  if (filter.createdAfter !== undefined) chosen = chosen.where("created_at", ">=", filter.createdAfter);
  if (filter.createdBefore !== undefined) chosen = chosen.where("created_at", "<=", filter.createdBefore);
  if (filter.ids) chosen = chosen.where("id", "in", filter.ids);
  if (after) chosen = chosen.where(sql<boolean>`(created_at, id) < (${after[0]}, ${after[1]})`);
  return chosen.orderBy("created_at", "desc").orderBy("id", "desc").limit(limit);
}

/** Of all accounts and regions, newest first: for whoever holds the data folder. */
export async function everyCluster(db: Db): Promise<ClusterRow[]> {
  return (await db.selectFrom("clusters").selectAll().orderBy("created_at", "desc").orderBy("id", "desc").execute()).map(clusterFromRow);
}

const batch = 100;

/** Every one of `filter`, newest first, a batch at a time. */
export async function* eachCluster(db: Db, filter: ClusterFilter): AsyncGenerator<ClusterRow> {
  for (let after: ClusterPosition | undefined; ;) {
    const rows = await pageOfClusters(db, filter, after, batch);
    yield* rows;
    const last = rows.at(-1);
    if (rows.length < batch || !last) return;
    after = [last.created_at, last.id];
  }
}

/** What a list says of each cluster beyond its row, for all of a page at once. */
export interface ClusterUse {
  hasActiveSteps: boolean;
  /** Active or not. */
  hasHadSteps: boolean;
  /** From launch to end of each instance; null where it has not ended. */
  instances: { instanceType: string; launchedAt: number; endedAt: number | null }[];
}

export async function usesOf(db: Db, clusterIds: readonly string[]): Promise<(clusterId: string) => ClusterUse> {
  if (clusterIds.length === 0) return () => ({ hasActiveSteps: false, hasHadSteps: false, instances: [] });
  const active = await db
    .selectFrom("steps")
    .select("cluster_id")
    .distinct()
    .where("cluster_id", "in", clusterIds)
    .where("state", "in", activeStates)
    .execute();
  const launched = await db
    .selectFrom("instances")
    .innerJoin("instance_groups", "instance_groups.id", "instances.group_id")
    .select(["instances.cluster_id", "instance_groups.instance_type", "instances.launched_at", "instances.ended_at"])
    .where("instances.cluster_id", "in", clusterIds)
    .where("instances.launched_at", "is not", null)
    .execute();
  const busy = await db
    .selectFrom("clusters")
    .select("id")
    .where("id", "in", clusterIds)
    .where((e) => e.exists(e.selectFrom("steps").select("seq").whereRef("cluster_id", "=", "clusters.id")))
    .execute();
  const withActive = new Set(active.map((row) => row.cluster_id));
  const withSteps = new Set(busy.map(({ id }) => id));
  const instances = Map.groupBy(launched, (row) => row.cluster_id);
  return (clusterId) => ({
    hasActiveSteps: withActive.has(clusterId),
    hasHadSteps: withSteps.has(clusterId),
    instances: (instances.get(clusterId) ?? []).map((row) => ({
      instanceType: row.instance_type,
      launchedAt: row.launched_at ?? 0,
      endedAt: row.ended_at,
    })),
  });
}
