import { spawnDetached, isAlive, identify } from "../process/known.ts";
import { appendFileSync, readFileSync, statfsSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { keepCompiled, withCompileCache } from "../compile-cache.ts";
import { makeFolders } from "../files.ts";
import type { Simulated } from "../nodes/simulated.ts";
import type { Rules } from "../providers/simulated/outcomes.ts";
import { checkProvider, controlPlaneLog, type ProviderName, runningControlPlane } from "../running.ts";
import { type DataFolder, dataFolder, ownerVariable } from "../data-folder.ts";
import { whileWaiting } from "./terminal.ts";

export interface StartOptions {
  port?: number | undefined;
  isolation?: "view" | "plain" | undefined;
  provider?: ProviderName | undefined;
  /** Of simulated nodes. */
  pace?: Simulated["pace"] | undefined;
  /** File of rules for how their steps go. */
  rules?: string | undefined;
}

export interface UpOptions extends StartOptions {
  data?: string;
  detach?: boolean;
}

/** `howdah up`: brings what is missing, then starts in the foreground (Ctrl-C ends everything) or, detached, in the background. */
export async function up(options: UpOptions): Promise<void> {
  const data = dataFolder(options.data);
  const { port, isolation, provider = "local", pace } = options;
  const rules = options.rules === undefined ? undefined : resolve(options.rules);
  const isSimulated = provider === "simulated";
  if (isSimulated && isolation) throw new Error("--isolation keeps real nodes apart: it does not go together with --provider simulated");
  for (const [name, value] of Object.entries({ pace, rules }))
    if (!isSimulated && value) throw new Error(`--${name} is for simulated nodes: howdah up --provider simulated`);
  checkProvider(data, provider);
  const running = runningControlPlane(data);
  if (running) {
    const isItsPort = String(port) === new URL(running.endpoint).port;
    const idle = Object.entries({ port: isItsPort ? undefined : port, isolation, pace, rules }).filter(([, value]) => value !== undefined);
    const names = idle.map(([name]) => `--${name}`).join(", ");
    const unchanged = idle.length > 0 ? ` ${names}: of no effect on one that runs. To change it, howdah down --keep first.` : "";
    console.log(`Howdah is up already at ${running.endpoint} (process ${running.pid}).${unchanged}`);
    return;
  }
  const simulated = isSimulated ? { pace: pace ?? "instant", rules: await rulesOf(rules) } : undefined;
  if (!simulated) await (await import("./up-local.ts")).prepareMachine();
  makeFolders(data.logs);
  if (options.detach) {
    const endpoint = await whileWaiting("Starting Howdah", () => startDetached(data, { port, isolation, provider, pace, rules }));
    say(data, endpoint, provider);
    return;
  }
  const [{ pino }, { startControlPlane }] = await Promise.all([import("pino"), import("../control-plane.ts")]);
  const lines = pino.destination({ dest: controlPlaneLog(data), sync: true, maxLength: 1 << 20 });
  // A full disk is no reason to end: what cannot be written waits, up to a MB, and goes on where it stopped.
  lines.on("error", () => {});
  const log = pino({ level: process.env.HOWDAH_LOG_LEVEL ?? "info" }, lines);
  const controlPlane = await whileWaiting("Starting Howdah", () => startControlPlane({ data, port, isolation, simulated, log }));
  say(data, controlPlane.endpoint, provider);
  keepCompiled();
  const isTerminal = process.stdin.isTTY;
  if (isTerminal) console.log("Ctrl-C ends everything.");
  const [signal] = await once(["SIGINT", "SIGTERM"]);
  await controlPlane.stop();
  // SIGTERM is a service manager's: clusters go on, and the next start takes them up again.
  if (signal === "SIGINT") {
    const { takeDown } = await import("../take-down.ts");
    await whileWaiting("Ending everything", (say) => takeDown(data, say));
  }
}

async function rulesOf(path: string | undefined): Promise<Rules> {
  if (path === undefined) return { steps: [], bootstrapActions: [] };
  return (await import("../rules-file.ts")).readRules(path);
}

/** Starts `howdah up` as a process of its own and waits until it answers. Throws with the tail of its log where it does not. */
export async function startDetached(data: DataFolder, options: StartOptions): Promise<string> {
  const flags = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]));
  const output = join(data.logs, "up.log");
  makeFolders(data.logs);
  appendFileSync(output, "");
  const child = spawnDetached(
    [process.execPath, "--disable-warning=ExperimentalWarning", join(import.meta.dirname, "main.ts"), "up", "--data", data.root, ...flags],
    {
      cwd: "/",
      env: withCompileCache({ ...(process.env as Record<string, string>), [ownerVariable]: data.root }),
      log: output,
    },
  );
  const giveUpAt = performance.now() + 60_000;
  for (;;) {
    const running = runningControlPlane(data);
    if (running?.pid === child.pid) return running.endpoint;
    if (!isAlive(identify(child.pid))) throw new Error(`Howdah did not start:\n${tail(output) || noWord(data)}`);
    if (performance.now() > giveUpAt) throw new Error(`Howdah did not answer in 60 s. See ${output} and ${controlPlaneLog(data)}`);
    await sleep(50);
  }
}

/** It could not even write why. */
const noWord = (data: DataFolder): string =>
  statfsSync(data.root).bavail === 0
    ? `the disk of ${data.root} is full: free some space there`
    : `it has not said why: see ${controlPlaneLog(data)}`;

function tail(path: string): string {
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-10).join("\n");
}

function say(data: DataFolder, endpoint: string, provider: ProviderName): void {
  const what =
    provider === "simulated" ? "EMR, IAM, STS, EC2 and CloudTrail, over simulated nodes" : "EMR, IAM, STS, EC2, CloudTrail and S3";
  console.log(
    `Howdah is up at ${endpoint}: ${what}.\nFor AWS clients:  eval "$(npx howdah env --data ${data.root})"\nTo end it:        npx howdah down --data ${data.root}`,
  );
}

function once(signals: NodeJS.Signals[]): Promise<[NodeJS.Signals]> {
  return new Promise((resolve) => {
    for (const signal of signals) process.once(signal, () => resolve([signal]));
  });
}
