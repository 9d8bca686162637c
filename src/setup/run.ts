/** Runs the programs that set-up needs (mvn, pip, java), each with a limit and with its last words in the error. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface RunOptions {
  /** The program is ended when it takes longer. */
  timeoutMs: number;
  cwd?: string;
  env?: Record<string, string | undefined>;
  /** Called with each line of stdout. */
  onLine?: (line: string) => void;
}

/** Resolves with stdout and stderr in the order of arrival. Throws where the program is not there, fails, or takes too long. */
export async function run(argv: string[], options: RunOptions): Promise<string> {
  const [command, ...args] = argv;
  if (!command) throw new Error("nothing to run");
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Not spawn's own limit: it stays for a program that could not be started, and keeps this process alive for as long.
  const limit = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs);
  const lines: string[] = [];
  createInterface(child.stdout).on("line", (line) => {
    lines.push(line);
    options.onLine?.(line);
  });
  createInterface(child.stderr).on("line", (line) => lines.push(line));
  const { code, signal, error } = await new Promise<{ code: number | null; signal: string | null; error?: Error }>((resolve) => {
    child.on("error", (error) => resolve({ code: null, signal: null, error }));
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  clearTimeout(limit);
  if (code === 0) return lines.join("\n");
  const why = error
    ? `could not be started (${error.message})`
    : signal
      ? `was ended by ${signal} (the limit is ${options.timeoutMs / 1000} s)`
      : `exited with code ${code}`;
  const tail = lines.filter((line) => line.trim() !== "").slice(-12);
  throw new Error([`${command} ${why}`, ...tail].join("\n  "));
}
