/** Cold set-up: from an empty cache and an empty Maven repository. It has no floor here: the registries' speed is most of it. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Bench } from "./context.ts";
import { capture } from "./howdah.ts";
import { timed } from "./rounds.ts";

export const setup: Bench = {
  name: "setup",
  about: "set-up from nothing: seconds, bytes received, size of the cache (it downloads about 700 MB)",
  always: false,
  async run({ howdah, say }) {
    const folder = mkdtempSync(join(homedir(), ".howdah-bench-setup-"));
    try {
      const cache = join(folder, "cache");
      const env = {
        ...(process.env as Record<string, string>),
        HOWDAH_CACHE: cache,
        MAVEN_OPTS: `${process.env.MAVEN_OPTS ?? ""} -Dmaven.repo.local=${join(folder, "maven")}`,
        PIP_NO_CACHE_DIR: "1",
      };
      const before = received();
      const seconds = await timed(() => install(env, say));
      const bytes = received() - before;
      const size = Number((await capture(["du", "-s", "--block-size=1", cache], env)).split("\t")[0]);
      const figure = (what: string, unit: "s" | "MB", ours: number) => ({ bench: "setup", what, unit, ours, rounds: 1 });
      return [
        figure(`cold set-up of ${howdah.installation.releaseLabel}`, "s", seconds),
        figure("received by the machine meanwhile", "MB", bytes / 1e6),
        figure("size of the cache", "MB", size / 1e6),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function install(env: Record<string, string>, say: (text: string) => void): Promise<void> {
  const main = join(import.meta.dirname, "..", "src", "cli", "main.ts");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, "engines", "install"], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => say(text.trimEnd()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`engines install ended with ${code}`))));
  });
}

/** Bytes that came in from outside since the machine was started. */
function received(): number {
  const lines = readFileSync("/proc/net/dev", "utf8").split("\n").slice(2);
  const counts = lines.map((line) => line.trim().split(/[\s:]+/)).filter(([name]) => name && name !== "lo");
  return counts.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}
