import assert from "node:assert/strict";
import { test } from "node:test";
import { compiled } from "../../src/store/compiled.ts";
import { openStore } from "../../src/store/store.ts";

test("a query is built once, and asked with other values each time, in a transaction too", async () => {
  const store = await openStore(":memory:");
  let built = 0;
  const put = compiled<{ id: string; at: number }, unknown>((db, value) => {
    built += 1;
    return db.insertInto("wakes").values({ kind: "cluster", due_at: value("at"), id: value("id"), version: 1, failures: 0 });
  });
  await put(store.db, { id: "a", at: 1 });
  await store.transaction((tx) => put(tx.db, { at: 2, id: "b" }));
  await assert.rejects(
    store.transaction(async (tx) => {
      await put(tx.db, { id: "c", at: 3 });
      throw new Error("rolled back");
    }),
  );
  assert.equal(built, 1);
  // One value in two places, and a value of the query's own beside it.
  const between = compiled<{ at: number; limit: number }, { id: string }>((db, value) =>
    db
      .selectFrom("wakes")
      .select("id")
      .where("due_at", ">=", value("at"))
      .where("version", "=", 1)
      .where((e) => e.or([e("due_at", ">", value("at")), e("id", "=", "b")]))
      .orderBy("id")
      .limit(value("limit")),
  );
  const idsFrom = async (at: number, limit: number) => (await between(store.db, { at, limit })).map(({ id }) => id);
  assert.deepEqual(await idsFrom(1, 5), ["b"]);
  assert.deepEqual(await idsFrom(0, 5), ["a", "b"]);
  assert.deepEqual(await idsFrom(0, 1), ["a"]);
  assert.deepEqual(await idsFrom(3, 5), []);
  await store.close();
});
