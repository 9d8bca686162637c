/** A simulated node: what its init, its agent and its steps would do, by a given clock. It says of itself what a real node's agent says. */
import type { BootstrapOrder, NodePhase, Report, StepReport } from "../../agent/manifest.ts";
import type { Clock } from "../../clock.ts";
import type { LaunchSpec } from "../provider.ts";
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
  /** The cluster ends. */
  stopping: boolean;
}

export interface Outcome {
  afterMs: number;
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
  outcomeOf(what: { step: SimulatedStep } | { bootstrapAction: BootstrapOrder }): Outcome;
}

export interface SimulatedNode {
  readonly spec: LaunchSpec;
  readonly isRunning: boolean;
  /** Its init and the agent under it begin, or begin again. */
  start(): void;
  /** Its processes are gone, as by a kill of its init. Its disk stays. */
  stop(): void;
  /** Its orders may have changed. */
  look(): void;
}

/** An agent says so often that it is there, though nothing is new. */
const aliveMs = 60_000;
/** Where the control plane did not answer. */
const retryMs = 1_000;
const killedExitCode = 143;

export function createNode(spec: LaunchSpec, around: Surroundings): SimulatedNode {
  /** What is on its disk: markers and exit codes. */
  const disk = { seq: 0, actions: new Map<number, Report["bootstrapActions"][number]>(), steps: new Map<string, StepReport>() };
  let boot: ReturnType<typeof startBoot> | undefined;
  return {
    spec,
    get isRunning() {
      return boot !== undefined;
    },
    start() {
      if (boot) return;
      for (const [id, step] of disk.steps) if (step.state === "running") disk.steps.set(id, { ...step, state: "lost" });
      boot = startBoot(spec, disk, around);
    },
    stop() {
      boot?.end();
      boot = undefined;
    },
    look: () => boot?.look(),
  };
}

interface Disk {
  seq: number;
  actions: Map<number, Report["bootstrapActions"][number]>;
  steps: Map<string, StepReport>;
}

/** From the start of an init to its end. */
function startBoot(spec: LaunchSpec, disk: Disk, around: Surroundings) {
  const { clock, pace } = around;
  const timers = new Set<() => void>();
  const processes = new Map<string, () => void>();
  let phase: NodePhase = "bootstrapping";
  let failure: Report["failure"];
  let orders: Orders | undefined;
  /** What is on its way: a second start of it would do nothing. */
  let busy: "action" | "daemons" | "stop" | undefined;
  let talking = false;
  let again = false;
  let told = "";
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

  /** Takes the next step towards what is ordered. */
  function converge({ bootstrapActions, steps, stopping }: Orders): void {
    if (stopping) return stop();
    if (phase === "bootstrapping" && !busy) {
      const next = bootstrapActions.find(({ ordinal }) => disk.actions.get(ordinal)?.state !== "done");
      if (next) return runAction(next);
      phase = "starting";
    }
    if (phase === "starting" && !busy) {
      busy = "daemons";
      after(pace.daemonsMs, () => {
        busy = undefined;
        phase = "ready";
        look();
      });
    }
    if (phase === "ready") for (const step of steps) followStep(step);
  }

  function runAction(action: BootstrapOrder): void {
    busy = "action";
    const { ordinal } = action;
    const { afterMs, exitCode } = around.outcomeOf({ bootstrapAction: action });
    disk.actions.set(ordinal, { ordinal, state: "running" });
    after(afterMs, () => {
      busy = undefined;
      disk.actions.set(ordinal, { ordinal, state: exitCode === 0 ? "done" : "failed", exitCode });
      if (exitCode !== 0) {
        phase = "failed";
        failure = { kind: "bootstrap-exit", ordinal, exitCode, message: `bootstrap action ${ordinal} returned a non-zero return code` };
      }
      look();
    });
  }

  /** At most once: what is on the disk is never begun again. */
  function followStep(step: SimulatedStep): void {
    const known = disk.steps.get(step.id);
    if (!known && step.cancel) {
      disk.steps.set(step.id, { id: step.id, state: "cancelled" });
    } else if (!known) {
      const { afterMs, exitCode, message } = around.outcomeOf({ step });
      disk.steps.set(step.id, { id: step.id, state: "running", startedAt: clock.now() });
      const cancelEnd = after(afterMs, () => endStep(step.id, { state: "exited", exitCode, ...(message ? { message } : {}) }));
      processes.set(step.id, cancelEnd);
    } else if (known.state === "running" && step.cancel) {
      endStep(step.id, { state: "cancelled" });
    }
  }

  function endStep(id: string, how: Pick<StepReport, "state" | "exitCode" | "message">): void {
    processes.get(id)?.();
    processes.delete(id);
    disk.steps.set(id, { ...disk.steps.get(id)!, ...how, endedAt: clock.now() });
    look();
  }

  function stop(): void {
    if (busy === "stop" || phase === "stopped") return;
    busy = "stop";
    for (const id of processes.keys()) endStep(id, { state: "exited", exitCode: killedExitCode });
    after(pace.stopMs, () => {
      phase = "stopped";
      look();
    });
  }

  function reportNow(): Report {
    return {
      instanceId: spec.instanceId,
      bootId: "simulated",
      seq: 0,
      generation: orders?.generation ?? 0,
      phase,
      ...(failure ? { failure } : {}),
      bootstrapActions: [...disk.actions.values()],
      daemons: [],
      tasks: [],
      steps: [...disk.steps.values()],
      warnings: [],
    };
  }

  /** Gets the orders, follows them, and reports until nothing is new. One conversation at a time. */
  async function talk(isAlive: boolean): Promise<void> {
    orders = (await around.orders(spec.instanceId, spec.clusterId)) ?? orders;
    if (isOver) return;
    if (orders) converge(orders);
    const report = reportNow();
    const text = JSON.stringify(report);
    if (text === told && !isAlive) return;
    disk.seq += 1;
    await around.report({ ...report, seq: disk.seq });
    told = text;
  }

  function look(isAlive = false): void {
    if (isOver) return;
    if (talking) {
      again = true;
      return;
    }
    talking = true;
    talk(isAlive).then(
      () => {
        talking = false;
        if (!again) return;
        again = false;
        look();
      },
      () => {
        talking = false;
        again = false;
        if (!isOver) after(retryMs, () => look(isAlive));
      },
    );
  }

  function sayAlive(): void {
    look(true);
    after(aliveMs, sayAlive);
  }

  after(pace.bootMs, sayAlive);
  return {
    look: () => look(),
    end() {
      isOver = true;
      for (const cancel of timers) cancel();
      timers.clear();
      processes.clear();
    },
  };
}
