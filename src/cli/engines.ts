import { findRelease, releaseLabels } from "../releases/release.ts";
import { readInstallation } from "../setup.ts";
import { setUpWithProgress } from "./progress.ts";

/** `howdah engines [list|install]`. */
export async function engines(action: string): Promise<void> {
  if (action !== "list" && action !== "install") throw new Error(`engines ${action}: it is list or install`);
  for (const label of releaseLabels()) {
    if (action === "install") await setUpWithProgress(label);
    const installation = readInstallation(label);
    const applications = Object.entries(findRelease(label)?.applications ?? {}).map(([name, version]) => `${name} ${version}`);
    const state =
      "missing" in installation ? `not installed (missing: ${installation.missing.join(", ")}). Run: howdah engines install` : "installed";
    console.log(`${label}  ${applications.join(", ")}  ${state}`);
  }
}
