/**
 * Takes nodes out of YARN and HDFS, and tells how far that is: a line of JSON on stdout, the state of each by its instance id, whenever it changes and every few
 * seconds. Ends with 0 when no node is left to be told of. The master's agent runs it, and again after any end of it; whoever has nobody to tell ends.
 *
 * Usage: node decommission.ts http://MASTER:8088 http://MASTER:9870 YARN_EXCLUDE_FILE HDFS_EXCLUDE_FILE JSON    (JSON: Wanted)
 */
import { execFile } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { hostnameOf } from "../../agent/node-record.ts";

export interface Wanted {
  /** Addresses that neither YARN nor HDFS may use: those of nodes that leave, and of those that have left. */
  excluded: string[];
  /** Of the nodes' names, as EC2 has them. */
  domain: string;
  /** `seconds`: how long YARN waits for what runs there. */
  leaving: { id: string; address: string; seconds: number; hasBlocks: boolean }[];
}

const run = promisify(execFile);
const [pollMs, askMs, commandMs] = [500, 5_000, 60_000];
/** Looks after which it is told again, though nothing is new: so somebody whom nobody reads finds out. */
const mostSilent = 6;

const [yarnUrl, hdfsUrl, yarnFile, hdfsFile, json] = process.argv.slice(2);
if (!yarnUrl || !hdfsUrl || !yarnFile || !hdfsFile || !json)
  throw new Error("usage: decommission.ts YARN_URL HDFS_URL YARN_FILE HDFS_FILE JSON");
const { excluded, leaving, domain } = JSON.parse(json) as Wanted;

/** YARN knows nodes by the names that they call themselves, HDFS by their addresses. */
const namesOf = (address: string) => [address, hostnameOf(address), `${hostnameOf(address)}.${domain}`];

const write = (path: string, content: string) => {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
};

/** What the daemons were told last: a node that has only left since is no news to them. */
const toldFile = `${yarnFile}.told`;

function wasTold(): boolean {
  try {
    const told = JSON.parse(readFileSync(toldFile, "utf8")) as Wanted;
    const same = JSON.stringify(told.excluded) === JSON.stringify(excluded);
    return same && leaving.every(({ id, seconds }) => told.leaving.some((one) => one.id === id && one.seconds === seconds));
  } catch {
    return false;
  }
}

/** Both read their file when they start, and when they are told to. */
async function tell(): Promise<void> {
  const seconds = new Map(leaving.map((one) => [one.address, one.seconds]));
  const hosts = excluded.map((address) => {
    const timeout = seconds.get(address);
    return `  <host><name>${namesOf(address).join(",")}</name>${timeout === undefined ? "" : `<timeout>${timeout}</timeout>`}</host>\n`;
  });
  write(yarnFile!, `<?xml version="1.0"?>\n<hosts>\n${hosts.join("")}</hosts>\n`);
  write(hdfsFile!, excluded.map((address) => `${address}\n`).join(""));
  if (wasTold()) return;
  const options = { timeout: commandMs, killSignal: "SIGKILL" as const };
  await Promise.all([
    run("yarn", ["rmadmin", "-refreshNodes", "-g", "-server"], options),
    run("hdfs", ["dfsadmin", "-refreshNodes"], options),
  ]);
  write(toldFile, json!);
}

async function ask<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(askMs), headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as T;
}

const hostOf = (address = "") => address.replace(/:\d+$/, "");

/** YARN lists those, too, that are out of service, have ended or are lost. */
const statesInUse = ["NEW", "RUNNING", "UNHEALTHY", "DECOMMISSIONING"];

/**
 * Addresses of the nodes that leave and that YARN still has something on. It keeps a node that nothing runs on any
 * more until all applications that have run there have ended, for it may serve their shuffle; Spark's executors move theirs before they end, and need no node then.
 */
async function usedByYarn(): Promise<Set<string>> {
  type Node = { id: string; state: string; numContainers: number; nodeHTTPAddress: string };
  const { nodes } = await ask<{ nodes: { node?: Node[] } | null }>(`${yarnUrl}/ws/v1/cluster/nodes`);
  const used = new Set<string>();
  for (const { id, state, numContainers, nodeHTTPAddress: page } of nodes?.node ?? []) {
    const name = hostOf(id);
    const one = leaving.find(({ address }) => namesOf(address).includes(name));
    if (!one || !statesInUse.includes(state)) continue;
    const isEmpty = state === "DECOMMISSIONING" && numContainers === 0;
    // By its address: not every program can look up the name. A NodeManager that does not answer may be about to end.
    const isFree = isEmpty && (await servesSparkAlone(page.replace(/^.*:/, `${one.address}:`)).catch(() => false));
    if (!isFree) used.add(one.address);
  }
  return used;
}

/** `page`: HOST:PORT of a NodeManager. */
async function servesSparkAlone(page: string): Promise<boolean> {
  const { apps } = await ask<{ apps: { app?: { id: string }[] } | null }>(`http://${page}/ws/v1/node/apps`);
  for (const { id } of apps?.app ?? []) {
    const { app } = await ask<{ app: { applicationType: string; finishedTime: number } }>(`${yarnUrl}/ws/v1/cluster/apps/${id}`);
    if (app.applicationType !== "SPARK" && app.finishedTime === 0) return false;
  }
  return true;
}

/** Addresses of the nodes whose blocks are all elsewhere, too. */
async function emptyInHdfs(): Promise<Set<string>> {
  type Nodes = Record<string, { xferaddr?: string; adminState?: string; decommissioned?: boolean }>;
  const url = `${hdfsUrl}/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo`;
  const { beans } = await ask<{ beans: { LiveNodes: string; DeadNodes: string }[] }>(url);
  const [bean] = beans;
  if (!bean) throw new Error("the NameNode says nothing of its nodes");
  const nodes = [bean.LiveNodes, bean.DeadNodes].flatMap((text) => Object.values(JSON.parse(text) as Nodes));
  return new Set(nodes.filter((one) => one.adminState === "Decommissioned" || one.decommissioned).map(({ xferaddr }) => hostOf(xferaddr)));
}

await tell();
let [last, silent] = ["", 0];
while (leaving.length > 0) {
  try {
    const used = await usedByYarn();
    const empty = leaving.some(({ hasBlocks }) => hasBlocks) ? await emptyInHdfs() : new Set<string>();
    const isOut = ({ address, hasBlocks }: (typeof leaving)[number]) => !used.has(address) && (!hasBlocks || empty.has(address));
    const states = JSON.stringify(Object.fromEntries(leaving.map((one) => [one.id, isOut(one) ? "DECOMMISSIONED" : "DECOMMISSIONING"])));
    silent += 1;
    if (states !== last || silent >= mostSilent) {
      // Nobody reads it any more: the agent has ended, or has another one.
      process.stdout.write(`${states}\n`, (error) => error && process.exit(1));
      [last, silent] = [states, 0];
    }
  } catch (error) {
    // A daemon that is just being started again.
    console.error((error as Error).message);
  }
  await sleep(pollMs);
}
