/** The end of a running step by CancelSteps: SIGTERM or SIGKILL to all of its processes, over restarts of the agent. */
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type KnownProcess, allPids, bootId, hasInEnvironment, isAlive, readStat, signal } from "../process/known.ts";
import type { StepOrder } from "./manifest.ts";
import { lookOnce } from "./run-once.ts";

export type Cancellation = NonNullable<StepOrder["cancel"]>;

/** In the environment of all that a step starts, with its id. */
export const stepVariable = "HOWDAH_STEP_ID";

const pollMs = 20;
/** Once the step itself has ended: how long processes that not even SIGKILL ends are waited for. */
const restMs = 10_000;

/** Made before the first signal; then holds the options that are done. With it, whatever end the step comes to is its cancellation. */
const marker = (folder: string) => join(folder, "cancelled");

export const wasCancelled = (folder: string): boolean => existsSync(marker(folder));

/**
 * Signals the processes of the step in `folder`, not its runner, which has to write down how it ended. SEND_INTERRUPT sends one signal to each
 * and leaves the rest to them; TERMINATE_PROCESS resolves when none is left. Nothing where the step has ended by itself, or all is done; goes on
 * where an earlier agent was cut off.
 */
export async function cancelStep(folder: string, id: string, option: Cancellation): Promise<void> {
  const now = lookOnce(folder);
  const runner = now.state === "running" ? now.process : undefined;
  const begun = wasCancelled(folder);
  if (begun ? readFileSync(marker(folder), "utf8").includes(option) : !runner) return;
  appendFileSync(marker(folder), "");
  const name = option === "SEND_INTERRUPT" ? "SIGTERM" : "SIGKILL";
  let signalled = begun;
  for (let giveUpAt = Infinity; Date.now() < giveUpAt; await sleep(pollMs)) {
    const processes = processesOf(id, runner);
    for (const known of processes) signal(known, name);
    signalled ||= processes.length > 0;
    const runs = isAlive(runner);
    // The runner may not have started the command yet, so none is not the end while it is there.
    if (signalled && name === "SIGTERM") break;
    if (!runs && processes.length === 0) break;
    if (!runs) giveUpAt = Math.min(giveUpAt, Date.now() + restMs);
  }
  if (signalled) appendFileSync(marker(folder), `${option}\n`);
  else rmSync(marker(folder), { force: true });
}

/**
 * Who carries the step's mark, is in its runner's session, or descends from one of these: a program may change its environment, or leave its
 * session, or its parent.
 */
function processesOf(id: string, runner: KnownProcess | undefined): KnownProcess[] {
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
  return all.filter(({ pid }) => mine.has(pid) && pid !== runner?.pid).map(({ pid, startTime }) => ({ pid, startTime, bootId: boot }));
}
