import assert from "node:assert/strict";
import { test } from "node:test";
import { readExpression } from "../../src/api/glue/expression.ts";

const keys = [
  { name: "year", type: "int" },
  { name: "day", type: "string" },
  { name: "at", type: "date" },
  { name: "price", type: "decimal(10,2)" },
];
const all = [
  ["2025", "mon", "2025-12-31", "9.50"],
  ["2026", "tue", "2026-01-01", "10.00"],
  ["900", "o'clock", "2026-02-01", "__HIVE_DEFAULT_PARTITION__"],
];
const found = (text: string) => all.filter(readExpression(text, keys)).map(([year]) => year);

test("an expression chooses partitions by its keys' types", () => {
  for (const [text, years] of [
    ["", ["2025", "2026", "900"]],
    ["year = 2025", ["2025"]],
    ["year='2025'", ["2025"]],
    // As numbers, not as texts.
    ["year > 1000", ["2025", "2026"]],
    ["YEAR >= 2026 or day = 'o''clock'", ["2026", "900"]],
    ["2026 <= year", ["2026"]],
    ["year <> 2025 AND NOT (day = 'tue')", ["900"]],
    ["day IN ('mon', 'tue')", ["2025", "2026"]],
    ["day NOT IN ('mon', 'tue')", ["900"]],
    ["year BETWEEN 2025 AND 2026 AND day LIKE 't%'", ["2026"]],
    ["day like '_on'", ["2025"]],
    ["day like 'o*'", []],
    ["at >= date '2026-01-01'", ["2026", "900"]],
    ["price > 9.9", ["2026"]],
    ["price is null", ["900"]],
    ["price IS NOT NULL", ["2025", "2026"]],
    // What is unknown is not so, and neither is its opposite.
    ["price = 10", ["2026"]],
    ["NOT (price = 10)", ["2025"]],
    ['(`year` = 2025) OR ((year = "2026"))', ["2025", "2026"]],
    ["year = 2025 OR year = 2026 AND day = 'mon'", ["2025"]],
  ] as const)
    assert.deepEqual(found(text), years, text);
});

test("what cannot be read is refused", () => {
  for (const text of [
    "nokey = 1",
    "year",
    "year =",
    "year = 1 day = 2",
    "year NOT 1",
    "(year = 1",
    "year ~ 1",
    "day LIKE year",
    "= 1",
    "'a",
    "year = ;",
  ])
    assert.throws(() => readExpression(text, keys), { name: "InvalidInputException" }, text);
  assert.throws(() => readExpression(`${"(".repeat(10_000)}year = 1`, keys), { name: "InvalidInputException" });
});
