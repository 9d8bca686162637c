/**
 * A node carries its own copy of the agent: one that is started again is the version the node was launched with, whatever has become of the
 * project since. As plain JavaScript, because taking the types away at every start would cost each node a quarter of a second of CPU.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import type { NodeLayout } from "../../agent/layout.ts";

const source = resolve(import.meta.dirname, "../..");
const agentFolder = join(source, "agent");

/** Paths below the copy, and contents. Made once per process. */
let files: Map<string, string> | undefined;

function collect(): Map<string, string> {
  const found = new Map([["package.json", '{ "type": "module" }\n']]);
  const add = (path: string) => {
    const target = relative(source, path).replace(/\.ts$/, ".js");
    if (found.has(target)) return;
    const text = readFileSync(path, "utf8");
    const plain = path.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
    const local = /\bfrom "(\.[^"]+)"/g;
    found.set(
      target,
      plain.replace(local, (whole) => whole.replace(/\.ts"$/, '.js"')),
    );
    for (const [, import_] of plain.matchAll(local)) add(join(dirname(path), import_!));
  };
  add(["main.ts", "main.js"].map((name) => join(agentFolder, name)).find((path) => existsSync(path))!);
  for (const name of readdirSync(agentFolder).filter((name) => name.endsWith(".sh")))
    found.set(join("agent", name), readFileSync(join(agentFolder, name), "utf8"));
  return found;
}

/** The program to start, once it is copied. */
export const agentProgram = (layout: NodeLayout): string => join(layout.agent, "agent", "main.js");

/** In one go: so many small files by the thread pool cost a node's start a tenth of a second. */
export function copyAgent({ agent: folder }: NodeLayout): void {
  files ??= collect();
  for (const [path, content] of files) {
    const target = join(folder, path);
    // Not touched where it is right: another launch of the same node may be starting it at this moment.
    if (existsSync(target) && readFileSync(target, "utf8") === content) continue;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}
