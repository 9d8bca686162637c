/** `node bench/simulate.ts [--seeds N] [--from N] [--hours H]`: so many seeds of the simulation, the ones that fail, and how many a minute. docs/simulation.md */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { runMany } from "../test/simulation/many.ts";
import { usual } from "../test/simulation/plan.ts";

const { values: options } = parseArgs({
  options: {
    seeds: { type: "string", default: "100000" },
    /** Seeds that nobody has tried, where it is not given. */
    from: { type: "string", default: String(randomInt(1_000_000, 2 ** 40)) },
    hours: { type: "string", default: String(usual.hours) },
  },
});
const [count, from] = [Number(options.seeds), Number(options.from)];
const begun = performance.now();
const minutes = () => (performance.now() - begun) / 60_000;
let toldAt = 0;
console.log(`seeds ${from} to ${from + count - 1}`);
const { seeds, failures } = await runMany({
  from,
  to: from + count - 1,
  ...usual,
  hours: Number(options.hours),
  progress(done, failures) {
    for (const { seed, message } of failures) console.log(`npm run simulate -- --seed ${seed}\n  ${message}`);
    if (minutes() - toldAt < 1) return;
    toldAt = minutes();
    console.log(`${done} seeds, ${Math.round(done / minutes())} a minute`);
  },
});
console.log(`${seeds} seeds in ${minutes().toFixed(1)} minutes, ${Math.round(seeds / minutes())} a minute: ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;
