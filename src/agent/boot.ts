/** One run of a node, from the start of its init to its end; agents may come and go meanwhile. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../files.ts";
import { identify } from "../process/known.ts";
import type { NodeLayout } from "./layout.ts";

/** Of the init that this agent runs under: another one after each launch of the node. */
export const init = (): string => JSON.stringify(identify(process.ppid));

/** Empties the volatile folder where this is the first agent of a run. */
export function emptyVolatile({ volatile }: NodeLayout): void {
  const mark = join(volatile, "init");
  try {
    if (readFileSync(mark, "utf8") === init()) return;
  } catch {
    // There was no run before.
  }
  rmSync(volatile, { recursive: true, force: true });
  mkdirSync(volatile, { recursive: true });
  writeWhole(mark, init());
}
