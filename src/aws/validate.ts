/** Is a request's body what the model says? Types, required members and constraints, in the words of AWS. */
import { AwsError, validationException } from "./errors.ts";
import { type Constraints, requiredCount, type Rule, type Schema } from "./operations.ts";
import { isSecret, withoutSecrets } from "./secrets.ts";

const patterns = new Map<string, RegExp>();

/** The model's patterns are Java's, matched as a whole and by code point. Throws for one that JavaScript does not have. */
export function compile(pattern: string): RegExp {
  const dotAll = pattern.startsWith("(?s)");
  return new RegExp(`^(?:${dotAll ? pattern.slice(4) : pattern})$`, dotAll ? "su" : "u");
}

function matches(pattern: string, text: string): boolean {
  let compiled = patterns.get(pattern);
  if (!compiled) patterns.set(pattern, (compiled = compile(pattern)));
  return compiled.test(text);
}

function typeError(value: unknown, wanted: string): AwsError {
  const found = Array.isArray(value) ? "Start of list" : typeof value === "object" ? "Start of structure or map" : undefined;
  if (found) return new AwsError("SerializationException", `${found} found where not expected.`);
  const token =
    typeof value === "string" ? "STRING_VALUE" : typeof value === "number" ? "NUMBER_VALUE" : `${String(value).toUpperCase()}_VALUE`;
  return new AwsError("SerializationException", `${token} cannot be converted to ${wanted}`);
}

/** One thing that is wrong. Without `value` the member is required and not there. `plain` is the path as the client wrote it, `path` as JSON services' messages have it. */
export interface Problem {
  path: string;
  plain: string;
  value?: unknown;
  /** The value is a secret: no message holds it. */
  isSecret?: boolean;
  constraint: string;
}

/** How deep a document may be: the deepest that means anything is a handful of Configurations. */
const deepest = 100;
/** A longer value is cut where a message names it. */
const longestShown = 1024;

/** How JSON services and IAM say what is wrong: all of it at once. */
export function sayAll(problems: readonly Problem[]): AwsError {
  const told = problems.map((problem) => {
    const value = "value" in problem ? ` '${shown(problem.value)}'` : " null";
    return `Value${problem.isSecret ? "" : value} at '${problem.path}' failed to satisfy constraint: ${problem.constraint}`;
  });
  return validationException(`${told.length} validation error${told.length > 1 ? "s" : ""} detected: ${told.join("; ")}`);
}

export function shown(value: unknown): string {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

/** The path that AWS's messages use: `instances.instanceGroups.1.member.instanceType`. */
function step(path: string, name: string): string {
  const lower = name.charAt(0).toLowerCase() + name.slice(1);
  return path ? `${path}.${lower}` : lower;
}

/** Where a value stands: `path` is for AWS's messages, `plain` is the same path as the client wrote it, `name` that of the member. */
interface Place {
  path: string;
  plain: string;
  name: string;
}

class Check {
  readonly problems: Problem[] = [];
  readonly unknown: string[] = [];
  readonly constraints: Constraints;

  constructor(constraints: Constraints) {
    this.constraints = constraints;
  }

  value(schema: Schema, value: unknown, rule: Rule | undefined, at: Place): void {
    if (schema.isStructSchema()) this.structure(schema, value, at);
    else if (schema.isListSchema()) {
      if (!Array.isArray(value)) throw typeError(value, "List");
      this.rule(schema, rule, value.length, value, at);
      const member = schema.getValueSchema();
      for (const [i, element] of value.entries()) {
        if (element === null) this.fail(schema, value, at, "Member must not be null");
        else this.value(member, element, rule?.member, { ...at, path: `${at.path}.${i + 1}.member`, plain: `${at.plain}[${i}]` });
      }
    } else if (schema.isMapSchema()) {
      if (!isObject(value)) throw typeError(value, "Map");
      this.rule(schema, rule, Object.keys(value).length, value, at);
      for (const [key, element] of Object.entries(value)) {
        const plain = `${at.plain}.${key}`;
        const atKey = { path: `${at.path}.key`, plain, name: "" };
        // JavaScript would take it for something else, and lose it.
        if (key === "__proto__") this.fail(schema.getKeySchema(), key, atKey, "Member must not be __proto__");
        this.rule(schema.getKeySchema(), rule?.key, key.length, key, atKey);
        const inner = { path: `${at.path}.${key}.member`, plain, name: key };
        if (element !== null) this.value(schema.getValueSchema(), element, rule?.value, inner);
      }
    } else this.simple(schema, value, rule, at);
  }

  private structure(schema: Schema, value: unknown, { path, plain }: Place): void {
    if (!isObject(value)) throw typeError(value, "structure");
    const rules = this.constraints[schema.getName() ?? ""];
    const required = requiredCount(schema);
    const known = new Set<string>();
    const inPlain = (name: string) => (plain ? `${plain}.${name}` : name);
    for (const [name, member] of schema.structIterator()) {
      const given = value[name];
      const at = { path: step(path, name), plain: inPlain(name), name };
      if (given !== undefined && given !== null) this.value(member, given, rules?.[name], at);
      else if (known.size < required && !member.isIdempotencyToken()) {
        this.problems.push({ path: at.path, plain: at.plain, constraint: "Member must not be null" });
      }
      known.add(name);
    }
    for (const name of Object.keys(value)) {
      if (!known.has(name) && name !== "__type") this.unknown.push(inPlain(name));
    }
  }

  private simple(schema: Schema, value: unknown, rule: Rule | undefined, at: Place): void {
    if (schema.isStringSchema()) {
      if (typeof value !== "string") throw typeError(value, "String");
      this.rule(schema, rule, value.length, value, at);
      if (rule?.enum && !rule.enum.includes(value))
        this.fail(schema, value, at, `Member must satisfy enum value set: [${rule.enum.join(", ")}]`);
      if (rule?.pattern && !matches(rule.pattern, value))
        this.fail(schema, value, at, `Member must satisfy regular expression pattern: ${rule.pattern}`);
    } else if (schema.isBooleanSchema()) {
      if (typeof value !== "boolean") throw typeError(value, "Boolean");
    } else if (schema.isNumericSchema()) {
      if (typeof value !== "number") throw typeError(value, "Number");
      if (rule?.type && !isWhole(value, rule.type)) throw typeError(value, rule.type === "integer" ? "Integer" : "Long");
      this.rule(schema, rule, value, value, at);
    } else if (schema.isTimestampSchema()) {
      const time = value instanceof Date ? value : typeof value === "number" ? new Date(value * 1000) : undefined;
      if (!time || Number.isNaN(time.getTime())) throw typeError(value, "Timestamp");
    }
  }

  /** Lengths of texts, lists and maps; numbers themselves. */
  private rule(schema: Schema, rule: Rule | undefined, size: number, value: unknown, at: Place): void {
    const must = `Member must have ${typeof value === "number" ? "value" : "length"}`;
    if (rule?.min !== undefined && size < rule.min) this.fail(schema, value, at, `${must} greater than or equal to ${rule.min}`);
    if (rule?.max !== undefined && size > rule.max) this.fail(schema, value, at, `${must} less than or equal to ${rule.max}`);
  }

  private fail(schema: Schema, value: unknown, { path, plain, name }: Place, constraint: string): void {
    const isHidden = typeof value === "string" && isSecret(schema, name);
    this.problems.push({ path, plain, constraint, value: withoutSecrets(schema, value, name), isSecret: isHidden });
  }
}

const isWhole = (value: number, type: "integer" | "long"): boolean =>
  Number.isSafeInteger(value) && (type === "long" || (value >= -(2 ** 31) && value < 2 ** 31));

/** Not by recursion, which is what a deep document would break. */
function isTooDeep(document: unknown): boolean {
  let level: unknown[] = [document];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) return true;
    level = level.flatMap((value) => (Array.isArray(value) || isObject(value) ? Object.values(value) : []));
  }
  return false;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date || value instanceof Uint8Array);
}

/**
 * Throws SerializationException for a value of another type than the model's, and what `refuse` makes of all other faults (ValidationException).
 * Returns the paths of members that the model does not have.
 */
export function validate(schema: Schema, document: unknown, constraints: Constraints, refuse = sayAll): string[] {
  if (schema.isUnitSchema()) return [];
  if (isTooDeep(document)) throw new AwsError("SerializationException", `The request is nested more than ${deepest} levels deep.`);
  const check = new Check(constraints);
  check.value(schema, document, undefined, { path: "", plain: "", name: "" });
  if (check.problems.length > 0) throw refuse(check.problems);
  return check.unknown;
}
