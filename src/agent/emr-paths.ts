/** In degree plain a node has not EMR's absolute paths: a script that names them would touch the host, or fail. That is said, not left to be found out. */
import { closeSync, openSync, readSync } from "node:fs";
import type { AgentContext } from "./context.ts";

const emrPaths =
  /(?<![\w./-])(?:\/home\/hadoop|\/mnt\/var|\/mnt1?\/|\/emr\/|\/usr\/(?:lib|share)\/(?:hadoop|spark|aws)[\w-]*|\/etc\/(?:hadoop|spark)|\/var\/log\/(?:hadoop|spark))|\b(?:sudo|systemctl)\b/g;

/** The beginning of a script; empty for what is none (a jar). */
export function scriptText(file: string): string {
  const fd = openSync(file, "r");
  const buffer = Buffer.alloc(65_536);
  const text = buffer.toString("utf8", 0, readSync(fd, buffer, 0, buffer.length, 0));
  closeSync(fd);
  return text.startsWith("#!") ? text : "";
}

/**
 * Records a warning where `text`, known to the user as `name`, needs what this node has not, and returns it for the log of what runs it;
 * undefined where there is nothing to say.
 */
export function warnOfEmrPaths(context: AgentContext, name: string, text: string): string | undefined {
  if (context.record.degree !== "plain") return undefined;
  const found = [...new Set(text.match(emrPaths))];
  if (found.length === 0) return undefined;
  const warning =
    `${name} uses ${found.join(", ")}: nodes are plain folders here (isolation plain), and the host's own ${found.length > 1 ? "ones are" : "one is"} used. ` +
    "`howdah doctor` says whether this host allows more";
  context.warn(warning);
  return warning;
}
