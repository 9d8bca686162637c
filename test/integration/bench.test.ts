/** The cheapest bench, with the smallest inputs, so that a change which breaks it is seen: the real command, a real cluster, no figure is judged. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { Figure } from "../../bench/figures.ts";

const program = join(import.meta.dirname, "..", "..", "bench", "run.ts");

test("npm run bench -- idle --smoke --json measures every kind of process of a cluster", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, "idle", "--smoke", "--json"], { timeout: 600_000 });
  const figures = JSON.parse(stdout) as Figure[];
  for (const kind of ["control plane", "s3proxy", "4 agents", "inits", "hadoop-hdfs-namenode", "3 hadoop-yarn-nodemanager"]) {
    const memory = figures.find(({ what }) => what.startsWith("memory") && what.endsWith(kind));
    assert.ok(memory && memory.ours > 0, `${kind} is not in ${stdout}`);
  }
  const all = figures.find(({ what, unit }) => what === "all of it" && unit === "MB");
  assert.ok(all?.floor && all.ours > all.floor.value);
});

test("a bench that is not there is named, and nothing is started", async () => {
  await assert.rejects(promisify(execFile)(process.execPath, [program, "nothing"]), /No such bench: nothing/);
});
