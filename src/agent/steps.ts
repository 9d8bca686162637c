/** Steps, each at most once on a node. Its folder is steps/ID (what run-once.ts keeps there is never shipped), its logs have EMR's names. */
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cancellation, cancelStep, endRest, stepVariable, wasCancelled } from "./cancel-step.ts";
import { type AgentContext, environment } from "./context.ts";
import { scriptText, warnOfEmrPaths } from "./emr-paths.ts";
import { fetchFile } from "./fetch.ts";
import { credentialsUrl } from "./layout.ts";
import type { Manifest, StepOrder, StepReport } from "./manifest.ts";
import { type OnceState, barOnce, followOnce, lookOnce, runOnce, stopOnce } from "./run-once.ts";
import type { NodeS3 } from "./s3.ts";
import type { Shipper } from "./ship.ts";
import { quote, tellingLines } from "./text.ts";

const shipWithinMs = 30_000;

export function createSteps(context: AgentContext, s3: NodeS3, shipper: Shipper, onEnd: () => void) {
  const states = new Map<string, StepReport>();
  let ordered = new Set<string>();
  /** For each step: how it is to end, where it is; what ends its fetching; when its signals are sent. */
  const cancellations = new Map<string, { option: Cancellation | undefined; fetch: AbortController; done: Promise<void> }>();
  const folderOf = (id: string) => join(context.layout.steps, id);
  /** Where it runs: EMR's place, where the node has its own paths. Never folderOf: its files must not meet those of run-once.ts. */
  const workOf = (id: string) => (context.record.degree === "view" ? join("/mnt/var/lib/hadoop/steps", id) : join(folderOf(id), "work"));
  const logOf = (id: string, name: "controller" | "stdout" | "stderr" | "syslog") => join(context.layout.logs, "steps", id, name);

  const set = (report: StepReport) => {
    states.set(report.id, report);
    context.changed();
  };
  /** A line that cannot be written is no reason for a step to fail. */
  function tell(id: string, level: "INFO" | "WARN", text: string): void {
    try {
      appendFileSync(logOf(id, "controller"), `${new Date().toISOString()} ${level} ${text}\n`);
    } catch (error) {
      context.warn(`the controller log of step ${id} is not whole: ${(error as Error).message}`);
    }
  }

  function cancellation(id: string) {
    const known = cancellations.get(id) ?? { option: undefined, fetch: new AbortController(), done: Promise.resolve() };
    cancellations.set(id, known);
    return known;
  }

  /** Why a fetch failed for good: kept, so that no later agent tries the step again after the control plane was told. */
  const fetchFailure = (id: string) => join(folderOf(id), "fetch-failed");

  async function fetchAll({ id, fetch, hasRole }: StepOrder, signal: AbortSignal): Promise<boolean> {
    if (existsSync(fetchFailure(id))) return false;
    try {
      for (const { uri, to, name = uri } of fetch) {
        if (signal.aborted) return false;
        tell(id, "INFO", `Fetching ${name}`);
        await fetchFile(hasRole ? s3.ofStep(id) : s3, uri, to, name);
        const warning = warnOfEmrPaths(context, `${name} of step ${id}`, scriptText(to));
        if (warning) tell(id, "WARN", warning);
      }
      return true;
    } catch (error) {
      const { message } = error as Error;
      tell(id, "WARN", message);
      writeFileSync(fetchFailure(id), message);
      return false;
    }
  }

  /** What asks for credentials gets those of the step's runtime role. */
  const roleEnvironment = (id: string) => ({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: credentialsUrl(context.record.address, id),
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(context.layout.stepTokens, id),
  });

  async function run(order: StepOrder, manifest: Manifest): Promise<StepReport> {
    const { id } = order;
    mkdirSync(join(context.layout.logs, "steps", id), { recursive: true });
    mkdirSync(workOf(id), { recursive: true });
    if (lookOnce(folderOf(id)).state === "new") {
      set({ id, state: "fetching" });
      const { signal } = cancellation(id).fetch;
      const fetched = signal.aborted || (await Promise.race([fetchAll(order, signal), once(signal, "abort")]));
      // From here to the start nothing else runs: a cancellation comes before it, or finds a process.
      if (signal.aborted) return { id, state: "cancelled", endedAt: Date.now() };
      if (!fetched) return { id, state: "fetch-failed", endedAt: Date.now(), message: readFileSync(fetchFailure(id), "utf8") };
      const warning = warnOfEmrPaths(context, `step ${id}`, order.argv.join(" "));
      if (warning) tell(id, "WARN", warning);
      tell(id, "INFO", `startExec ${order.argv.map(quote).join(" ")}`);
      tell(id, "INFO", `Working folder ${workOf(id)}`);
    }
    const env = environment(context, manifest.env, order.env, order.hasRole ? roleEnvironment(id) : {}, {
      [stepVariable]: id,
      HOWDAH_STEP_LOGS: join(context.layout.logs, "steps", id),
    });
    const command = { argv: order.argv, cwd: workOf(id), env, stdout: logOf(id, "stdout"), stderr: logOf(id, "stderr") };
    const end = await runOnce(folderOf(id), command, (startedAt) => {
      set({ id, state: "running", startedAt });
      cancel(id);
    });
    return afterEnd(id, end);
  }

  async function afterEnd(id: string, end: OnceState): Promise<StepReport> {
    await cancellation(id).done;
    const report = reportOf(id, end);
    if (!wasCancelled(folderOf(id))) return report;
    const { option } = cancellation(id);
    if (option) await endRest(id, option);
    return { ...report, state: "cancelled" };
  }

  /** What could not be run has failed, and is told so only once no later agent can begin it any more; what has begun all the same is followed. */
  async function afterFault(id: string, error: Error): Promise<StepReport> {
    context.log(`step ${id}: ${error.stack ?? error.message}`);
    for (; ; await sleep(1_000)) {
      try {
        if (barOnce(folderOf(id))) return { id, state: "not-started", endedAt: Date.now(), message: error.message };
        set({ id, state: "running" });
        cancel(id);
        return await afterEnd(id, await followOnce(folderOf(id)));
      } catch (again) {
        context.warn(`step ${id} could not be started, and its end cannot be written down yet: ${(again as Error).message}`);
      }
    }
  }

  /** What runs is signalled; what is being fetched does not begin; what has just been started is signalled when it runs. */
  function cancel(id: string): void {
    const wish = cancellation(id);
    const { option } = wish;
    if (!option) return;
    wish.fetch.abort();
    if (states.get(id)?.state !== "running") return;
    tell(id, "INFO", `Cancellation: ${option}`);
    wish.done = wish.done.then(async () => {
      for (; ; await sleep(1_000)) {
        try {
          return await cancelStep(folderOf(id), id, option);
        } catch (error) {
          context.warn(`step ${id} could not be cancelled yet: ${(error as Error).message}`);
        }
      }
    });
  }

  function reportOf(id: string, end: OnceState): StepReport {
    if (end.state !== "exited")
      return {
        id,
        state: "lost",
        ...(end.state === "lost" ? { startedAt: end.startedAt } : {}),
        message: "the step was cut off; how it ended is not known",
      };
    const { exitCode, startedAt, endedAt } = end;
    return {
      id,
      state: "exited",
      exitCode,
      startedAt,
      endedAt,
      ...(exitCode === 0 ? {} : { message: tellingLines(logOf(id, "stderr"), logOf(id, "stdout")) }),
    };
  }

  /** Closes the controller's log and ships everything; once, over restarts of the agent too. */
  async function close(end: StepReport): Promise<StepReport> {
    const [closed, shipped] = [join(folderOf(end.id), "closed"), join(folderOf(end.id), "shipped")];
    if (!existsSync(closed)) {
      const seconds = Math.round(((end.endedAt ?? Date.now()) - (end.startedAt ?? Date.now())) / 1000);
      if (end.exitCode !== undefined) tell(end.id, "INFO", `waitProcessCompletion ended with exit code ${end.exitCode}`);
      const well = end.state === "exited" && end.exitCode === 0;
      tell(
        end.id,
        well ? "INFO" : "WARN",
        `Step ${well ? "succeeded" : end.state === "cancelled" ? "cancelled" : "failed"} (${end.state}${end.exitCode === undefined ? "" : ` ${end.exitCode}`}) and took ${seconds} seconds`,
      );
      writeFileSync(closed, "");
    }
    if (existsSync(shipped)) return { ...end, logsShipped: true };
    set(end);
    const logsShipped = await shipper.shipStep(end.id, shipWithinMs);
    if (logsShipped) writeFileSync(shipped, "");
    return { ...end, logsShipped };
  }

  return {
    /**
     * Starts the steps that are new, if they may, and follows those that an earlier agent has started. One that is no longer ordered goes on: it
     * has begun, and its end is still reported.
     */
    apply(manifest: Manifest, mayStart: boolean): void {
      ordered = new Set(manifest.steps.map(({ id }) => id));
      for (const order of manifest.steps) {
        const wish = cancellation(order.id);
        if (order.cancel && wish.option !== order.cancel) {
          wish.option = order.cancel;
          cancel(order.id);
        }
        if (states.has(order.id) || (!mayStart && !order.cancel && lookOnce(folderOf(order.id)).state === "new")) continue;
        states.set(order.id, { id: order.id, state: "fetching" });
        void run(order, manifest)
          .catch((error: Error) => afterFault(order.id, error))
          .then(async (end) => {
            // Its end is told whatever becomes of its logs: a step that is reported as running for ever would block the cluster.
            const closed = close(end).catch((error: Error) => context.log(`logs of step ${order.id}: ${error.message}`));
            set((await closed) ?? end);
            onEnd();
          });
      }
    },
    /** Ends the steps that run, `ids` being those that an earlier agent may have started. */
    async stopAll(ids: string[]): Promise<void> {
      await Promise.all([...new Set([...states.keys(), ...ids])].map((id) => stopOnce(folderOf(id), 3_000)));
    },
    report: (): StepReport[] =>
      [...states.values()].filter(({ id, state }) => ordered.has(id) || state === "running" || state === "fetching"),
  };
}
