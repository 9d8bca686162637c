/** The examples of docs/unit-tests.md, as they stand there, by pytest and by jest. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { cacheFolder, ownerVariable } from "../../src/data-folder.ts";
import { groupByEnvironment } from "../../src/process/known.ts";
import { makeFolder, withCacheLock } from "../../src/setup/cache.ts";
import { digest } from "../../src/setup/places.ts";
import { lockedVenv } from "./venv.ts";
import { ran } from "./world.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/unit-tests.md"), "utf8");

/** Blocks of code whose first line is a comment with a file's name; and the file of rules, which can have no comment. */
function* examples(language: string): Generator<{ name: string; content: string }> {
  for (const [, content = ""] of page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))) {
    const name = language === "json" ? "rules.json" : /^(?:#|\/\/) ([\w.-]+)$/m.exec(content)?.[1];
    if (name) yield { name, content };
  }
}

/** A user's project: the page's files, `howdah` on the PATH as npm link puts it there, and nothing of this machine's AWS settings. */
function project(t: TestContext, languages: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "howdah-page-"));
  const env: Record<string, string> = {
    HOME: folder,
    TMPDIR: join(folder, "tmp"),
    HOWDAH_CACHE: cacheFolder(),
    AWS_EC2_METADATA_DISABLED: "true",
  };
  for (const made of [env.TMPDIR!, join(folder, "bin")]) mkdirSync(made);
  symlinkSync(join(root, "bin", "howdah.js"), join(folder, "bin", "howdah"));
  env.PATH = `${join(folder, "bin")}:${dirname(process.execPath)}:${process.env.PATH}`;
  for (const { name, content } of languages.flatMap((language) => [...examples(language)])) writeFileSync(join(folder, name), content);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, env };
}

/** The server has ended with its tests. */
function assertNothingRuns(folder: string): void {
  assert.deepEqual(
    [...groupByEnvironment(ownerVariable).keys()].filter((data) => data.startsWith(folder)),
    [],
  );
}

test("pytest", async (t) => {
  const venv = await lockedVenv("pytest", join(import.meta.dirname, "pytest-requirements.txt"), ["pytest"]);
  if ("missing" in venv) return t.skip(venv.missing);
  const { folder, env } = project(t, ["python", "json"]);
  const { status, out, err } = await ran([join(venv.home, "bin", "pytest"), "-p", "no:cacheprovider", folder], env, 300_000, folder);
  assert.equal(status, 0, `${out}\n${err}`);
  const tests = page.match(/^def test_/gm)!.length;
  assert.match(out, new RegExp(`\\b${tests} passed in`));
  assertNothingRuns(folder);
});

/** jest and the SDK, from their lock, in the cache. */
async function jestModules(): Promise<string> {
  const files = ["package.json", "package-lock.json"].map((name) => join(import.meta.dirname, "jest", name));
  const cache = cacheFolder();
  const home = join(cache, `jest-${digest(...files.map((file) => readFileSync(file, "utf8")))}`);
  const isThere = () => existsSync(join(home, "node_modules", ".bin", "jest"));
  if (!isThere())
    await withCacheLock(
      cache,
      () => {},
      async () => {
        if (isThere()) return;
        await makeFolder(cache, home, async (made) => {
          for (const file of files) copyFileSync(file, join(made, file.slice(dirname(file).length)));
          const flags = ["--ignore-scripts", "--no-audit", "--no-fund"];
          const { status, out, err } = await ran(["npm", "ci", ...flags], process.env as Record<string, string>, 600_000, made);
          assert.equal(status, 0, `npm ci of jest: ${out}\n${err}`);
        });
      },
    );
  return join(home, "node_modules");
}

test("jest", async (t) => {
  const modules = await jestModules();
  const { folder, env } = project(t, ["js"]);
  symlinkSync(modules, join(folder, "node_modules"));
  const jest = ["node", "node_modules/jest/bin/jest.js", "--ci", "--colors=false", "--watchman=false"];
  const { status, out, err } = await ran(jest, { ...env, CI: "true" }, 300_000, folder);
  assert.equal(status, 0, `${out}\n${err}`);
  const tests = page.match(/^test\("/gm)!.length;
  assert.match(err, new RegExp(`Tests: +${tests} passed, ${tests} total`));
  assertNothingRuns(folder);
});
