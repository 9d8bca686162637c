/** How steps go on simulated nodes: names, rules, faults, and which of them counts. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openFaults } from "../../src/providers/simulated/faults.ts";
import { fits, outcome, type Rules, rulesSchema } from "../../src/providers/simulated/outcomes.ts";
import { openShelf } from "../../src/providers/simulated/shelf.ts";
import { readRules } from "../../src/rules-file.ts";

const rules = (steps: object[]): Rules["steps"] => rulesSchema.parse({ steps }).steps;
const of = (name: string, ruled: object[] = [], fault?: Parameters<typeof outcome>[2]) => outcome(name, rules(ruled), fault, 7);

test("a pattern is the whole of a name", () => {
  assert.ok(fits("load", "load"));
  assert.ok(fits("load *", "load (all)\nof it"));
  assert.ok(fits("*[x]*", "a[x]b"));
  assert.ok(!fits("load", "load 2"));
  assert.ok(!fits("l.ad", "load"));
});

test("without a word a step succeeds in its usual time; by its name it takes longer, fails, hangs", () => {
  assert.deepEqual(of("load"), { afterMs: 7, exitCode: 0 });
  assert.deepEqual(of("load [exits 3]"), { afterMs: 7, exitCode: 3 });
  assert.deepEqual(of("load [takes 20s] [exits 255]"), { afterMs: 20_000, exitCode: 255 });
  assert.deepEqual(of("[takes 5ms] load"), { afterMs: 5, exitCode: 0 });
  assert.deepEqual(of("[takes 2m]"), { afterMs: 120_000, exitCode: 0 });
  assert.deepEqual(of("load [hangs]"), { afterMs: null, exitCode: 0 });
  for (const other of ["[exits]", "[exits 256]", "[takes 5]", "[hangs 3]", "[exits 3s]", "exits 3", "[prod]"])
    assert.deepEqual(of(other), { afterMs: 7, exitCode: 0 }, other);
});

test("the first rule that fits counts, and goes before what the name says", () => {
  const ruled = [
    { name: "load *", exitCode: 4, message: "no such table" },
    { name: "*", seconds: 1.5 },
  ];
  assert.deepEqual(of("load a [exits 3] [takes 1s]", ruled), { afterMs: 1_000, exitCode: 4, message: "no such table" });
  assert.deepEqual(of("other", ruled), { afterMs: 1_500, exitCode: 0 });
  assert.deepEqual(of("other [hangs]", ruled), { afterMs: 1_500, exitCode: 0 });
  assert.deepEqual(of("x", [{ name: "x", hangs: true }]), { afterMs: null, exitCode: 0 });
});

test("a fault goes before all", () => {
  assert.deepEqual(of("load [hangs]", [], { kind: "step-exits", name: "load*", exitCode: 9, message: "so" }), {
    afterMs: 7,
    exitCode: 9,
    message: "so",
  });
  assert.deepEqual(of("load", [{ name: "*", exitCode: 2 }], { kind: "step-hangs", name: "load" }), { afterMs: null, exitCode: 2 });
});

test("a file of rules that is wrong is refused by the name of its field", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-rules-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "rules.json");
  const read = (content: string) => {
    writeFileSync(path, content);
    return readRules(path);
  };
  assert.deepEqual(read('{"steps": [{"name": "a", "exitCode": 1}]}'), { steps: [{ name: "a", exitCode: 1 }], bootstrapActions: [] });
  assert.throws(() => read("{"), /rules\.json is not JSON/);
  assert.throws(() => read('{"steps": [{"name": "a", "exitcode": 1}]}'), /exitcode[^]*steps\[0\]/);
  assert.throws(() => read('{"steps": [{"exitCode": 1}]}'), /steps\[0\]\.name/);
  assert.throws(() => read('{"steps": [{"name": "a", "exitCode": 256}]}'), /steps\[0\]\.exitCode/);
  assert.throws(() => read('{"bootstrapActions": [{"name": "a", "hangs": true, "seconds": 1}]}'), /bootstrapActions\[0\]\.hangs/);
  assert.throws(() => read('{"step": []}'), /step/);
  assert.throws(() => readRules(join(folder, "none.json")), /none\.json cannot be read/);
});

test("a fault is for one step or instance, in the order of the orders, and outlives the process", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-faults-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const open = () => {
    const shelf = openShelf(join(folder, "simulated.db"));
    return { ...openFaults(shelf), close: shelf.close };
  };
  let faults = open();
  faults.add({ kind: "step-hangs", name: "load*" });
  faults.add({ kind: "step-exits", name: "*", exitCode: 5 });
  faults.add({ kind: "launch-fails" });
  assert.equal(faults.ofStep({ id: "s-1", name: "load a" })?.kind, "step-hangs");
  faults.close();
  faults = open();
  assert.equal(faults.waiting().length, 2);
  assert.equal(faults.ofStep({ id: "s-1", name: "load a" })?.kind, "step-hangs", "what was told is told again");
  assert.equal(faults.ofStep({ id: "s-2", name: "load b" })?.kind, "step-exits");
  assert.equal(faults.ofStep({ id: "s-3", name: "load c" }), undefined);
  assert.match(faults.ofLaunch("i-1") ?? "", /howdah fault/);
  assert.match(faults.ofLaunch("i-1") ?? "", /howdah fault/, "however often it is tried");
  assert.equal(faults.ofLaunch("i-2"), undefined);
  faults.add({ kind: "launch-fails", message: "no capacity" });
  assert.equal(faults.clear(), 1);
  faults.close();
  faults = open();
  assert.deepEqual(faults.waiting(), []);
  faults.close();
});
