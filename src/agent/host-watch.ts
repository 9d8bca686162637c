/** What a user should know of the node's host, looked at now and then: a disk that is nearly full, and what programs have left in run/warnings. */
import { mkdirSync, readFileSync, readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import type { AgentContext } from "./context.ts";

const everyMs = 3_000;
/** HDFS takes no block and YARN starts no container below it (dfs.datanode.du.reserved, min-free-space-per-disk-mb). */
const leastFreeMb = 1024;

export function watchHost(context: AgentContext): void {
  const { root, warnings } = context.layout;
  const look = () => {
    try {
      const { bavail, bsize } = statfsSync(root);
      if (bavail * bsize < leastFreeMb << 20)
        context.warn(
          `the disk of ${root} has less than ${leastFreeMb} MiB free: HDFS takes no data and YARN starts no container until it has more`,
        );
      mkdirSync(warnings, { recursive: true });
      for (const name of readdirSync(warnings)) context.warn(readFileSync(join(warnings, name), "utf8").trim());
    } catch (error) {
      context.log(`watch: ${(error as Error).message}`);
    }
  };
  look();
  setInterval(look, everyMs);
}
