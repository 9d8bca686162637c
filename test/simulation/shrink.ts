/** Cuts a failing plan down to what it takes: entries are left out as long as the same invariant is violated. */
import type { Base } from "./base.ts";
import type { Plan } from "./plan.ts";
import { runPlan } from "./world.ts";

/** More would not be waited for. */
const mostRuns = 400;

/** `plan` violates `invariant`. Zeller's delta debugging: halves, quarters, … are left out, and what is left is tried again. */
export async function shrink(base: Base, plan: Plan, invariant: string): Promise<Plan> {
  const left = { runs: mostRuns };
  async function fails(entries: Plan["entries"]): Promise<boolean> {
    left.runs -= 1;
    return left.runs >= 0 && (await runPlan(base, { ...plan, entries })).violation?.invariant === invariant;
  }
  let { entries } = plan;
  for (let size = Math.ceil(entries.length / 2); ;) {
    const fewer = await without(entries, size, fails);
    if (fewer.length === entries.length && size === 1) return { ...plan, entries };
    if (fewer.length === entries.length) size = Math.ceil(size / 2);
    entries = fewer;
  }
}

/** Leaves out whatever `size` entries side by side can be. */
async function without(
  entries: Plan["entries"],
  size: number,
  fails: (entries: Plan["entries"]) => Promise<boolean>,
): Promise<Plan["entries"]> {
  let kept = entries;
  for (let from = 0; from < kept.length;) {
    const fewer = kept.toSpliced(from, size);
    if (await fails(fewer)) kept = fewer;
    else from += size;
  }
  return kept;
}
