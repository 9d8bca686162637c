/**
 * Processes that outlive whoever started them. A process is known again by its pid, its start time and the machine's
 * boot id: a pid alone may have been given to another program since.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** startTime: clock ticks since boot, field 22 of /proc/PID/stat. */
export interface KnownProcess {
  pid: number;
  startTime: string;
  bootId: string;
}

let thisBoot: string | undefined;

/** The kernel's boot id: changes with every boot of the machine, so never in the life of this process. */
export function bootId(): string {
  return (thisBoot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
}

/** What the kernel says of a process; undefined where there is none, or only a zombie. */
export function readStat(pid: number): { parent: number; session: number; startTime: string } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The program's name is in brackets and may itself hold brackets and blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parent, session, startTime] = [fields[0], fields[1], fields[3], fields[19]];
  if (state === "Z" || state === "X" || !startTime) return undefined;
  return { parent: Number(parent), session: Number(session), startTime };
}

/** The process that has this pid now; undefined where there is none, or only a zombie. */
export function identify(pid: number): KnownProcess | undefined {
  const stat = readStat(pid);
  return stat && { pid, startTime: stat.startTime, bootId: bootId() };
}

export function isAlive(known: KnownProcess | undefined): boolean {
  if (!known) return false;
  const now = identify(known.pid);
  return now?.startTime === known.startTime && now.bootId === known.bootId;
}

/** Signals exactly this process, or with `group` the process group it leads. Nothing happens where it is gone. */
export function signal(known: KnownProcess | undefined, name: NodeJS.Signals, options: { group?: boolean } = {}): void {
  if (!known || !isAlive(known)) return;
  try {
    process.kill(options.group ? -known.pid : known.pid, name);
  } catch {
    // It ended between the look and the signal.
  }
}

/** SIGTERM, then SIGKILL after `graceMs`. Resolves when the process is gone; throws where even SIGKILL did not end it in 10 s. */
export async function endProcess(known: KnownProcess | undefined, options: { graceMs: number; group?: boolean }): Promise<void> {
  if (!known) return;
  signal(known, "SIGTERM", options);
  const killAt = performance.now() + options.graceMs;
  const giveUpAt = killAt + 10_000;
  let killed = false;
  while (isAlive(known)) {
    if (!killed && performance.now() >= killAt) {
      signal(known, "SIGKILL", options);
      killed = true;
    }
    if (performance.now() > giveUpAt) throw new Error(`process ${known.pid} did not end after SIGKILL`);
    await sleep(20);
  }
}

/** Starts a program in a session of its own, so that it outlives the caller; output is appended to `log`. */
export function spawnDetached(argv: string[], options: { cwd: string; env: Record<string, string>; log: string }): KnownProcess {
  const [command, ...args] = argv;
  if (!command) throw new Error("nothing to run");
  const out = openSync(options.log, "a");
  try {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env, detached: true, stdio: ["ignore", out, out] });
    child.on("error", () => {}); // Reported below: a program that cannot be started has no pid.
    if (child.pid === undefined) throw new Error(`cannot start ${command}: is it there, and executable?`);
    child.unref();
    // The child exists, so /proc has it, unless it ended at once: then any start time makes it "not alive".
    return identify(child.pid) ?? { pid: child.pid, startTime: "ended", bootId: bootId() };
  } finally {
    closeSync(out);
  }
}

export const allPids = (): number[] =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);

/** What a variable is in its environment, as that was when its program began; undefined where it has none, and for another user's process. */
function variableOf(pid: number, name: string): string | undefined {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return variables.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
  } catch {
    return undefined; // Ended, or another user's.
  }
}

/** Whether its environment, as it was when its program began, holds `NAME=value`. */
export const hasInEnvironment = (pid: number, name: string, value: string): boolean => variableOf(pid, name) === value;

/** Every living process whose environment holds `NAME=value`: how orphans of a node or of a data folder are found. */
export const findByEnvironment = (name: string, value: string): KnownProcess[] =>
  allPids()
    .filter((pid) => hasInEnvironment(pid, name, value))
    .map(identify)
    .filter((known) => known !== undefined);

/** Living processes by what a variable is in their environment, for those that have it. */
export function groupByEnvironment(name: string): Map<string, KnownProcess[]> {
  const groups = new Map<string, KnownProcess[]>();
  for (const pid of allPids()) {
    const value = variableOf(pid, name);
    const known = value === undefined ? undefined : identify(pid);
    if (known && value !== undefined) groups.set(value, [...(groups.get(value) ?? []), known]);
  }
  return groups;
}
