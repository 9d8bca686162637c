/** How a program of this machine becomes one of a node: what `howdah ssh` starts. */
import { existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { environment } from "../../agent/context.ts";
import type { NodeLayout } from "../../agent/layout.ts";
import type { Manifest } from "../../agent/manifest.ts";
import { readNodeRecord } from "../../agent/node-record.ts";
import { readJson } from "../../files.ts";
import { isAlive } from "../../process/known.ts";
import { initOf } from "./provider.ts";

export interface EntryPoint {
  degree: "view" | "plain";
  /** Goes before the command. */
  prefix: string[];
  /** The whole environment, as a step has it. It marks what is started as the node's, so that it ends with the node. */
  env: Record<string, string>;
  home: string;
}

/** Throws where the node does not run, or is another user's. */
export function enterNode(layout: NodeLayout): EntryPoint {
  const init = initOf(layout);
  if (!init || !isAlive(init) || !existsSync(layout.spec)) throw new Error(`the node in ${layout.root} does not run`);
  const { uid } = statSync(layout.root);
  if (uid !== process.getuid?.()) throw new Error(`the node in ${layout.root} belongs to user ${uid}: only they can enter it`);
  const record = readNodeRecord(layout);
  const env = environment({ layout, record }, readJson<Manifest>(layout.manifest)?.env);
  // Inside, the caller's ids are those of the node's user already; nsenter could not set others there.
  const namespaces = ["--user", "--preserve-credentials", "--mount", "--uts", "--pid"];
  const entered = record.degree === "view" ? namespaces : record.volumes ? ["--mount"] : [];
  const prefix = entered.length > 0 ? [findNsenter(), `--target=${init.pid}`, ...entered, "--"] : [];
  return { degree: record.degree, prefix, env, home: env.HOME ?? layout.home };
}

function findNsenter(): string {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  const found = folders.map((folder) => join(folder, "nsenter")).find((path) => existsSync(path));
  if (!found) throw new Error("nsenter is not on PATH: it is in util-linux");
  return found;
}
