/** A request's or answer's members as an audit record shows them: named as CloudTrail names them, without anything secret. */
import type { Schema } from "../aws/operations.ts";
import { isSecretName } from "../aws/secrets.ts";

/** CloudTrail's own words. */
export const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";

/** Properties of configurations and of steps: javax.jdo.option.ConnectionPassword, fs.s3a.secret.key, AWS_SESSION_TOKEN. */
const secretProperty = /(secret|passw|passphrase|pwd|token|credential|private[._-]?key|access[._-]?key|api[._-]?key)/i;

/** What says something of a secret, and is none: a path, a switch, a class. */
const noSecret = /^(true|false|)$/i;

/** A member's name as in requestParameters: `JobFlowId` is `jobFlowId`. */
export const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** The value of a member of this schema, as JSON has it: times are ISO 8601, bytes base64. Undefined members are left out. */
export function shown(schema: Schema, value: unknown, name = ""): unknown {
  if (value === undefined || value === null) return undefined;
  if (schema.getMergedTraits().sensitive) return hidden;
  if (schema.isStructSchema()) return structure(schema, value as Record<string, unknown>);
  if (schema.isListSchema()) {
    const member = schema.getValueSchema();
    const items = (value as unknown[]).map((item) => shown(member, item, name));
    return isWords(items) ? withoutSecretWords(items) : items;
  }
  if (schema.isMapSchema()) {
    const of = schema.getValueSchema();
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, secretOf(key, shown(of, item, key))]));
  }
  if (value instanceof Date) return value.toISOString().replace(/\.\d{3}Z$/, "Z");
  if (value instanceof Uint8Array) return isSecretName(name) ? hidden : Buffer.from(value).toString("base64");
  return typeof value === "string" && isSecretName(name) ? hidden : value;
}

function structure(schema: Schema, value: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined || item === null) continue;
    // A handler's answer may hold more than the model: the wire leaves it out, too.
    const member = members(schema).get(name);
    if (member) out[lowerFirst(name)] = shown(member, item, name);
  }
  // A property or tag that is a key with its value: KeyValue of steps.
  const { key, value: text } = out;
  if (typeof key === "string" && typeof text === "string") out["value"] = secretOf(key, text);
  return out;
}

const known = new WeakMap<object, Map<string, Schema>>();

/** The SDK makes a schema's members anew for each look. */
function members(schema: Schema): Map<string, Schema> {
  const tuple = schema.getSchema() as object;
  let found = known.get(tuple);
  if (!found) known.set(tuple, (found = new Map(schema.structIterator())));
  return found;
}

function secretOf(key: string, value: unknown): unknown {
  return typeof value === "string" && secretProperty.test(key) && !noSecret.test(value) ? hidden : value;
}

const isWords = (items: unknown[]): items is string[] => items.length > 0 && items.every((item) => typeof item === "string");

/** Arguments of steps and bootstrap actions: `--password x`, `--password=x`, `-Dfs.s3a.secret.key=x`. */
function withoutSecretWords(words: string[]): string[] {
  return words.map((word, i) => {
    const before = words[i - 1];
    if (before !== undefined && /^--?[\w.-]+$/.test(before) && secretOf(before, word) === hidden && !word.startsWith("--")) return hidden;
    const at = word.indexOf("=");
    return at > 0 && secretOf(word.slice(0, at), word.slice(at + 1)) === hidden ? `${word.slice(0, at + 1)}${hidden}` : word;
  });
}
