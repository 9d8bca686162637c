import { spawnDetached, isAlive, identify } from "../process/known.ts";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { startControlPlane } from "../control-plane.ts";
import { makeFolders } from "../files.ts";
import { controlPlaneLog, runningControlPlane } from "../running.ts";
import { type DataFolder, dataFolder, ownerVariable } from "../data-folder.ts";
import { describeListener, foreignListeners } from "../providers/local/listeners.ts";
import { enginePorts } from "../engines/index.ts";
import { releaseLabels } from "../releases/release.ts";
import { takeDown } from "../take-down.ts";
import { setUpWithProgress } from "./progress.ts";
import { whileWaiting } from "./terminal.ts";

export interface UpOptions {
  data?: string;
  port?: number;
  isolation?: "view" | "plain";
  detach?: boolean;
}

/** `howdah up`: brings what is missing, then starts in the foreground (Ctrl-C ends everything) or, detached, in the background. */
export async function up(options: UpOptions): Promise<void> {
  const data = dataFolder(options.data);
  const { isolation } = options;
  const running = runningControlPlane(data);
  if (running) {
    console.log(`Howdah is up already at ${running.endpoint} (process ${running.pid}).`);
    return;
  }
  await setUpWithProgress(releaseLabels()[0] ?? "");
  warnOfForeignListeners();
  makeFolders(data.logs);
  if (options.detach) {
    const endpoint = await whileWaiting("Starting Howdah", () => startDetached(data, { port: options.port, isolation }));
    say(data, endpoint);
    return;
  }
  const log = pino({ level: process.env.HOWDAH_LOG_LEVEL ?? "info" }, pino.destination({ dest: controlPlaneLog(data), sync: true }));
  const controlPlane = await whileWaiting("Starting Howdah", () => startControlPlane({ data, port: options.port, isolation, log }));
  say(data, controlPlane.endpoint);
  const isTerminal = process.stdin.isTTY;
  if (isTerminal) console.log("Ctrl-C ends everything.");
  const [signal] = await once(["SIGINT", "SIGTERM"]);
  await controlPlane.stop();
  // SIGTERM is a service manager's: clusters go on, and the next start takes them up again.
  if (signal === "SIGINT") await whileWaiting("Ending everything", (say) => takeDown(data, say));
}

/** Starts `howdah up` as a process of its own and waits until it answers. Throws with the tail of its log where it does not. */
export async function startDetached(data: DataFolder, options: { port?: number; isolation?: string }): Promise<string> {
  const flags = [
    ...(options.port === undefined ? [] : ["--port", String(options.port)]),
    ...(options.isolation === undefined ? [] : ["--isolation", options.isolation]),
  ];
  const output = join(data.logs, "up.log");
  makeFolders(data.logs);
  appendFileSync(output, "");
  const child = spawnDetached(
    [process.execPath, "--disable-warning=ExperimentalWarning", join(import.meta.dirname, "main.ts"), "up", "--data", data.root, ...flags],
    {
      cwd: "/",
      env: { ...(process.env as Record<string, string>), [ownerVariable]: data.root },
      log: output,
    },
  );
  const giveUpAt = performance.now() + 60_000;
  for (;;) {
    const running = runningControlPlane(data);
    if (running?.pid === child.pid) return running.endpoint;
    if (!isAlive(identify(child.pid))) throw new Error(`Howdah did not start:\n${tail(output)}`);
    if (performance.now() > giveUpAt) throw new Error(`Howdah did not answer in 60 s. See ${output} and ${controlPlaneLog(data)}`);
    await sleep(50);
  }
}

function tail(path: string): string {
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-10).join("\n");
}

function say(data: DataFolder, endpoint: string): void {
  console.log(
    `Howdah is up at ${endpoint}: EMR, IAM, STS, EC2, CloudTrail and S3.\nFor AWS clients:  eval "$(npx howdah env --data ${data.root})"\nTo end it:        npx howdah down --data ${data.root}`,
  );
}

/** Another program on 0.0.0.0:8088 takes that port from every node: better said now than by a daemon that cannot start. */
function warnOfForeignListeners(): void {
  for (const listener of foreignListeners(enginePorts))
    console.warn(`${describeListener(listener)}: daemons of clusters that need it cannot start.`);
}

function once(signals: NodeJS.Signals[]): Promise<[NodeJS.Signals]> {
  return new Promise((resolve) => {
    for (const signal of signals) process.once(signal, () => resolve([signal]));
  });
}
