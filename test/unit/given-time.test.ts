/** What test/simulation/ runs has its time and its chance from outside: oxlint says so (.oxlintrc.json), and this of what it cannot see. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

const root = dirname(dirname(import.meta.dirname));
const simulated = "src/{access,api,aws,engines,market,observe,providers/simulated,reconcile,releases,store}/**/*.ts";
/** `new Date()`, `new Date`, `Date()`: the time of now. */
const now = /\bDate\(\s*\)|\bnew Date\b(?!\()/;

const readsNow = (text: string) => text.split("\n").some((line) => now.test(line.replace(/\/\/.*|^\s*\*.*/, "")));

test("no code that is simulated makes a Date of now", () => {
  const files = globSync(simulated, { cwd: root });
  assert.ok(files.length > 200);
  assert.deepEqual(
    files.filter((file) => readsNow(readFileSync(join(root, file), "utf8"))),
    [],
  );
  for (const bad of ["const at = new Date();", "const at = Date( );", "const at = new Date;"]) assert.ok(readsNow(bad), bad);
  for (const good of ["new Date(tx.now)", "new Date(Date.UTC(2026, 0))", "// new Date()", "value instanceof Date"])
    assert.ok(!readsNow(good), good);
});

const violations = [
  "export const a = Date.now();",
  "export const b = Math.random();",
  "export const c = performance.now();",
  "export const d = process.hrtime();",
  "setTimeout(() => {}, 1);",
  "setInterval(() => {}, 1);",
  "setImmediate(() => {});",
  "export const e = crypto.randomUUID();",
  'import { randomUUID } from "node:crypto"; export const f = randomUUID();',
  'import { randomBytes } from "node:crypto"; export const g = randomBytes(8);',
  'import { randomInt } from "node:crypto"; export const h = randomInt(8);',
  'import crypto from "node:crypto"; export const i = crypto.randomUUID();',
  'import { setTimeout as sleep } from "node:timers/promises"; await sleep(1);',
  'import { performance as p } from "node:perf_hooks"; export const j = p.now();',
];

test("oxlint finds whatever reads the real clock or chance, in each of the folders", () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-lint-"));
  try {
    cpSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
    const lint = () => spawnSync(join(root, "node_modules/.bin/oxlint"), ["--format=unix"], { cwd: folder, encoding: "utf8" });
    const folders = ["access", "api", "aws", "engines", "market", "observe", "providers/simulated", "reconcile", "releases", "store"];
    for (const name of folders) {
      mkdirSync(join(folder, "src", name), { recursive: true });
      for (const [index, text] of violations.entries()) writeFileSync(join(folder, "src", name, `bad-${index}.ts`), `${text}\n`);
      writeFileSync(
        join(folder, "src", name, "good.ts"),
        'import { createHash } from "node:crypto"; export const a = createHash("sha256");\n',
      );
    }
    const { stdout, status } = lint();
    assert.notEqual(status, 0);
    const found = new Set([...stdout.matchAll(/src\/\S+?\.ts/g)].map(([file]) => file));
    for (const name of folders) {
      for (const [index, text] of violations.entries()) assert.ok(found.has(`src/${name}/bad-${index}.ts`), `${name}: ${text}`);
      assert.ok(!found.has(`src/${name}/good.ts`));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
