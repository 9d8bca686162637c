/** The test of the simulation: bugs that are put into reconcilers on purpose, in a copy of the source, are found. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

const root = dirname(dirname(import.meta.dirname));

interface Bug {
  what: string;
  file: string;
  /** Words of the file, and what becomes of them. */
  change: [good: string, bad: string][];
  /** What the simulation says. */
  found: RegExp;
}

const bugs: Bug[] = [
  {
    what: "a step that was lost with its node is started again",
    file: "src/reconcile/steps.ts",
    change: [
      [
        "for (const step of ended) await recordEnd(tx, cluster, step, reports.get(step.id)!);",
        `for (const step of ended)
          if (reports.get(step.id)?.state === "lost") await setStepStatus(tx, step.id, { state: "PENDING" });
          else await recordEnd(tx, cluster, step, reports.get(step.id)!);`,
      ],
    ],
    found: /Only legal transitions: s-\w+ went from RUNNING to PENDING|The control plane comes to rest|No cluster is stuck: s-\w+/,
  },
  {
    what: "an instance is written down as terminated before it is, so that a crash between the two leaves it running",
    file: "src/reconcile/instances.ts",
    change: [
      ["await context.provider.terminate(instance.id);\n  await context.store", "await context.store"],
      [
        "await context.provider.reclaim(instance.id);",
        "await context.provider.terminate(instance.id); await context.provider.reclaim(instance.id);",
      ],
    ],
    found: /Nothing of (a terminated instance|an ended cluster) runs/,
  },
  {
    what: "a cluster ends without waiting for its last instance",
    file: "src/reconcile/clusters.ts",
    change: [['if (instances.some((instance) => instance.status !== "terminated")) return done;', ""]],
    found: /An ended cluster has no instance|Nothing of an ended cluster runs/,
  },
  {
    what: "a core node leaves its cluster while HDFS still has blocks there alone",
    file: "src/reconcile/resize.ts",
    change: [['master?.observed?.decommission?.[instance.id] === "DECOMMISSIONED"', "true"]],
    found: /No core node leaves with blocks/,
  },
  {
    what: "another takes the place of a lost node before that is ended for good",
    file: "src/reconcile/resize.ts",
    change: [["const counted = [...staying, ...ending];", "const counted = [...staying, ...ending.slice(ending.length)];"]],
    found: /A lost node is replaced once/,
  },
];

for (const { what, file, change, found } of bugs)
  test(`found: ${what}`, () => {
    const copy = mkdtempSync(join(tmpdir(), "howdah-simulation-"));
    try {
      for (const part of ["src", "test/simulation", "package.json"]) cpSync(join(root, part), join(copy, part), { recursive: true });
      symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
      let text = readFileSync(join(copy, file), "utf8");
      for (const [good, bad] of change) {
        assert.equal(text.split(good).length, 2, `${file} has other words now: say the bug anew`);
        text = text.replace(good, bad);
      }
      writeFileSync(join(copy, file), text);
      const args = ["--disable-warning=ExperimentalWarning", "test/simulation/main.ts", "--seeds", "1..400", "--first"];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
      assert.equal(status, 1, stderr);
      assert.match(stdout, found);
      // It is cut down, and the line that replays it is there.
      const [, before = "", after = ""] = /cut down from (\d+) entries to (\d+)/.exec(stdout) ?? [];
      assert.ok(Number(after) > 0 && Number(after) < Number(before) / 4, stdout);
      assert.match(stdout, /npm run simulate -- --seed \d+ --only [\d,]+ --trace/);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
