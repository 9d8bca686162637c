import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { findCluster } from "../../src/store/clusters.ts";
import { migrations } from "../../src/store/schema.ts";
import { stepsOf } from "../../src/store/steps.ts";
import { openStore } from "../../src/store/store.ts";

test("a store of the first version keeps what was only in the spec of a cluster, and which step ended it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-migrations-"));
  const path = join(folder, "howdah.db");
  const old = new DatabaseSync(path);
  old.exec(`${migrations[0]}; PRAGMA user_version=1;`);
  const cluster = old.prepare(
    "INSERT INTO clusters (id, account_id, region, created_at, spec, termination_protected, phase) VALUES (?, '1', 'us-east-1', 1, ?, 0, 'ready')",
  );
  cluster.run("j-1", JSON.stringify({ keepAliveWhenNoSteps: true, stepConcurrencyLevel: 7, shown: { VisibleToAllUsers: false } }));
  cluster.run("j-2", JSON.stringify({ keepAliveWhenNoSteps: false, stepConcurrencyLevel: 1, shown: {} }));
  const step = old.prepare("INSERT INTO steps (id, cluster_id, seq, spec, created_at, state) VALUES (?, 'j-1', ?, ?, 1, ?)");
  step.run("s-1", 1, JSON.stringify({ actionOnFailure: "TERMINATE_JOB_FLOW" }), "FAILED");
  step.run("s-2", 2, JSON.stringify({ actionOnFailure: "TERMINATE_CLUSTER" }), "COMPLETED");
  step.run("s-3", 3, JSON.stringify({ actionOnFailure: "CONTINUE" }), "FAILED");
  old.close();

  const store = await openStore(path);
  try {
    const found = async (id: string) => {
      const row = (await findCluster(store.db, id))!;
      return [row.keep_alive, row.step_concurrency_level, row.visible_to_all_users, row.extended_support];
    };
    assert.deepEqual(await found("j-1"), [1, 7, 0, null]);
    assert.deepEqual(await found("j-2"), [0, 1, 1, null]);
    const steps = await stepsOf(store.db, "j-1");
    assert.deepEqual(
      steps.map((row) => [row.ends_cluster, row.cancel_requested_at, row.cancel_option]),
      [
        [1, null, null],
        [0, null, null],
        [0, null, null],
      ],
    );
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
});
