/** Steps of a cluster. */
import type { ActionOnFailure, FailureDetails, StepState as VisibleStepState, StepCancellationOption } from "@aws-sdk/client-emr";
import type { Selectable } from "kysely";
import type { StepState, StepsTable } from "./schema.ts";
import type { Db, Tx } from "./store.ts";

/** HadoopJarStepConfig as it was sent, with Properties as a map. */
export interface StepSpec {
  name: string;
  actionOnFailure: ActionOnFailure;
  jar: string;
  mainClass: string | null;
  args: string[];
  properties: Record<string, string>;
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

export async function countActiveSteps(db: Db, clusterId: string): Promise<number> {
  const row = await db
    .selectFrom("steps")
    .select((e) => e.fn.countAll<number>().as("n"))
    .where("cluster_id", "=", clusterId)
    .where("state", "in", activeStates)
    .executeTakeFirstOrThrow();
  return row.n;
}

export async function insertSteps(tx: Tx, clusterId: string, steps: { id: string; spec: StepSpec }[]): Promise<void> {
  const last = await tx.db
    .selectFrom("steps")
    .select((e) => e.fn.max("seq").as("seq"))
    .where("cluster_id", "=", clusterId)
    .executeTakeFirst();
  let seq = last?.seq ?? 0;
  for (const { id, spec } of steps) {
    seq += 1;
    await tx.db
      .insertInto("steps")
      .values({ id, cluster_id: clusterId, seq, spec: JSON.stringify(spec), created_at: tx.now, state: "PENDING" })
      .execute();
  }
}

/** The columns that requests own. `requested_at` stays that of the first request. */
export async function setStepCancellation(tx: Tx, id: string, option: StepCancellationOption): Promise<void> {
  await tx.db
    .updateTable("steps")
    .set((e) => ({ cancel_requested_at: e.fn.coalesce("cancel_requested_at", e.val(tx.now)), cancel_option: option }))
    .where("id", "=", id)
    .execute();
}

/** Columns of the steps' reconciler. */
export async function setStepStatus(
  tx: Tx,
  id: string,
  change: Partial<Pick<StepRow, "state" | "started_at" | "ended_at" | "failure" | "ends_cluster">>,
): Promise<void> {
  const { failure, ...rest } = change;
  await tx.db
    .updateTable("steps")
    .set({ ...rest, ...(failure === undefined ? {} : { failure: failure && JSON.stringify(failure) }) })
    .where("id", "=", id)
    .execute();
}
