import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as breath } from "node:timers/promises";
import { byTurns } from "../../src/nodes/by-turns.ts";

test("so many at the same time, all in the order in which they came, also behind one that fails", async () => {
  const turns = byTurns(3);
  let [running, most] = [0, 0];
  const begun: number[] = [];
  const all = Array.from({ length: 20 }, (_, n) =>
    turns.take(async () => {
      begun.push(n);
      most = Math.max(most, (running += 1));
      await breath();
      running -= 1;
      if (n % 4 === 0) throw new Error(`${n}`);
      return n;
    }),
  );
  const ends = await Promise.allSettled(all);
  assert.equal(most, 3);
  assert.deepEqual(begun, [...Array(20).keys()]);
  assert.deepEqual(
    ends.map((end) => (end.status === "fulfilled" ? end.value : Number((end.reason as Error).message))),
    begun,
  );
  assert.equal(await turns.take(async () => "again"), "again");
});

test("work that never waits lets others come in between", async () => {
  const turns = byTurns(3);
  const done: number[] = [];
  const all = Array.from({ length: 9 }, (_, n) => turns.take(async () => done.push(n)));
  const seen: number[] = [];
  while (done.length < 9) {
    await breath();
    seen.push(done.length);
  }
  await Promise.all(all);
  assert.deepEqual(
    seen.filter((count, index) => count !== seen[index - 1]),
    [3, 6, 9],
  );
});

test("who comes with a key while its work waits has the result of it; who comes when it has begun has a new one", async () => {
  const turns = byTurns(1);
  let begun = 0;
  const { promise: hasBegun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const ask = () =>
    turns.share("a", async () => {
      const mine = (begun += 1);
      begin();
      await gate;
      return mine;
    });
  const [first, second] = [ask(), ask()];
  await hasBegun;
  const [third, fourth] = [ask(), ask()];
  open();
  assert.deepEqual(await Promise.all([first, second, third, fourth]), [1, 1, 2, 2]);
});
