/** Is a request's body what the model says? Types, required members and constraints, in the words of AWS. */
import { AwsError, validationException } from "./errors.ts";
import { type Constraints, requiredCount, type Rule, type Schema } from "./operations.ts";

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

/** The model marks few of them: EMR's passwords of Kerberos it does not. */
const isSecret = (schema: Schema, path: string): boolean =>
  schema.getMergedTraits().sensitive !== undefined || /(password|secret)[^.]*$/i.test(path);

/** The path that AWS's messages use: `instances.instanceGroups.1.member.instanceType`. */
function step(path: string, name: string): string {
  const lower = name.charAt(0).toLowerCase() + name.slice(1);
  return path ? `${path}.${lower}` : lower;
}

class Check {
  readonly problems: Problem[] = [];
  readonly unknown: string[] = [];
  readonly constraints: Constraints;

  constructor(constraints: Constraints) {
    this.constraints = constraints;
  }

  /** `path` is for AWS's messages, `plain` is the same path as the client wrote it. */
  value(schema: Schema, value: unknown, rule: Rule | undefined, path: string, plain: string): void {
    if (schema.isStructSchema()) this.structure(schema, value, path, plain);
    else if (schema.isListSchema()) {
      if (!Array.isArray(value)) throw typeError(value, "List");
      this.rule(rule, value.length, "length", value, path, plain);
      const member = schema.getValueSchema();
      for (const [i, element] of value.entries()) {
        if (element === null) this.fail(value, path, plain, "Member must not be null");
        else this.value(member, element, rule?.member, `${path}.${i + 1}.member`, `${plain}[${i}]`);
      }
    } else if (schema.isMapSchema()) {
      if (!isObject(value)) throw typeError(value, "Map");
      this.rule(rule, Object.keys(value).length, "length", value, path, plain);
      for (const [key, element] of Object.entries(value)) {
        // JavaScript would take it for something else, and lose it.
        if (key === "__proto__") this.fail(key, `${path}.key`, plain, "Member must not be __proto__");
        this.rule(rule?.key, key.length, "length", key, `${path}.key`, `${plain}.${key}`);
        if (element !== null) this.value(schema.getValueSchema(), element, rule?.value, `${path}.${key}.member`, `${plain}.${key}`);
      }
    } else this.simple(schema, value, rule, path, plain);
  }

  private structure(schema: Schema, value: unknown, path: string, plain: string): void {
    if (!isObject(value)) throw typeError(value, "structure");
    const rules = this.constraints[schema.getName() ?? ""];
    const required = requiredCount(schema);
    const known = new Set<string>();
    const inPlain = (name: string) => (plain ? `${plain}.${name}` : name);
    for (const [name, member] of schema.structIterator()) {
      const given = value[name];
      if (given !== undefined && given !== null) this.value(member, given, rules?.[name], step(path, name), inPlain(name));
      else if (known.size < required && !member.isIdempotencyToken()) {
        this.problems.push({ path: step(path, name), plain: inPlain(name), constraint: "Member must not be null" });
      }
      known.add(name);
    }
    for (const name of Object.keys(value)) {
      if (!known.has(name) && name !== "__type") this.unknown.push(inPlain(name));
    }
  }

  private simple(schema: Schema, value: unknown, rule: Rule | undefined, path: string, plain: string): void {
    if (schema.isStringSchema()) {
      if (typeof value !== "string") throw typeError(value, "String");
      const secret = isSecret(schema, path);
      this.rule(rule, value.length, "length", value, path, plain, secret);
      if (rule?.enum && !rule.enum.includes(value))
        this.fail(value, path, plain, `Member must satisfy enum value set: [${rule.enum.join(", ")}]`, secret);
      if (rule?.pattern && !matches(rule.pattern, value))
        this.fail(value, path, plain, `Member must satisfy regular expression pattern: ${rule.pattern}`, secret);
    } else if (schema.isBooleanSchema()) {
      if (typeof value !== "boolean") throw typeError(value, "Boolean");
    } else if (schema.isNumericSchema()) {
      if (typeof value !== "number") throw typeError(value, "Number");
      if (rule?.type && !isWhole(value, rule.type)) throw typeError(value, rule.type === "integer" ? "Integer" : "Long");
      this.rule(rule, value, "value", value, path, plain);
    } else if (schema.isTimestampSchema()) {
      const time = value instanceof Date ? value : typeof value === "number" ? new Date(value * 1000) : undefined;
      if (!time || Number.isNaN(time.getTime())) throw typeError(value, "Timestamp");
    }
  }

  private rule(
    rule: Rule | undefined,
    size: number,
    what: "length" | "value",
    value: unknown,
    path: string,
    plain: string,
    secret = false,
  ): void {
    const must = `Member must have ${what}`;
    if (rule?.min !== undefined && size < rule.min) this.fail(value, path, plain, `${must} greater than or equal to ${rule.min}`, secret);
    if (rule?.max !== undefined && size > rule.max) this.fail(value, path, plain, `${must} less than or equal to ${rule.max}`, secret);
  }

  private fail(value: unknown, path: string, plain: string, constraint: string, secret = false): void {
    this.problems.push({ path, plain, value, constraint, isSecret: secret });
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
  check.value(schema, document, undefined, "", "");
  if (check.problems.length > 0) throw refuse(check.problems);
  return check.unknown;
}
