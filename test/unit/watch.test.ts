/** What is at rest costs nothing: no wake and no write of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { takeReport } from "../../src/reconcile/reports.ts";
import { createSilence } from "../../src/reconcile/silence.ts";
import { takeUpAgain } from "../../src/reconcile/take-up-again.ts";
import { eventsOf } from "../../src/store/events.ts";
import { findInstance, instancesOf } from "../../src/store/instances.ts";
import { create, type Harness, harness, makeReady, state, step } from "./control-plane-harness.ts";
import { fillStore } from "./full-store.ts";

const wakes = async (h: Harness) =>
  (await h.store.db.selectFrom("wakes").select(["kind", "id"]).orderBy("kind").orderBy("id").execute()).map(
    ({ kind, id }) => `${kind}/${id}`,
  );
const written = async (h: Harness) =>
  (await h.store.db.selectFrom("instances").selectAll().orderBy("id").execute()).map((row) => row.observed_seq);

test("clusters at rest have no wake; the watch finds what has stopped by itself", async () => {
  const h = await harness();
  const ids = [await create(h), await create(h)];
  const masters = [await makeReady(h, ids[0]!), await makeReady(h, ids[1]!)];
  assert.deepEqual(await wakes(h), ["watch/instances"]);
  h.provider.observations.set(masters[1]!, "stopped");
  h.advance(3_000);
  await h.settle();
  assert.equal(h.provider.observations.get(masters[1]!), "running");
  assert.deepEqual(await wakes(h), ["watch/instances"]);
});

test("an instance that cannot be asked keeps nobody from being looked at", async () => {
  const h = await harness();
  const id = await create(h);
  const master = await makeReady(h, id);
  const [, first, second] = await instancesOf(h.store.db, id);
  const { observe } = h.provider;
  h.provider.observe = async (asked) => {
    if (asked === first!.id) throw new Error("its host does not answer");
    return observe.call(h.provider, asked);
  };
  h.provider.observations.set(second!.id, "stopped");
  h.advance(3_000);
  await h.settle();
  assert.equal(h.provider.observations.get(second!.id), "running");
  assert.equal((await findInstance(h.store.db, master))!.status, "launched");
  assert.deepEqual(await wakes(h), [`instance/${first!.id}`, "watch/instances"], "it is asked again");
});

test("reports without news are not written, and its agent counts as heard of", async () => {
  const h = await harness();
  const id = await create(h);
  const master = await makeReady(h, id);
  const instance = async () => (await findInstance(h.store.db, master))!;
  const before = await written(h);
  let { seq } = (await instance()).observed!;
  for (let minute = 0; minute < 20; minute++) {
    h.advance(60_000);
    seq += 10;
    await takeReport(h.context, await instance(), { ...(await instance()).observed!, seq });
    await h.settle();
  }
  assert.deepEqual(await written(h), before);
  const warned = (await eventsOf(h.store.db, id)).filter(({ message }) => message.includes("did not report for 5 minutes"));
  assert.equal(warned.length, 2, "of its two workers, once each");
  assert.ok(!warned.some(({ message }) => message.includes(master)));
  // Older than one that had no news, newer than what is stored.
  await takeReport(h.context, await instance(), { ...(await instance()).observed!, seq: seq - 5, phase: "starting" });
  assert.equal((await instance()).observed!.phase, "ready");
  await takeReport(h.context, await instance(), { ...(await instance()).observed!, seq: seq + 5, phase: "starting" });
  assert.deepEqual([(await instance()).observed!.phase, (await instance()).observed_seq], ["starting", seq + 5]);
});

test("silence begins anew with a report, and with the start of a control plane", () => {
  let now = 0;
  const silence = createSilence(() => now);
  assert.deepEqual(silence.untold(["a", "b"], 100), []);
  now = 60;
  silence.begin("a", 7);
  now = 100;
  assert.deepEqual(silence.untold(["a", "b", "c"], 100), ["b"]);
  assert.deepEqual([silence.of("a"), silence.of("b"), silence.of("c"), silence.latest("a")], [40, 100, 0, 7]);
  silence.begin("a", 3);
  assert.equal(silence.latest("a"), 7, "an older one that comes late");
  silence.untold(["b"], 100);
  assert.deepEqual([silence.latest("a"), silence.of("a")], [0, 0], "what does not run any more is forgotten");
});

test("a start wakes what lives, and what is on its way to its launch or its end, whatever has become of its wakes", async () => {
  const h = await harness();
  const ended = await create(h);
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [ended] }, h.request);
  for (let n = 0; n < 5; n++) {
    h.advance(60_000);
    await h.settle();
  }
  assert.equal((await state(h, ended))?.State, "TERMINATED");
  const living = await create(h, { Steps: [step("one")] });
  const [master, first, second] = (await instancesOf(h.store.db, living)).map(({ id }) => id);
  const { networks, observations } = h.provider;
  await h.store.db.updateTable("instances").set({ status: "provisioning" }).where("id", "=", first!).execute();
  await h.store.db.updateTable("instances").set({ wanted: 0 }).where("id", "=", second!).execute();
  await h.store.db.deleteFrom("wakes").execute();
  networks.clear();
  observations.set("i-orphan", "running");
  const generation = async () =>
    (await h.store.db.selectFrom("clusters").select("generation").where("id", "=", living).execute())[0]!.generation;
  const before = await generation();
  await takeUpAgain(h.context, true);
  assert.deepEqual(await wakes(h), [
    `cluster/${living}`,
    ...[`instance/${first}`, `instance/${second}`].toSorted(),
    `steps/${living}`,
    "watch/ended",
    "watch/instances",
  ]);
  assert.deepEqual([...networks.keys()], [living]);
  assert.equal(observations.has("i-orphan"), false);
  assert.equal(observations.has(master!), true);
  assert.equal(await generation(), before + 1, "its nodes are told of the new endpoint");
});

test("clusters that ended two months ago are forgotten with all that is of them, a few at a time; all others stay", async () => {
  const h = await harness();
  const fill = (ids: { clusters: number; living: number }) => fillStore(h.store, { ...ids, steps: 75, instances: 75 }, h.ids);
  const tables = ["clusters", "instance_groups", "instances", "steps", "tags", "events", "state_changes", "noted_states"] as const;
  const old = await fill({ clusters: 25, living: 2 });
  h.advance(30 * 24 * 3600_000);
  const recent = await fill({ clusters: 25, living: 2 });
  const rows = async () => {
    const counts: Record<string, number> = {};
    for (const table of tables) counts[table] = (await h.store.db.selectFrom(table).selectAll().execute()).length;
    return counts;
  };
  const before = await rows();
  h.advance(31 * 24 * 3600_000 - 60_000 * 60);
  assert.deepEqual(await h.reconcile("watch", "ended"), { againMs: 3600_000 });
  assert.deepEqual(await rows(), before, "not a day too early");
  h.advance(24 * 3600_000);
  const rounds = [];
  for (let n = 0; n < 3; n++) rounds.push(await h.reconcile("watch", "ended"));
  assert.deepEqual(rounds, [{ againMs: 50 }, { againMs: 50 }, { againMs: 3600_000 }]);
  const left = (await h.store.db.selectFrom("clusters").select("id").execute()).map(({ id }) => id);
  assert.deepEqual(left.toSorted(), [...old.living, ...recent.clusters].toSorted());
  // As much of everything as such clusters have: nothing else of those that are gone is left.
  const after = await rows();
  for (const table of tables) {
    const ids = table === "clusters" ? "id" : "cluster_id";
    if (table === "noted_states") continue;
    const of = (await h.store.db
      .selectFrom(table)
      .select(ids as never)
      .execute()) as Record<string, string>[];
    assert.ok(
      of.every((row) => left.includes(row[ids]!)),
      table,
    );
  }
  assert.equal(after["noted_states"], after["steps"]! + after["instance_groups"]!);
  assert.ok(after["steps"]! > 0 && after["steps"]! < before["steps"]!);
});
