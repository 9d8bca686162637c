/**
 * `npm run bench -- [NAME …] [--rounds N] [--json] [--smoke]`: our figures, each beside its floor, in one run and taking turns.
 * docs/bench.md says what each of them means.
 */
import { parseArgs } from "node:util";
import { setUpWithProgress } from "../src/cli/progress.ts";
import { releaseLabels } from "../src/releases/release.ts";
import { api } from "./api.ts";
import type { About, Bench, BenchAlone } from "./context.ts";
import { type Figure, table } from "./figures.ts";
import { clusterIs, runJobFlow, withHowdah } from "./howdah.ts";
import { idle } from "./idle.ts";
import { scale } from "./scale.ts";
import { resize } from "./resize.ts";
import { setup } from "./setup.ts";
import { pi, shuffle, step } from "./spark.ts";
import { starts } from "./start.ts";
import { terasort } from "./terasort.ts";
import { unitTests } from "./unit-tests.ts";

const alone: BenchAlone[] = [api, scale, unitTests];
const withNodes: Bench[] = [...starts, resize, idle, step, pi, shuffle, terasort, setup];
const benches: About[] = [...alone, ...withNodes];

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
    smoke: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const rounds = options.smoke ? 1 : Number(options.rounds);
const unknown = names.filter((name) => !benches.some((bench) => bench.name === name));
if (options.help || unknown.length > 0 || !(rounds >= 1)) {
  if (unknown.length > 0) console.error(`No such bench: ${unknown.join(", ")}`);
  console.log("npm run bench -- [NAME …] [--rounds N] [--json] [--smoke]");
  for (const { name, about, always } of benches) console.log(`  ${name.padEnd(13)}${about}${always ? "" : "; only where it is named"}`);
  process.exit(options.help ? 0 : 1);
}

/** Standard output is the result's. */
const say = (text: string) => console.error(text);
const isWanted = ({ name, always }: About) => (names.length > 0 ? names.includes(name) : always);
const given = { rounds, smoke: options.smoke, say };
const figures: Figure[] = [];
async function measure({ name, about }: About, run: () => Promise<Figure[]>): Promise<void> {
  say(`\u2500\u2500 ${name}: ${about}`);
  figures.push(...(await run()));
}

for (const bench of alone.filter(isWanted)) await measure(bench, () => bench.run(given));
const chosen = withNodes.filter(isWanted);
if (chosen.length > 0)
  await withHowdah(await setUpWithProgress(releaseLabels()[0] ?? ""), async (howdah) => {
    let made: Promise<string> | undefined;
    const cluster = () =>
      (made ??= runJobFlow(howdah).then(async (id) => {
        await clusterIs(howdah, id, "WAITING");
        return id;
      }));
    for (const bench of chosen) await measure(bench, () => bench.run({ ...given, howdah, cluster }));
  });
console.log(options.json ? JSON.stringify(figures, undefined, 2) : table(figures));
