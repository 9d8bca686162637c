/** How much of a machine of its own a node can be on this host: found by trying, because kernels, containers and distributions differ. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export type Degree = "view" | "plain";

/** What native/view.c needs from the kernel, tried in a folder that is thrown away. */
const trial = `
set -e
cd "$1"
mkdir -p upper work root proc
mount --make-rprivate / || { echo "mounts cannot be changed in a user namespace" >&2; exit 1; }
mount -t tmpfs howdah root || { echo "tmpfs cannot be mounted in a user namespace" >&2; exit 1; }
mount -t overlay overlay -o lowerdir=/usr,upperdir=upper,workdir=work,userxattr root || { echo "overlays cannot be mounted in a user namespace" >&2; exit 1; }
mount -t proc proc proc || { echo "a container hides parts of /proc" >&2; exit 1; }
`;

/** `view` where user, mount, PID and UTS namespaces with overlays work on the disk of `folder`; else `plain`, and why. */
export async function bestDegree(folder: string = tmpdir()): Promise<{ degree: "view" } | { degree: "plain"; reason: string }> {
  const place = await mkdtemp(join(folder, "howdah-trial-"));
  try {
    await promisify(execFile)("unshare", ["-Urmupf", "--kill-child", "bash", "-c", trial, "bash", place], { timeout: 20_000 });
    return { degree: "view" };
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const said = (stderr || message).trim().split("\n").at(-1);
    return { degree: "plain", reason: `this host allows no namespaces with an own view of its files (${said})` };
  } finally {
    await promisify(execFile)("chmod", ["-R", "u+rwx", place]).catch(() => {});
    await rm(place, { recursive: true, force: true });
  }
}
