/** The file of `howdah up --provider simulated --rules FILE`. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { type Rules, rulesSchema } from "./providers/simulated/outcomes.ts";

/** Throws, naming the file and the field, where it cannot be read or is not what it should be. */
export function readRules(path: string): Rules {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const why = error instanceof SyntaxError ? `is not JSON: ${error.message}` : `cannot be read: ${(error as Error).message}`;
    throw new Error(`the rules ${path} ${why}`, { cause: error });
  }
  const parsed = rulesSchema.safeParse(json);
  if (!parsed.success) throw new Error(`the rules ${path}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
