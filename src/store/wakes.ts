/** The wake queue: which resource must be looked at, from when on. A row is a reason to look, never a message of what to do. */
import { sql } from "kysely";
import { compiled } from "./compiled.ts";
import { livingPhases, type WakesTable } from "./schema.ts";
import type { Db } from "./store.ts";

/** `trail`: by ARN. `watch`: by what is watched (src/reconcile/watch.ts). The others by id; `steps` by the cluster's. */
export type WakeKind = "cluster" | "instance" | "steps" | "trail" | "watch";
export interface Wake {
  kind: WakeKind;
  id: string;
  version: number;
  failures: number;
}

const putWake = compiled<{ kind: string; id: string; dueAt: number }, unknown>((db, value) =>
  db
    .insertInto("wakes")
    .values({ kind: value("kind"), id: value("id"), due_at: value("dueAt"), version: 1, failures: 0 })
    .onConflict((c) => c.columns(["kind", "id"]).doUpdateSet({ due_at: sql`min(due_at, excluded.due_at)`, version: sql`version + 1` })),
);

export async function addWake(db: Db, kind: WakeKind, id: string, dueAt: number): Promise<void> {
  await putWake(db, { kind, id, dueAt });
}

/** For the start: every living cluster and its steps, and the instances that are on their way, at once. */
export async function wakeLiving(db: Db): Promise<void> {
  const living = sql.join(livingPhases);
  for (const [kind, ids] of [
    ["cluster", sql`SELECT id FROM clusters WHERE phase IN (${living})`],
    ["steps", sql`SELECT id FROM clusters WHERE phase IN (${living})`],
    ["instance", sql`SELECT id FROM instances WHERE status IN ('provisioning', 'lost') OR (status = 'launched' AND wanted = 0)`],
  ] as const)
    await sql`INSERT INTO wakes (kind, id, due_at, version, failures) SELECT ${kind}, id, 0, 1, 0 FROM (${ids})
      WHERE true ON CONFLICT (kind, id) DO UPDATE SET due_at = 0, version = version + 1`.execute(db);
}

/** For the start of a loop: times by another process's steady clock say nothing to this one. */
export async function makeAllDue(db: Db): Promise<void> {
  await db.updateTable("wakes").set({ due_at: 0 }).execute();
}

const first = compiled<{ limit: number }, WakesTable>((db, value) =>
  db.selectFrom("wakes").selectAll().orderBy("due_at").limit(value("limit")),
);

/** Those that are due first, whether they are already or not: `due_at` is by the steady clock. */
export async function firstWakes(db: Db, limit: number): Promise<(Wake & Pick<WakesTable, "due_at">)[]> {
  const rows = await first(db, { limit });
  return rows.map((row) => ({ ...row, kind: row.kind as WakeKind }));
}

const removeWake = compiled<{ kind: string; id: string; version: number }, unknown>((db, value) =>
  db.deleteFrom("wakes").where("kind", "=", value("kind")).where("id", "=", value("id")).where("version", "=", value("version")),
);

/** Nothing more to do: forgotten, unless it was woken again while the reconciler ran. */
export async function finishWake(db: Db, wake: Wake): Promise<void> {
  const { kind, id, version } = wake;
  await removeWake(db, { kind, id, version });
}

const putOff = compiled<{ kind: string; id: string; version: number; dueAt: number; failures: number }, unknown>((db, value) =>
  db
    .updateTable("wakes")
    .set({ due_at: value("dueAt"), failures: value("failures") })
    .where("kind", "=", value("kind"))
    .where("id", "=", value("id"))
    .where("version", "=", value("version")),
);

/** Look again at `dueAt`, unless it was woken meanwhile: then it stays due. */
export async function postponeWake(db: Db, { kind, id, version }: Wake, dueAt: number, failures: number): Promise<void> {
  await putOff(db, { kind, id, version, dueAt, failures });
}
