/** `npm run demo`, the first thing that a stranger types; its table is checked against means computed here from the same file. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { ownerVariable } from "../../src/data-folder.ts";
import { findByEnvironment } from "../../src/process/known.ts";
import { datasetFlights } from "../../src/setup.ts";

/** `UA/1` → mean departure delay, one decimal, as the demo prints it. */
async function means(): Promise<Map<string, string>> {
  const [head = "", ...rows] = readFileSync(await datasetFlights(), "utf8")
    .trim()
    .split("\n");
  const columns = head.split(",");
  const [month, carrier, delay] = ["month", "carrier", "dep_delay"].map((name) => columns.indexOf(name)) as [number, number, number];
  const sums = new Map<string, [sum: number, count: number]>();
  for (const row of rows.map((line) => line.split(","))) {
    const minutes = Number.parseFloat(row[delay] ?? "");
    if (Number.isNaN(minutes)) continue;
    const [sum, count] = sums.get(`${row[carrier]}/${row[month]}`) ?? [0, 0];
    sums.set(`${row[carrier]}/${row[month]}`, [sum + minutes, count + 1]);
  }
  return new Map([...sums].map(([key, [sum, count]]) => [key, (sum / count).toFixed(1)]));
}

test("the demo runs to its end, prints the right means, and leaves logs and no process", async (t) => {
  const state = mkdtempSync(join(homedir(), ".howdah-demo-test-"));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const demo = join(import.meta.dirname, "../../src/cli/demo.ts");
  const { stdout } = await promisify(execFile)(process.execPath, ["--disable-warning=ExperimentalWarning", demo], {
    env: { ...process.env, XDG_STATE_HOME: state, HOWDAH_DATA: "" },
    timeout: 400_000,
  });
  const expected = await means();
  for (const carrier of ["AA", "UA", "B6", "DL"]) {
    const line = new RegExp(`^  ${carrier} (.*)$`, "m").exec(stdout)?.[1] ?? "";
    const months = Array.from({ length: 12 }, (_, index) => expected.get(`${carrier}/${index + 1}`));
    assert.deepEqual(line.trim().split(/\s+/), months, carrier);
  }
  const root = join(state, "howdah-demo");
  const logs = readdirSync(join(root, "s3", "howdah-demo", "logs"), { recursive: true }) as string[];
  assert.ok(logs.some((name) => /steps\/s-[^/]+\/stderr\.gz$/.test(name)));
  assert.deepEqual(findByEnvironment(ownerVariable, root), []);
});
