/** What a user should know of the node's host, looked at now and then: disks that are nearly full or read-only, and what programs have left in run/warnings. */
import { accessSync, constants, mkdirSync, readFileSync, readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import type { AgentContext } from "./context.ts";
import { volumeFolder } from "./layout.ts";

const everyMs = 3_000;
/** HDFS takes no block and YARN starts no container below it (dfs.datanode.du.reserved, min-free-space-per-disk-mb). */
const leastFreeMb = 1024;

/** What is wrong with a volume that is a filesystem of its own: YARN stops using it then (max-disk-utilization-per-disk-percentage). */
function ailmentOf(folder: string): string | undefined {
  const { blocks, bfree } = statfsSync(folder);
  if (bfree < blocks / 10) return "is more than 90 % full";
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    return "is read-only";
  }
  return undefined;
}

export function watchHost(context: AgentContext): void {
  const { root, warnings } = context.layout;
  const { instanceId, volumes = [] } = context.record;
  const look = () => {
    try {
      const { bavail, bsize } = statfsSync(root);
      if (bavail * bsize < leastFreeMb << 20)
        context.warn(
          `the disk of ${root} has less than ${leastFreeMb} MiB free: HDFS takes no data and YARN starts no container until it has more`,
        );
      for (const index of volumes.keys()) {
        const ailment = ailmentOf(volumeFolder(context.layout, index));
        if (ailment) context.warn(`${instanceId}: its volume /mnt${index || ""} ${ailment}`);
      }
      mkdirSync(warnings, { recursive: true });
      for (const name of readdirSync(warnings)) context.warn(readFileSync(join(warnings, name), "utf8").trim());
    } catch (error) {
      context.log(`watch: ${(error as Error).message}`);
    }
  };
  look();
  setInterval(look, everyMs);
}
