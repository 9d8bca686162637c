/**
 * A full disk under a node, on the real thing: a tmpfs of a few MB, in a mount namespace of its own, which needs no root. Agents meet a control
 * plane that is just a small HTTP server (node-harness.ts).
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { StepOrder } from "../../src/agent/manifest.ts";
import { bestDegree } from "../../src/providers/local/degree.ts";
import { createNodeHarness, eventually, launchSpec, manifest, type NodeHarness } from "./node-harness.ts";

const inside = process.env.HOWDAH_TEST_DISK;
const best = await bestDegree();

if (inside) describe("a full disk", onTheDisk);
else
  it("a full disk loses no step and runs none twice", { skip: best.degree === "plain" && best.reason }, () => {
    const folder = mkdtempSync(join(tmpdir(), "howdah-disk-"));
    try {
      const script = 'mount -t tmpfs -o size=24m howdah "$1" && exec "$2" --disable-warning=ExperimentalWarning --test-reporter=spec "$3"';
      const argv = ["-Urm", "bash", "-c", script, "bash", folder, process.execPath, import.meta.filename];
      const env = { ...process.env, HOWDAH_TEST_DISK: folder, TMPDIR: folder, NODE_TEST_CONTEXT: undefined };
      const { status, stdout, stderr } = spawnSync("unshare", argv, { env, encoding: "utf8", timeout: 300_000 });
      assert.equal(status, 0, `${stdout}\n${stderr}`);
      assert.match(stdout, /pass 3\n/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

function onTheDisk(): void {
  let harness: NodeHarness;
  const spec = launchSpec("127.127.200", 7, "j-DISK", "i-00000000000000d15");
  const filler = join(inside ?? "", "filler");
  let steps: StepOrder[] = [];
  let generation = 1;
  const order = (more: StepOrder[], parts = {}) => {
    steps = [...steps, ...more];
    harness.control().order(manifest(spec, { generation: ++generation, steps, ...parts }));
  };
  const step = (id: string, script: string): StepOrder => ({ id, name: id, fetch: [], argv: ["bash", "-c", script], env: {} });
  const told = (id: string, states: string[]) =>
    harness
      .control()
      .reported(spec.instanceId, `${id} ${states.join()}`, (report) =>
        report.steps.some((one) => one.id === id && states.includes(one.state)),
      );
  const one = async (id: string, states: string[]) => (await told(id, states)).steps.find((step) => step.id === id)!;

  function fill(): void {
    const fd = openSync(filler, "w");
    try {
      for (let size = 1 << 16; size >= 1;)
        try {
          writeSync(fd, Buffer.alloc(size));
        } catch {
          size >>= 1;
        }
    } finally {
      closeSync(fd);
    }
  }
  const free = () => rmSync(filler);
  const ran = (id: string) =>
    existsSync(join(harness.layout(spec.instanceId).logs, "steps", id, "stdout")) &&
    readFileSync(join(harness.layout(spec.instanceId).logs, "steps", id, "stdout"), "utf8");

  before(async () => {
    harness = await createNodeHarness("plain");
    harness.control().order(manifest(spec, { generation }));
    await harness.provider.launch(spec);
    await harness.control().reported(spec.instanceId, "ready", ({ phase }) => phase === "ready");
  });
  after(() => harness?.dispose());

  it("the end of a step that nobody could write down is told when there is room: its own exit code, not a success", async () => {
    const done = join(inside!, "done");
    order([step("s-ENDS", `echo ran; while [ ! -e ${done} ]; do sleep 0.05; done; exit 3`)]);
    await eventually("its output", () => ran("s-ENDS") === "ran\n");
    fill();
    closeSync(openSync(done, "w"));
    const before = harness.control().report(spec.instanceId)!.seq;
    const report = await harness.control().reported(spec.instanceId, "two more reports", ({ seq }) => seq > before + 6_000);
    assert.equal(report.steps[0]!.state, "running", "an agent on a full disk goes on to report");
    assert.match(report.warnings.join("\n"), /less than 1024 MiB free/);
    free();
    assert.equal((await one("s-ENDS", ["exited", "lost"])).exitCode, 3);
  });

  it("a step that cannot be started has failed, and no later agent starts it when there is room", async () => {
    fill();
    order([step("s-NONE", "echo ran")]);
    const end = await one("s-NONE", ["not-started", "lost"]);
    assert.ok(end.message, "it says why");
    free();
    process.kill((await eventually("the agent", () => harness.agent(spec.instanceId))).pid, "SIGKILL");
    order([step("s-NEXT", "echo ran")]);
    assert.equal((await one("s-NEXT", ["exited"])).exitCode, 0);
    assert.equal((await one("s-NONE", ["not-started", "lost"])).state, "lost");
    assert.notEqual(ran("s-NONE"), "ran\n");
  });

  it("a cluster that ends on a full disk ends", async () => {
    order([step("s-LONG", "sleep 3600")]);
    await told("s-LONG", ["running"]);
    fill();
    order([], { stopping: true });
    await harness.control().reported(spec.instanceId, "stopped", ({ phase }) => phase === "stopped");
    free();
  });
}
