/** Which logs a node has: its folder of logs, sorted out by what wrote them. The folder outlives the node. */
import { readdirSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { NodeLayout } from "../agent/layout.ts";
import { savedHistory } from "../engines/history/saves.ts";

export interface LogFile {
  kind: "step" | "bootstrap-action" | "application" | "daemon";
  /** s-…, the number of a bootstrap action, application_…, or a daemon's name. */
  of: string;
  /** stdout, container_…/stderr, namenode's .log: what tells it from others of the same. */
  name: string;
  path: string;
  bytes: number;
  /** true for what a daemon's log was before it rolled over. */
  rolled: boolean;
}

/** In the order to read them: older parts of a rolled log before newer ones. */
export function logFiles({ logs }: Pick<NodeLayout, "logs">): LogFile[] {
  const history = savedHistory({ logs }).root; // For `howdah history`: nobody reads it as a log.
  return filesBelow(logs)
    .filter((path) => !path.startsWith(history + sep))
    .flatMap((path) => {
      const bytes = statSync(path, { throwIfNoEntry: false })?.size;
      return bytes === undefined ? [] : [{ ...sortOut(relative(logs, path).split(sep)), path, bytes }];
    })
    .toSorted((a, b) => compare(a.of, b.of) || part(b) - part(a) || compare(a.name, b.name));
}

const rolledOver = /\.(\d+)$/;
const part = ({ path }: LogFile): number => Number(rolledOver.exec(path)?.[1] ?? 0);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** `parts` of the path below the node's folder of logs. */
export function sortOut(parts: string[]): Pick<LogFile, "kind" | "of" | "name" | "rolled"> {
  const [folder, of, ...rest] = parts;
  if (rest.length > 0 && of !== undefined) {
    const name = rest.join("/");
    if (folder === "steps") return { kind: "step", of, name, rolled: false };
    if (folder === "bootstrap-actions") return { kind: "bootstrap-action", of, name, rolled: false };
    if (folder === "userlogs") return { kind: "application", of, name, rolled: false };
  }
  const file = parts.at(-1) ?? "";
  // hadoop-hdfs-namenode-ip-127-64-1-1.log.2, spark-history-server-ip-127-64-1-1.out, howdah-agent.log
  const [, daemon, name] = /^(.*?)(?:-ip-[\d-]+)?\.(log|out)(?:\.\d+)?$/.exec(file) ?? [];
  return { kind: "daemon", of: daemon ?? file, name: name ?? file, rolled: rolledOver.test(file) };
}

function filesBelow(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return []; // None yet, or a folder that has just gone: YARN removes those of its containers.
  }
}
