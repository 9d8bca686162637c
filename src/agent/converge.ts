/** Makes the node what its manifest says, in the order that manifest.ts gives, and takes it apart again when the cluster ends. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readJson, writeWhole } from "../files.ts";
import { bootId } from "../process/known.ts";
import { init } from "./boot.ts";
import { createBootstrap } from "./bootstrap.ts";
import type { AgentContext } from "./context.ts";
import { createDaemons } from "./daemons.ts";
import { createDecommission } from "./decommission.ts";
import { createFiles } from "./files.ts";
import { writeProfile, writeProvisionState } from "./info.ts";
import type { Manifest, NodeFailure, NodePhase, Report } from "./manifest.ts";
import type { NodeS3 } from "./s3.ts";
import type { Shipper } from "./ship.ts";
import { createSaves } from "./saves.ts";
import { createSteps } from "./steps.ts";
import { createTasks } from "./tasks.ts";

/** How long steps wait for daemons of a node whose init was started again: then they run, and say themselves what is missing. */
const daemonsMs = 120_000;
/** How long a cluster's end waits for logs that do not arrive. */
const lastLogsMs = 25_000;
/** How soon files are tried again that could not be written on a node with data (a full disk). */
const filesAgainMs = 3_000;

export function createConverger(context: AgentContext, s3: NodeS3, shipper: Shipper) {
  const { layout, record } = context;
  /** Under which init the node has been ready last. */
  const readyFile = join(layout.run, "ready");
  /** Once ready, a node has data: nothing but its cluster's end ends it, and what goes wrong is tried again. */
  let wasReady = existsSync(readyFile);
  const files = createFiles(join(layout.run, "files.json"));
  let phase: NodePhase = !wasReady ? "bootstrapping" : readFileSync(readyFile, "utf8") === init() ? "ready" : "starting";
  let failure: NodeFailure | undefined;
  let current: Manifest | undefined;
  let busy = false;
  let stopping = false;
  /** true once the daemons have been ready in this agent's life, or have had their time. */
  let mayStart = false;

  const bootstrap = createBootstrap(context, s3);
  const daemons = createDaemons(context, fail, (task) => tasks.isDone(task));
  const tasks = createTasks(context, daemons.isReady);
  const decommission = createDecommission(context);
  const saves = createSaves(context);
  const steps = createSteps(context, s3, shipper, () => current && !stopping && saves.afterStep(current));

  function fail(why: NodeFailure): void {
    if (stopping) return;
    if (wasReady) return context.warn(`${record.instanceId}: ${why.message}`);
    failure = why;
    phase = "failed";
    context.log(`failed: ${why.message}`);
    context.changed();
  }

  /** What scripts find on the node. A host that has something immovable at such a path costs the node that path, not its life. */
  async function layBase(manifest: Manifest): Promise<void> {
    writeProfile(context, manifest.env);
    writeProvisionState(context, manifest, phase);
    const base = manifest.base.filter((file) => !file.view || record.degree === "view");
    await files.write(base, (error) => context.warn(`this node has not all of EMR's paths: ${error.message}`));
  }

  /** What could not be written is tried again on a node with data; on a new one it ends the start. */
  function filesFailed(error: unknown): void {
    if (wasReady) setTimeout(() => void work().catch(crash), filesAgainMs);
    fail({ kind: "files", message: (error as Error).message });
  }

  async function converge(manifest: Manifest): Promise<void> {
    try {
      await layBase(manifest);
    } catch (error) {
      return filesFailed(error);
    }
    const cut = phase === "failed" ? failure : await bootstrap.run(manifest);
    if (cut?.kind.startsWith("bootstrap")) return fail(cut);
    if (stopping) return;
    try {
      await files.write(manifest.files);
    } catch (error) {
      return filesFailed(error);
    }
    if (stopping) return; // Told while files were written: no daemon may start behind the end.
    if (phase === "bootstrapping" || failure?.kind === "files") phase = "starting";
    if (failure?.kind === "files") failure = undefined;
    await daemons.apply(manifest.daemons, manifest.env);
    tasks.apply(manifest.tasks, manifest.env);
    decommission.apply(manifest.decommission, manifest.env);
  }

  /** After any change: is the node ready now, and may steps start? */
  function look(): void {
    if (!current || busy || stopping) return;
    if ((phase === "starting" || failure?.kind === "daemon") && daemons.gatesReady() && tasks.gatesDone()) {
      failure = undefined;
      phase = "ready";
      wasReady = true;
      try {
        writeWhole(readyFile, init());
        writeProvisionState(context, current, phase);
      } catch (error) {
        context.warn(`${record.instanceId}: ${(error as Error).message}`);
      }
      context.changed();
    }
    mayStart ||= daemons.gatesReady() && tasks.gatesDone();
    if (wasReady) steps.apply(current, mayStart);
  }

  async function work(): Promise<void> {
    if (busy || stopping || !current) return;
    const manifest = current;
    busy = true;
    await converge(manifest).finally(() => (busy = false));
    if (current === manifest) look();
    else await work(); // A newer one came meanwhile.
  }

  async function stop(manifest: Manifest): Promise<void> {
    if (stopping) return;
    stopping = true;
    tasks.stop();
    decommission.stop();
    await steps.stopAll(manifest.steps.map(({ id }) => id));
    await bootstrap.stop();
    if (wasReady) await saves.last(manifest);
    phase = "saved";
    context.changed();
    await daemons.stopAll(manifest.daemons.map(({ name }) => name));
    await shipper.flush(lastLogsMs);
    phase = "stopped";
    context.changed();
  }

  function take(manifest: Manifest): void {
    current = manifest;
    shipper.configure(manifest.logs);
    const doing = manifest.stopping ? stop(manifest) : work();
    doing.catch(crash);
    context.changed();
  }

  /** Not foreseen: a fresh agent, from the records on disk, is the way back. */
  function crash(error: Error): void {
    context.log(error.stack ?? error.message);
    process.exit(1);
  }

  return {
    generation: () => current?.generation ?? 0,
    /** Empty before the first manifest. */
    metadata: () => ({ paths: current?.metadata ?? {}, tokens: current?.metadataHttpTokens ?? "optional" }),
    /** Goes on with what an earlier agent was told, before the control plane answers. */
    resume(): void {
      const timer = setTimeout(() => {
        mayStart = true;
        look();
      }, daemonsMs);
      timer.unref();
      const last = readJson<Manifest>(layout.manifest);
      // One for another address is of before the cluster had to move.
      if (last?.address === record.address) take(last);
    },
    take(manifest: Manifest): void {
      if (manifest.generation <= (current?.generation ?? 0)) return;
      try {
        writeWhole(layout.manifest, JSON.stringify(manifest));
      } catch (error) {
        // Only a next agent needs it, for the time until the control plane answers: what is ordered must happen on a full disk, too.
        context.warn(`${record.instanceId}: ${(error as Error).message}`);
      }
      take(manifest);
    },
    look,
    report: (): Omit<Report, "seq" | "warnings"> => ({
      instanceId: record.instanceId,
      bootId: bootId(),
      generation: current?.generation ?? 0,
      phase,
      ...(phase === "failed" && failure ? { failure } : {}),
      bootstrapActions: bootstrap.report(),
      daemons: daemons.report(),
      tasks: tasks.report(),
      steps: steps.report(),
      ...decommission.report(),
    }),
  };
}
