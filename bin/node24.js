// Plain JavaScript on purpose: this runs on whatever Node (20 or newer) the machine has, before Node 24 is known to be there.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Path of a Node 24 or newer: this one where it is new enough, else the one that npm brought. undefined where there is neither. */
export function findNode24() {
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  try {
    const manifest = createRequire(join(root, "package.json")).resolve(`node-${process.platform}-${process.arch}/package.json`);
    return join(dirname(manifest), "bin", "node");
  } catch {
    return undefined;
  }
}

/** Runs one of the project's TypeScript files on Node 24 and ends with its exit code. */
export function runOnNode24(file, args) {
  const node = findNode24();
  if (!node) {
    console.error(
      `howdah needs Node 24. This is Node ${process.versions.node}, and the npm package node-${process.platform}-${process.arch} is not installed.\nRun: npm install --include=optional`,
    );
    process.exit(1);
  }
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", join(root, file), ...args], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}
