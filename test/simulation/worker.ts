/** A process of many.ts: it is sent chunks of seeds, and answers how they went. */
import { makeBase } from "./base.ts";
import type { Chunk, ChunkDone } from "./many.ts";
import { makePlan } from "./plan.ts";
import { runPlan } from "./world.ts";

const base = await makeBase();

process.on("message", (chunk: Chunk) => {
  void run(chunk).then((done) => process.send?.(done));
});

async function run({ from, to, untilFailure, ...size }: Chunk): Promise<ChunkDone> {
  const done: ChunkDone = { seeds: 0, failures: [] };
  for (let seed = from; seed <= to; seed++) {
    const { violation } = await runPlan(base, makePlan(seed, size));
    done.seeds += 1;
    if (violation) done.failures.push({ seed, invariant: violation.invariant, message: violation.message });
    if (violation && untilFailure) break;
  }
  return done;
}
