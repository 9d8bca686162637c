/** `howdah history CLUSTER`: the pages of Spark's and MapReduce's history, of a cluster that runs or of one that has ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nodeLayout } from "../agent/layout.ts";
import { hostnameOf } from "../agent/node-record.ts";
import { lastLines } from "../agent/text.ts";
import { type DataFolder, dataFolder, ownerVariable } from "../data-folder.ts";
import { mergeConfigurations } from "../engines/configurations.ts";
import type { ClusterFacts } from "../engines/engine.ts";
import { hdfsPath, savedHistory } from "../engines/history/saves.ts";
import { type HistoryServer, historyHost, jobHistoryServer, type S3Access, sparkHistoryServer } from "../engines/history/servers.ts";
import type { Installation } from "../engines/installation.ts";
import { ports } from "../engines/hadoop/ports.ts";
import { historyPort } from "../engines/spark/defaults.ts";
import { eventLogFolders } from "../engines/spark/defaults.ts";
import { userInterfaces } from "../engines/user-interfaces.ts";
import { identify } from "../process/known.ts";
import { requireRealNodes } from "../running.ts";
import { readInstallation } from "../setup.ts";
import type { ClusterRow } from "../store/clusters.ts";
import { configurationsOf, groupsOf, instancesOf } from "../store/instances.ts";
import { clientEnvironment } from "./env.ts";
import { chooseCluster, withStore } from "./find.ts";
import { columns, link, whileWaiting } from "./terminal.ts";

/** Spark lists every application before it answers. */
const readyMs = 180_000;

interface Options {
  data?: string;
  json?: boolean;
}

/** `name`: a cluster's id, the beginning of one, or `last`. */
export async function history(name: string, options: Options): Promise<void> {
  const data = dataFolder(options.data);
  requireRealNodes(data, "history");
  const { cluster, facts, master, masterConfigurations } = await read(data, name);
  const clusterId = cluster.id;
  if (cluster.phase !== "ended") {
    if (cluster.phase !== "ready")
      throw new Error(`${clusterId} is not ready: its history servers are there once it is. See: howdah status ${clusterId}`);
    const servers = userInterfaces(facts.master.address, facts.applications).filter(({ name }) => name.endsWith(" history"));
    return tell(clusterId, servers, options);
  }

  const installation = readInstallation(cluster.spec.releaseLabel);
  if ("missing" in installation) throw new Error(`${installation.missing.join(", ")}: not installed. Run: howdah engines install`);
  const saved = savedHistory(nodeLayout(data.node(master)));
  const configurations = mergeConfigurations(cluster.spec.configurations, masterConfigurations);
  const { read: logs } = eventLogFolders({ cluster: facts, configurations });
  const folder = freshFolder(data);
  const planned: HistoryServer[] = [];
  if (facts.applications.includes("Spark")) {
    const where = { installation, folder: join(folder, "spark"), port: await freePort(historyPort) };
    if (/^s3[an]?:/.test(logs)) planned.push(sparkHistoryServer({ ...where, logs, s3: await s3Access(data, cluster.account_id, logs) }));
    else if (hdfsPath({ cluster: facts }, logs) !== undefined && existsSync(saved.spark))
      planned.push(sparkHistoryServer({ ...where, logs: `file://${saved.spark}`, s3: undefined }));
  }
  if (existsSync(saved.mapReduce)) planned.push(await jobServer(installation, join(folder, "mapreduce"), saved.mapReduce));
  if (planned.length === 0) {
    rmSync(folder, { recursive: true });
    throw new Error(
      `nothing of ${clusterId}'s history was saved: it ended before a step did, or without its master (see: howdah status ${clusterId})`,
    );
  }
  await serve(data, clusterId, folder, planned, options);
}

async function read(data: DataFolder, name: string) {
  return withStore(data, async ({ db }) => {
    const cluster = await chooseCluster(db, name);
    const [master] = await instancesOf(db, cluster.id);
    if (!master) throw new Error(`${cluster.id} has had no instance: there is no history of it`);
    const group = (await groupsOf(db, cluster.id)).find(({ id }) => id === master.group_id);
    return {
      cluster,
      master: master.id,
      facts: factsOf(cluster, master.address),
      masterConfigurations: group ? configurationsOf(group, master) : [],
    };
  });
}

/** As much as says where the cluster's event logs were. */
const factsOf = (cluster: ClusterRow, address: string): ClusterFacts => ({
  id: cluster.id,
  region: cluster.region,
  endpoint: "",
  applications: cluster.spec.applications.map(({ Name }) => Name),
  master: { address, hostname: hostnameOf(address) },
  nodes: [],
  leaving: [],
  gone: [],
  excluded: [],
  emptied: [],
  awaited: [],
});

/** As the admin of the cluster's own account: another's may not read its buckets. Throws where no control plane runs. */
export async function s3Access(data: DataFolder, account: string, logs: string): Promise<S3Access> {
  const env = await clientEnvironment(data, { account }).catch((error: Error) => {
    throw new Error(`the event logs are in ${logs}, so Howdah must be up: ${error.message}`);
  });
  return { endpoint: env.AWS_ENDPOINT_URL ?? "", region: env.AWS_REGION ?? "", env };
}

async function jobServer(installation: Installation, folder: string, done: string): Promise<HistoryServer> {
  const [port, rpc, admin] = [await freePort(ports.jobHistoryWeb), await freePort(0), await freePort(0)];
  return jobHistoryServer({ installation, folder, port, done, otherPorts: [rpc, admin] });
}

/** `wanted`, where it is free on 127.0.0.1, else one that is. */
async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  const listening = new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(wanted, historyHost, () => resolve(true));
  });
  if (!(await listening)) return freePort(0);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** DATA/run/history-PID. Those of commands that were killed go with the next one. */
function freshFolder(data: DataFolder): string {
  for (const name of readdirSync(data.run)) {
    const pid = Number(/^history-(\d+)$/.exec(name)?.[1]);
    if (pid && !identify(pid)) rmSync(join(data.run, name), { recursive: true, force: true });
  }
  const folder = join(data.run, `history-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Until Ctrl-C, or until a server ends. */
async function serve(data: DataFolder, clusterId: string, folder: string, servers: HistoryServer[], options: Options): Promise<void> {
  const told = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => told.abort());
  const children = new Map<HistoryServer, ChildProcess>();
  const log = (server: HistoryServer) => join(data.logs, `history-${clusterId}-${server.name.split(" ")[0]!.toLowerCase()}.log`);
  try {
    for (const server of servers) {
      mkdirSync(server.folder);
      for (const [file, content] of Object.entries(server.files)) writeFileSync(join(server.folder, file), content);
      children.set(server, start(data, server, log(server)));
    }
    const ended = [...children].map(async ([server, child]) => {
      await once(child, "exit");
      return server;
    });
    const isReady = whileWaiting("Starting the history servers", () => Promise.all(servers.map((server) => answers(server, told.signal))));
    const stopped = new Promise<undefined>((resolve) => told.signal.addEventListener("abort", () => resolve(undefined)));
    const early = await Promise.race([isReady.then(() => undefined), stopped, ...ended]);
    if (!told.signal.aborted && !early) {
      tell(clusterId, servers, options);
      if (!options.json) console.log("Ctrl-C ends them.");
    }
    const dead = early ?? (told.signal.aborted ? undefined : await Promise.race([stopped, ...ended]));
    if (dead && !told.signal.aborted)
      throw new Error(`the server of ${dead.name} ended. Its log, ${log(dead)}, ends:\n${lastLines(log(dead), 8).join("\n")}`);
  } finally {
    told.abort();
    await Promise.all([...children.values()].map(end));
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(data: DataFolder, server: HistoryServer, log: string): ChildProcess {
  const out = openSync(log, "w", 0o600);
  // The mark, so that `howdah down` finds it.
  const env = { PATH: process.env.PATH, LANG: "C.UTF-8", USER: "hadoop", ...server.env, [ownerVariable]: data.root };
  const child = spawn("/bin/bash", [join(import.meta.dirname, "with-parent.sh"), ...server.argv], {
    cwd: data.run,
    env,
    stdio: ["pipe", out, out],
  });
  closeSync(out);
  return child;
}

/** The end of its standard input ends it. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.stdin?.destroy();
  await gone;
}

async function answers(server: HistoryServer, signal: AbortSignal): Promise<void> {
  for (const giveUpAt = Date.now() + readyMs; !signal.aborted; await sleep(200)) {
    const answer = await fetch(server.api, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    if (Date.now() > giveUpAt) throw new Error(`the server of ${server.name} does not answer at ${server.url}`);
  }
}

function tell(clusterId: string, servers: { name: string; url: string }[], options: Options): void {
  // In one line, for the program that reads it has to know when it is whole while the servers go on.
  if (options.json) console.log(JSON.stringify({ cluster: clusterId, servers: servers.map(({ name, url }) => ({ name, url })) }));
  else for (const line of columns(servers.map(({ name, url }) => [name, link(url)]))) console.log(line);
}
