/** A command of the manifest that runs beside everything else, with a log of its own. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { type AgentContext, environment } from "./context.ts";
import { tellingLines } from "./text.ts";

export interface Command {
  argv: string[];
  /** The manifest's environment, and the command's own. */
  env: (Record<string, string> | undefined)[];
  /** Written anew. */
  log: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

/** Resolves with undefined where it ended with 0, else with why not. */
export async function runToEnd(context: AgentContext, { argv, env, log, timeoutMs, signal }: Command): Promise<string | undefined> {
  const [command, ...args] = argv;
  const out = openSync(log, "w");
  const child = spawn(command!, args, {
    cwd: context.layout.home,
    env: environment(context, ...env),
    stdio: ["ignore", out, out],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    ...(signal ? { signal } : {}),
  });
  closeSync(out);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, killedBy) => {
      if (code === 0) return resolve(undefined);
      resolve(tellingLines(log) || (killedBy ? `it was ended (${killedBy}) after at most ${timeoutMs / 1000} s` : `it ended with ${code}`));
    });
  });
}
