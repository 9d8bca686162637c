/**
 * `npm test`: sets up, then everything that is checked: types, lint, format, unit tests, tests with the real daemons and clients.
 * `--set core` leaves out the tests of engines that not every cluster has, `--set engines` runs them alone. Files that are named are run alone.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { totalmem } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { run as runFiles } from "node:test";
import { finished } from "node:stream/promises";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import { setUpWithProgress } from "../src/cli/progress.ts";
import { engines } from "../src/engines/index.ts";
import { releaseLabels } from "../src/releases/release.ts";

const root = dirname(import.meta.dirname);
const { values, positionals: named } = parseArgs({ allowPositionals: true, options: { set: { type: "string" } } });
const { set } = values;
if (set !== undefined && set !== "core" && set !== "engines") {
  console.error(`--set ${set}: there are core and engines`);
  process.exit(1);
}

function run(title: string, command: string, args: string[]): void {
  console.log(`\n\u2500\u2500 ${title}`);
  const done = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (done.status !== 0) {
    console.error(`${title}: failed`);
    process.exit(done.status ?? 1);
  }
}

const bin = (name: string) => join(root, "node_modules", ".bin", name);
const tests = (folder: string) => globSync(`test/${folder}/**/*.test.ts`, { cwd: root }).toSorted();
/** Shorter files are told of together. */
const shortMs = 5_000;

/** Three clusters fit into the memory of such a machine, two into that of a small one. */
const isLarge = totalmem() > 15 * 2 ** 30;
/** What goes beside two files with clusters: tests without any, and those whose clusters wait most of their time for what was lost or killed. */
const isBeside = (file: string) => dirname(file) === "test/unit" || (isLarge && /^(replace|survival)/.test(basename(file)));

/**
 * Two files with clusters at a time, for much of a cluster's life is waiting, and one file beside them. What hangs has failed, and holds up nothing else. At the end: the
 * counts of all, and how long each file took.
 */
async function runTests(files: string[]): Promise<void> {
  console.log("\n\u2500\u2500 Tests");
  const took: [file: string, ms: number][] = [];
  const counts = new Map<string, number>();

  async function lane(some: string[], concurrency: number): Promise<void> {
    if (some.length === 0) return;
    // Its own: it must not see a test of others begin within one of these.
    const report = new spec();
    report.pipe(process.stdout);
    const execArgv = ["--disable-warning=ExperimentalWarning", "--test-force-exit"];
    for await (const event of runFiles({ files: some.map((file) => resolve(root, file)), concurrency, timeout: 30 * 60_000, execArgv })) {
      if (event.type === "test:summary") {
        const { file, duration_ms, success } = event.data;
        if (file) took.push([relative(root, file), duration_ms]);
        else if (!success) process.exitCode = 1;
      }
      const [, what, count] = (event.type === "test:diagnostic" && !event.data.file && /^(\w+) ([\d.]+)$/.exec(event.data.message)) || [];
      if (what) counts.set(what, what === "duration_ms" ? performance.now() : (counts.get(what) ?? 0) + Number(count));
      else report.write(event);
    }
    report.end();
    await finished(report);
  }
  await Promise.all([
    lane(
      files.filter((file) => !isBeside(file)),
      2,
    ),
    lane(files.filter(isBeside), 1),
  ]);
  for (const [what, count] of counts) console.log(`\u2139 ${what} ${count}`);
  const say = (ms: number, what: string) => console.log(`${(ms / 1000).toFixed(0).padStart(6)} s  ${what}`);
  const short = took.filter(([, ms]) => ms < shortMs);
  for (const [file, ms] of took.toSorted(([, a], [, b]) => b - a)) if (ms >= shortMs) say(ms, file);
  say(
    short.reduce((sum, [, ms]) => sum + ms, 0),
    `in ${short.length} shorter files`,
  );
}

/** Hadoop and Spark are on every machine, so tests of all else have them; a release's other Spark is one of these. */
const names = engines.filter(({ name }) => name !== "Hadoop").map(({ name }) => name.toLowerCase());
const isOfEngine = (file: string) => dirname(file) === "test/integration" && names.some((name) => basename(file).startsWith(name));

await setUpWithProgress(releaseLabels()[0] ?? "");
const integration = tests("integration");
/** The longest first, of those that are not of engines by and large from the last letter: where they are last, one of the two has nothing to do. */
const others = integration.filter((file) => !isOfEngine(file)).toReversed();
const all = [...integration.filter(isOfEngine), ...tests("clients"), ...others, ...tests("unit")];
if (named.length > 0) await runTests(named);
else if (set === "engines") await runTests(integration.filter(isOfEngine));
else {
  run("Types", bin("tsc"), []);
  run("Lint", bin("oxlint"), []);
  run("Format", bin("oxfmt"), ["--check"]);
  await runTests(set === "core" ? all.filter((file) => !isOfEngine(file)) : all);
}
