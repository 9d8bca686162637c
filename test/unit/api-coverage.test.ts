import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { operations } from "../../src/api/emr/handlers.ts";
import { page, rendered } from "../../tools/api-coverage.ts";

test("docs/api.md has the coverage of now: node tools/api-coverage.ts writes it", async () => {
  const now = readFileSync(page, "utf8");
  assert.ok(now === (await rendered(now)), "docs/api.md is not of now: node tools/api-coverage.ts");
});

test("every operation of EMR's that is there is called by a test of its own", () => {
  const emr = readFileSync(page, "utf8").split("\n## EMR: ")[1]!.split("\n## ")[0]!;
  const rows = new Map([...emr.matchAll(/^\| (\w+) \| (.*) \|$/gm)].map(([, name, tests]) => [name, tests]));
  const there = Object.entries(operations).filter(([, operation]) => typeof operation === "function");
  for (const [name] of there) assert.ok(rows.get(name), `${name} is called by no test`);
});
