/** What `howdah doctor` looks at, and what of it can be put right. */
import { accessSync, chmodSync, constants, existsSync, readFileSync, statSync, statfsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { readConfig } from "../config.ts";
import { type DataFolder, cacheFolder, dataFolder, ownerVariable } from "../data-folder.ts";
import { enginePorts } from "../engines/index.ts";
import { readJson } from "../files.ts";
import { lookAtCatalogs } from "../glue/look.ts";
import { identityOf } from "../glue/server.ts";
import { stopServer } from "../process/kept-server.ts";
import { type KnownProcess, groupByEnvironment, isAlive } from "../process/known.ts";
import { bestDegree } from "../providers/local/degree.ts";
import { foreignListeners } from "../providers/local/listeners.ts";
import { tryLoopVolumes } from "../providers/local/volumes.ts";
import { releaseLabels } from "../releases/release.ts";
import { holderPath, providerOf } from "../running.ts";
import { enginesHere, readInstallation } from "../setup.ts";
import { cacheLeftovers, withCacheLock } from "../setup/cache.ts";
import { findJava, findPython } from "../setup/machine.ts";
import { problemOf } from "../store/whole.ts";
import { takeDown } from "../take-down.ts";
import { setUpWithProgress, withoutParts } from "./progress.ts";
import { catalogText } from "./status-text.ts";
import { plural } from "./terminal.ts";

export interface Finding {
  /** bad: Howdah cannot run. note: it can, with less, or something is in disorder. */
  level: "ok" | "note" | "bad";
  text: string;
  /** What a package manager would bring. */
  missing?: Missing;
  fix?: Fix;
}

export type Missing = "jdk" | "python" | "maven" | "util-linux";

export interface Fix {
  /** As a wish: "install emr-7.13.0". */
  what: string;
  /** true: it ends something, and is only done once somebody has agreed. */
  asks: boolean;
  run(): Promise<unknown>;
}

const diskMb = 3_000;
const memoryMb = 4_000;

export async function lookAtMachine(data: DataFolder): Promise<Finding[]> {
  const cache = cacheFolder();
  return [
    found(`Node ${process.versions.node}`),
    await attempt("JDK 17", "jdk", async () => findJava()),
    await attempt("Python", "python", findPython),
    program("mvn", "maven", "bad", "Maven brings the engines"),
    onPath("cc") ? found(`cc: ${onPath("cc")}`) : note("no cc on PATH: the node's small native parts are built with pip's ziglang instead"),
    program("nsenter", "util-linux", "note", "howdah ssh needs it"),
    await isolation(),
    ...(await settings(data)),
    ...engines(),
    ...ports(),
    disk(data.root),
    disk(cache),
    memory(),
    ...privacy(data),
    ...stores(data),
    ...(await catalogs(data)),
    ...leftovers(cache),
    ...orphans(),
  ];
}

const found = (text: string): Finding => ({ level: "ok", text });
const note = (text: string, fix?: Fix): Finding => ({ level: "note", text, ...(fix ? { fix } : {}) });

async function attempt(what: string, missing: Missing, look: () => Promise<string>): Promise<Finding> {
  try {
    return found(`${what}: ${await look()}`);
  } catch (error) {
    return { level: "bad", text: `${what}: ${error instanceof Error ? error.message : String(error)}`, missing };
  }
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function program(name: string, missing: Missing, level: "bad" | "note", why: string): Finding {
  const path = onPath(name);
  return path ? found(`${name}: ${path}`) : { level, text: `${name} is not on PATH. ${why}`, missing };
}

async function isolation(): Promise<Finding> {
  const best = await bestDegree();
  if (best.degree === "view") return found("nodes can have namespaces of their own (isolation view)");
  return note(`nodes are folders only (isolation plain): ${best.reason}. Scripts that name EMR's absolute paths will not find them`);
}

/** That howdah.json can be read, and that this host has what it asks for. */
async function settings(data: DataFolder): Promise<Finding[]> {
  try {
    if (readConfig(data.config, providerOf(data)).volumes !== "loop") return [];
    await tryLoopVolumes(data);
    return [found("volumes can be filesystems of their own (loop devices)")];
  } catch (error) {
    return [{ level: "bad", text: (error as Error).message }];
  }
}

function engines(): Finding[] {
  return releaseLabels().map((label) => {
    const here = enginesHere(label);
    const [base, whole] = [readInstallation(label), readInstallation(label, here)];
    if (!("missing" in whole)) return found(`${label} is installed${here.length > 0 ? `, with ${here.join(", ")}` : ""}`);
    const isNew = "missing" in base;
    const [state, help] = isNew ? ["is not installed yet", "does it"] : ["is not whole", "repairs it"];
    return note(`${label} ${state} (${whole.missing.join(", ")}): howdah up ${help}, or howdah engines install`, {
      what: isNew ? `install ${label}` : `repair ${withoutParts(whole.missing).join(", ")} of ${label}`,
      asks: false,
      run: () => setUpWithProgress(label),
    });
  });
}

function ports(): Finding[] {
  const taken = foreignListeners(enginePorts);
  if (taken.length === 0) return [found("no other program is in the way of the engines' ports")];
  return taken.map(({ port, pid, program: name }) => ({
    level: "bad",
    text: `port ${port} is taken on all addresses by ${name ?? "another user's program"}${pid ? ` (process ${pid})` : ""}: let it listen on 127.0.0.1 only, or end it`,
  }));
}

/** On the disk where `folder` is or will be. */
function disk(folder: string): Finding {
  let there = folder;
  while (!existsSync(there)) there = dirname(there);
  const { bavail, bsize } = statfsSync(there);
  const freeMb = Math.floor((bavail * bsize) / 1e6);
  const text = `${freeMb.toLocaleString("en")} MB free for ${folder}`;
  return freeMb >= diskMb ? found(text) : { level: "bad", text: `${text}: at least ${diskMb.toLocaleString("en")} are needed` };
}

function memory(): Finding {
  const kb = Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0);
  const freeMb = Math.floor(kb / 1024);
  const text = `${freeMb.toLocaleString("en")} MiB of memory free`;
  return freeMb >= memoryMb ? found(text) : note(`${text}: a cluster of four nodes wants ${memoryMb.toLocaleString("en")}`);
}

/** The data folder holds keys, and what clusters have in S3. */
function privacy({ root, database }: DataFolder): Finding[] {
  const open = [root, database].filter((path) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0);
  return open.map((path) =>
    note(`other users of this machine may look into ${path}`, {
      what: `make ${path} private`,
      asks: false,
      run: async () => chmodSync(path, statSync(path).mode & 0o700),
    }),
  );
}

/** Also while a control plane runs. */
export function stores({ database, audit, dataEvents }: DataFolder): Finding[] {
  return [database, audit, dataEvents].flatMap((path): Finding[] => {
    const problem = problemOf(path);
    if (problem === undefined) return existsSync(path) ? [found(`${path} is whole`)] : [];
    return [{ level: "bad", text: `${path} is damaged: ${problem}. Put a backup in its place (docs/backup.md)` }];
  });
}

/** A metastore that runs and does not answer is in the way of its clusters, and nobody else ends it. */
async function catalogs(data: DataFolder): Promise<Finding[]> {
  if (!existsSync(data.glue)) return [];
  return (await lookAtCatalogs(data)).map((one) => {
    if (one.pid === null || one.answers) return found(catalogText(one));
    const { record, mark } = identityOf(data, one.accountId);
    const fix = { what: `end it: the control plane starts another`, asks: true, run: () => stopServer({ record, mark }) };
    return note(`${catalogText(one)}: see ${data.logs}/glue-${one.accountId}.out`, fix);
  });
}

function leftovers(cache: string): Finding[] {
  const left = cacheLeftovers(cache);
  if (left.length === 0) return [];
  const text = `${plural(left.length, "folder")} of set-ups that were cut off in ${join(cache, "tmp")}`;
  // Whoever gets the lock removes them.
  return [
    note(text, {
      what: "remove what they left",
      asks: false,
      run: () =>
        withCacheLock(
          cache,
          () => {},
          async () => {},
        ),
    }),
  ];
}

/** What runs for data folders that have no control plane now. A cluster outlives its control plane, so it may be meant to. */
export function orphans(): Finding[] {
  return [...groupByEnvironment(ownerVariable)]
    .filter(([root]) => !isAlive(readJson<KnownProcess>(holderPath(dataFolder(root)))))
    .map(([root, processes]) => {
      const what = `${plural(processes.length, "process")} of ${root}`;
      const why = existsSync(root) ? `whose control plane does not run: howdah up --data ${root} takes them up again` : "which is gone";
      return note(`${what}, ${why}`, { what: `end ${what}, as howdah down does`, asks: true, run: () => takeDown(dataFolder(root)) });
    });
}
