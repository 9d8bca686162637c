/**
 * kill -9 of an agent, of its init and of the guard, at each transition that a node writes down, against a control plane that is just a small
 * HTTP server: the node goes on where it was, and what it runs, runs once.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "../../src/agent/manifest.ts";
import { isAlive, readStat, signal } from "../../src/process/known.ts";
import { createNodeHarness, eventually, launchSpec, manifest, type NodeHarness } from "./node-harness.ts";

let harness: NodeHarness;
let network = "";
let ordinal = 0;
before(async () => {
  harness = await createNodeHarness("plain");
  network = await harness.provider.claimNetwork("j-KILLS", undefined);
});
after(() => harness?.dispose());

const victims = ["agent", "init", "guard"] as const;
type Victim = (typeof victims)[number];

/**
 * What must be there for the kill, and what a report must say at last. An init that is killed takes steps and actions with it, so that nobody knows
 * how they ended; without its guard it ends them in order, by SIGTERM.
 */
interface Transition {
  name: string;
  file: string;
  /** Ordered once the node is ready. */
  order?: "step" | "stop";
  ends: (report: Report, victim: Victim) => boolean;
  /** What may run at that moment: it may have been cut off before it began. All else of it has run once. */
  runs?: "action" | "step";
}

const end = (victim: Victim, exited: boolean, exitCode: number | undefined) =>
  victim === "agent" ? exited && exitCode === 0 : victim === "init" ? !exited : !exited || exitCode === 143;
const transitions: Transition[] = [
  {
    name: "its bootstrap action runs",
    file: "bootstrap-actions/1/process",
    ends: ({ phase, bootstrapActions: [action] }, victim) =>
      phase === (victim === "agent" ? "ready" : "failed") && end(victim, action?.exitCode !== undefined, action?.exitCode),
    runs: "action",
  },
  { name: "a daemon was started", file: "run/daemon-web.json", ends: ({ phase }) => phase === "ready" },
  { name: "it is ready", file: "run/ready", ends: ({ phase }) => phase === "ready" },
  {
    name: "its step runs",
    file: "steps/s-KILLS/process",
    order: "step",
    ends: ({ phase, steps: [step] }, victim) =>
      phase === "ready" && ["exited", "lost"].includes(step?.state ?? "") && end(victim, step?.state === "exited", step?.exitCode),
    runs: "step",
  },
  {
    name: "its step has ended",
    file: "steps/s-KILLS/exit",
    order: "step",
    ends: ({ phase, steps }) => phase === "ready" && steps[0]?.state === "exited" && steps[0].exitCode === 0,
  },
  {
    name: "it is told to stop",
    file: "stopping",
    order: "stop",
    ends: ({ phase }) => phase === "stopped",
  },
];

for (const victim of victims)
  describe(`${victim} killed when`, () => {
    for (const { name, file, order, ends, runs } of transitions)
      it(name, async () => {
        ordinal += 1;
        const spec = launchSpec(network, ordinal, "j-KILLS", `i-${ordinal.toString(16).padStart(17, "c")}`);
        const { root, logs } = harness.layout(spec.instanceId);
        const control = harness.control();
        const counted = (what: string) => join(harness.data.root, `${spec.instanceId}-${what}`);
        // What is to be cut off goes on until the kill has been.
        const killed = counted("killed");
        const script = (what: "action" | "step") =>
          `echo ran >> ${counted(what)}; ${runs === what ? `until [ -e ${killed} ]; do sleep 0.1; done` : ""}`;
        const action = counted("action.sh");
        writeFileSync(action, `#!/bin/bash\n${script("action")}\n`);
        let now = manifest(spec, {
          bootstrapActions: [{ ordinal: 1, name: "action", path: action, args: [] }],
          daemons: [
            {
              name: "web",
              argv: ["python3", "-m", "http.server", "8088"],
              log: join(logs, "web.log"),
              ready: [{ tcp: { host: spec.address, port: 8088 } }],
              gate: true,
            },
          ],
        });
        control.order(now);
        await harness.provider.launch(spec);
        if (order) {
          await control.reported(spec.instanceId, "ready", ({ phase }) => phase === "ready");
          const step = { id: "s-KILLS", name: "step", fetch: [], argv: ["bash", "-c", script("step")], env: {} };
          now = { ...now, generation: 2, ...(order === "step" ? { steps: [step] } : { stopping: true }) };
          control.order(now);
          if (order === "stop")
            await eventually("the order on disk", () => /"stopping":true/.test(readFileSync(join(root, "manifest.json"), "utf8")));
        }
        const path = join(root, file);
        if (file !== "stopping") while (!existsSync(path)) await sleep(2);
        const init = harness.init(spec.instanceId);
        const agent = await eventually("an agent", () => harness.agent(spec.instanceId));
        const before = control.report(spec.instanceId)?.seq ?? 0;
        if (victim === "guard") process.kill(readStat(init.pid)!.parent, "SIGKILL");
        else signal(victim === "agent" ? agent : init, "SIGKILL");
        await eventually("its end", () => !isAlive(victim === "agent" ? agent : init));
        writeFileSync(killed, "");
        await harness.provider.launch(spec); // As the instance's reconciler does; nothing where it runs.
        await eventually("the next agent", () => {
          const next = harness.agent(spec.instanceId);
          return next !== undefined && next.pid !== agent.pid;
        });
        await control.reported(spec.instanceId, "as it must be", (report) => report.seq > before && ends(report, victim));
        const count = (what: string) => (existsSync(counted(what)) ? readFileSync(counted(what), "utf8").split("\n").length - 1 : 0);
        for (const what of ["action", "step"] as const) {
          const most = what === "action" || order === "step" ? 1 : 0;
          assert.ok(count(what) === most || (runs === what && victim !== "agent" && count(what) === 0), `${what} ran ${count(what)} times`);
        }
        await harness.provider.terminate(spec.instanceId);
        assert.deepEqual(harness.processes(spec.instanceId), []);
      });
  });
