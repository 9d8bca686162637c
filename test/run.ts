/**
 * `npm test`: sets up, then everything that is checked: types, lint, format, unit tests, tests with the real daemons and clients.
 * `--set core` leaves out the tests of engines that not every cluster has, `--set engines` runs them alone. Files that are named are run alone.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { basename, dirname, join } from "node:path";
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
const tests = (...folders: string[]) => folders.flatMap((folder) => globSync(`test/${folder}/**/*.test.ts`, { cwd: root }).toSorted());
const reporter = (name: string) => [`--test-reporter=${name}`, "--test-reporter-destination=stdout"];
/** One runner for all, so that its closing count is of all. Integration tests share the host's memory, so one at a time. */
const runTests = (files: string[]) =>
  run("Tests", process.execPath, [
    "--disable-warning=ExperimentalWarning",
    "--test",
    "--test-concurrency=1",
    ...reporter("./test/durations.ts"),
    ...reporter("spec"),
    ...files,
  ]);

/** Hadoop and Spark are on every machine, so tests of all else have them; a release's other Spark is one of these. */
const names = engines.filter(({ name }) => name !== "Hadoop").map(({ name }) => name.toLowerCase());
const isOfEngine = (file: string) => dirname(file) === "test/integration" && names.some((name) => basename(file).startsWith(name));

await setUpWithProgress(releaseLabels()[0] ?? "");
const all = tests("unit", "integration", "clients");
if (named.length > 0) runTests(named);
else if (set === "engines") runTests(all.filter(isOfEngine));
else {
  run("Types", bin("tsc"), []);
  run("Lint", bin("oxlint"), []);
  run("Format", bin("oxfmt"), ["--check"]);
  runTests(set === "core" ? all.filter((file) => !isOfEngine(file)) : all);
}
