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
  constraint: string;
}

/** How JSON services and IAM say what is wrong: all of it at once. */
function sayAll(problems: readonly Problem[]): AwsError {
  const told = problems.map((problem) => {
    const value = "value" in problem ? `'${shown(problem.value)}'` : "null";
    return `Value ${value} at '${problem.path}' failed to satisfy constraint: ${problem.constraint}`;
  });
  return validationException(`${told.length} validation error${told.length > 1 ? "s" : ""} detected: ${told.join("; ")}`);
}

export const shown = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));

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
      this.rule(rule, value.length, "length", value, path, plain);
      if (rule?.enum && !rule.enum.includes(value))
        this.fail(value, path, plain, `Member must satisfy enum value set: [${rule.enum.join(", ")}]`);
      if (rule?.pattern && !matches(rule.pattern, value))
        this.fail(value, path, plain, `Member must satisfy regular expression pattern: ${rule.pattern}`);
    } else if (schema.isBooleanSchema()) {
      if (typeof value !== "boolean") throw typeError(value, "Boolean");
    } else if (schema.isNumericSchema()) {
      if (typeof value !== "number") throw typeError(value, "Number");
      this.rule(rule, value, "value", value, path, plain);
    } else if (schema.isTimestampSchema()) {
      const readable = value instanceof Date ? !Number.isNaN(value.getTime()) : typeof value === "number";
      if (!readable) throw typeError(value, "Timestamp");
    }
  }

  private rule(rule: Rule | undefined, size: number, what: "length" | "value", value: unknown, path: string, plain: string): void {
    const must = `Member must have ${what}`;
    if (rule?.min !== undefined && size < rule.min) this.fail(value, path, plain, `${must} greater than or equal to ${rule.min}`);
    if (rule?.max !== undefined && size > rule.max) this.fail(value, path, plain, `${must} less than or equal to ${rule.max}`);
  }

  private fail(value: unknown, path: string, plain: string, constraint: string): void {
    this.problems.push({ path, plain, value, constraint });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/**
 * Throws SerializationException for a value of another type than the model's, and what `refuse` makes of all other faults (ValidationException).
 * Returns the paths of members that the model does not have.
 */
export function validate(schema: Schema, document: unknown, constraints: Constraints, refuse = sayAll): string[] {
  if (schema.isUnitSchema()) return [];
  const check = new Check(constraints);
  check.value(schema, document, undefined, "", "");
  if (check.problems.length > 0) throw refuse(check.problems);
  return check.unknown;
}
