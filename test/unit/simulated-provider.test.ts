/** The real reconcilers, loop and store over simulated nodes. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { BootstrapActionConfig } from "@aws-sdk/client-emr";
import { pino } from "pino";
import type { Report } from "../../src/agent/manifest.ts";
import { systemClock } from "../../src/clock.ts";
import type { Outcome } from "../../src/providers/simulated/node.ts";
import { paces } from "../../src/providers/simulated/pace.ts";
import { createSimulatedProvider } from "../../src/providers/simulated/provider.ts";
import type { Shelf } from "../../src/providers/simulated/shelf.ts";
import { createLoop } from "../../src/reconcile/loop.ts";
import { createReconcilers } from "../../src/reconcile/reconcilers.ts";
import { simulatedLink } from "../../src/reconcile/simulated-link.ts";
import { launchSpec } from "../integration/node-harness.ts";
import { harness, step } from "./control-plane-harness.ts";

async function world(t: TestContext, outcomeOf: (name: string) => Outcome) {
  const h = await harness(":memory:", systemClock);
  const provider = createSimulatedProvider({
    clock: systemClock,
    pace: paces.instant,
    ...simulatedLink(h.context),
    outcomeOf: (what) => outcomeOf("step" in what ? what.step.name : what.bootstrapAction.name),
  });
  h.store.onManifest = (clusterId) => provider.manifestChanged(clusterId);
  const context = { ...h.context, provider };
  const loop = createLoop(
    h.store,
    {
      ...createReconcilers(context),
      trail: async () => ({ done: true }),
    },
    systemClock,
    pino({ level: "silent" }),
  );
  await loop.start();
  t.after(async () => {
    await loop.stop();
    for (const id of provider.nodes.keys()) await provider.terminate(id);
    await h.store.close();
  });
  const state = async (ClusterId: string) => (await h.handlers.DescribeCluster!({ ClusterId }, h.request)).Cluster?.Status;
  async function reaches(ClusterId: string, wanted: string) {
    for (;;) {
      const status = await state(ClusterId);
      if (status?.State === wanted) return status;
      assert.ok(!status?.State?.startsWith("TERMINATED"), JSON.stringify(status));
      await sleep(5);
    }
  }
  /** A cluster of a master and a core node; its id. */
  async function run(KeepJobFlowAliveWhenNoSteps: boolean, steps: string[], BootstrapActions: BootstrapActionConfig[] = []) {
    const { JobFlowId = "" } = await h.handlers.RunJobFlow!(
      {
        Name: "simulated",
        ReleaseLabel: "emr-7.13.0",
        Instances: { MasterInstanceType: "m5.xlarge", SlaveInstanceType: "m5.xlarge", InstanceCount: 2, KeepJobFlowAliveWhenNoSteps },
        Steps: steps.map((name) => step(name)),
        BootstrapActions,
        JobFlowRole: "EMR_EC2_DefaultRole",
        ServiceRole: "EMR_DefaultRole",
      } as never,
      h.request,
    );
    return JobFlowId;
  }
  return { ...h, provider, run, reaches };
}

test("a cluster with steps runs to its end, each step once", async (t) => {
  const begun: string[] = [];
  const w = await world(t, (name) => {
    begun.push(name);
    return { afterMs: 0, exitCode: name === "two" ? 3 : 0, message: "so it is" };
  });
  const JobFlowId = await w.run(false, ["one", "two", "three"], [{ Name: "first", ScriptBootstrapAction: { Path: "s3://b/first" } }]);
  const status = await w.reaches(JobFlowId, "TERMINATED");
  assert.equal(status.StateChangeReason?.Code, "ALL_STEPS_COMPLETED");
  const { Steps } = await w.handlers.ListSteps!({ ClusterId: JobFlowId }, w.request);
  assert.deepEqual(
    Steps?.toReversed().map(({ Name, Status }) => [Name, Status?.State]),
    [
      ["one", "COMPLETED"],
      ["two", "FAILED"],
      ["three", "COMPLETED"],
    ],
  );
  assert.deepEqual(begun.toSorted(), ["first", "first", "one", "three", "two"]);
});

test("a node that is killed starts again, and what it ran is lost, not run twice", async (t) => {
  let begun = 0;
  const { promise: running, resolve } = Promise.withResolvers<void>();
  const w = await world(t, () => {
    begun += 1;
    resolve();
    return { afterMs: 60_000, exitCode: 0 };
  });
  const JobFlowId = await w.run(true, ["long"]);
  await w.reaches(JobFlowId, "RUNNING");
  await running;
  for (const node of w.provider.nodes.values()) node.stop();
  await w.reaches(JobFlowId, "WAITING");
  const { Steps } = await w.handlers.ListSteps!({ ClusterId: JobFlowId }, w.request);
  assert.equal(Steps?.[0]?.Status?.State, "FAILED");
  assert.equal(begun, 1);
});

test("what a node says again as it said it before is told, where something else was told in between", { timeout: 60_000 }, async () => {
  let known: Report | null = null;
  const phases: string[] = [];
  const { promise: isReadyAgain, resolve } = Promise.withResolvers<void>();
  const provider = createSimulatedProvider({
    clock: systemClock,
    pace: paces.instant,
    orders: async () => ({ generation: 1, bootstrapActions: [], steps: [], leaving: [], stopping: false, warnings: [], known }),
    async report(report) {
      known = report;
      phases.push(report.phase);
      const node = provider.nodes.get("i-1")!;
      if (phases.join() === "starting,ready") setImmediate(() => [node.stop(), node.start()]);
      if (phases.length === 3) throw new Error("it came, and was not answered");
      if (phases.length > 3 && report.phase === "ready") resolve();
    },
    alive: async () => {},
    outcomeOf: () => ({ afterMs: 0, exitCode: 0 }),
  });
  await provider.launch(launchSpec("127.64.0", 1, "j-A", "i-1"));
  await isReadyAgain;
  provider.leave();
  assert.deepEqual([...new Set(phases)], ["starting", "ready"]);
});

test("a disk that takes nothing ends no node: what was not kept is told, and kept later", async () => {
  let isFull = true;
  const kept = new Map<string, unknown>();
  const faults: unknown[] = [];
  const { promise: reported, resolve } = Promise.withResolvers<void>();
  const shelf: Shelf = {
    all: () => [],
    put(_kind, id, value) {
      if (isFull) throw new Error("database or disk is full");
      kept.set(id, structuredClone(value));
    },
    remove() {},
    close() {},
  };
  const provider = createSimulatedProvider(
    {
      clock: systemClock,
      pace: paces.instant,
      orders: async () => ({ generation: 1, bootstrapActions: [], steps: [], leaving: [], stopping: false, warnings: [], known: null }),
      alive: async () => {},
      report: async ({ phase }) => (phase === "ready" ? resolve() : undefined),
      outcomeOf: () => ({ afterMs: 0, exitCode: 0 }),
      fault: (error) => faults.push(error),
    },
    shelf,
  );
  await assert.rejects(provider.claimNetwork("j-A", undefined), /disk is full/);
  await provider.launch(launchSpec("127.64.0", 1, "j-A", "i-1"));
  await reported;
  assert.ok(faults.length > 0);
  isFull = false;
  provider.nodes.get("i-1")!.stop();
  assert.ok(kept.has("i-1"));
});
