/** Lists of clusters, chosen and limited in SQL, so that a page costs the same among ten clusters and ten thousand. */
import type { ClusterState } from "@aws-sdk/client-emr";
import { CompiledQuery, type Kysely, type Selectable, sql } from "kysely";
import { type ClusterRow, clusterFromRow, type ListedCluster } from "./clusters.ts";
import { compiledByNames } from "./compiled.ts";
import type { ClustersTable, Schema } from "./schema.ts";
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

/** What chooses a page, as SQL is given it; `ids` as a JSON list. */
interface Chosen {
  accountId: string;
  region: string;
  createdAfter: number;
  createdBefore: number;
  state: ClusterState;
  ids: string;
  afterTime: number;
  afterId: string;
  limit: number;
}

function choose(db: Kysely<Schema>, given: Partial<Chosen>) {
  let chosen = db.selectFrom("clusters").where("account_id", "=", given.accountId!).where("region", "=", given.region!);
  if (given.createdAfter !== undefined) chosen = chosen.where("created_at", ">=", given.createdAfter);
  if (given.createdBefore !== undefined) chosen = chosen.where("created_at", "<=", given.createdBefore);
  if (given.state !== undefined) chosen = chosen.where("noted_state", "=", given.state);
  if (given.ids !== undefined) chosen = chosen.where("id", "in", sql<string>`(select value from json_each(${given.ids}))`);
  if (given.afterTime !== undefined) chosen = chosen.where(sql<boolean>`(created_at, id) < (${given.afterTime}, ${given.afterId})`);
  return given.limit === undefined ? chosen : chosen.orderBy("created_at", "desc").orderBy("id", "desc").limit(given.limit);
}

const wholeRows = compiledByNames<Chosen, Selectable<ClustersTable>>((db, given) => choose(db, given).selectAll());
const positions = compiledByNames<Chosen, Order>((db, given) => choose(db, given).select(["created_at", "id"]));
/** No more of each than a list shows: a page of whole specs takes longer to read than all else of a list. */
const listedRows = compiledByNames<Chosen, Omit<Selectable<ClustersTable>, "spec"> & { spec: string }>(
  (db, given) =>
    choose(db, given)
      .select(["id", "account_id", "region", "created_at", "phase", "ending", "terminate_requested_at", "kept_at", "ready_at", "ended_at"])
      .select(sql<string>`json_object('name', spec ->> 'name', 'bootstrapActions', spec -> 'bootstrapActions')`.as("spec")) as never,
);

/** Newest first, those after `after`. */
export async function pageOfClusters(
  db: Db,
  filter: ClusterFilter,
  after: ClusterPosition | undefined,
  limit: number,
): Promise<ClusterRow[]> {
  return (await page(wholeRows, db, filter, after, limit)).map(clusterFromRow);
}

/** The same, of each what lists show. */
export async function pageOfListed(
  db: Db,
  filter: ClusterFilter,
  after: ClusterPosition | undefined,
  limit: number,
): Promise<ListedCluster[]> {
  return (await page(listedRows, db, filter, after, limit)).map((row) => ({
    ...row,
    spec: JSON.parse(row.spec) as ListedCluster["spec"],
    ending: row.ending === null ? null : (JSON.parse(row.ending) as ListedCluster["ending"]),
  }));
}

async function page<Row extends Order>(
  rows: (db: Db, chosen: Partial<Chosen>) => Promise<Row[]>,
  db: Db,
  { accountId, region, createdAfter, createdBefore, states = [], ids }: ClusterFilter,
  after: ClusterPosition | undefined,
  limit: number,
): Promise<Row[]> {
  const scope = { accountId, region };
  const given = {
    ...scope,
    createdAfter,
    createdBefore,
    ids: ids && JSON.stringify(ids),
    afterTime: after?.[0],
    afterId: after?.[1],
    limit,
  };
  const [state, ...others] = new Set(states);
  if (others.length === 0) return rows(db, { ...given, state } as Partial<Chosen>);
  // An index has the clusters of each state in their order: one short look into it for each, and more is read of those alone that are on the page.
  const found: Order[] = [];
  for (const one of [state, ...others]) found.push(...(await positions(db, { ...given, state: one })));
  const shown = found
    .toSorted(newestFirst)
    .slice(0, limit)
    .map(({ id }) => id);
  if (shown.length === 0) return [];
  return (await rows(db, { ...scope, ids: JSON.stringify(shown) })).toSorted(newestFirst);
}

type Order = Pick<ClustersTable, "created_at" | "id">;

const newestFirst = (a: Order, b: Order): number => b.created_at - a.created_at || (a.id < b.id ? 1 : -1);

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

/** Ids as a JSON list, so that it is one statement whatever their number. */
const usesSql = `select value as id,
  exists (select 1 from steps where cluster_id = value and state in (${activeStates.map((state) => `'${state}'`).join(", ")})) as active,
  exists (select 1 from steps where cluster_id = value) as had,
  (select json_group_array(json_object('instanceType', g.instance_type, 'launchedAt', i.launched_at, 'endedAt', i.ended_at))
    from instances i join instance_groups g on g.id = i.group_id where i.cluster_id = value and i.launched_at is not null) as instances
  from json_each(?)`;

export async function usesOf(db: Db, clusterIds: readonly string[]): Promise<(clusterId: string) => ClusterUse> {
  const asked = CompiledQuery.raw(usesSql, [JSON.stringify(clusterIds)]);
  const { rows } = await db.executeQuery(asked as CompiledQuery<{ id: string; active: number; had: number; instances: string }>);
  const uses = new Map(
    rows.map(({ id, active, had, instances }): [string, ClusterUse] => [
      id,
      { hasActiveSteps: active === 1, hasHadSteps: had === 1, instances: JSON.parse(instances) as ClusterUse["instances"] },
    ]),
  );
  return (clusterId) => uses.get(clusterId) ?? { hasActiveSteps: false, hasHadSteps: false, instances: [] };
}
