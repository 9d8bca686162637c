/** `npm test`: sets up, then everything that is checked: types, lint, format, unit tests, tests with the real daemons and clients. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import { setUpWithProgress } from "../src/cli/progress.ts";
import { releaseLabels } from "../src/releases/release.ts";

const root = dirname(import.meta.dirname);
const only = process.argv.slice(2);

function run(title: string, command: string, args: string[]): void {
  console.log(`\n\u2500\u2500 ${title}`);
  const done = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (done.status !== 0) {
    console.error(`${title}: failed`);
    process.exit(done.status ?? 1);
  }
}

const bin = (name: string) => join(root, "node_modules", ".bin", name);
const tests = (pattern: string) => globSync(pattern, { cwd: root }).toSorted();
const node = (files: string[], concurrency: number) => [
  "--disable-warning=ExperimentalWarning",
  "--test",
  `--test-concurrency=${concurrency}`,
  ...files,
];

await setUpWithProgress(releaseLabels()[0] ?? "");
if (only.length > 0) run("Tests named on the command line", process.execPath, node(only, 1));
else {
  run("Types", bin("tsc"), []);
  run("Lint", bin("oxlint"), []);
  run("Format", bin("oxfmt"), ["--check"]);
  // One runner for all, so that its closing count is of all: integration tests share the host's memory and ports, so one at a time.
  const files = ["unit", "integration", "clients"].flatMap((folder) => tests(`test/${folder}/**/*.test.ts`));
  run("Tests", process.execPath, node(files, 1));
}
