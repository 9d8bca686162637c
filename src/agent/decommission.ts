/** The command that takes nodes out of service: it runs as long as the manifest has it, and what it wrote last is in the reports. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type AgentContext, environment } from "./context.ts";
import type { Decommission, Report } from "./manifest.ts";

const againMs = 1_000;

type Said = Pick<Report, "decommission" | "blocks">;

export function createDecommission(context: AgentContext) {
  let current = "";
  let stop = new AbortController();
  let said: Said = {};

  function set(next: Said): void {
    if (JSON.stringify(next) === JSON.stringify(said)) return;
    said = next;
    context.changed();
  }

  /** Until it has ended well, or is not wanted any more. */
  async function run({ argv }: Decommission, env: Record<string, string>, signal: AbortSignal): Promise<void> {
    const [command, ...args] = argv;
    const folder = join(context.layout.logs, "tasks");
    mkdirSync(folder, { recursive: true });
    while (!signal.aborted) {
      const log = openSync(join(folder, "decommission.log"), "w");
      const child = spawn(command!, args, {
        cwd: context.layout.home,
        env: environment(context, env),
        stdio: ["ignore", "pipe", log],
        killSignal: "SIGKILL",
        signal,
      });
      closeSync(log);
      createInterface({ input: child.stdout! }).on("line", (line) => {
        if (!signal.aborted) set(JSON.parse(line) as Said);
      });
      const end = await new Promise((resolve) => child.on("error", resolve).on("exit", resolve));
      if (end === 0) return;
      if (!signal.aborted) context.log(`decommission: ended with ${String(end)}, will be tried again`);
      await sleep(againMs);
    }
  }

  function apply(order: Decommission | undefined, env: Record<string, string>): void {
    const wanted = order ? JSON.stringify([order, env]) : "";
    if (wanted === current) return;
    stop.abort();
    stop = new AbortController();
    current = wanted;
    set({});
    if (order) run(order, env, stop.signal).catch((error: Error) => context.log(`decommission: ${error.message}`));
  }

  return {
    apply,
    stop: () => apply(undefined, {}),
    report: () => said,
  };
}
