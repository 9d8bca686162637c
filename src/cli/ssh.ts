/** `howdah ssh CLUSTER [NODE] [-- COMMAND …]`: a shell on a node. No sshd: it enters the node's namespaces from this machine. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { isatty } from "node:tty";
import { nodeLayout } from "../agent/layout.ts";
import { quote } from "../agent/text.ts";
import { type DataFolder, dataFolder } from "../data-folder.ts";
import { type EntryPoint, enterNode } from "../providers/local/enter.ts";
import { activeStates, stepsOf } from "../store/steps.ts";
import { requireRealNodes } from "../running.ts";
import { clusterState } from "../store/clusters.ts";
import { chooseCluster, chooseNode, nodesOf, withStore } from "./find.ts";

/**
 * Words of a command are joined with blanks and given to the node's shell, as ssh does. Exit code: that of the command or shell, 128 + n where
 * signal n ended it.
 */
export async function ssh(clusterText: string, nodeText: string | undefined, options: { data?: string }, command: string[]): Promise<void> {
  const data = dataFolder(options.data);
  requireRealNodes(data, "shell");
  const layout = nodeLayout(await findNode(data, clusterText, nodeText));
  const shellFile = join(layout.agent, "agent", "shell.sh");
  const line =
    command.length > 0
      ? `[ ! -r ${quote(shellFile)} ] || . ${quote(shellFile)}\nexec bash -c ${quote(command.join(" "))}`
      : `exec bash --rcfile ${quote(shellFile)} -i`;
  process.exitCode = await runInNode(enterNode(layout), `cd || exit\n${line}`);
}

async function findNode(data: DataFolder, clusterText: string, nodeText: string | undefined): Promise<string> {
  return withStore(data, async ({ db }) => {
    const cluster = await chooseCluster(db, clusterText);
    const active = (await stepsOf(db, cluster.id)).some(({ state }) => activeStates.includes(state));
    const state = clusterState(cluster, active);
    if (cluster.phase === "ended")
      throw new Error(`cluster ${cluster.id} is ${state}: its nodes are gone. howdah logs ${cluster.id} shows what they wrote`);
    const nodes = await nodesOf(db, cluster.id);
    if (nodes.length === 0) throw new Error(`cluster ${cluster.id} is ${state} and has no nodes yet`);
    return data.node(chooseNode(nodes, nodeText ?? "master").id);
  });
}

/** Runs a shell's line in the node, connected to our own input and output; on a terminal, with a terminal of the node. */
export async function runInNode({ degree, prefix, env, home }: EntryPoint, line: string): Promise<number> {
  // Not process.stdin and process.stdout: to look at them makes pipes non-blocking for the command, too.
  const onTerminal = [0, 1, 2].every((fd) => isatty(fd));
  const inNode = onTerminal && degree === "view" ? ["bash", "-c", ownTerminal, line] : ["bash", "-c", line];
  const [program, ...args] = [...prefix, ...inNode];
  const saved = onTerminal ? stty("-g") : undefined;
  const child = spawn(program!, args, {
    cwd: degree === "view" ? "/" : home,
    env: { ...env, SHELL: "/bin/bash", ...(process.env.TERM ? { TERM: process.env.TERM } : {}) },
    stdio: "inherit",
    // A group of its own can be signalled as a whole; on a terminal it must stay in ours, which the terminal knows.
    detached: !onTerminal,
  });
  const end = (name: NodeJS.Signals) => pass(child, name, onTerminal);
  for (const name of passed) process.on(name, end);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
    });
  } finally {
    for (const name of passed) process.off(name, end);
    // A node that is ended under its shell leaves our terminal as it was in use.
    if (saved) stty(saved);
  }
}

const passed = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** util-linux's `script` makes a terminal of the node, so that /dev/pts, `tty`, tmux and job control are as on a machine of its own. */
const ownTerminal = `if [ -e /dev/ptmx ] && command -v script >/dev/null; then exec script -qec "$0" /dev/null; else exec bash -c "$0"; fi`;

function stty(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync("stty", args, { stdio: ["inherit", "pipe", "ignore"], encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** nsenter itself would end alone and leave what it has started: the signal is for that. On a terminal `script` ends by SIGTERM only, a shell by SIGHUP only. */
function pass(child: ChildProcess, name: NodeJS.Signals, onTerminal: boolean): void {
  if (child.pid === undefined || (onTerminal && name === "SIGINT")) return; // The terminal has told everyone.
  try {
    if (!onTerminal) process.kill(-child.pid, name);
    else for (const pid of [...childrenOf(child.pid), child.pid]) for (const both of ["SIGHUP", "SIGTERM"]) process.kill(pid, both);
  } catch {
    // It has just ended.
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}
