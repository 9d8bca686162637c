/** Lists of clusters, chosen and limited in SQL, so that a page costs the same among ten clusters and ten thousand. */
import type { ClusterState, Tag } from "@aws-sdk/client-emr";
import { type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import { type ClusterEnding, type ClusterRow, clusterFromRow, type ListedCluster } from "./clusters.ts";
import { compiled, compiledByNames } from "./compiled.ts";
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
  // With the signs, SQLite finds what has ids by them, and does not look through all of the account's.
  const [account, region] =
    given.ids === undefined ? (["account_id", "region"] as const) : ([sql<string>`+account_id`, sql<string>`+region`] as const);
  let chosen = db.selectFrom("clusters").where(account, "=", given.accountId!).where(region, "=", given.region!);
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
const listedRows = compiledByNames<Chosen & { now: number }, ListedRow>((db, given) =>
  choose(db, given)
    .select(["id", "account_id", "region", "created_at", "phase", "ending", "terminate_requested_at", "kept_at", "ready_at", "ended_at"])
    .select([
      sql<string>`spec ->> 'name'`.as("name"),
      sql<number>`json_array_length(spec, '$.bootstrapActions')`.as("bootstrap_actions"),
      ...useColumns(sql.ref("clusters.id"), given.now!),
    ]),
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

/** The same, of each what lists show, at this time. */
export async function pageOfListed(
  db: Db,
  filter: ClusterFilter,
  after: ClusterPosition | undefined,
  limit: number,
  now: number,
): Promise<(ListedCluster & { use: ClusterUse })[]> {
  const asked = (one: Db, chosen: Partial<Chosen>) => listedRows(one, { ...chosen, now });
  return (await page(asked, db, filter, after, limit)).map(({ name, bootstrap_actions: length, active, had, hours, ...row }) => ({
    ...row,
    spec: { name, bootstrapActions: { length } },
    ending: row.ending === null ? null : (JSON.parse(row.ending) as ClusterEnding),
    use: useOf({ active, had, hours }),
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

/** What users are shown of a cluster beyond its row. */
export interface ClusterUse {
  hasActiveSteps: boolean;
  /** Active or not. */
  hasHadSteps: boolean;
  /** NormalizedInstanceHours. */
  normalizedHours: number;
}

interface UseRow {
  active: number;
  had: number;
  hours: number | null;
}

type ListedRow = Omit<ListedCluster, "ending" | "spec"> & UseRow & { ending: string | null; name: string; bootstrap_actions: number };

const useOf = ({ active, had, hours }: UseRow): ClusterUse => ({
  hasActiveSteps: active === 1,
  hasHadSteps: had === 1,
  normalizedHours: Math.ceil(hours ?? 0),
});

/** An m1.small hour is 1; a size's factor is EC2's: large 4, xlarge 8, n×large n times that. */
const sizeFactor = sql`case substr(i.instance_type, instr(i.instance_type, '.') + 1) when 'nano' then 0.25 when 'micro' then 0.5 when 'small' then 1
  when 'medium' then 2 when 'large' then 4 else 8 * max(1, cast(substr(i.instance_type, instr(i.instance_type, '.') + 1) as integer)) end`;

/** `clusterId`: the expression that names the cluster. Each started hour of an instance counts, from its launch to its end. */
const useColumns = (clusterId: RawBuilder<unknown>, now: number) =>
  [
    sql<number>`exists (select 1 from steps where cluster_id = ${clusterId} and state in (${sql.join(activeStates)}))`.as("active"),
    sql<number>`exists (select 1 from steps where cluster_id = ${clusterId})`.as("had"),
    sql<
      number | null
    >`(select sum(max(0, (cast(coalesce(i.ended_at, ${now}) as integer) - i.launched_at + 3599999) / 3600000) * ${sizeFactor})
      from instances i where i.cluster_id = ${clusterId} and i.launched_at is not null)`.as("hours"),
  ] as const;

const useRow = compiled<{ clusterId: string; now: number }, UseRow>((db, value) =>
  db.selectNoFrom([...useColumns(sql`${value("clusterId")}`, value("now"))]),
);

type DescribedRow = Selectable<ClustersTable> & UseRow & { tags: string; master: string | null };

const describedRow = compiled<{ id: string; now: number }, DescribedRow>((db, value) =>
  db
    .selectFrom("clusters")
    .selectAll()
    .select([
      ...useColumns(sql.ref("clusters.id"), value("now")),
      sql<string>`(select json_group_array(json_object('Key', key, 'Value', value))
        from (select key, value from tags where cluster_id = clusters.id order by key))`.as("tags"),
      sql<string | null>`(select iif(status = 'provisioning', null, address) from instances where cluster_id = clusters.id
        order by ordinal limit 1)`.as("master"),
    ])
    .where("id", "=", value("id")),
);

/** What DescribeCluster shows beyond the row. */
export interface ClusterFacts {
  use: ClusterUse;
  tags: Tag[];
  /** The master has one once it has been launched. */
  masterAddress: string | undefined;
}

export interface DescribedCluster extends ClusterRow {
  facts: ClusterFacts;
}

/** With all that DescribeCluster shows of it, of one moment: at this time. */
export async function findDescribed(db: Db, id: string, now: number): Promise<DescribedCluster | undefined> {
  const [row] = await describedRow(db, { id, now });
  if (!row) return undefined;
  const facts = { use: useOf(row), tags: JSON.parse(row.tags) as Tag[], masterAddress: row.master ?? undefined };
  return { ...clusterFromRow(row), facts };
}

/** At this time. */
export async function useOfCluster(db: Db, clusterId: string, now: number): Promise<ClusterUse> {
  const [row] = await useRow(db, { clusterId, now });
  return useOf(row!);
}
