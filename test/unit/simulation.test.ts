/** The control plane under a simulated clock, provider and users, with seeded faults (docs/simulation.md): the same seeds each time, and new ones. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { makeBase } from "../simulation/base.ts";
import { runMany } from "../simulation/many.ts";
import { makePlan, usual } from "../simulation/plan.ts";
import { runPlan } from "../simulation/world.ts";

async function allHold(from: number, count: number): Promise<void> {
  const { seeds, failures } = await runMany({ from, to: from + count - 1, ...usual });
  const told = failures.map(({ seed, message }) => `npm run simulate -- --seed ${seed}\n  ${message}`);
  assert.equal(failures.length, 0, told.join("\n"));
  assert.equal(seeds, count);
}

test("the invariants hold for a hundred seeds", async () => allHold(1, 100));

test("they hold for seeds that nobody has tried", async (t) => {
  const first = randomInt(1_000_000, 2 ** 40);
  t.diagnostic(`seeds from ${first}`);
  await allHold(first, 40);
});

test("the same seed is the same to the last event, whatever ran before it", async () => {
  const base = await makeBase();
  async function told(seed: number): Promise<string[]> {
    const lines: string[] = [];
    const { hash } = await runPlan(base, makePlan(seed), (line) => lines.push(line));
    return [...lines, hash];
  }
  const seeds = [1, 2, 3, 4, 5, 6];
  const first = new Map<number, string[]>();
  for (const seed of seeds) first.set(seed, await told(seed));
  assert.equal(new Set([...first.values()].map((lines) => lines.at(-1))).size, seeds.length);
  assert.ok([...first.values()].flat().length > 600);
  for (const seed of seeds.toReversed()) assert.deepEqual(await told(seed), first.get(seed));
});
