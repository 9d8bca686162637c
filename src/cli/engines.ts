import { engineFor } from "../engines/index.ts";
import { applicationsOf, findRelease, releaseLabels } from "../releases/release.ts";
import { readInstallation } from "../setup.ts";
import { setUpWithProgress } from "./progress.ts";
import { paint, printJson } from "./terminal.ts";

export interface EnginesOptions {
  json?: boolean;
  /** Of one release only. */
  release?: string;
}

/** `howdah engines [list|install] [NAME…]`: Hadoop and Spark, and the others by name; a cluster that needs more brings it by itself. */
export async function engines(action: "list" | "install", names: string[], options: EnginesOptions): Promise<void> {
  if (options.json && action === "install") throw new Error("--json is for the list: howdah engines --json");
  if (options.release !== undefined && !findRelease(options.release))
    throw new Error(`Release ${options.release} is not locked. Locked: ${releaseLabels().join(", ")}.`);
  const labels = options.release === undefined ? releaseLabels() : [options.release];
  if (action === "install") for (const label of labels) await setUpWithProgress(label, known(label, names));
  const releases = labels.map((label) => {
    const applications = applicationsOf(findRelease(label)!);
    const missingOf = (names: string[]) => {
      const installation = readInstallation(label, names);
      return "missing" in installation ? installation.missing : [];
    };
    const engines = Object.keys(applications).map((name) => ({ name, version: applications[name]!, missing: missingOf([name]) }));
    return { label, applications, missing: missingOf([]), engines };
  });
  if (options.json) return printJson(releases.map((release) => ({ ...release, installed: release.missing.length === 0 })));
  for (const { label, missing, engines } of releases) {
    if (missing.length > 0) {
      console.log(`${label}  ${paint("yellow", `not installed (missing: ${missing.join(", ")}). Run: howdah engines install`)}`);
      continue;
    }
    console.log(label);
    for (const { name, version, missing } of engines) {
      const state =
        missing.length > 0
          ? `comes with the first cluster that has it, or by: howdah engines install ${name}`
          : paint("green", "installed");
      console.log(`  ${name.padEnd(12)} ${version.padEnd(8)} ${state}`);
    }
  }
}

function known(label: string, names: string[]): string[] {
  const applications = applicationsOf(findRelease(label)!);
  return names.map((name) => {
    const engine = engineFor(name);
    if (!engine || !applications[engine.name])
      throw new Error(`${name} is not in Howdah's ${label}. It has: ${Object.keys(applications).join(", ")}.`);
    return engine.name;
  });
}
