/** What a cluster costs that has nothing to do: memory (PSS: shared pages are counted once) and CPU, by kind of process. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ownerVariable } from "../src/data-folder.ts";
import { findByEnvironment } from "../src/process/known.ts";
import type { Bench } from "./context.ts";
import type { Figure } from "./figures.ts";

const ticksPerSecond = 100;
/** Howdah's own; everything else is a daemon of an engine. */
const ownKinds = ["control plane", "s3proxy", "agents", "inits"];

export const idle: Bench = {
  name: "idle",
  about: "memory and CPU of an idle cluster, by kind of process",
  always: true,
  async run({ howdah, cluster, smoke }) {
    await cluster();
    const settleMs = smoke ? 1_000 : 20_000;
    const lookMs = smoke ? 1_000 : 10_000;
    await sleep(settleMs); // What a start leaves to be done: history servers, JIT.
    const before = processes(howdah.data.root);
    await sleep(lookMs);
    const kinds = new Map<string, { count: number; megabytes: number; percent: number }>();
    for (const [pid, { kind, ticks }] of processes(howdah.data.root)) {
      const sum = kinds.get(kind) ?? { count: 0, megabytes: 0, percent: 0 };
      kinds.set(kind, sum);
      sum.count += 1;
      sum.megabytes += pssMegabytes(pid);
      sum.percent += (100 * (ticks - (before.get(pid)?.ticks ?? ticks))) / ticksPerSecond / (lookMs / 1000);
    }
    const figures: Figure[] = [];
    const add = (what: string, unit: Figure["unit"], ours: number) => figures.push({ bench: "idle", what, unit, ours, rounds: 1 });
    const all = [...kinds].toSorted(([, a], [, b]) => b.megabytes - a.megabytes);
    for (const [kind, { count, megabytes }] of all) add(`memory of ${count} ${kind}`, "MB", megabytes);
    for (const [kind, { count, percent }] of all) add(`CPU of ${count} ${kind}`, "% of a core", percent);
    for (const [unit, of] of [
      ["MB", "megabytes"],
      ["% of a core", "percent"],
    ] as const) {
      const sum = (own: boolean) =>
        all.filter(([kind]) => !own || ownKinds.includes(kind)).reduce((total, [, kind_]) => total + kind_[of], 0);
      const value = sum(false) - sum(true);
      figures.push({
        bench: "idle",
        what: "all of it",
        unit,
        ours: sum(false),
        floor: { what: "the engines' daemons alone", value },
        rounds: 1,
      });
    }
    return figures;
  },
};

function processes(root: string): Map<number, { kind: string; ticks: number }> {
  const found = new Map<number, { kind: string; ticks: number }>();
  for (const { pid } of findByEnvironment(ownerVariable, root)) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      found.set(pid, { kind: kindOf(readFileSync(`/proc/${pid}/cmdline`, "latin1")), ticks: Number(fields[11]) + Number(fields[12]) });
    } catch {
      // Ended between the two looks.
    }
  }
  return found;
}

/** By its command line, words apart by NUL. */
export function kindOf(commandLine: string): string {
  const daemon = /\0-Dproc_([\w-]+)/.exec(commandLine)?.[1];
  if (daemon) return daemon;
  if (commandLine.includes("howdah-init")) return "inits";
  if (commandLine.includes("s3proxy")) return "s3proxy";
  if (/\/cli\/main\.[tj]s\0up\0/.test(commandLine)) return "control plane";
  return /\/agent\/main\.[tj]s\0/.test(commandLine) ? "agents" : "others";
}

function pssMegabytes(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0; // Ended, or another user's.
  }
}
