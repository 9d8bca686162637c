/** Volumes that are filesystems of their own: native/volumes.sh mounts them, from sparse files in the node's folder. Root only. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { NodeLayout } from "../../agent/layout.ts";
import type { DataFolder } from "../../data-folder.ts";
import type { LaunchSpec } from "../provider.ts";
import type { Degree } from "./degree.ts";

const script = resolve(import.meta.dirname, "../../..", "native", "volumes.sh");
const imagesOf = (root: string) => join(root, "volumes");

const inside = (root: string, degree: Degree, volumes: readonly number[], command: string[]) => [
  ..."unshare --mount --propagation private bash".split(" "),
  script,
  root,
  degree,
  volumes.join(","),
  ...command,
];

/** The command that starts a node's init, with the volumes that it is to have. */
export const withVolumes = ({ volumes }: LaunchSpec, { root }: NodeLayout, degree: Degree, command: string[]): string[] =>
  volumes ? inside(root, degree, volumes, command) : command;

/** Folders of the node's volumes that are filesystems of their own: data, data1, … */
export function ownFilesystems({ root }: NodeLayout): string[] {
  const images = existsSync(imagesOf(root)) ? readdirSync(imagesOf(root)) : [];
  return images.filter((name) => name.endsWith(".ext4")).map((name) => name.replace(/\.ext4$/, ""));
}

/** Loop devices that still have a file of the node. */
export function loopsOf({ root }: NodeLayout): string[] {
  if (!existsSync(imagesOf(root))) return [];
  return readdirSync("/sys/block").filter((name) => {
    const file = join("/sys/block", name, "loop", "backing_file");
    try {
      return readFileSync(file, "utf8").startsWith(`${imagesOf(root)}/`);
    } catch {
      return false; // It is no loop device, or has none.
    }
  });
}

/** Throws where this host cannot have them, and says why. */
export async function tryLoopVolumes(data: DataFolder): Promise<void> {
  mkdirSync(data.root, { recursive: true });
  const folder = mkdtempSync(join(data.root, "volumes-trial-"));
  const [program = "", ...args] = inside(folder, "plain", [64 << 20], ["mountpoint", "-q", join(folder, "data")]);
  try {
    await promisify(execFile)(program, args, { timeout: 20_000 });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(
      `howdah.json says "volumes": "loop", which takes root, loop devices and mke2fs: ${(stderr || message).trim().split("\n").at(-1)}. Leave it out: volumes are folders then`,
      { cause: error },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
