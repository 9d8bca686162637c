/** The end of a running step by CancelSteps, over restarts of the agent. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type KnownProcess, allPids, bootId, hasInEnvironment, isAlive, readStat, signal } from "../process/known.ts";
import type { StepOrder } from "./manifest.ts";
import { lookOnce } from "./run-once.ts";

export type Cancellation = NonNullable<StepOrder["cancel"]>;

/** In the environment of all that a step starts, with its id. */
export const stepVariable = "HOWDAH_STEP_ID";

const pollMs = 20;
/** How long processes that not even SIGKILL ends are waited for, once the step itself has ended. */
const restMs = 10_000;

/** Made before the first signal: with it, whatever end the step comes to is its cancellation. Empty, as a full disk has room for that. */
const marker = (folder: string) => join(folder, "cancelled");
/** SIGTERM was sent: once is enough. */
const interrupted = (folder: string) => join(folder, "interrupted");

export const wasCancelled = (folder: string): boolean => existsSync(marker(folder));

/**
 * Ends the step that runs in `folder`, as EMR does: SEND_INTERRUPT sends its process one SIGTERM and leaves all else to it, TERMINATE_PROCESS sends
 * SIGKILL to it and all that it has started. Not to its runner, which has to write down how it ended. Nothing where it has ended by itself.
 */
export async function cancelStep(folder: string, id: string, option: Cancellation): Promise<void> {
  const now = lookOnce(folder);
  if (now.state !== "running") return;
  const runner = now.process;
  const begun = wasCancelled(folder);
  const isInterrupt = option === "SEND_INTERRUPT";
  if (isInterrupt && existsSync(interrupted(folder))) return;
  writeFileSync(marker(folder), "", { flag: "a" });
  let signalled = begun;
  // The runner may not have started the command yet, so none is not the end while it is there.
  for (; isAlive(runner); await sleep(pollMs)) {
    const processes = processesOf(id, runner).filter(({ parent }) => !isInterrupt || parent === runner.pid);
    for (const known of processes) signal(known, isInterrupt ? "SIGTERM" : "SIGKILL");
    signalled ||= processes.length > 0;
    if (isInterrupt && processes.length > 0) return writeFileSync(interrupted(folder), "");
  }
  if (!signalled) rmSync(marker(folder));
}

/** What a cancelled step has left behind ends, too: by one SIGTERM, or, with TERMINATE_PROCESS, for certain. */
export async function endRest(id: string, option: Cancellation): Promise<void> {
  for (const giveUpAt = performance.now() + restMs; performance.now() < giveUpAt; await sleep(pollMs)) {
    const processes = processesOf(id, undefined);
    for (const known of processes) signal(known, option === "SEND_INTERRUPT" ? "SIGTERM" : "SIGKILL");
    if (option === "SEND_INTERRUPT" || processes.length === 0) return;
  }
}

/**
 * Who carries the step's mark, is in its runner's session, or descends from one of these: a program may change its environment, or leave its
 * session, or its parent.
 */
function processesOf(id: string, runner: KnownProcess | undefined): (KnownProcess & { parent: number })[] {
  const all = allPids().flatMap((pid) => {
    const stat = readStat(pid);
    return stat ? [{ pid, ...stat }] : [];
  });
  const mine = new Set(runner && isAlive(runner) ? [runner.pid] : []);
  for (const { pid, session } of all) if (mine.has(session) || hasInEnvironment(pid, stepVariable, id)) mine.add(pid);
  for (let before = 0; before < mine.size;) {
    before = mine.size;
    for (const { pid, parent } of all) if (mine.has(parent)) mine.add(pid);
  }
  const boot = bootId();
  return all.filter(({ pid }) => mine.has(pid) && pid !== runner?.pid).map((process) => ({ ...process, bootId: boot }));
}
