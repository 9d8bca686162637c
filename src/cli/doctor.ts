/** `howdah doctor [--fix]`. Exit code 0: Howdah can run here; 1: something is missing that it cannot do without. */
import { existsSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { isatty } from "node:tty";
import { dataFolder } from "../data-folder.ts";
import { type Finding, type Fix, type Missing, lookAtMachine } from "./findings.ts";
import { paint, printJson, whileWaiting } from "./terminal.ts";

export async function doctor(options: { data?: string; fix?: boolean; json?: boolean }): Promise<void> {
  if (options.fix && options.json) throw new Error("--fix and --json do not go together: --json only tells");
  const data = dataFolder(options.data);
  const look = () => whileWaiting("Looking at this machine", () => lookAtMachine(data));
  let findings = await look();
  if (options.json)
    printJson({ ok: isWell(findings), findings: findings.map(({ level, text, fix }) => ({ level, text, fix: fix?.what ?? null })) });
  else print(findings);
  if (options.fix && (await fixAll(findings))) print((findings = await look()));
  const command = installCommand(findings.flatMap(({ missing }) => missing ?? []));
  if (command && !options.json) console.log(`\nWhat is missing comes with:\n  ${command}`);
  if (!options.fix && !options.json && findings.some(({ fix }) => fix)) console.log("\nhowdah doctor --fix puts right what it can.");
  if (!isWell(findings)) process.exitCode = 1;
}

const isWell = (findings: Finding[]): boolean => findings.every(({ level }) => level !== "bad");

function print(findings: Finding[]): void {
  const marks = { ok: paint("green", "ok  "), note: paint("yellow", "note"), bad: paint("red", "BAD ") };
  for (const { level, text } of findings) console.log(`${marks[level]}  ${text}`);
}

/** true where anything was done. What fails is said, and the next one still tried. */
async function fixAll(findings: Finding[]): Promise<boolean> {
  let done = false;
  console.log();
  for (const { fix } of findings) {
    if (!fix || !(await isAgreed(fix))) continue;
    try {
      await fix.run();
      done = true;
      console.log(`Done: ${fix.what}`);
    } catch (error) {
      console.error(`Could not ${fix.what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (!done) console.log("Nothing was done.");
  else console.log();
  return done;
}

async function isAgreed({ asks, what }: Fix): Promise<boolean> {
  if (!asks) return true;
  if (!isatty(0) || !isatty(1)) {
    console.log(`Not done without a terminal to ask on: ${what}`);
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${what}? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

const packages: { manager: string; command: string; names: Record<Missing, string> }[] = [
  {
    manager: "/usr/bin/apt-get",
    command: "sudo apt-get install",
    names: { jdk: "openjdk-17-jdk-headless", python: "python3 python3-venv", maven: "maven", "util-linux": "util-linux" },
  },
  {
    manager: "/usr/bin/dnf",
    command: "sudo dnf install",
    names: { jdk: "java-17-openjdk-devel", python: "python3.12", maven: "maven", "util-linux": "util-linux" },
  },
];

/** For the person to run: what is installed on their machine is theirs to decide. undefined where no package manager is known. */
export function installCommand(missing: Missing[], exists: (path: string) => boolean = existsSync): string | undefined {
  const known = packages.find(({ manager }) => exists(manager));
  return known && missing.length > 0 ? `${known.command} ${missing.map((one) => known.names[one]).join(" ")}` : undefined;
}
