/** What runs for a data folder: the lock that lets in one control plane, its records, and its sockets. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { DataFolder } from "./data-folder.ts";
import { readJson, writeChanged } from "./files.ts";
import { type KnownProcess, isAlive } from "./process/known.ts";

/** Of the control plane that runs; in DATA/run/control-plane.json. */
export interface ControlPlaneRecord extends KnownProcess {
  /** Of the data folder that it runs for: a copy has the original's record. */
  root?: string;
  endpoint: string;
  region: string;
  /** For who orders faults and interruptions (src/nodes/private-path.ts). */
  secret: string;
}

/** The control plane that runs or is starting (Holder of copies.ts), from the moment that it has the lock of the data folder. */
export const holderPath = (data: DataFolder): string => join(data.run, "holder.json");
const digestOf = (data: DataFolder): string => createHash("sha256").update(data.root).digest("hex");

export const controlPlaneLog = (data: DataFolder): string => join(data.logs, "control-plane.log");

export const recordPath = (data: DataFolder): string => join(data.run, "control-plane.json");

/** The control plane that runs for this data folder; undefined where there is none. */
export function runningControlPlane(data: DataFolder): ControlPlaneRecord | undefined {
  const record = readJson<ControlPlaneRecord>(recordPath(data));
  return record && (record.root ?? data.root) === data.root && isAlive(record) ? record : undefined;
}

/** One control plane per data folder: an abstract socket, which the kernel gives back however its holder ends. */
export async function lockDataFolder(data: DataFolder): Promise<Server> {
  const name = `\0howdah-data/${digestOf(data)}`;
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", () => {
      const at = runningControlPlane(data)?.endpoint;
      reject(
        new Error(`a control plane already runs for ${data.root}${at ? ` at ${at}` : ""}. Use it, or run: howdah down --data ${data.root}`),
      );
    });
    server.listen(name, resolve);
  });
  server.unref();
  return server;
}

/** Where faults of simulated nodes are ordered, at the endpoint. */
export const faultPath = "/_howdah/fault";
/** Where a spot instance is taken back by order. */
export const spotPath = "/_howdah/spot";

export type ProviderName = "local" | "simulated";

/** What makes the nodes of this data folder; undefined where it has never been used. */
export function providerOf(data: DataFolder): ProviderName | undefined {
  if (existsSync(data.provider)) return readFileSync(data.provider, "utf8") as ProviderName;
  return existsSync(data.database) ? "local" : undefined; // Of a Howdah that had no other.
}

/** Its clusters are of one kind for good: real nodes know nothing of simulated ones' steps, nor the other way round. */
export function checkProvider(data: DataFolder, wanted: ProviderName): void {
  const has = providerOf(data);
  if (has === undefined || has === wanted) return;
  const own = has === "simulated" ? "howdah up --provider simulated" : "howdah up";
  throw new Error(
    `the nodes of ${data.root} are ${kindOf[has]}: start it by ${own}, or use another --data folder for ${kindOf[wanted]} ones`,
  );
}

const kindOf: Record<ProviderName, string> = { local: "real", simulated: "simulated" };

/** To be called with the data folder's lock. */
export function claimFor(data: DataFolder, provider: ProviderName): void {
  checkProvider(data, provider);
  writeChanged(data.provider, provider);
}

/** Throws where what is wanted (a sentence's rest) is there on real nodes only. */
export function requireRealNodes(data: DataFolder, what: string): void {
  if (providerOf(data) === "simulated") throw new Error(`the nodes of ${data.root} are simulated: they have no ${what}`);
}

/** The agents' link behind the front door: abstract, so that no data folder's path is too long for it, and nothing of it is left. */
export const linkSocket = (data: DataFolder): string => `\0howdah-link/${digestOf(data)}`;

/** Of last time. Clients and nodes know it: a start takes the same port where it can. */
export function readEndpoint(data: DataFolder): URL | undefined {
  return existsSync(data.endpoint) ? new URL(readFileSync(data.endpoint, "utf8")) : undefined;
}
