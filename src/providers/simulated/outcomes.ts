/** How steps and bootstrap actions go on simulated nodes: as a fault says that was ordered, else as a rule does, else as their own names do, else well. */
import { z } from "zod";
import type { StepFault } from "./faults.ts";
import type { Outcome } from "./node.ts";

const rule = z
  .strictObject({
    /** * stands for anything. */
    name: z.string().min(1),
    /** How long it runs. */
    seconds: z.number().min(0).optional(),
    exitCode: z.int().min(0).max(255).optional(),
    /** What it says last: FailureDetails.Message of a step. */
    message: z.string().min(1).optional(),
    /** It does not end by itself. */
    hangs: z.boolean().optional(),
  })
  .refine(({ hangs, seconds }) => !hangs || seconds === undefined, { path: ["hangs"], error: "what hangs has no seconds: leave one out" });

/** The file of `howdah up --rules`. Of each list the first rule whose name fits counts. */
export const rulesSchema = z.strictObject({ steps: z.array(rule).default([]), bootstrapActions: z.array(rule).default([]) });

export type Rules = z.infer<typeof rulesSchema>;
type Said = Omit<z.infer<typeof rule>, "name">;

/** `pattern`: the whole of a name; * stands for anything. */
export function fits(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
}

const units = { ms: 0.001, s: 1, m: 60 };

/** `load [takes 20s] [exits 3]`, `load [hangs]`. Other words in brackets are part of a name like any. */
function saidByName(text: string): Said {
  const said: Said = {};
  for (const [, word, number = "", unit] of text.matchAll(/\[(exits|takes|hangs)(?: (\d+)(ms|s|m)?)?\]/g)) {
    if (word === "hangs" && number === "") said.hangs = true;
    if (word === "exits" && number !== "" && !unit && Number(number) <= 255) said.exitCode = Number(number);
    if (word === "takes" && number !== "" && unit) said.seconds = Number(number) * units[unit as keyof typeof units];
  }
  return said;
}

/** `usualMs`: where nothing says how long it takes. */
export function outcome(text: string, rules: Rules["steps"], fault: StepFault | undefined, usualMs: number): Outcome {
  const { name: _name, ...ruled } = rules.find((one) => fits(one.name, text)) ?? { name: "" };
  const said: Said = { ...saidByName(text), ...ruled };
  // One of the two was said last.
  if (ruled.seconds !== undefined) said.hangs = false;
  if (fault?.kind === "step-hangs") said.hangs = true;
  if (fault?.kind === "step-exits") Object.assign(said, { exitCode: fault.exitCode, hangs: false, message: fault.message });
  const { seconds, exitCode = 0, message, hangs } = said;
  const ms = seconds === undefined ? usualMs : Math.round(seconds * 1000);
  return { afterMs: hangs ? null : ms, exitCode, ...(message ? { message } : {}) };
}
