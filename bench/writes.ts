/**
 * Durable writes a second, of 1, 8 and 32 clients at once: `node bench/writes.ts [--seconds N] [--sync-ms N]`. Each client adds a step to a cluster of its
 * own by the API's handler, and waits for the answer before it adds the next. Beside it, taking turns: the same with a sync for each commit, by SQLite.
 * `--sync-ms`: what a sync takes at least, for disks that are not this machine's; needs a C compiler.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sql } from "kysely";
import { noDisk } from "../src/store/durability.ts";
import { openStore } from "../src/store/store.ts";
import { emrHandlers } from "../src/api/emr/handlers.ts";
import { makeIds } from "../src/store/ids.ts";
import { fillStore, owner } from "../test/unit/full-store.ts";
import { step } from "../test/unit/control-plane-harness.ts";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "2" }, "sync-ms": { type: "string" } } });
const folder = mkdtempSync(join(tmpdir(), "howdah-bench-writes-"));
try {
  if (values["sync-ms"] !== undefined && process.env.SLOW_SYNC_MS === undefined) {
    const library = join(folder, "slow-sync.so");
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, join(import.meta.dirname, "slow-sync.c"), "-ldl"]);
    const env = { ...process.env, LD_PRELOAD: library, SLOW_SYNC_MS: values["sync-ms"] };
    spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], { env, stdio: "inherit" });
  } else await all();
} finally {
  rmSync(folder, { recursive: true });
}

async function all(): Promise<void> {
  console.log(
    "| clients | a sync each: writes/s | p50 | p99 | shared syncs: writes/s | p50 | p99 | times |\n|---|---|---|---|---|---|---|---|",
  );
  for (const clients of [1, 8, 32]) {
    const each = await measure(clients, false);
    const shared = await measure(clients, true);
    const cells = [each, shared].flatMap(({ rate, at }) => [Math.round(rate), `${at(0.5)} ms`, `${at(0.99)} ms`]);
    console.log(`| ${clients} | ${cells.join(" | ")} | ${(shared.rate / each.rate).toFixed(2)} |`);
  }
}

async function measure(clients: number, shared: boolean) {
  const path = join(folder, `${clients}-${shared}.db`);
  const store = shared ? await openStore(path) : await openStore(path, { disk: noDisk });
  if (!shared) await sql`PRAGMA synchronous=FULL`.execute(store.db);
  const ids = makeIds();
  const handlers = emrHandlers({ store, ids, releases: { substitute: false, missingApplications: "refuse" } });
  const { living } = await fillStore(store, { clusters: clients, steps: 0, instances: 0, living: clients });
  const times: number[] = [];
  const end = performance.now() + Number(values.seconds) * 1000;
  const client = async (ClusterId: string) => {
    for (let n = 1; performance.now() < end; n++) {
      const begun = performance.now();
      await handlers.AddJobFlowSteps!({ JobFlowId: ClusterId, Steps: [step("s")] } as never, owner);
      times.push(performance.now() - begun);
      // A cluster takes 256 active steps.
      if (n % 250 === 0) await store.db.updateTable("steps").set({ state: "COMPLETED" }).where("cluster_id", "=", ClusterId).execute();
    }
  };
  await Promise.all(living.map(client));
  await store.close();
  times.sort((a, b) => a - b);
  return {
    rate: times.length / Number(values.seconds),
    at: (part: number) => times[Math.floor((times.length - 1) * part)]!.toFixed(2),
  };
}
