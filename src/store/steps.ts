/** Steps of a cluster. */
import type { ActionOnFailure, FailureDetails } from "@aws-sdk/client-emr";
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

export const activeStates: readonly StepState[] = ["PENDING", "RUNNING"];

/** A failed step that takes its cluster with it. TERMINATE_JOB_FLOW is the older name of TERMINATE_CLUSTER. */
export const endsCluster = (step: StepRow): boolean =>
  step.state === "FAILED" && ["TERMINATE_CLUSTER", "TERMINATE_JOB_FLOW"].includes(step.spec.actionOnFailure);

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

/** Columns of the steps' reconciler. */
export async function setStepStatus(
  tx: Tx,
  id: string,
  change: Partial<Pick<StepRow, "state" | "started_at" | "ended_at" | "failure">>,
): Promise<void> {
  const { failure, ...rest } = change;
  await tx.db
    .updateTable("steps")
    .set({ ...rest, ...(failure === undefined ? {} : { failure: failure && JSON.stringify(failure) }) })
    .where("id", "=", id)
    .execute();
}
