/**
 * Things that must happen at most once (steps, bootstrap actions). `started` is made and synced before anything runs; run-once.sh then records
 * who runs it (`process`) and how it ended (`exit`). An agent that comes later, after a crash at any point, reads from these what is so.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type KnownProcess, endProcess, isAlive } from "../process/known.ts";

const wrapper = join(import.meta.dirname, "run-once.sh");
const pollMs = 50;

export interface OnceCommand {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  stdout: string;
  stderr: string;
}

/** `lost`: it was started, and nobody knows how it ended; it will not run again. Times are epoch milliseconds. */
export type OnceState =
  | { state: "new" }
  | { state: "running"; startedAt: number; process: KnownProcess }
  | { state: "exited"; startedAt: number; endedAt: number; exitCode: number }
  | { state: "lost"; startedAt: number };

/** What the files in `folder` say. Declares a start lost that has left a marker only: from then on it cannot run any more. */
export function lookOnce(folder: string): OnceState {
  const marker = join(folder, "started");
  if (!existsSync(marker)) return { state: "new" };
  const startedAt = statSync(marker).mtimeMs;
  const ended = readExit(folder, startedAt);
  if (ended) return ended;
  const file = join(folder, "process");
  try {
    writeFileSync(file, "lost\n", { flag: "wx" });
    return { state: "lost", startedAt };
  } catch {
    // The usual case: run-once.sh was there first.
  }
  let process: KnownProcess;
  try {
    process = JSON.parse(readFileSync(file, "utf8")) as KnownProcess;
  } catch {
    return { state: "lost", startedAt };
  }
  if (isAlive(process)) return { state: "running", startedAt, process };
  // It may have written its exit code after the first look.
  return readExit(folder, startedAt) ?? { state: "lost", startedAt };
}

function readExit(folder: string, startedAt: number): OnceState | undefined {
  const file = join(folder, "exit");
  try {
    const code = readFileSync(file, "utf8");
    return /^\d+\n$/.test(code) ? { state: "exited", startedAt, endedAt: statSync(file).mtimeMs, exitCode: Number(code) } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs the command, or, where an earlier agent has started it, follows what it started. `onStart` is called once it runs.
 * Resolves when it has ended, or is lost. Throws where that cannot be done (a full disk): then `barOnce` says how far it came.
 */
export async function runOnce(folder: string, command: OnceCommand, onStart: (startedAt: number) => void): Promise<OnceState> {
  mkdirSync(folder, { recursive: true });
  for (const file of [command.stdout, command.stderr]) mkdirSync(dirname(file), { recursive: true });
  if (lookOnce(folder).state === "new") {
    mark(join(folder, "started"));
    const child = start(folder, command);
    // The wrapper's record comes a few milliseconds later; until then a look would declare it lost.
    while (child.exitCode === null && child.signalCode === null && !existsSync(join(folder, "process"))) await sleep(5);
  }
  const now = lookOnce(folder);
  if (now.state === "running") onStart(now.startedAt);
  return followOnce(folder);
}

/** Resolves when it does not run (any more). */
export async function followOnce(folder: string): Promise<OnceState> {
  for (; ; await sleep(pollMs)) {
    const now = lookOnce(folder);
    if (now.state !== "running") return now;
  }
}

/** From now on it cannot begin. true where it had not begun; throws where that cannot even be written down. */
export function barOnce(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  if (lookOnce(folder).state !== "new") return false;
  mark(join(folder, "started"));
  lookOnce(folder);
  return true;
}

/** Ends a running command with its whole process group; nothing where it does not run. */
export async function stopOnce(folder: string, graceMs: number): Promise<void> {
  const now = lookOnce(folder);
  if (now.state === "running") await endProcess(now.process, { graceMs, group: true });
}

function mark(file: string): void {
  const fd = openSync(file, "wx"); // Empty: its time says when, and a full disk has room for that.
  fsyncSync(fd);
  closeSync(fd);
  const folder = openSync(dirname(file), "r");
  fsyncSync(folder);
  closeSync(folder);
}

function start(folder: string, { argv, cwd, env, stdout, stderr }: OnceCommand): ChildProcess {
  const [out, err] = [openSync(stdout, "a"), openSync(stderr, "a")];
  try {
    const child = spawn("/bin/sh", [wrapper, folder, ...argv], { cwd, env, detached: true, stdio: ["ignore", out, err] });
    child.on("error", () => {}); // Without a record it is lost, and the files say so.
    child.unref();
    return child;
  } finally {
    closeSync(out);
    closeSync(err);
  }
}
