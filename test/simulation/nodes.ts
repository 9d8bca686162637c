/** The simulated provider and its nodes, with what goes wrong between them and the control plane. They outlive it. */
import type { Report, StepReport } from "../../src/agent/manifest.ts";
import type { DiskState } from "../../src/providers/simulated/disk.ts";
import type { Pace } from "../../src/providers/simulated/pace.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { createSimulatedProvider, type SimulatedProvider } from "../../src/providers/simulated/provider.ts";
import type { SimulatedClock } from "./clock.ts";
import type { ControlPlane } from "./control-plane.ts";
import { type Life, never } from "./life.ts";
import type { Entry } from "./plan.ts";

type ReportFault = Extract<Entry, { what: "report" }>;
type ProviderFault = Extract<Entry, { what: "provider" }>;

/** What the nodes know of a step, whatever anybody else says. */
export interface StepTruth {
  /** How often it has been begun. */
  begun: number;
  end: StepReport | undefined;
  /** The control plane has taken the report of its end, and said so. */
  wasTold: boolean;
}

export interface Nodes {
  provider: SimulatedProvider;
  steps: ReadonlyMap<string, StepTruth>;
  /** Instances of which their master has said that they are out of service. */
  outOfService: ReadonlySet<string>;
  /** Clusters whose networks are claimed. */
  networks: ReadonlySet<string>;
  /** The provider as a control plane with this life sees it. */
  seenBy(life: Life): Provider;
  mute(instanceId: string, ms: number): void;
  /** A disk that takes no writes any more is not mended; a full one is emptied after `ms`. */
  setDisk(instanceId: string, is: DiskState, ms: number): void;
  /** Instances that have been unhealthy. */
  sick: ReadonlySet<string>;
  /** Those of them whose disk takes no writes any more. */
  broken: ReadonlySet<string>;
  /** For how long it was or is to be, the last time; milliseconds. */
  mutedFor(instanceId: string): number;
  spoilReport(instanceId: string, fault: ReportFault): void;
  failCalls(fault: ProviderFault): void;
  slowLaunches(ms: number, launchMs: number): void;
  slowStops(ms: number, stopMs: number): void;
  die(instanceId: string): void;
  vanish(instanceId: string): void;
  /** Agents' long polls were cut off: they ask again. */
  lookAgain(): void;
  /** All is well from now on. */
  heal(): void;
}

export function createNodes(
  clock: SimulatedClock,
  pace: Pace,
  controlPlane: () => ControlPlane | undefined,
  tell: (what: string) => void,
): Nodes {
  const steps = new Map<string, StepTruth>();
  const outOfService = new Set<string>();
  const networks = new Set<string>();
  const muted = new Map<string, number>();
  const mutedFor = new Map<string, number>();
  const sick = new Set<string>();
  const broken = new Set<string>();
  const spoilt = new Map<string, ReportFault>();
  const dead = new Set<string>();
  let failing: (ProviderFault & { left: number })[] = [];
  let [slowLaunch, slowStop] = [
    { until: 0, ms: 0 },
    { until: 0, ms: 0 },
  ];
  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
  const truthOf = (id: string): StepTruth => {
    const truth = steps.get(id) ?? { begun: 0, end: undefined, wasTold: false };
    steps.set(id, truth);
    return truth;
  };

  /** Rejects where nobody answers, as a connection that breaks or cannot be made. */
  async function reach<T>(instanceId: string, ask: (link: NonNullable<ControlPlane["link"]>) => Promise<T>): Promise<T> {
    const current = controlPlane();
    const isMuted = (muted.get(instanceId) ?? 0) > clock.elapsed();
    if (!current?.link || isMuted) throw new Error("no answer");
    return Promise.race([ask(current.link), current.life.over]);
  }

  async function report(sent: Report): Promise<void> {
    for (const [id, state] of Object.entries(sent.decommission ?? {})) if (state === "DECOMMISSIONED") outOfService.add(id);
    for (const step of sent.steps) if (step.state !== "running" && step.state !== "fetching") truthOf(step.id).end = step;
    const fault = spoilt.get(sent.instanceId);
    spoilt.delete(sent.instanceId);
    const deliver = () => reach(sent.instanceId, (link) => link.report(sent));
    if (fault) tell(`the report ${sent.seq} of ${sent.instanceId} is ${fault.how}`);
    if (fault?.how === "late") await sleep(fault.ms);
    await deliver();
    if (fault?.how === "again")
      void sleep(fault.ms)
        .then(deliver)
        .catch(() => {});
    if (fault?.how === "unanswered") throw new Error("no answer came");
    // What arrives when its node is gone may come behind the end of its cluster, whose steps have their ends by then.
    if (!provider.nodes.get(sent.instanceId)?.isRunning) return;
    for (const { id, state } of sent.steps) if (state !== "running" && state !== "fetching") truthOf(id).wasTold = true;
  }

  const provider = createSimulatedProvider({
    clock,
    pace: {
      ...pace,
      get stopMs() {
        return slowStop.until > clock.elapsed() ? slowStop.ms : pace.stopMs;
      },
    },
    orders: (instanceId, clusterId) => reach(instanceId, (link) => link.orders(instanceId, clusterId)),
    report,
    alive: (instanceId) => reach(instanceId, (link) => link.alive(instanceId)),
    outcomeOf(what) {
      const { args } = "step" in what ? what.step : what.bootstrapAction;
      if ("step" in what) {
        truthOf(what.step.id).begun += 1;
        tell(`${what.step.id} begins on its node`);
      }
      const [ms = "0", exitCode = "0"] = args;
      return { afterMs: Number(ms), exitCode: Number(exitCode) };
    },
  });

  const empty = (id: string) => broken.has(id) || provider.nodes.get(id)?.setDisk(undefined);

  function seenBy(life: Life): Provider {
    /** A call may end its caller's life before it has had its effect, and after. */
    const call = async <T>(name: ProviderFault["call"] | "list", run: () => Promise<T>): Promise<T> => {
      if (life.ends()) return never();
      const fault = failing.find((one) => one.call === name && one.left > 0);
      if (fault) fault.left -= 1;
      if (fault && !fault.after) throw new Error(`the provider could not ${name}`);
      const result = await run();
      if (life.ends()) return never();
      if (fault) throw new Error(`the provider's ${name} failed in its end`);
      return result;
    };
    return {
      name: provider.name,
      claimNetwork: (clusterId, current) =>
        call("claimNetwork", () => {
          networks.add(clusterId);
          return provider.claimNetwork(clusterId, current);
        }),
      releaseNetwork: (clusterId) =>
        call("releaseNetwork", () => {
          networks.delete(clusterId);
          return provider.releaseNetwork(clusterId);
        }),
      launch: (spec) =>
        call("launch", async () => {
          if (slowLaunch.until > clock.elapsed()) await sleep(slowLaunch.ms);
          if (life.isOver) return never();
          if (!provider.nodes.get(spec.instanceId)?.isRunning) tell(`${spec.instanceId} is launched`);
          return provider.launch(spec);
        }),
      observe: (instanceId) => call("observe", async () => (dead.has(instanceId) ? "rebooted" : provider.observe(instanceId))),
      terminate: (instanceId) =>
        call("terminate", async () => {
          // Of a host that does not answer it takes a while to be sure.
          if (dead.has(instanceId)) await sleep(1_000);
          if (life.isOver) return never();
          if (provider.nodes.has(instanceId)) tell(`${instanceId} is removed`);
          return provider.terminate(instanceId);
        }),
      list: () => call("list", () => provider.list()),
      reclaim: (instanceId) => call("reclaim", () => provider.reclaim(instanceId)),
    };
  }

  return {
    provider,
    steps,
    outOfService,
    networks,
    seenBy,
    mute(instanceId, ms) {
      const now = clock.elapsed();
      const until = muted.get(instanceId) ?? 0;
      // One that begins before the last one ends makes it longer.
      mutedFor.set(instanceId, ms + (until > now ? (mutedFor.get(instanceId) ?? 0) : 0));
      muted.set(instanceId, now + ms);
    },
    sick,
    broken,
    setDisk(instanceId, is, ms) {
      sick.add(instanceId);
      if (is === "read-only") broken.add(instanceId);
      if (broken.has(instanceId)) return provider.nodes.get(instanceId)?.setDisk("read-only");
      provider.nodes.get(instanceId)?.setDisk(is);
      clock.after(ms, () => empty(instanceId));
    },
    mutedFor: (instanceId) => mutedFor.get(instanceId) ?? 0,
    spoilReport: (instanceId, fault) => void spoilt.set(instanceId, fault),
    failCalls: (fault) => void failing.push({ ...fault, left: fault.times }),
    slowLaunches: (ms, launchMs) => void (slowLaunch = { until: clock.elapsed() + ms, ms: launchMs }),
    slowStops: (ms, stopMs) => void (slowStop = { until: clock.elapsed() + ms, ms: stopMs }),
    die(instanceId) {
      dead.add(instanceId);
      provider.nodes.get(instanceId)?.stop();
    },
    vanish: (instanceId) => void provider.terminate(instanceId).then(() => provider.reclaim(instanceId)),
    lookAgain() {
      for (const node of provider.nodes.values()) node.look();
    },
    heal() {
      muted.clear();
      spoilt.clear();
      failing = [];
      slowLaunch.until = slowStop.until = 0;
      for (const id of sick) empty(id);
    },
  };
}
