/**
 * Takes nodes out of YARN and HDFS, and tells how far that is: a line of JSON on stdout, the state of each by its instance id, whenever it changes and every few
 * seconds. Ends with 0 when no node is left to be told of. The master's agent runs it, and again after any end of it; whoever has nobody to tell ends.
 *
 * A node that was lost is taken from YARN at once: what ran there is run again elsewhere, and not when its silence has been long enough. HDFS finds that it is dead
 * by itself: told to empty it, it would try to copy from it.
 *
 * Usage: node decommission.ts http://MASTER:8088 http://MASTER:9870 YARN_EXCLUDE_FILE HDFS_EXCLUDE_FILE JSON    (JSON: Wanted)
 */
import { execFile } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { hostnameOf } from "../../agent/node-record.ts";

export interface Wanted {
  /** Addresses that YARN may not use: those of nodes that leave, have left or were lost. */
  excluded: string[];
  /** Those that HDFS may not use: of nodes that leave, and of those that have left so. */
  emptied: string[];
  /** Of the nodes' names, as EC2 has them. */
  domain: string;
  /** `seconds`: how long YARN waits for what runs there. */
  leaving: { id: string; address: string; seconds: number; hasBlocks: boolean }[];
  /** Core nodes that were lost. */
  gone: { id: string; address: string }[];
}

const run = promisify(execFile);
const [pollMs, askMs, commandMs] = [500, 5_000, 60_000];
/** Looks after which it is told again, though nothing is new: so somebody whom nobody reads finds out. */
const mostSilent = 6;
/** Looks from the death of a DataNode, by its silence, until the NameNode has surely counted what it had. */
const countedAfter = 20;

const [yarnUrl, hdfsUrl, yarnFile, hdfsFile, json] = process.argv.slice(2);
if (!yarnUrl || !hdfsUrl || !yarnFile || !hdfsFile || !json)
  throw new Error("usage: decommission.ts YARN_URL HDFS_URL YARN_FILE HDFS_FILE JSON");
const { excluded, emptied, leaving, gone, domain } = JSON.parse(json) as Wanted;

/** YARN knows nodes by the names that they call themselves, HDFS by their addresses. */
const namesOf = (address: string) => [address, hostnameOf(address), `${hostnameOf(address)}.${domain}`];

const write = (path: string, content: string) => {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
};

/** What the daemons were told last: a node that has only left since is no news to them. */
const toldFile = `${yarnFile}.told`;

function told(): Wanted | undefined {
  try {
    return JSON.parse(readFileSync(toldFile, "utf8")) as Wanted;
  } catch {
    return undefined;
  }
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Both read their file when they start, and when they are told to. */
async function tell(): Promise<void> {
  const seconds = new Map(leaving.map((one) => [one.address, one.seconds]));
  const hosts = excluded.map((address) => {
    return `  <host><name>${namesOf(address).join(",")}</name><timeout>${seconds.get(address) ?? 0}</timeout></host>\n`;
  });
  write(yarnFile!, `<?xml version="1.0"?>\n<hosts>\n${hosts.join("")}</hosts>\n`);
  write(hdfsFile!, emptied.map((address) => `${address}\n`).join(""));
  const before = told();
  const isLeaving = ({ id, seconds: its }: Wanted["leaving"][number]) =>
    before?.leaving.some((one) => one.id === id && one.seconds === its);
  const options = { timeout: commandMs, killSignal: "SIGKILL" as const };
  // Nobody is waited for where none leaves. Where some do, YARN finds those that were lost by their silence.
  const patience = leaving.length > 0 ? ["-g", "-server"] : [];
  await Promise.all([
    same(before?.excluded ?? [], excluded) && leaving.every(isLeaving)
      ? undefined
      : run("yarn", ["rmadmin", "-refreshNodes", ...patience], options),
    same(before?.emptied ?? [], emptied) ? undefined : run("hdfs", ["dfsadmin", "-refreshNodes"], options),
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

async function askNameNode<T>(name: string): Promise<T> {
  const { beans } = await ask<{ beans: T[] }>(`${hdfsUrl}/jmx?qry=Hadoop:service=NameNode,name=${name}`);
  if (!beans[0]) throw new Error(`the NameNode says nothing of ${name}`);
  return beans[0];
}

/** Addresses of the nodes whose blocks are all elsewhere, too, and of those that live. */
async function nodesOfHdfs(): Promise<{ empty: Set<string>; live: Set<string> }> {
  type Node = { xferaddr?: string; adminState?: string; decommissioned?: boolean };
  const { LiveNodes, DeadNodes } = await askNameNode<{ LiveNodes: string; DeadNodes: string }>("NameNodeInfo");
  const [live, dead] = [LiveNodes, DeadNodes].map((text) => Object.values(JSON.parse(text) as Record<string, Node>));
  const addresses = (nodes: Node[]) => new Set(nodes.map(({ xferaddr }) => hostOf(xferaddr)));
  const isEmpty = (one: Node) => one.adminState === "Decommissioned" || one.decommissioned === true;
  return { empty: addresses([...live!, ...dead!].filter(isEmpty)), live: addresses(live!) };
}

/** Report's `blocks`, and how many copies are under way. Blocks without a copy are among those with too few there. */
async function copies() {
  type Bean = { UnderReplicatedBlocks: number; PendingReplicationBlocks: number; MissingBlocks: number };
  const bean = await askNameNode<Bean>("FSNamesystem");
  const { UnderReplicatedBlocks: few, PendingReplicationBlocks: underWay, MissingBlocks: missing } = bean;
  return { blocks: { short: Math.max(0, few - missing), missing }, underWay };
}

await tell();
let [last, silent] = ["", 0];
const dead = new Map<string, number>();
while (leaving.length + gone.length > 0) {
  try {
    const used = leaving.length > 0 ? await usedByYarn() : new Set<string>();
    const { empty, live } = await nodesOfHdfs();
    for (const { id, address } of gone) dead.set(id, live.has(address) ? 0 : (dead.get(id) ?? 0) + 1);
    const { blocks, underWay } = gone.length > 0 ? await copies() : { blocks: undefined, underWay: 0 };
    const isOut = ({ address, hasBlocks }: (typeof leaving)[number]) => !used.has(address) && (!hasBlocks || empty.has(address));
    const isCopied = ({ id }: (typeof gone)[number]) => (dead.get(id) ?? 0) >= countedAfter && blocks?.short === 0 && underWay === 0;
    const out = [...leaving.filter(isOut), ...gone.filter(isCopied)];
    const ids = [...leaving, ...gone].map(({ id }) => [id, out.some((one) => one.id === id) ? "DECOMMISSIONED" : "DECOMMISSIONING"]);
    const states = JSON.stringify(ids);
    silent += 1;
    if (states !== last || silent >= mostSilent) {
      const line = JSON.stringify({ decommission: Object.fromEntries(ids), blocks });
      // Nobody reads it any more: the agent has ended, or has another one.
      process.stdout.write(`${line}\n`, (error) => error && process.exit(1));
      [last, silent] = [states, 0];
    }
  } catch (error) {
    // A daemon that is just being started again.
    console.error((error as Error).message);
  }
  await sleep(pollMs);
}
