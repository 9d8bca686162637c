/** `howdah up --provider simulated` as it is, over a store and nodes that were made beforehand. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EMRClient, ListClustersCommand } from "@aws-sdk/client-emr";
import type { Credentials } from "../../src/aws/sigv4.ts";
import { startDetached } from "../../src/cli/up.ts";
import { cacheFolder, type DataFolder, dataFolder } from "../../src/data-folder.ts";
import { makeFolders } from "../../src/files.ts";
import { endProcess } from "../../src/process/known.ts";
import { newRecord } from "../../src/providers/simulated/node.ts";
import { openShelf } from "../../src/providers/simulated/shelf.ts";
import { claimFor, runningControlPlane } from "../../src/running.ts";
import { adminKey, createAccount } from "../../src/store/accounts.ts";
import { networksOfLiving } from "../../src/store/clusters.ts";
import { makeIds } from "../../src/store/ids.ts";
import { hostnameOf } from "../../src/agent/node-record.ts";
import { migrations } from "../../src/store/schema.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { type Fill, type Filled, fillStore, owner } from "../../test/unit/full-store.ts";

export interface Made extends Filled {
  data: DataFolder;
  credentials: Credentials;
}

/** A data folder whose living clusters have their nodes, at rest; the last of `fills` is the newest. It is filled once a day, which takes minutes, and copied from then on. */
export async function make(...fills: Fill[]): Promise<Made> {
  const sources = ["server.ts", "../../test/unit/full-store.ts"].map((name) => readFileSync(join(import.meta.dirname, name), "utf8"));
  const key = createHash("sha256")
    .update(JSON.stringify([fills, migrations, sources]))
    .digest("hex")
    .slice(0, 12);
  const [folder, today] = [join(cacheFolder(), "bench"), `scale-${new Date().toISOString().slice(0, 10)}-`];
  const kept = join(folder, `${today}${key}`);
  makeFolders(folder);
  for (const name of readdirSync(folder))
    if (name.startsWith("scale-") && !name.startsWith(today)) rmSync(join(folder, name), { recursive: true });
  if (!existsSync(kept)) await fillFolder(fills, kept);
  const data = dataFolder(mkdtempSync(join(homedir(), ".howdah-bench-scale-")));
  cpSync(kept, data.root, { recursive: true });
  return { ...(JSON.parse(readFileSync(join(kept, "made.json"), "utf8")) as Omit<Made, "data">), data };
}

async function fillFolder(fills: Fill[], kept: string): Promise<void> {
  const data = dataFolder(mkdtempSync(`${kept}-`));
  claimFor(data, "simulated");
  const store = await openStore(data.database);
  const ids = makeIds();
  await store.transaction((tx) => createAccount(tx, ids, "default", owner.accountId));
  const filled: Filled = { clusters: [], living: [] };
  for (const [index, fill] of fills.entries()) {
    const later = fills.slice(index + 1).reduce((sum, { clusters }) => sum + clusters, 0);
    const { clusters, living } = await fillStore(store, fill, ids, later);
    filled.clusters.push(...clusters);
    filled.living.push(...living);
  }
  await putNodes(store, data);
  const key = (await adminKey(store.db, owner.accountId))!;
  await store.close();
  const credentials = { accessKeyId: key.access_key_id, secretAccessKey: key.secret_access_key };
  writeFileSync(join(data.root, "made.json"), JSON.stringify({ ...filled, credentials } satisfies Omit<Made, "data">), { mode: 0o600 });
  renameSync(data.root, kept);
}

async function putNodes(store: Store, data: DataFolder): Promise<void> {
  const shelf = openShelf(data.simulated);
  for (const { id, network } of await networksOfLiving(store.db)) shelf.put("network", id, network);
  for (const row of await store.db.selectFrom("instances").selectAll().where("status", "=", "launched").execute()) {
    const { id, cluster_id, address, agent_token } = row;
    const spec = { clusterId: cluster_id, instanceId: id, address, hostname: hostnameOf(address), hosts: [], region: owner.region };
    shelf.put("node", id, { ...newRecord({ ...spec, agentToken: agent_token }), seq: 1, boot: { phase: "ready" } });
  }
  shelf.close();
}

export interface Running {
  port: number;
  pid: number;
  /** Seconds from the start of the process until it has answered a request. */
  startSeconds: number;
  stop(): Promise<void>;
}

export async function start({ data, credentials }: Made): Promise<Running> {
  const from = performance.now();
  const endpoint = await startDetached(data, { provider: "simulated", pace: "real" });
  const emr = new EMRClient({ endpoint, region: owner.region, credentials });
  await emr.send(new ListClustersCommand({}));
  const startSeconds = (performance.now() - from) / 1000;
  emr.destroy();
  const running = runningControlPlane(data)!;
  return { port: Number(new URL(endpoint).port), pid: running.pid, startSeconds, stop: () => endProcess(running, { graceMs: 5_000 }) };
}

export const remove = ({ data }: Made): void => rmSync(data.root, { recursive: true, force: true });

/** Seconds of CPU that the process has taken, all of its threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Percent of a core, over so many seconds. */
export async function cpuPercent(pid: number, seconds: number): Promise<number> {
  const [from, before] = [performance.now(), cpuSeconds(pid)];
  await sleep(seconds * 1000);
  return (100 * (cpuSeconds(pid) - before)) / ((performance.now() - from) / 1000);
}

/** Resolves when it takes less than a tenth of a core: what a start leaves to be done is done. */
export async function settled(pid: number): Promise<void> {
  while ((await cpuPercent(pid, 1)) > 10);
}
