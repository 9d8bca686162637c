/** What will happen, as data: made from a seed, printed, and cut down when it fails. No entry rests on another: what it is about is chosen when it comes. */
import type { DiskState } from "../../src/providers/simulated/disk.ts";
import type { Pace } from "../../src/providers/simulated/pace.ts";
import { calm, type SpotSettings } from "../../src/market/spot.ts";
import { createRandom, type Random } from "./random.ts";

export interface PlannedStep {
  /** Of its run, and how it ends: they are its arguments, where the simulated nodes read them. */
  ms: number;
  exitCode: number;
  action: "CONTINUE" | "CANCEL_AND_WAIT" | "TERMINATE_CLUSTER";
}

/** `cluster`, `node`, `steps`: the n-th of those that are there, counted round and round. */
export type Entry =
  | {
      what: "run";
      /** Its counts are units on demand of core, and of spot of task nodes then. */
      hasFleets: boolean;
      core: number;
      task: number;
      keepAlive: boolean;
      isProtected: boolean;
      level: number;
      bootstrap: { ms: number; exitCode: number }[];
      steps: PlannedStep[];
    }
  | { what: "addSteps"; cluster: number; steps: PlannedStep[] }
  | { what: "cancel"; cluster: number; steps: number[]; kill: boolean }
  | { what: "tag"; cluster: number; key: string; value: string }
  | { what: "untag"; cluster: number; key: string }
  | { what: "protect"; clusters: number[]; on: boolean }
  | { what: "keepAlive"; cluster: number; on: boolean }
  | { what: "level"; cluster: number; level: number }
  | { what: "terminate"; clusters: number[] }
  | { what: "terminateInstance"; node: number }
  /**
   * Of one of its groups: to `count`, some of its instances named to leave first or never; or some named to end at once. Of one of its fleets: to `count` units
   * on demand and `spot` of spot.
   */
  | {
      what: "resize";
      cluster: number;
      group: number;
      count: number;
      spot: number;
      leave: number[];
      protect: number[];
      atOnce: number[];
      seconds: number | undefined;
    }
  | { what: "addGroup"; cluster: number; count: number }
  /** The control plane ends at its n-th call of the store or the provider from now on, or behind its n-th commit, and is started again after `downMs`. */
  | { what: "crash"; count: number; unit: "calls" | "commits"; downMs: number }
  /** A node's agent and the control plane do not reach one another. */
  | { what: "mute"; node: number; ms: number }
  /** Its next report: arrives and is not answered, arrives late, arrives again (then perhaps after a newer one). */
  | { what: "report"; node: number; how: "unanswered" | "late" | "again"; ms: number }
  /** Its disk is full for so long; or takes no writes any more, from now on. */
  | { what: "disk"; node: number; is: DiskState; ms: number }
  /** Its init ends, with all that runs under it. */
  | { what: "stop"; node: number }
  /** Its host is gone, and comes back without it. */
  | { what: "die"; node: number }
  /** Nothing of it is left, its disk neither. */
  | { what: "vanish"; node: number }
  /** It is a spot instance, and has its interruption notice. */
  | { what: "interrupt"; node: number }
  /** The host has no memory for more nodes. */
  | { what: "noMemory"; ms: number }
  /** Engines are not on the host yet. */
  | { what: "engines"; ms: number }
  | { what: "clock"; byMs: number }
  /** Last logs take so long. */
  | { what: "slowS3"; ms: number; stopMs: number }
  /** The provider's next calls fail, before or after they have had their effect. */
  | {
      what: "provider";
      call: "launch" | "terminate" | "observe" | "reclaim" | "claimNetwork" | "releaseNetwork";
      times: number;
      after: boolean;
    }
  /** Launches take so long. */
  | { what: "slowLaunch"; ms: number; launchMs: number }
  | { what: "fullDisk"; ms: number }
  /** Each sync of the store takes so long. */
  | { what: "slowDisk"; ms: number; syncMs: number };

export type Planned = Entry & { /** Elapsed milliseconds. */ at: number };

export interface Plan {
  seed: number;
  pace: Pace;
  market: SpotSettings;
  entries: Planned[];
}

export const faults: readonly Entry["what"][] = [
  "crash",
  "mute",
  "report",
  "disk",
  "stop",
  "die",
  "vanish",
  "interrupt",
  "noMemory",
  "engines",
  "clock",
  "slowS3",
  "provider",
  "slowLaunch",
  "fullDisk",
  "slowDisk",
];

export interface Size {
  hours: number;
  /** Of users. */
  events: number;
}

export const usual: Size = { hours: 0.2, events: 50 };

/** At the same time. */
export const mostClusters = 3;
/** A `cluster` from here on is one of all, those that have ended too; below, of those that have not. */
export const ofAll = 100;

export function makePlan(seed: number, { hours, events }: Size = usual): Plan {
  const random = createRandom(`plan ${seed}`);
  const span = hours * 3600_000;
  const entries: Planned[] = [];
  // Users come in bursts, too: what they ask for at the same moment is under way at once.
  let at = 0;
  const gap = (2 * span) / events;
  for (let n = 0; n < events; n++) {
    if (!random.chance(0.25)) at += random.below(gap);
    entries.push({ at, ...(n === 0 ? run(random) : user(random)) });
  }
  // Most seeds have more than one cluster, soon.
  for (let n = random.below(mostClusters); n > 0; n--) {
    const index = random.below(events / 2) + 1;
    const there = entries[index];
    if (there) entries[index] = { at: there.at, ...run(random) };
  }
  const count = random.chance(0.15) ? 0 : random.between(1, 16);
  for (let n = 0; n < count; n++) {
    // Most faults come when something is going on.
    const when = random.chance(0.7) ? entries[random.below(events)]!.at + random.pick([-1, 0, 1, 500]) : random.below(span);
    entries.push({ at: Math.max(0, when), ...fault(random) });
  }
  return { seed, pace: makePace(random), market: makeMarket(random, seed), entries: entries.toSorted((a, b) => a.at - b.at) };
}

/** Bids are 0.1, and an instance is 0.192 on demand. */
const makeMarket = (random: Random, seed: number): SpotSettings => ({
  ...calm,
  seed,
  ...(random.chance(0.5)
    ? {}
    : {
        price: random.pick([0.33, 0.4]),
        moves: random.pick([0.3, 0.5, 1]),
        changeMinutes: random.pick([1, 3]),
        capacity: random.chance(0.5) ? { "m5.xlarge": random.pick([2, 4]) } : {},
        interruptions: random.chance(0.8),
      }),
});

function makePace(random: Random): Pace {
  const ms = (most: number) => random.pick([0, 1, 1_000, most]);
  return {
    bootMs: ms(30_000),
    bootstrapActionMs: 1_000,
    daemonsMs: ms(40_000),
    stepMs: 1_000,
    decommissionMs: ms(60_000),
    stopMs: random.pick([0, 1, 5_000, 40_000]),
  };
}

const step = (random: Random): PlannedStep => ({
  ms: random.pick([0, 1, 500, 5_000, 20_000, 90_000]),
  exitCode: random.chance(0.8) ? 0 : 1,
  action: random.pick(["CONTINUE", "CONTINUE", "CONTINUE", "CONTINUE", "CANCEL_AND_WAIT", "TERMINATE_CLUSTER"]),
});

const steps = (random: Random): PlannedStep[] => Array.from({ length: random.between(1, 3) }, () => step(random));

function run(random: Random): Entry {
  const level = random.pick([1, 1, 1, 3]);
  return {
    what: "run",
    hasFleets: random.chance(0.3),
    core: random.pick([0, 1, 2, 3]),
    task: random.pick([0, 0, 0, 1]),
    keepAlive: random.chance(0.8),
    isProtected: random.chance(0.15),
    level,
    bootstrap: Array.from({ length: random.pick([0, 0, 0, 1, 2]) }, () => ({
      ms: random.below(5_000),
      exitCode: random.chance(0.95) ? 0 : 7,
    })),
    steps: random.chance(0.5) ? steps(random) : [],
  };
}

function user(random: Random): Entry {
  const cluster = random.below(mostClusters) + (random.chance(0.1) ? ofAll : 0);
  const clusters = random.chance(0.9) ? [cluster] : [0, 1];
  const key = random.pick(["a", "b"]);
  const kinds: [number, () => Entry][] = [
    [2, () => run(random)],
    [30, () => ({ what: "addSteps", cluster, steps: steps(random) })],
    [
      18,
      () => ({
        what: "cancel",
        cluster,
        steps: Array.from({ length: random.between(1, 3) }, () => random.below(12)),
        kill: random.chance(0.3),
      }),
    ],
    [8, () => ({ what: "tag", cluster, key, value: String(random.below(9)) })],
    [4, () => ({ what: "untag", cluster, key })],
    [8, () => ({ what: "protect", clusters, on: random.chance(0.5) })],
    [5, () => ({ what: "keepAlive", cluster, on: random.chance(0.8) })],
    [9, () => ({ what: "level", cluster, level: random.pick([1, 1, 2, 5]) })],
    [4, () => ({ what: "terminate", clusters })],
    [2, () => ({ what: "terminateInstance", node: random.below(9) })],
    [12, () => resize(random, cluster)],
    [3, () => ({ what: "addGroup", cluster, count: random.below(3) })],
  ];
  return weighed(random, kinds);
}

function resize(random: Random, cluster: number): Entry {
  const some = () => Array.from({ length: random.pick([0, 0, 1, 2]) }, () => random.below(5));
  return {
    what: "resize",
    cluster,
    group: random.below(4),
    count: random.below(5),
    spot: random.pick([0, 0, 1, 3]),
    leave: some(),
    protect: some(),
    atOnce: random.chance(0.15) ? [random.below(5)] : [],
    seconds: random.pick([undefined, 0, 10, 600]),
  };
}

function fault(random: Random): Entry {
  const node = random.below(9);
  const brief = () => random.pick([500, 3_000, 20_000]);
  const kinds: [number, () => Entry][] = [
    [20, () => crash(random, "calls", [3, 40, 200])],
    [20, () => crash(random, "commits", [2, 8, 25])],
    [8, () => ({ what: "mute", node, ms: random.pick([2_000, 30_000, 400_000]) })],
    [24, () => ({ what: "report", node, how: random.pick(["unanswered", "late", "again"]), ms: random.pick([10, 2_000, 70_000]) })],
    [10, () => ({ what: "stop", node })],
    [5, () => ({ what: "disk", node, is: random.pick(["full", "full", "read-only"]), ms: random.pick([5_000, 100_000, 1_000_000]) })],
    [5, () => ({ what: "die", node })],
    [5, () => ({ what: "vanish", node })],
    [12, () => ({ what: "interrupt", node })],
    [4, () => ({ what: "noMemory", ms: random.pick([20_000, 200_000, 600_000]) })],
    [2, () => ({ what: "engines", ms: brief() })],
    [6, () => ({ what: "clock", byMs: random.pick([-7_200_000, -30_000, 30_000, 86_400_000]) })],
    [4, () => ({ what: "slowS3", ms: brief(), stopMs: random.pick([20_000, 100_000]) })],
    [10, () => ({ what: "provider", call: providerCall(random), times: random.pick([1, 1, 3, 6]), after: random.chance(0.5) })],
    [4, () => ({ what: "slowLaunch", ms: brief(), launchMs: brief() })],
    [4, () => ({ what: "fullDisk", ms: brief() })],
    [4, () => ({ what: "slowDisk", ms: brief(), syncMs: random.pick([5, 200, 3_000]) })],
  ];
  return weighed(random, kinds);
}

function crash(random: Random, unit: "calls" | "commits", most: number[]): Entry {
  return { what: "crash", unit, count: random.between(1, random.pick(most)), downMs: random.pick([0, 100, 4_000, 30_000]) };
}

const providerCall = (random: Random) =>
  random.pick(["launch", "launch", "terminate", "observe", "reclaim", "claimNetwork", "releaseNetwork"] as const);

function weighed<T>(random: Random, kinds: [number, () => T][]): T {
  let left = random.below(kinds.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, make] of kinds) {
    left -= weight;
    if (left < 0) return make();
  }
  throw new Error("weights do not add up");
}
