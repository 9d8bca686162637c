import { accessSync, constants, statfsSync, mkdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheFolder, dataFolder } from "../data-folder.ts";
import { enginePorts } from "../engines/ports.ts";
import { bestDegree } from "../providers/local/degree.ts";
import { foreignListeners } from "../providers/local/listeners.ts";
import { releaseLabels } from "../releases/release.ts";
import { readInstallation } from "../setup.ts";
import { findJava, findPython } from "../setup/machine.ts";

/** bad: Howdah cannot run. note: it can, with less. */
type Finding = { level: "ok" | "note" | "bad"; text: string };

const diskMb = 3_000;
const memoryMb = 4_000;

/** `howdah doctor`: exits 1 where something is missing that Howdah cannot do without. */
export async function doctor(options: { data?: string }): Promise<void> {
  const findings = [
    found(`Node ${process.versions.node}`),
    await attempt("JDK 17", async () => findJava()),
    await attempt("Python", findPython),
    program("mvn", "Maven brings the engines. Debian and Ubuntu: apt install maven"),
    compiler(),
    await isolation(),
    ...engines(),
    ...ports(),
    disk(dataFolder(options.data).root),
    disk(cacheFolder()),
    memory(),
  ];
  const marks = { ok: "ok  ", note: "note", bad: "BAD " };
  for (const { level, text } of findings) console.log(`${marks[level]}  ${text}`);
  if (findings.some(({ level }) => level === "bad")) process.exitCode = 1;
}

const found = (text: string): Finding => ({ level: "ok", text });

async function attempt(what: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return found(`${what}: ${await look()}`);
  } catch (error) {
    return { level: "bad", text: `${what}: ${error instanceof Error ? error.message : String(error)}` };
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

function program(name: string, advice: string): Finding {
  const path = onPath(name);
  return path ? found(`${name}: ${path}`) : { level: "bad", text: `${name} is not on PATH. ${advice}` };
}

function compiler(): Finding {
  const path = onPath("cc");
  return path
    ? found(`cc: ${path}`)
    : { level: "note", text: "no cc on PATH: the node's small native parts are built with pip's ziglang instead" };
}

async function isolation(): Promise<Finding> {
  const best = await bestDegree();
  if (best.degree === "view") return found("nodes can have namespaces of their own (isolation view)");
  return {
    level: "note",
    text: `nodes are folders only (isolation plain): ${best.reason}. Scripts that name EMR's absolute paths will not find them`,
  };
}

function engines(): Finding[] {
  return releaseLabels().map((label) => {
    const installation = readInstallation(label);
    if (!("missing" in installation)) return found(`${label} is installed`);
    return {
      level: "note",
      text: `${label} is not installed yet (${installation.missing.join(", ")}): howdah up does it, or howdah engines install`,
    };
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

function disk(folder: string): Finding {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = statfsSync(folder);
  const freeMb = Math.floor((bavail * bsize) / 1e6);
  const text = `${freeMb.toLocaleString("en")} MB free in ${folder}`;
  return freeMb >= diskMb ? found(text) : { level: "bad", text: `${text}: at least ${diskMb.toLocaleString("en")} are needed` };
}

function memory(): Finding {
  const kb = Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0);
  const freeMb = Math.floor(kb / 1024);
  const text = `${freeMb.toLocaleString("en")} MiB of memory free`;
  return freeMb >= memoryMb
    ? found(text)
    : { level: "note", text: `${text}: a cluster of four nodes wants ${memoryMb.toLocaleString("en")}` };
}
