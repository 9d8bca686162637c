/** `howdah fault WHAT …`: what is to go wrong on simulated nodes. */
import { type DataFolder, dataFolder } from "../data-folder.ts";
import type { Fault } from "../providers/simulated/faults.ts";
import { type ControlPlaneRecord, faultPath, providerOf, runningControlPlane, spotPath } from "../running.ts";
import { chooseCluster, chooseNode, nodesOf, withStore } from "./find.ts";
import { printJson } from "./terminal.ts";

export interface FaultOptions {
  data?: string;
  exitCode?: number;
  message?: string;
  json?: boolean;
}

/** `words`: a cluster and a node for instance-dies and those of disks, a step's name for those of steps, none for the others. */
export async function fault(
  kind: Fault["kind"] | "spot-interruption" | "list" | "clear",
  words: string[],
  options: FaultOptions,
): Promise<void> {
  const data = dataFolder(options.data);
  const running = runningControlPlane(data);
  if (!running) throw new Error(`no control plane runs for ${data.root}. Run: howdah up --provider simulated --detach`);
  if (providerOf(data) !== "simulated") throw new Error(`the nodes of ${data.root} are real: faults are ordered of simulated ones`);
  checkOptions(kind, options);
  if (kind === "list") {
    const waiting = (await ask(running, "GET")) as Fault[];
    if (options.json) printJson(waiting);
    else for (const { kind: what, ...rest } of waiting) console.log([what, ...Object.values(rest)].join("  "));
    return;
  }
  if (kind === "clear") return console.log(await ask(running, "DELETE"));
  if (kind === "spot-interruption") {
    const [name, node, ...more] = words;
    if (name === undefined || node === undefined || more.length > 0) throw new Error("it is: howdah fault spot-interruption CLUSTER NODE");
    return console.log(await interrupt(running, await instanceOf(data, name, node)));
  }
  console.log(await ask(running, "POST", await read(data, kind, words, options)));
}

async function read(
  data: DataFolder,
  kind: Fault["kind"],
  [first, second, ...more]: string[],
  { exitCode = 1, message }: FaultOptions,
): Promise<Fault> {
  const said = message === undefined ? {} : { message };
  if (kind === "launch-fails" && first === undefined) return { kind, ...said };
  if (isOfInstance(kind) && first !== undefined && second !== undefined && more.length === 0)
    return { kind, instanceId: await instanceOf(data, first, second) };
  if (kind === "step-exits" && first !== undefined && second === undefined) return { kind, name: first, exitCode, ...said };
  if (kind === "step-hangs" && first !== undefined && second === undefined) return { kind, name: first };
  throw new Error(`it is: ${usage[kind]}`);
}

const instanceOf = (data: DataFolder, cluster: string, node: string): Promise<string> =>
  withStore(data, async ({ db }) => chooseNode(await nodesOf(db, (await chooseCluster(db, cluster)).id), node).id);

type OfInstance = Extract<Fault, { instanceId: string }>["kind"];
const isOfInstance = (kind: Fault["kind"]): kind is OfInstance => kind === "instance-dies" || kind.startsWith("disk-");

const usage: Record<Fault["kind"], string> = {
  "instance-dies": "howdah fault instance-dies CLUSTER NODE",
  "disk-full": "howdah fault disk-full CLUSTER NODE",
  "disk-read-only": "howdah fault disk-read-only CLUSTER NODE",
  "disk-well": "howdah fault disk-well CLUSTER NODE",
  "launch-fails": "howdah fault launch-fails [--message TEXT]",
  "step-exits": "howdah fault step-exits NAME [--exit-code N] [--message TEXT]",
  "step-hangs": "howdah fault step-hangs NAME",
};

function checkOptions(kind: string, { exitCode, message, json }: FaultOptions): void {
  if (exitCode !== undefined && kind !== "step-exits") throw new Error("--exit-code is for step-exits");
  if (message !== undefined && kind !== "step-exits" && kind !== "launch-fails")
    throw new Error("--message is for step-exits and launch-fails");
  if (json && kind !== "list") throw new Error("--json is for list");
}

const answerMs = 30_000;

/** Gives a spot instance its interruption notice. What the control plane says to it; throws with its words where it refuses. */
export const interrupt = (running: ControlPlaneRecord, instanceId: string) => ask(running, "POST", { instanceId }, spotPath);

/** What the control plane says to it. Throws with its words where it refuses. */
async function ask({ endpoint, secret }: ControlPlaneRecord, method: string, body?: object, path = faultPath): Promise<unknown> {
  const response = await fetch(endpoint + path, {
    method,
    headers: { authorization: `Bearer ${secret}` },
    signal: AbortSignal.timeout(answerMs),
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const answer = (await response.json()) as unknown;
  if (!response.ok) throw new Error(String(answer));
  return answer;
}
