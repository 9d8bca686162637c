/** Brings engines to this machine while a cluster that was asked for waits for them: `howdah engines install`, as a process of its own. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type DataFolder, ownerVariable } from "./data-folder.ts";
import { isAlive, type KnownProcess, spawnDetached } from "./process/known.ts";
import { readInstallation } from "./setup.ts";

/** `coming`: what is missing is being brought; a sentence. `failed`: it could not be; why, and what to do. */
export type EnginesState = "there" | { coming: string } | { failed: string };

/**
 * Of a release with these applications, and of the catalog of an account, for a cluster that uses it. What is missing begins to come when it is first
 * asked for. After a failure the next who asks tries again.
 */
export type EngineInstaller = (releaseLabel: string, applications: readonly string[], catalogOf?: string) => EnginesState;

export function createEngineInstaller(data: DataFolder): EngineInstaller {
  const running = new Map<string, KnownProcess>();
  const log = join(data.logs, "engines.log");
  return (releaseLabel, applications) => {
    const key = [releaseLabel, ...applications].join(" ");
    const installation = readInstallation(releaseLabel, applications);
    const process = running.get(key);
    if (!("missing" in installation)) {
      running.delete(key);
      return "there";
    }
    if (process && !isAlive(process)) {
      running.delete(key);
      return {
        failed: `${installation.missing[0]} could not be installed. Run: howdah engines install ${applications.join(" ")}. ${lastLines(log)}`,
      };
    }
    if (!process) running.set(key, start(data, log, releaseLabel, applications));
    return { coming: `${applications.join(", ")} of ${releaseLabel} are brought to this machine, once: ${log} tells how far it is` };
  };
}

function start(data: DataFolder, log: string, releaseLabel: string, applications: readonly string[]): KnownProcess {
  const program = [process.execPath, "--disable-warning=ExperimentalWarning", join(import.meta.dirname, "cli", "main.ts")];
  return spawnDetached([...program, "engines", "install", ...applications, "--release", releaseLabel], {
    cwd: "/",
    env: { ...(process.env as Record<string, string>), [ownerVariable]: data.root },
    log,
  });
}

const lastLines = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n").slice(-5).join("\n") : "");
