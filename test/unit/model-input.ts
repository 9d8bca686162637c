/** The smallest input that an operation's model takes: required members only, each of them legal. */
import fc from "fast-check";
import { requiredCount, type Rule, type Schema, type Service } from "../../src/aws/operations.ts";
import { compile } from "../../src/aws/validate.ts";

const arn = "arn:aws:iam::123456789012:role/Name";
/** Tried before a text is made up. */
const likely = ["a", "name", "a1b2c3d4e5f6g7h8i9j0", "123456789012", arn, "AKIAAAAAAAAAAAAAAAAA", "123456", "a.com", "/a/", "{}"];

export function minimalInput(schema: Schema, service: Service): Record<string, unknown> {
  return schema.isUnitSchema() ? {} : (minimal(schema, service, undefined, undefined) as Record<string, unknown>);
}

/** `name` is the member's; undefined for the input itself. */
function minimal(schema: Schema, service: Service, rule: Rule | undefined, name: string | undefined): unknown {
  if (schema.isStructSchema()) {
    const rules = service.constraints[schema.getName() ?? ""];
    // An empty structure within a form is no structure at all.
    const members = [...schema.structIterator()].slice(0, Math.max(requiredCount(schema), name === undefined ? 0 : 1));
    return Object.fromEntries(members.map(([member, of]) => [member, minimal(of, service, rules?.[member], member)]));
  }
  if (schema.isListSchema())
    return Array.from({ length: Math.max(1, rule?.min ?? 1) }, () => minimal(schema.getValueSchema(), service, rule?.member, name));
  if (schema.isMapSchema()) return { a: minimal(schema.getValueSchema(), service, rule?.value, name) };
  if (schema.isBooleanSchema()) return true;
  if (schema.isNumericSchema()) return rule?.min ?? 1;
  if (schema.isTimestampSchema()) return new Date(1_700_000_000_000);
  if (schema.isBlobSchema()) return new Uint8Array([1]);
  return textFor(rule, name ?? "");
}

function textFor(rule: Rule | undefined, name: string): string {
  if (rule?.enum) return rule.enum[0]!;
  const fits = (text: string) =>
    text.length >= (rule?.min ?? 0) && text.length <= (rule?.max ?? Infinity) && (!rule?.pattern || compile(rule.pattern).test(text));
  const known = [...(/Arn|ResourceId/i.test(name) ? [arn] : []), ...likely, "a".repeat(rule?.min ?? 1)].find(fits);
  if (known !== undefined) return known;
  const made = fc.stringMatching(compile(rule?.pattern ?? ".*")).filter(fits);
  return fc.sample(made, { numRuns: 1, seed: 1 })[0]!;
}
