/** Steps of a cluster. */
import type { ActionOnFailure, FailureDetails, StepState as VisibleStepState, StepCancellationOption } from "@aws-sdk/client-emr";
import { type Selectable, sql } from "kysely";
import { compiled, compiledByNames } from "./compiled.ts";
import type { StepState, StepsTable } from "./schema.ts";
import type { Db, Tx } from "./store.ts";
import { notBefore } from "./timelines.ts";

/** HadoopJarStepConfig as it was sent, with Properties as a map. */
export interface StepSpec {
  name: string;
  actionOnFailure: ActionOnFailure;
  jar: string;
  mainClass: string | null;
  args: string[];
  properties: Record<string, string>;
  /** Its runtime role, and the source identity of whoever submitted it, where the cluster hands it on. */
  executionRole?: { arn: string; sourceIdentity: string | null };
}

export type StepRow = Omit<Selectable<StepsTable>, "spec" | "failure"> & { spec: StepSpec; failure: FailureDetails | null };

const fromRow = (row: Selectable<StepsTable>): StepRow => ({
  ...row,
  spec: JSON.parse(row.spec) as StepSpec,
  failure: row.failure === null ? null : (JSON.parse(row.failure) as FailureDetails),
});

/** Of what is stored. A step that is being cancelled is in one of them, so it counts. */
export const activeStates: readonly StepState[] = ["PENDING", "RUNNING"];

/** EMR's state: a user's CancelSteps shows at once, whatever the reconciler and the node have done of it. */
export const stepState = (step: StepRow): VisibleStepState =>
  step.cancel_requested_at !== null && activeStates.includes(step.state) ? "CANCEL_PENDING" : step.state;

/** What becomes of a step that the end of its cluster cuts off. */
export const cutOffState = (step: StepRow): StepState => (step.cancel_requested_at === null ? "INTERRUPTED" : "CANCELLED");

/** In order of submission. */
export async function stepsOf(db: Db, clusterId: string): Promise<StepRow[]> {
  return (await db.selectFrom("steps").selectAll().where("cluster_id", "=", clusterId).orderBy("seq").execute()).map(fromRow);
}

/** For what is found by ids: with the sign, SQLite does not look through all that the cluster has. */
const ofCluster = sql<string>`+cluster_id`;

const withIds = compiled<{ clusterId: string; ids: string }, Selectable<StepsTable>>((db, value) =>
  db
    .selectFrom("steps")
    .selectAll()
    .where("id", "in", sql<string>`(select value from json_each(${value("ids")}))`)
    .where(ofCluster, "=", value("clusterId")),
);

/** Those of the cluster that have one of these ids, in no order. */
export async function findSteps(db: Db, clusterId: string, ids: readonly string[]): Promise<StepRow[]> {
  if (ids.length === 0) return [];
  return (await withIds(db, { clusterId, ids: JSON.stringify(ids) })).map(fromRow);
}

const withNoted = compiled<{ clusterId: string; ids: string }, Selectable<StepsTable> & { noted: string | null }>((db, value) =>
  db
    .selectFrom("steps")
    .leftJoin("noted_states", "noted_states.id", "steps.id")
    .selectAll("steps")
    .select("noted_states.state as noted")
    .where("steps.id", "in", sql<string>`(select value from json_each(${value("ids")}))`)
    .where(ofCluster, "=", value("clusterId"))
    .orderBy("seq"),
);

/** The same in order of submission, with the state that the last event of each told of. */
export async function findNotedSteps(db: Db, clusterId: string, ids: readonly string[]): Promise<(StepRow & { noted: string | null })[]> {
  return (await withNoted(db, { clusterId, ids: JSON.stringify(ids) })).map((row) => ({ ...fromRow(row), noted: row.noted }));
}

const active = compiled<{ clusterId: string }, Selectable<StepsTable>>((db, value) =>
  db.selectFrom("steps").selectAll().where("cluster_id", "=", value("clusterId")).where("state", "in", activeStates).orderBy("seq"),
);

/** In order of submission. */
export async function activeStepsOf(db: Db, clusterId: string): Promise<StepRow[]> {
  return (await active(db, { clusterId })).map(fromRow);
}

const inState = compiled<{ clusterId: string; state: StepState; limit: number }, Selectable<StepsTable>>((db, value) =>
  db
    .selectFrom("steps")
    .selectAll()
    .where("cluster_id", "=", value("clusterId"))
    .where("state", "=", value("state"))
    .orderBy("seq")
    .limit(value("limit")),
);

/** The first of those that are in a state, as it is stored, in order of submission. */
export async function stepsInState(db: Db, clusterId: string, state: StepState, limit = Number.MAX_SAFE_INTEGER): Promise<StepRow[]> {
  return (await inState(db, { clusterId, state, limit })).map(fromRow);
}

const toCancel = compiled<{ clusterId: string }, Selectable<StepsTable>>((db, value) =>
  db
    .selectFrom("steps")
    .selectAll()
    .where("cluster_id", "=", value("clusterId"))
    .where("state", "=", "PENDING")
    .where("cancel_requested_at", "is not", null)
    .orderBy("seq"),
);

/** Those that wait and are to be cancelled, in order of submission. */
export async function stepsToCancel(db: Db, clusterId: string): Promise<StepRow[]> {
  return (await toCancel(db, { clusterId })).map(fromRow);
}

const fatal = compiled<{ clusterId: string }, Selectable<StepsTable>>((db, value) =>
  db
    .selectFrom("steps")
    .selectAll()
    .where("cluster_id", "=", value("clusterId"))
    .where("state", "=", "FAILED")
    .where("ends_cluster", "=", 1)
    .orderBy("seq")
    .limit(1),
);

/** The first that has failed and takes its cluster with it. */
export async function fatalStep(db: Db, clusterId: string): Promise<StepRow | undefined> {
  const [row] = await fatal(db, { clusterId });
  return row && fromRow(row);
}

const anyIn = compiled<{ clusterId: string; states: string }, { id: string }>((db, value) =>
  db
    .selectFrom("steps")
    .select("id")
    .where("cluster_id", "=", value("clusterId"))
    .where("state", "in", sql<StepState>`(select value from json_each(${value("states")}))`)
    .limit(1),
);

/** Whether one is in one of these states, as it is stored. */
export async function hasStepIn(db: Db, clusterId: string, states: readonly StepState[]): Promise<boolean> {
  return (await anyIn(db, { clusterId, states: JSON.stringify(states) })).length > 0;
}

const newestSteps = compiled<{ clusterId: string; before: number; limit: number }, Selectable<StepsTable>>((db, value) =>
  db
    .selectFrom("steps")
    .selectAll()
    .where("cluster_id", "=", value("clusterId"))
    .where("seq", "<", value("before"))
    .orderBy("seq", "desc")
    .limit(value("limit")),
);

/** Newest first, those before number `before`; of all states where `states` is empty. */
export async function pageOfSteps(
  db: Db,
  clusterId: string,
  states: readonly VisibleStepState[],
  before: number | undefined,
  limit: number,
): Promise<StepRow[]> {
  if (states.length === 0) return (await newestSteps(db, { clusterId, before: before ?? Number.MAX_SAFE_INTEGER, limit })).map(fromRow);
  const all = db.selectFrom("steps").selectAll().where("cluster_id", "=", clusterId).orderBy("seq", "desc").limit(limit);
  const query = before === undefined ? all : all.where("seq", "<", before);
  // An index has the steps of each stored state in their order: one short look into it for each.
  const rows = [];
  for (const state of new Set(states)) {
    const isActive = state === "PENDING" || state === "RUNNING";
    if (state === "CANCEL_PENDING")
      rows.push(...(await query.where("state", "in", activeStates).where("cancel_requested_at", "is not", null).execute()));
    else if (isActive) rows.push(...(await query.where("state", "=", state).where("cancel_requested_at", "is", null).execute()));
    else rows.push(...(await query.where("state", "=", state).execute()));
  }
  return rows
    .toSorted((a, b) => b.seq - a.seq)
    .slice(0, limit)
    .map(fromRow);
}

const countActive = compiled<{ clusterId: string }, { active: number; running: number }>((db, value) =>
  db
    .selectFrom("steps")
    .select((e) => e.fn.countAll<number>().as("active"))
    .select(sql<number>`count(*) filter (where state = 'RUNNING')`.as("running"))
    .where("cluster_id", "=", value("clusterId"))
    .where("state", "in", activeStates),
);

/** How many are active, and how many of them run. */
export async function countActiveSteps(db: Db, clusterId: string): Promise<{ active: number; running: number }> {
  const [row] = await countActive(db, { clusterId });
  return row!;
}

const insertStep = compiled<{ id: string; clusterId: string; spec: string; now: number }, unknown>((db, value) =>
  db.insertInto("steps").values({
    id: value("id"),
    cluster_id: value("clusterId"),
    seq: sql<number>`(select coalesce(max(seq), 0) + 1 from steps where cluster_id = ${value("clusterId")})`,
    spec: value("spec"),
    created_at: value("now"),
    state: "PENDING",
  }),
);

/** Behind those that the cluster has. */
export async function insertSteps(tx: Tx, clusterId: string, steps: { id: string; spec: StepSpec }[]): Promise<void> {
  for (const { id, spec } of steps) await insertStep(tx.db, { id, clusterId, spec: JSON.stringify(spec), now: tx.now });
}

/** The columns that requests own. `requested_at` stays that of the first request. */
export async function setStepCancellation(tx: Tx, id: string, option: StepCancellationOption): Promise<void> {
  await tx.db
    .updateTable("steps")
    .set((e) => ({ cancel_requested_at: e.fn.coalesce("cancel_requested_at", e.val(tx.now)), cancel_option: option }))
    .where("id", "=", id)
    .execute();
}

type StepChange = Partial<Pick<StepRow, "state" | "started_at" | "ended_at" | "failure" | "ends_cluster">>;

const changeStep = compiledByNames<Selectable<StepsTable>>((db, { id, started_at, ended_at, ...rest }) =>
  db
    .updateTable("steps")
    .set({
      ...rest,
      ...(started_at === undefined ? {} : { started_at: notBefore(started_at, "created_at") }),
      ...(ended_at === undefined
        ? {}
        : { ended_at: notBefore(ended_at, "created_at", started_at === undefined ? "started_at" : started_at) }),
    })
    .where("id", "=", id!),
);

/** Columns of the steps' reconciler. */
export async function setStepStatus(tx: Tx, id: string, { failure, ...rest }: StepChange): Promise<void> {
  await changeStep(tx.db, { id, ...rest, failure: failure && JSON.stringify(failure) });
}
