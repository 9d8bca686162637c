import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { pino } from "pino";
import { systemClock } from "../../src/clock.ts";
import { createLoop } from "../../src/reconcile/loop.ts";
import { addEvent, eventsOf } from "../../src/store/events.ts";
import { openStore } from "../../src/store/store.ts";

test("a full disk under the store delays the reconcilers and loses no wake", async (t) => {
  const store = await openStore(":memory:");
  const failures: string[] = [];
  const write = async (id: string) => {
    await store
      .transaction((tx) => addEvent(tx, id, "cluster", "x".repeat(1 << 20)))
      .catch((error: Error) => {
        failures.push(error.message);
        throw error;
      });
    return { done: true } as const;
  };
  const loop = createLoop(
    store,
    { cluster: write, instance: write, steps: write, trail: write, watch: write },
    systemClock,
    pino({ level: "silent" }),
  );
  t.after(async () => {
    await loop.stop();
    await store.close();
  });
  await store.transaction(async (tx) => tx.wake("cluster", "j-FULL"));
  const pages = await sql<{ page_count: number }>`PRAGMA page_count`.execute(store.db);
  await sql.raw(`PRAGMA max_page_count=${pages.rows[0]!.page_count + 2}`).execute(store.db);
  await loop.start();
  while (failures.length < 2) await sleep(10);
  assert.match(failures[0] ?? "", /full/);
  assert.equal((await eventsOf(store.db, "j-FULL")).length, 0);
  await sql.raw("PRAGMA max_page_count=1000000").execute(store.db);
  while ((await eventsOf(store.db, "j-FULL")).length === 0) await sleep(10);
});

test("while the store takes nothing, one reconciler is tried at a time, after a pause: not each that is due", async (t) => {
  const pauses: (() => void)[] = [];
  let now = 0;
  const clock = {
    now: () => now,
    steady: () => now,
    after(ms: number, work: () => void) {
      const pause = () => {
        now += ms;
        work();
      };
      pauses.push(pause);
      return () => void pauses.splice(pauses.indexOf(pause), 1);
    },
  };
  const store = await openStore(":memory:", { clock });
  const runs: string[] = [];
  const write = async (id: string) => {
    runs.push(id);
    await store.transaction((tx) => addEvent(tx, id, "cluster", "x".repeat(1 << 20)));
    return { done: true } as const;
  };
  const loop = createLoop(
    store,
    { cluster: write, instance: write, steps: write, trail: write, watch: write },
    clock,
    pino({ level: "silent" }),
  );
  t.after(async () => {
    await loop.stop();
    await store.close();
  });
  await store.transaction(async (tx) => {
    for (let n = 0; n < 60; n++) await tx.wake("cluster", `j-${n}`);
  });
  await loop.start();
  // Not even that a wake is to be tried later can be written.
  await sql`PRAGMA query_only=ON`.execute(store.db);
  while (runs.length < 60) await sleep(1);
  for (let n = 1; n <= 20; n++) {
    while (pauses.length === 0) await sleep(1);
    pauses.shift()!();
    await sleep(5);
    assert.ok(runs.length <= 60 + n, `${runs.length} runs after ${n} pauses`);
  }
  await sql`PRAGMA query_only=OFF`.execute(store.db);
  const left = async () => (await store.db.selectFrom("wakes").select("id").execute()).length;
  while ((await left()) > 0) {
    pauses.shift()?.();
    await sleep(1);
  }
  assert.equal((await store.db.selectFrom("events").select("id").execute()).length, 60);
});

test("what an earlier control plane would have looked at later is looked at when a new one starts: its clock says nothing any more", async (t) => {
  const store = await openStore(":memory:");
  const seen: string[] = [];
  const look = async (id: string) => {
    seen.push(id);
    return { done: true } as const;
  };
  const loop = createLoop(
    store,
    { cluster: look, instance: look, steps: look, trail: look, watch: look },
    systemClock,
    pino({ level: "silent" }),
  );
  t.after(async () => {
    await loop.stop();
    await store.close();
  });
  await store.db.insertInto("wakes").values({ kind: "cluster", id: "j-LATER", due_at: 9e15, version: 1, failures: 0 }).execute();
  await loop.start();
  while (seen.length === 0) await sleep(10);
  assert.deepEqual(seen, ["j-LATER"]);
});

test("however much is due, so many run at the same time, and all of it comes in its turn", async (t) => {
  const store = await openStore(":memory:");
  const seen = new Set<string>();
  let [running, most] = [0, 0];
  const look = async (id: string) => {
    most = Math.max(most, (running += 1));
    await sleep(1);
    running -= 1;
    seen.add(id);
    return { done: true } as const;
  };
  const reconcilers = { cluster: look, instance: look, steps: look, trail: look, watch: look };
  const loop = createLoop(store, reconcilers, systemClock, pino({ level: "silent" }));
  t.after(async () => {
    await loop.stop();
    await store.close();
  });
  await store.transaction(async (tx) => {
    for (let n = 0; n < 1000; n++) await tx.wake("instance", `i-${n}`);
  });
  await loop.start();
  while (seen.size < 1000) await sleep(10);
  assert.equal(most, 128);
});
