/** Tasks: commands that must have ended well once, after a daemon is ready; tried again until they do. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentContext } from "./context.ts";
import type { Report, Task } from "./manifest.ts";
import { runToEnd } from "./run-to-end.ts";

const timeoutMs = 600_000;
const [pauseMinMs, pauseMaxMs] = [500, 5_000];

type State = Report["tasks"][number];

export function createTasks(context: AgentContext, isReady: (daemon: string) => boolean) {
  const all = new Map<string, { task: Task; state: State }>();
  const logs = join(context.layout.logs, "tasks");
  const stopping = new AbortController();

  async function untilDone(entry: { task: Task; state: State }, env: Record<string, string>, marker: string): Promise<void> {
    const { task } = entry;
    while (!stopping.signal.aborted && !isReady(task.after)) await sleep(50);
    for (let pause = pauseMinMs; !stopping.signal.aborted; pause = Math.min(pause * 2, pauseMaxMs)) {
      const command = { argv: task.argv, env: [env, task.env], log: join(logs, `${task.name}.log`), timeoutMs };
      const failure = await runToEnd(context, command).catch((error: Error) => error.message);
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
    isDone: (name: string) => [...all.values()].some(({ task, state }) => task.name === name && state.state === "done"),
    gatesDone: () => [...all.values()].every(({ task, state }) => !task.gate || state.state === "done"),
    report: (): State[] => [...all.values()].map(({ state }) => state),
  };
}
