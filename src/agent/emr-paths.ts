/** In degree plain a node has not EMR's absolute paths: a script that names them would touch the host, or fail. That is said, not left to be found out. */
import { closeSync, openSync, readSync } from "node:fs";
import type { AgentContext } from "./context.ts";

const emrPaths =
  /(?<![\w./-])(?:\/home\/hadoop|\/mnt\/var|\/mnt1?\/|\/usr\/(?:lib|share)\/(?:hadoop|spark|aws)[\w-]*|\/etc\/(?:hadoop|spark)|\/var\/log\/(?:hadoop|spark))|\bsudo\b/g;

/** Warns where the text file `script` (only its first 64 KiB are looked at), known to the user as `name`, needs what this node has not. */
export function warnOfEmrPaths(context: AgentContext, name: string, script: string): void {
  if (context.record.degree !== "plain") return;
  const fd = openSync(script, "r");
  const buffer = Buffer.alloc(65_536);
  const text = buffer.toString("utf8", 0, readSync(fd, buffer, 0, buffer.length, 0));
  closeSync(fd);
  if (!text.startsWith("#!")) return;
  const found = [...new Set(text.match(emrPaths))];
  if (found.length === 0) return;
  context.warn(
    `${name} uses ${found.join(", ")}: nodes are plain folders here (isolation plain), and the host's own ${found.length > 1 ? "ones are" : "one is"} used. ` +
      "`howdah doctor` says whether this host allows more",
  );
}
