/** `npm run simulate -- --seed N` tells what happens in one seed; `--seeds A..B` runs many, and cuts the first one that fails down. docs/simulation.md */
import { parseArgs } from "node:util";
import { makeBase } from "./base.ts";
import { runMany } from "./many.ts";
import { makePlan, type Plan, type Size, usual } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { runPlan } from "./world.ts";

const usage = `npm run simulate -- --seed N [--trace] [--only 1,5,9]   tells what happens in one seed
npm run simulate -- --seeds A..B                           runs many on all processors
  --first      ends with the first seed that fails
  --hours H    of simulated time in which users and faults come (${usual.hours})
  --events N   of users (${usual.events})
  --only       the entries of the seed's plan to keep, by their numbers: what a failing seed is cut down to
  --trace      tells every request and answer in full, launches and reports, and what the control plane logs`;

const { values: options } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    hours: { type: "string", default: String(usual.hours) },
    events: { type: "string", default: String(usual.events) },
    only: { type: "string" },
    first: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const size: Size = { hours: Number(options.hours), events: Number(options.events) };
const range = /^(\d+)\.\.(\d+)$/.exec(options.seeds ?? "");
if (options.help || !(size.hours > 0 && size.events >= 1) || (!range && !/^\d+$/.test(options.seed ?? ""))) {
  console.log(usage);
  process.exit(options.help ? 0 : 1);
}
process.exitCode = range ? await many(Number(range[1]), Number(range[2])) : await one(Number(options.seed));

async function one(seed: number): Promise<number> {
  const base = await makeBase();
  const whole = makePlan(seed, size);
  const numbers = options.only?.split(",").map(Number);
  const plan = numbers ? { ...whole, entries: numbers.flatMap((n) => whole.entries[n] ?? []) } : whole;
  const { hash, violation, events } = await runPlan(base, plan, print);
  console.log(`\n${events} events, hash ${hash.slice(0, 16)}`);
  if (!violation) return 0;
  console.log(`\nViolated: ${violation.message}`);
  if (!numbers) await tellShorter(base, whole, violation.invariant);
  return 1;
}

async function many(from: number, to: number): Promise<number> {
  const begun = performance.now();
  let toldAt = begun;
  const perMinute = (seeds: number) => Math.round((seeds / (performance.now() - begun)) * 60_000);
  const { seeds, failures } = await runMany({
    from,
    to,
    ...size,
    untilFailure: options.first,
    progress(done) {
      if (performance.now() - toldAt < 10_000) return;
      toldAt = performance.now();
      console.log(`${done} seeds, ${perMinute(done)} a minute`);
    },
  });
  console.log(`${seeds} seeds (${from} to ${to}), ${perMinute(seeds)} a minute: ${failures.length} failed`);
  for (const [invariant, those] of Map.groupBy(failures, (failure) => failure.invariant))
    console.log(
      `  ${those.length} × ${invariant}: seeds ${those
        .slice(0, 10)
        .map(({ seed }) => seed)
        .join(", ")}`,
    );
  const [first] = failures;
  if (!first) return 0;
  await tellShorter(await makeBase(), makePlan(first.seed, size), first.invariant);
  return 1;
}

/** What it takes to violate `invariant`, how it goes, and the line that replays it. */
async function tellShorter(base: Awaited<ReturnType<typeof makeBase>>, whole: Plan, invariant: string): Promise<void> {
  const { entries } = await shrink(base, whole, invariant);
  console.log(`\nSeed ${whole.seed}, cut down from ${whole.entries.length} entries to ${entries.length}:\n`);
  await runPlan(base, { ...whole, entries }, print);
  const only = entries.map((entry) => whole.entries.indexOf(entry)).join(",");
  const asked = [
    size.hours === usual.hours ? "" : ` --hours ${size.hours}`,
    size.events === usual.events ? "" : ` --events ${size.events}`,
  ];
  console.log(`\nnpm run simulate -- --seed ${whole.seed}${asked.join("")} --only ${only} --trace`);
}

function print(line: string, isDetail: boolean): void {
  if (options.trace || !isDetail) console.log(line);
}
