import { findRelease, releaseLabels } from "../releases/release.ts";
import { readInstallation } from "../setup.ts";
import { setUpWithProgress } from "./progress.ts";
import { paint, printJson } from "./terminal.ts";

/** `howdah engines [list|install]`. */
export async function engines(action: "list" | "install", { json }: { json?: boolean }): Promise<void> {
  if (json && action === "install") throw new Error("--json is for the list: howdah engines --json");
  if (action === "install") for (const label of releaseLabels()) await setUpWithProgress(label);
  const releases = releaseLabels().map((label) => {
    const installation = readInstallation(label);
    return { label, applications: findRelease(label)?.applications ?? {}, missing: "missing" in installation ? installation.missing : [] };
  });
  if (json) return printJson(releases.map((release) => ({ ...release, installed: release.missing.length === 0 })));
  for (const { label, applications, missing } of releases) {
    const versions = Object.entries(applications).map(([name, version]) => `${name} ${version}`);
    const state =
      missing.length > 0
        ? paint("yellow", `not installed (missing: ${missing.join(", ")}). Run: howdah engines install`)
        : paint("green", "installed");
    console.log(`${label}  ${versions.join(", ")}  ${state}`);
  }
}
