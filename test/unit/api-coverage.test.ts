import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { page, rendered } from "../../tools/api-coverage.ts";

test("docs/api.md has the coverage of now: node tools/api-coverage.ts writes it", async () => {
  const now = readFileSync(page, "utf8");
  assert.ok(now === (await rendered(now)), "docs/api.md is not of now: node tools/api-coverage.ts");
});

test("every operation that is there is called by a test of its own, besides those that call all alike", () => {
  const sections = readFileSync(page, "utf8").split("\n## ");
  const tables = sections.map((text) => [...text.matchAll(/^\| (\w+) \| (.*) \|$/gm)].filter(([, name]) => name !== "operation"));
  assert.ok(tables.flat().length > 200);
  for (const [index, rows] of tables.entries())
    for (const [, name, tests] of rows) {
      if (/: \d+ of \d+ operations\n/.test(sections[index]!)) assert.ok(tests, `${name} is called by no test`);
    }
});
