import assert from "node:assert/strict";
import { test } from "node:test";
import { byTurns } from "../../src/nodes/by-turns.ts";

test("so many at the same time, all in the order in which they came, also behind one that fails", async () => {
  const inTurn = byTurns(3);
  let [running, most] = [0, 0];
  const begun: number[] = [];
  const all = Array.from({ length: 20 }, (_, n) =>
    inTurn(async () => {
      begun.push(n);
      most = Math.max(most, (running += 1));
      await new Promise<void>((resolve) => setImmediate(resolve));
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
  assert.equal(await inTurn(async () => "again"), "again");
});
