/**
 * EMR's state-change events: one for each change of a state that users see, written by the transaction that makes the change.
 * Triggers of the connection say which rows a transaction has touched; before its commit their visible states are compared with those
 * that were noted last. So no writer has to think of events, and none can forget them.
 */
import type { ClusterState } from "@aws-sdk/client-emr";
import { type Generated, type Kysely, sql } from "kysely";
import { type ClusterRow, clusterState, findCluster } from "./clusters.ts";
import { compiled } from "./compiled.ts";
import { groupsOf, groupState, instancesOf } from "./instances.ts";
import type { Schema } from "./schema.ts";
import { clusterEvent, fleetEvent, groupEvent, type StateChangeEvent, stepEvent } from "./state-change-events.ts";
import { activeStates, findNotedSteps, hasStepIn, stepState } from "./steps.ts";
import type { Touched } from "./sqlite.ts";
import type { Db, Tx } from "./store.ts";

export const stateChangesMigration = `
   CREATE TABLE state_changes (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, cluster_id TEXT NOT NULL, event TEXT NOT NULL);
   CREATE INDEX state_changes_by_cluster ON state_changes (cluster_id, number);
   CREATE TABLE noted_states (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
   INSERT INTO noted_states SELECT id, iif(cancel_requested_at IS NOT NULL AND state IN ('PENDING', 'RUNNING'), 'CANCEL_PENDING', state) FROM steps;
   INSERT INTO noted_states SELECT id, CASE
     WHEN phase = 'ended' THEN iif(ending ->> 'failed', 'TERMINATED_WITH_ERRORS', 'TERMINATED')
     WHEN phase = 'ending' OR terminate_requested_at IS NOT NULL THEN 'TERMINATING'
     WHEN phase = 'ready' THEN iif(EXISTS (SELECT 1 FROM steps WHERE cluster_id = clusters.id AND state IN ('PENDING', 'RUNNING')), 'RUNNING', 'WAITING')
     WHEN phase = 'bootstrapping' THEN 'BOOTSTRAPPING' ELSE 'STARTING' END FROM clusters;
   INSERT INTO noted_states SELECT g.id, CASE
     WHEN c.phase = 'ended' THEN 'TERMINATED'
     WHEN c.phase = 'ending' OR c.terminate_requested_at IS NOT NULL THEN 'TERMINATING'
     WHEN c.phase = 'ready' THEN 'RUNNING'
     WHEN NOT EXISTS (SELECT 1 FROM instances WHERE group_id = g.id)
       OR EXISTS (SELECT 1 FROM instances WHERE group_id = g.id AND status NOT IN ('terminated', 'lost') AND observed IS NULL) THEN 'PROVISIONING'
     WHEN NOT EXISTS (SELECT 1 FROM instances WHERE group_id = g.id
       AND NOT (status NOT IN ('terminated', 'lost') AND observed ->> 'phase' IN ('ready', 'stopped'))) THEN 'RUNNING'
     ELSE 'BOOTSTRAPPING' END FROM instance_groups g JOIN clusters c ON c.id = g.cluster_id;`;

export interface StateChangesTable {
  number: Generated<number>;
  at: number;
  cluster_id: string;
  /** StateChangeEvent as JSON */
  event: string;
}

/** The visible state that the last event of a step or a group told of, by its id. A cluster's is a column of its own. */
export interface NotedStatesTable {
  id: string;
  state: string;
}

/** When one of these changes, a visible state may: what clusterState, stepState and groupState read. */
const triggers = [
  ["clusters", "INSERT", "true", "'cluster', NEW.id, NEW.id"],
  ["clusters", "UPDATE OF phase, ending, terminate_requested_at", "true", "'cluster', NEW.id, NEW.id"],
  ["instance_groups", "INSERT", "true", "'group', NEW.id, NEW.cluster_id"],
  ["instance_groups", "UPDATE OF resize, shift", "true", "'group', NEW.id, NEW.cluster_id"],
  ["instances", "INSERT", "true", "'group', NEW.group_id, NEW.cluster_id"],
  // Reports come every few seconds; of most only their number is new.
  [
    "instances",
    "UPDATE OF status, observed, wanted, leaving, removal_requested",
    "NEW.status IS NOT OLD.status OR NEW.observed ->> 'phase' IS NOT OLD.observed ->> 'phase' OR NEW.wanted IS NOT OLD.wanted OR NEW.leaving IS NOT OLD.leaving OR NEW.removal_requested IS NOT OLD.removal_requested",
    "'group', NEW.group_id, NEW.cluster_id",
  ],
  ["steps", "INSERT", "true", "'step', NEW.id, NEW.cluster_id"],
  ["steps", "UPDATE OF state, cancel_requested_at", "true", "'step', NEW.id, NEW.cluster_id"],
] as const;

/** Once for each connection, after the migrations. */
export async function watchStates(db: Kysely<Schema>): Promise<void> {
  await sql`PRAGMA temp_store=MEMORY`.execute(db);
  for (const [index, [table, event, when, values]] of triggers.entries())
    await sql
      .raw(
        `CREATE TEMP TRIGGER IF NOT EXISTS touched_${index} AFTER ${event} ON main.${table} WHEN ${when} BEGIN SELECT touched(${values}); END`,
      )
      .execute(db);
}

/** The last thing that a transaction does. Reads only what it has touched: a cluster's other steps cost nothing. `touched` is empty then. */
export async function noteStates(tx: Tx, touched: Touched[]): Promise<void> {
  for (const [clusterId, mine] of Map.groupBy(touched.splice(0), (row) => row.clusterId)) {
    const cluster = await findCluster(tx.db, clusterId);
    if (!cluster) continue;
    await noteCluster(tx, cluster);
    // A group's state hangs on its cluster's, too.
    if (mine.some(({ kind }) => kind !== "step")) await noteGroups(tx, cluster);
    const steps = new Set(mine.filter(({ kind }) => kind === "step").map(({ id }) => id));
    if (steps.size > 0) await noteSteps(tx, cluster, [...steps]);
  }
}

async function noteCluster(tx: Tx, cluster: ClusterRow): Promise<void> {
  const state = clusterState(cluster, cluster.phase === "ready" && (await hasStepIn(tx.db, cluster.id, activeStates)));
  const noted = cluster.noted_state;
  if (state === noted) return;
  await noteOfCluster(tx.db, { id: cluster.id, state });
  await tell(tx, cluster, clusterEvent(cluster, state, noted ?? undefined, tx));
}

async function noteGroups(tx: Tx, cluster: ClusterRow): Promise<void> {
  const groups = await groupsOf(tx.db, cluster.id);
  const instances = await instancesOf(tx.db, cluster.id);
  const ids = groups.map(({ id }) => id);
  const noted = await notedOf(tx.db, ids);
  for (const group of groups) {
    const mine = instances.filter((instance) => instance.group_id === group.id);
    const state = groupState(cluster, group, mine);
    const before = noted.get(group.id);
    if (state === before) continue;
    const event = group.fleet ? fleetEvent(cluster, group, mine, state, before, tx) : groupEvent(cluster, group, mine, state, before, tx);
    await note(tx, cluster, group.id, state, event);
  }
}

async function noteSteps(tx: Tx, cluster: ClusterRow, ids: readonly string[]): Promise<void> {
  for (const { noted, ...step } of await findNotedSteps(tx.db, cluster.id, ids)) {
    const state = stepState(step);
    if (state !== noted) await note(tx, cluster, step.id, state, stepEvent(cluster, step, state, tx));
  }
}

const notedRows = compiled<{ ids: string }, NotedStatesTable>((db, value) =>
  db
    .selectFrom("noted_states")
    .selectAll()
    .where("id", "in", sql<string>`(select value from json_each(${value("ids")}))`),
);

async function notedOf(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await notedRows(db, { ids: JSON.stringify(ids) });
  return new Map(rows.map(({ id, state }) => [id, state]));
}

const noteState = compiled<{ id: string; state: string }, unknown>((db, value) =>
  db
    .insertInto("noted_states")
    .values({ id: value("id"), state: value("state") })
    .onConflict((c) => c.column("id").doUpdateSet((e) => ({ state: e.ref("excluded.state") }))),
);
const noteOfCluster = compiled<{ id: string; state: ClusterState }, unknown>((db, value) =>
  db
    .updateTable("clusters")
    .set({ noted_state: value("state") })
    .where("id", "=", value("id")),
);
const insertChange = compiled<{ now: number; clusterId: string; event: string }, unknown>((db, value) =>
  db.insertInto("state_changes").values({ at: value("now"), cluster_id: value("clusterId"), event: value("event") }),
);

async function note(tx: Tx, cluster: ClusterRow, id: string, state: string, event: StateChangeEvent): Promise<void> {
  await noteState(tx.db, { id, state });
  await tell(tx, cluster, event);
}

async function tell(tx: Tx, cluster: ClusterRow, event: StateChangeEvent): Promise<void> {
  await insertChange(tx.db, { now: tx.now, clusterId: cluster.id, event: JSON.stringify(event) });
}

/** Those after number `after`, in their order. */
export async function stateChangesOf(db: Db, clusterId: string, after = 0): Promise<{ number: number; event: StateChangeEvent }[]> {
  const mine = db.selectFrom("state_changes").select(["number", "event"]).where("cluster_id", "=", clusterId);
  const rows = await mine.where("number", ">", after).orderBy("number").execute();
  return rows.map(({ number, event }) => ({ number, event: JSON.parse(event) as StateChangeEvent }));
}
