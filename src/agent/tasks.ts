/** Tasks: commands that must have ended well once, after a daemon is ready; tried again until they do. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type AgentContext, environment } from "./context.ts";
import type { Report, Task } from "./manifest.ts";
import { tellingLines } from "./text.ts";

const timeoutMs = 600_000;
const [pauseMinMs, pauseMaxMs] = [500, 5_000];

type State = Report["tasks"][number];

export function createTasks(context: AgentContext, isReady: (daemon: string) => boolean) {
  const all = new Map<string, { task: Task; state: State }>();
  const logs = join(context.layout.logs, "tasks");
  const stopping = new AbortController();

  function attempt(task: Task, env: Record<string, string>, log: string): Promise<string | undefined> {
    const out = openSync(log, "w");
    const [command, ...args] = task.argv;
    const child = spawn(command!, args, {
      cwd: context.layout.home,
      env: environment(context, env, task.env),
      stdio: ["ignore", out, out],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    closeSync(out);
    return new Promise((resolve) => {
      child.on("error", (error) => resolve(error.message));
      child.on("exit", (code, signal) => resolve(code === 0 ? undefined : tellingLines(log) || `it ended with ${code ?? signal}`));
    });
  }

  async function untilDone(entry: { task: Task; state: State }, env: Record<string, string>, marker: string): Promise<void> {
    const { task } = entry;
    while (!stopping.signal.aborted && !isReady(task.after)) await sleep(50);
    for (let pause = pauseMinMs; !stopping.signal.aborted; pause = Math.min(pause * 2, pauseMaxMs)) {
      const failure = await attempt(task, env, join(logs, `${task.name}.log`)).catch((error: Error) => error.message);
      if (failure === undefined) {
        writeFileSync(marker, "");
        entry.state = { name: task.name, state: "done" };
        context.changed();
        return;
      }
      entry.state = { name: task.name, state: "retrying", lastError: failure };
      context.changed();
      await sleep(pause);
    }
  }

  return {
    apply(tasks: Task[], env: Record<string, string>): void {
      mkdirSync(logs, { recursive: true });
      for (const task of tasks) {
        const digest = createHash("sha256")
          .update(JSON.stringify([task.argv, task.env]))
          .digest("hex")
          .slice(0, 16);
        const key = `${task.name}-${digest}`;
        if (all.has(key)) continue;
        for (const [other, { task: old }] of all) if (old.name === task.name) all.delete(other);
        const marker = join(context.layout.run, `task-${key}.done`);
        const isDone = existsSync(marker);
        const entry = { task, state: { name: task.name, state: isDone ? "done" : "waiting" } as State };
        all.set(key, entry);
        if (!isDone) void untilDone(entry, env, marker);
      }
    },
    stop(): void {
      stopping.abort();
    },
    gatesDone: () => [...all.values()].every(({ task, state }) => !task.gate || state.state === "done"),
    report: (): State[] => [...all.values()].map(({ state }) => state),
  };
}
