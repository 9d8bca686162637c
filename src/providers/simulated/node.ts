/** A simulated node: what its init, its agent and its steps would do, by a given clock. It says of itself what a real node's agent says. */
import type { BootstrapOrder, NodePhase, Report, StepReport } from "../../agent/manifest.ts";
import type { Clock } from "../../clock.ts";
import type { LaunchSpec } from "../provider.ts";
import { type DiskState, diskWarning, illnessOf } from "./disk.ts";
import type { Pace } from "./pace.ts";

export interface SimulatedStep {
  id: string;
  name: string;
  jar: string;
  args: string[];
  cancel?: "SEND_INTERRUPT" | "TERMINATE_PROCESS";
}

/** What the store wants of a node, as far as it is simulated. */
export interface Orders {
  generation: number;
  bootstrapActions: BootstrapOrder[];
  steps: SimulatedStep[];
  /** Ids of instances that it is to take out of service: the master's orders. */
  leaving: string[];
  /** The cluster ends, or goes on without this node. */
  stopping: boolean;
  /** What its user should know of this node. */
  warnings: string[];
  /** The last report of it that is kept. */
  known: Report | null;
}

export interface Outcome {
  /** null: it does not end by itself. */
  afterMs: number | null;
  exitCode: number;
  /** The last telling lines of stderr. */
  message?: string;
}

/** What a node is in: its time, its control plane, and how things go on it. */
export interface Surroundings {
  clock: Clock;
  pace: Pace;
  /** undefined where the node is not wanted (any more). Rejects where the control plane cannot be reached. */
  orders(instanceId: string, clusterId: string): Promise<Orders | undefined>;
  report(report: Report): Promise<void>;
  /** Nothing is new, but its agent is there. */
  alive(instanceId: string): Promise<void>;
  /** Asked once for each step, when it begins. */
  outcomeOf(what: { step: SimulatedStep } | { bootstrapAction: BootstrapOrder }): Outcome;
  /** Why an instance cannot be launched, where it cannot. */
  launchProblem?(instanceId: string): string | undefined;
  /** Told that what happened on a node could not be kept. */
  fault?(error: unknown): void;
}

export interface SimulatedNode {
  readonly spec: LaunchSpec;
  readonly isRunning: boolean;
  /** Its init and the agent under it begin, or begin again. */
  start(): void;
  /** Its processes are gone, as by a kill of its init. Its disk stays. */
  stop(): void;
  /** The process that simulates it ends: what it had begun goes on when another one has its record. */
  leave(): void;
  /** Its orders may have changed. */
  look(): void;
  /** What is wrong with its disk from now on; undefined: nothing. It says so itself, and is unhealthy. */
  setDisk(state: DiskState | undefined): void;
  /** Steps that run now. */
  runningSteps(): { id: string; name: string }[];
  /** Ends a step that runs. */
  exitStep(id: string, how: { exitCode: number; message?: string | undefined }): void;
  /** One that runs does not end by itself any more. */
  hangStep(id: string): void;
}

type ActionReport = Report["bootstrapActions"][number];

interface KnownStep {
  name: string;
  report: StepReport;
  outcome?: Outcome;
}

/** What is on its disk, and what its processes were at. Plain JSON. */
export interface NodeRecord {
  spec: LaunchSpec;
  seq: number;
  actions: Record<number, ActionReport>;
  steps: Record<string, KnownStep>;
  /** Instances that it takes out of service, and since when (epoch milliseconds). */
  leaving?: Record<string, { since: number; isOut: boolean }>;
  /** What is wrong with its disk. */
  disk?: DiskState | undefined;
  /** undefined while its init does not run. */
  boot?: Boot | undefined;
}

interface Boot {
  phase: NodePhase;
  failure?: Report["failure"];
  /** What is on its way: a second start of it would do nothing. It takes `ms` from `since` (epoch milliseconds), or does not end. */
  busy?: { what: "boot" | "action" | "daemons" | "stop"; since: number; ms: number | null; ordinal?: number } | undefined;
}

export const newRecord = (spec: LaunchSpec): NodeRecord => ({ spec, seq: 0, actions: {}, steps: {} });

/** So often an agent says that it is there. */
const aliveMs = 60_000;
/** Where the control plane did not answer. */
const retryMs = 1_000;
const killedExitCode = 143;
/** How many steps it remembers: what it keeps and reports would grow with each. */
const mostSteps = 50;

/** `record` is the node's own from now on; `save` is called whenever it has changed. One that was running goes on. */
export function createNode(record: NodeRecord, around: Surroundings, save: () => void): SimulatedNode {
  let running: ReturnType<typeof startBoot> | undefined;
  if (record.boot) running = startBoot(record, record.boot, around, save);
  return {
    spec: record.spec,
    get isRunning() {
      return running !== undefined;
    },
    start() {
      if (running) return;
      for (const step of Object.values(record.steps)) if (step.report.state === "running") step.report = { ...step.report, state: "lost" };
      record.boot = { phase: "bootstrapping", busy: { what: "boot", since: around.clock.now(), ms: around.pace.bootMs } };
      save();
      running = startBoot(record, record.boot, around, save);
    },
    stop() {
      if (!running) return;
      running.end();
      running = record.boot = undefined;
      save();
    },
    leave: () => running?.end(),
    look: () => running?.look(),
    setDisk(state) {
      record.disk = state;
      save();
      running?.look();
    },
    runningSteps: () =>
      running
        ? Object.values(record.steps)
            .filter(({ report }) => report.state === "running")
            .map(({ name, report: { id } }) => ({ id, name }))
        : [],
    exitStep: (id, { exitCode, message }) => running?.endStep(id, { state: "exited", exitCode, ...(message ? { message } : {}) }),
    hangStep: (id) => running?.hangStep(id),
  };
}

/** From the start of an init to its end; or from where it was when another process left it. */
function startBoot(record: NodeRecord, boot: Boot, around: Surroundings, save: () => void) {
  const { clock, pace } = around;
  const { spec } = record;
  const timers = new Set<() => void>();
  const processes = new Map<string, () => void>();
  let orders: Orders | undefined;
  let talking = false;
  let again = false;
  /** undefined until this process knows what an earlier one has told. */
  let told: string | undefined;
  let isOver = false;

  function after(ms: number, run: () => void): () => void {
    const cancel = clock.after(ms, () => {
      timers.delete(cancel);
      run();
    });
    timers.add(cancel);
    return () => {
      timers.delete(cancel);
      cancel();
    };
  }

  const ends = { boot: beginToTalk, action: endAction, daemons: becomeReady, stop: becomeStopped };

  function begin(busy: Omit<NonNullable<Boot["busy"]>, "since">): void {
    boot.busy = { ...busy, since: clock.now() };
    save();
    awaitBusy(boot.busy);
  }

  function awaitBusy({ what, since, ms, ordinal = 0 }: NonNullable<Boot["busy"]>): void {
    if (ms === null) return;
    after(left(since, ms), () => {
      boot.busy = undefined;
      ends[what](ordinal);
    });
  }

  /** Of `ms` since then, by a clock that may have been set meanwhile. */
  const left = (since: number, ms: number) => Math.min(Math.max(0, since + ms - clock.now()), ms);

  /** Takes the next step towards what is ordered. */
  function converge({ bootstrapActions, steps, leaving, stopping }: Orders): void {
    if (stopping) return stop();
    if (boot.phase === "bootstrapping" && !boot.busy) {
      const next = bootstrapActions.find(({ ordinal }) => record.actions[ordinal]?.state !== "done");
      if (next) return runAction(next);
      boot.phase = "starting";
    }
    if (boot.phase === "starting" && !boot.busy) begin({ what: "daemons", ms: pace.daemonsMs });
    if (boot.phase !== "ready") return;
    for (const step of steps) followStep(step);
    forgetSteps(new Set(steps.map(({ id }) => id)));
    takeOut(leaving);
  }

  /** Nodes of others, as the master's daemons do it: they have nothing to do after a while. */
  function takeOut(ids: readonly string[]): void {
    const known = record.leaving ?? {};
    record.leaving = Object.fromEntries(ids.map((id) => [id, known[id] ?? { since: clock.now(), isOut: false }]));
    for (const id of ids) if (!known[id]) awaitOut(id);
    if (ids.some((id) => !known[id])) save();
  }

  function awaitOut(id: string): void {
    const { since, isOut } = record.leaving![id]!;
    if (isOut) return;
    after(left(since, pace.decommissionMs), () => {
      const one = record.leaving?.[id];
      if (!one) return;
      one.isOut = true;
      save();
      look();
    });
  }

  /** What has ended and is not ordered any more never is again: its end is in the store. */
  function forgetSteps(ordered: ReadonlySet<string>): void {
    const known = Object.entries(record.steps);
    if (known.length <= mostSteps) return;
    for (const [id, { report }] of known) if (report.state !== "running" && !ordered.has(id)) delete record.steps[id];
  }

  function becomeReady(): void {
    boot.phase = "ready";
    look();
  }

  function runAction(action: BootstrapOrder): void {
    const { ordinal } = action;
    const { afterMs, exitCode } = around.outcomeOf({ bootstrapAction: action });
    record.actions[ordinal] = { ordinal, state: "running", exitCode };
    begin({ what: "action", ms: afterMs, ordinal });
  }

  function endAction(ordinal: number): void {
    const exitCode = record.actions[ordinal]?.exitCode ?? 0;
    record.actions[ordinal] = { ordinal, state: exitCode === 0 ? "done" : "failed", exitCode };
    if (exitCode !== 0) {
      boot.phase = "failed";
      boot.failure = { kind: "bootstrap-exit", ordinal, exitCode, message: `bootstrap action ${ordinal} returned a non-zero return code` };
    }
    look();
  }

  /** At most once: what is on the disk is never begun again. */
  function followStep({ id, name, cancel, ...rest }: SimulatedStep): void {
    const known = record.steps[id];
    if (!known && cancel) {
      record.steps[id] = { name, report: { id, state: "cancelled" } };
    } else if (!known) {
      const outcome = around.outcomeOf({ step: { id, name, ...rest } });
      record.steps[id] = { name, outcome, report: { id, state: "running", startedAt: clock.now() } };
      save();
      awaitEnd(record.steps[id]);
    } else if (known.report.state === "running" && cancel) {
      endStep(id, { state: "cancelled" });
    }
  }

  function awaitEnd({ report: { id, startedAt = 0 }, outcome }: KnownStep): void {
    if (!outcome) return;
    const { afterMs, exitCode, message } = outcome;
    const end = () => endStep(id, { state: "exited", exitCode, ...(message ? { message } : {}) });
    processes.set(id, afterMs === null ? () => {} : after(left(startedAt, afterMs), end));
  }

  function endStep(id: string, how: Pick<StepReport, "state" | "exitCode" | "message">): void {
    const known = record.steps[id];
    if (known?.report.state !== "running") return;
    processes.get(id)?.();
    processes.delete(id);
    known.report = { ...known.report, ...how, endedAt: clock.now() };
    save();
    look();
  }

  function hangStep(id: string): void {
    const known = record.steps[id];
    if (known?.report.state !== "running" || !known.outcome) return;
    processes.get(id)?.();
    known.outcome = { ...known.outcome, afterMs: null };
    save();
    awaitEnd(known);
  }

  function stop(): void {
    if (boot.busy?.what === "stop" || boot.phase === "stopped") return;
    for (const id of processes.keys()) endStep(id, { state: "exited", exitCode: killedExitCode });
    begin({ what: "stop", ms: pace.stopMs });
  }

  function becomeStopped(): void {
    boot.phase = "stopped";
    look();
  }

  function reportNow(): Report {
    return {
      instanceId: spec.instanceId,
      bootId: "simulated",
      seq: 0,
      generation: orders?.generation ?? 0,
      phase: boot.phase,
      ...(boot.failure ? { failure: boot.failure } : {}),
      bootstrapActions: Object.values(record.actions).map(({ ordinal, state, exitCode }) =>
        state === "running" || exitCode === undefined ? { ordinal, state } : { ordinal, state, exitCode },
      ),
      daemons: record.disk ? [{ name: "hadoop-yarn-nodemanager", state: "ready", restarts: 0, unhealthy: illnessOf[record.disk] }] : [],
      tasks: [],
      steps: Object.values(record.steps).map(({ report }) => report),
      ...(Object.keys(record.leaving ?? {}).length > 0
        ? {
            decommission: Object.fromEntries(
              Object.entries(record.leaving ?? {}).map(([id, { isOut }]) => [id, isOut ? "DECOMMISSIONED" : "DECOMMISSIONING"]),
            ),
          }
        : {}),
      warnings: [...(orders?.warnings ?? []), ...(record.disk ? [diskWarning(spec.instanceId, record.disk)] : [])],
    };
  }

  /** Gets the orders, follows them, and reports until nothing is new. One conversation at a time. */
  async function talk(): Promise<void> {
    orders = (await around.orders(spec.instanceId, spec.clusterId)) ?? orders;
    if (isOver) return;
    told ??= JSON.stringify({ ...orders?.known, seq: 0 });
    if (orders) converge(orders);
    const report = reportNow();
    const text = JSON.stringify(report);
    if (text === told) return;
    record.seq += 1;
    save();
    told = ""; // Of a report that is not answered nobody knows.
    await around.report({ ...report, seq: record.seq });
    told = text;
  }

  function look(): void {
    if (isOver) return;
    if (talking) {
      again = true;
      return;
    }
    talking = true;
    talk().then(
      () => {
        talking = false;
        if (!again) return;
        again = false;
        look();
      },
      () => {
        talking = false;
        again = false;
        if (!isOver) after(retryMs, look);
      },
    );
  }

  async function sayAlive(): Promise<void> {
    const nextMs = await around.alive(spec.instanceId).then(
      () => aliveMs,
      () => retryMs,
    );
    if (!isOver) after(nextMs, () => void sayAlive());
  }

  function beginToTalk(): void {
    look();
    void sayAlive();
  }

  for (const step of Object.values(record.steps)) if (step.report.state === "running") awaitEnd(step);
  for (const id of Object.keys(record.leaving ?? {})) awaitOut(id);
  if (boot.busy) awaitBusy(boot.busy);
  if (boot.busy?.what !== "boot") beginToTalk();
  return {
    look,
    endStep,
    hangStep,
    end() {
      isOver = true;
      for (const cancel of timers) cancel();
      timers.clear();
      processes.clear();
    },
  };
}
