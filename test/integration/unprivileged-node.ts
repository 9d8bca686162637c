/** Run as a user without root by local-provider.test.ts: a node in each degree that the host allows, from launch to nothing left. */
import { spawnSync } from "node:child_process";
import type { Report } from "../../src/agent/manifest.ts";
import { enterNode } from "../../src/providers/local/enter.ts";
import { bestDegree } from "../../src/providers/local/provider.ts";
import { createNodeHarness, launchSpec, manifest } from "./node-harness.ts";

const wentWell = ({ steps }: Report, entered: { status: number | null; stdout: string }): boolean =>
  steps[0]?.exitCode === 0 && entered.status === 7 && entered.stdout === "hadoop on i-00000000000000a5e\n";

console.log(`uid ${process.getuid!()}`);
const best = await bestDegree();
for (const degree of best.degree === "view" ? (["view", "plain"] as const) : (["plain"] as const)) {
  const harness = await createNodeHarness(degree);
  try {
    const spec = launchSpec(await harness.provider.claimNetwork("j-USER", undefined), 1, "j-USER", "i-00000000000000a5e");
    await harness.provider.launch(spec);
    harness.control().order(
      manifest(spec, {
        steps: [{ id: "s-USER", name: "a", fetch: [], argv: ["sh", "-c", "mkdir $HOME/d && chmod 0 $HOME/d"], env: {} }],
      }),
    );
    const report = await harness.control().reported(spec.instanceId, "the step's end", ({ steps }) => steps[0]?.state === "exited");
    const entry = enterNode(harness.layout(spec.instanceId));
    const [program, ...args] = [...entry.prefix, "bash", "-c", "echo $USER on $HOWDAH_NODE; exit 7"];
    const entered = spawnSync(program!, args, { env: entry.env, encoding: "utf8" });
    await harness.provider.terminate(spec.instanceId);
    const left = harness.processes(spec.instanceId).length;
    await harness.provider.reclaim(spec.instanceId);
    console.log(`${degree}: ${wentWell(report, entered) && left === 0 ? "well" : JSON.stringify({ report, entered, left })}`);
  } finally {
    await harness.dispose();
  }
}
