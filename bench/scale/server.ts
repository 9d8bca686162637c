/** `howdah up --provider simulated` as it is, over a store and nodes that were made beforehand. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EMRClient, ListClustersCommand } from "@aws-sdk/client-emr";
import type { Credentials } from "../../src/aws/sigv4.ts";
import { startDetached } from "../../src/cli/up.ts";
import { type DataFolder, dataFolder } from "../../src/data-folder.ts";
import { makeFolders } from "../../src/files.ts";
import { endProcess } from "../../src/process/known.ts";
import { newRecord } from "../../src/providers/simulated/node.ts";
import { openShelf } from "../../src/providers/simulated/shelf.ts";
import { claimFor, runningControlPlane } from "../../src/running.ts";
import { adminKey, createAccount } from "../../src/store/accounts.ts";
import { networksOfLiving } from "../../src/store/clusters.ts";
import { makeIds } from "../../src/store/ids.ts";
import { hostnameOf } from "../../src/agent/node-record.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { type Fill, type Filled, fillStore, owner } from "../../test/unit/full-store.ts";

export interface Made extends Filled {
  data: DataFolder;
  credentials: Credentials;
}

/** A data folder whose living clusters have their nodes, at rest. */
export async function make(fill: Fill): Promise<Made> {
  const data = dataFolder(mkdtempSync(join(homedir(), ".howdah-bench-scale-")));
  makeFolders(data.root);
  claimFor(data, "simulated");
  const store = await openStore(data.database);
  const ids = makeIds();
  await store.transaction((tx) => createAccount(tx, ids, "default", owner.accountId));
  const filled = await fillStore(store, fill, ids);
  await putNodes(store, data);
  const key = (await adminKey(store.db, owner.accountId))!;
  await store.close();
  return { ...filled, data, credentials: { accessKeyId: key.access_key_id, secretAccessKey: key.secret_access_key } };
}

async function putNodes(store: Store, data: DataFolder): Promise<void> {
  const shelf = openShelf(data.simulated);
  for (const { id, network } of await networksOfLiving(store.db)) shelf.put("network", id, network);
  for (const row of await store.db.selectFrom("instances").selectAll().where("status", "=", "launched").execute()) {
    const { id, cluster_id, address, agent_token } = row;
    const spec = { clusterId: cluster_id, instanceId: id, address, hostname: hostnameOf(address), region: owner.region };
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
