/** Condition blocks. Source: IAM User Guide, "Condition operators" and "Set operators for multivalued context keys". */
import { BlockList, isIP } from "node:net";
import { type Context, contextNames, lookUp } from "./context.ts";
import { PolicyError } from "./policy-error.ts";
import { type Glob, isLike, parsePattern, resolve, splitArn, splitArnPattern, variablesOf } from "./pattern.ts";

/** Does a value of the request match one value of the policy? */
type Test = (value: string, context: Context) => boolean;

/** One key below one operator. All of a statement's must be met. */
export interface Condition {
  /** As it is written. */
  key: string;
  names: readonly string[];
  /** For the Null operator: whether the key must be absent (true), present (false), or either. */
  absent: readonly boolean[] | undefined;
  /** ForAnyValue, ForAllValues. */
  set: "any" | "all" | undefined;
  ifExists: boolean;
  negated: boolean;
  tests: readonly Test[];
  /** The keys of variables in its values, as they are written. */
  variables: readonly string[];
}

/** What makes a test of a value as it stands in a policy; undefined for a value that it cannot read. */
type Operator = (value: string, variables: boolean) => Test | undefined;

const same = (fold: (text: string) => string): Operator => {
  return (wanted, variables) => compareTexts(wanted, { wildcards: false, variables }, fold);
};
const like: Operator = (wanted, variables) => compareTexts(wanted, { wildcards: true, variables }, (text) => text);
const lower = (text: string) => text.toLowerCase();

function compareTexts(wanted: string, options: { wildcards: boolean; variables: boolean }, fold: (text: string) => string): Test {
  const pattern = parsePattern(wanted, options);
  if (pattern.hasVariables) {
    return (value, context) => {
      const glob = resolve(pattern, context);
      if (!glob) return false;
      return isLike(fold === lower ? glob.map(lowerSegment) : glob, fold(value));
    };
  }
  if (!options.wildcards) {
    const text = fold(pattern.pieces.join(""));
    return (value) => fold(value) === text;
  }
  const glob = resolve(pattern, new Map())!;
  return (value) => isLike(glob, value);
}

const lowerSegment = (segment: Glob[number]): Glob[number] => ({
  length: segment.length,
  texts: segment.texts.map(({ at, text }) => ({ at, text: lower(text) })),
});

/** Each of an ARN's six fields is compared by itself. */
const arn: Operator = (wanted, variables) => {
  const pattern = parsePattern(wanted, { wildcards: true, variables });
  const globsOf = (context: Context) => splitArnPattern(pattern, context)?.map((field) => resolve(field, context)!);
  const fixed = pattern.hasVariables ? undefined : globsOf(new Map());
  return (value, context) => {
    const globs = fixed ?? globsOf(context);
    const fields = splitArn(value);
    return fields !== undefined && globs?.length === fields.length && globs.every((glob, i) => isLike(glob, fields[i]!));
  };
};

const compared = (read: (text: string) => number, holds: (value: number, wanted: number) => boolean): Operator => {
  return (text) => {
    const wanted = read(text);
    return Number.isNaN(wanted) ? undefined : (value) => holds(read(value), wanted);
  };
};

const numberForm = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const readNumber = (text: string): number => (numberForm.test(text) ? Number(text) : NaN);

const dateForm = /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?$/;

/** Milliseconds of an ISO 8601 date as the W3C has it, in UTC where it does not say, or of the seconds since 1970. */
function readDate(text: string): number {
  if (/^\d{4}$/.test(text) || dateForm.test(text)) {
    const zoned = /T/.test(text) && !/(Z|[+-]\d\d:?\d\d)$/.test(text) ? `${text}Z` : text;
    return Date.parse(zoned);
  }
  return readNumber(text) * 1000;
}

const ordered = (name: string, read: (text: string) => number): [string, { operator: Operator; negated?: boolean }][] => [
  [`${name}Equals`, { operator: compared(read, (a, b) => a === b) }],
  [`${name}NotEquals`, { operator: compared(read, (a, b) => a === b), negated: true }],
  [`${name}LessThan`, { operator: compared(read, (a, b) => a < b) }],
  [`${name}LessThanEquals`, { operator: compared(read, (a, b) => a <= b) }],
  [`${name}GreaterThan`, { operator: compared(read, (a, b) => a > b) }],
  [`${name}GreaterThanEquals`, { operator: compared(read, (a, b) => a >= b) }],
];

const address: Operator = (wanted) => {
  const [ip = "", prefix, ...rest] = wanted.split("/");
  const version = isIP(ip);
  const bits = version === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Infinity;
  if (version === 0 || length > bits || rest.length > 0) return undefined;
  const list = new BlockList();
  list.addSubnet(ip, length, version === 4 ? "ipv4" : "ipv6");
  return (value) => {
    const of = isIP(value);
    return of !== 0 && list.check(value, of === 4 ? "ipv4" : "ipv6");
  };
};

const operators = new Map<string, { operator: Operator; negated?: boolean }>(
  (
    [
      ["StringEquals", { operator: same((text) => text) }],
      ["StringNotEquals", { operator: same((text) => text), negated: true }],
      ["StringEqualsIgnoreCase", { operator: same(lower) }],
      ["StringNotEqualsIgnoreCase", { operator: same(lower), negated: true }],
      ["StringLike", { operator: like }],
      ["StringNotLike", { operator: like, negated: true }],
      ...ordered("Numeric", readNumber),
      ...ordered("Date", readDate),
      ["Bool", { operator: same(lower) }],
      ["BinaryEquals", { operator: (wanted) => (value) => value === wanted }],
      ["IpAddress", { operator: address }],
      ["NotIpAddress", { operator: address, negated: true }],
      ["ArnEquals", { operator: arn }],
      ["ArnLike", { operator: arn }],
      ["ArnNotEquals", { operator: arn, negated: true }],
      ["ArnNotLike", { operator: arn, negated: true }],
    ] satisfies [string, { operator: Operator; negated?: boolean }][]
  ).map(([name, entry]) => [name.toLowerCase(), entry]),
);

const operatorForm = /^(?:(foranyvalue|forallvalues):)?(.*?)(ifexists)?$/;

/**
 * One key below one operator, such as `ForAnyValue:StringLikeIfExists`. `variables`: the policy's version has them. Throws PolicyError where
 * there is no such operator, and for a value that it cannot read, such as a date for NumericEquals.
 */
export function parseCondition(operatorName: string, key: string, values: readonly string[], variables: boolean): Condition {
  const [, set, name = "", ifExists] = operatorForm.exec(operatorName.toLowerCase()) ?? [];
  const common = { key, names: contextNames(key), set: set === undefined ? undefined : set === "foranyvalue" ? "any" : "all" } as const;
  const unreadable = (value: string) => new PolicyError("condition-value", `${operatorName} ${key}: ${value}`);
  if (name === "null" && ifExists === undefined) {
    const absent = values.map((value) => {
      if (!/^(true|false)$/i.test(value)) throw unreadable(value);
      return lower(value) === "true";
    });
    return { ...common, absent, ifExists: false, negated: false, tests: [], variables: [] };
  }
  const found = operators.get(name);
  if (!found) throw new PolicyError("condition-operator", operatorName);
  const tests = values.map((value) => {
    const test = found.operator(value, variables);
    if (!test) throw unreadable(value);
    return test;
  });
  const inValues = variables ? values.flatMap((value) => variablesOf(parsePattern(value, { wildcards: false, variables }))) : [];
  return { ...common, absent: undefined, ifExists: ifExists !== undefined, negated: found.negated ?? false, tests, variables: inValues };
}

/** Is the condition met by a request? */
export function isMet(condition: Condition, context: Context): boolean {
  const { absent, ifExists, negated, set, tests } = condition;
  const found = lookUp(context, condition.names);
  const values = found === undefined ? [] : typeof found === "string" ? [found] : found;
  if (absent !== undefined) return absent.includes(values.length === 0);
  // A set without values, or with empty ones only, is an empty set.
  const given = set === undefined ? values : values.filter((value) => value !== "");
  if (values.length === 0 && ifExists) return true;
  if (given.length === 0) return set === undefined ? negated : set === "all";
  const matches = (value: string) => tests.some((test) => test(value, context));
  if (set === "all") return given.every((value) => matches(value) !== negated);
  if (set === "any") return given.some((value) => matches(value) !== negated);
  // A key of many values that is asked for without a set operator: one match is a match.
  return given.some(matches) !== negated;
}
