/**
 * GetPartitions' Expression: a WHERE of SQL over a table's partition keys. Source: AWS Glue API, "GetPartitions": =, <>, <, >, <=, >=, AND, OR, NOT, IN, BETWEEN,
 * LIKE, IS NULL; keys of the types string, date, timestamp, int, bigint, tinyint, smallint and decimal.
 */
import { contextOf } from "../../access/policy/context.ts";
import { type Glob, isLike, parsePattern, resolve } from "../../access/policy/pattern.ts";
import type { HiveField } from "../../glue/metastore.ts";
import { invalidInput } from "./context.ts";

/** As SQL's: undefined is unknown. */
type Truth = boolean | undefined;
type Values = readonly string[];
type Test = (values: Values) => Truth;
type Operand = { key: HiveField; index: number } | { text: string };

/** Hive's name for the value of a key that has none. */
const nullValue = "__HIVE_DEFAULT_PARTITION__";
const token =
  /\s*(?:('(?:[^']|'')*'|"(?:[^"]|"")*")|(`[^`]+`|[A-Za-z_][\w.-]*)|([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)|(<=|>=|<>|!=|==|[=<>(),]))/y;
/** Far above what any request needs: what is read by recursion must not be deep. */
const deepest = 100;

/** Whether a partition with these values, in the order of `keys`, is asked for. Throws InvalidInputException for what cannot be read. */
export function readExpression(text: string, keys: readonly HiveField[]): (values: Values) => boolean {
  const tokens = tokensOf(text);
  let at = 0;
  let depth = 0;

  const isNext = (word: string) => tokens[at]?.toUpperCase() === word;
  const take = (word: string): boolean => {
    if (!isNext(word)) return false;
    at += 1;
    return true;
  };
  const expect = (word: string): void => {
    if (!take(word)) throw unreadable(`${word} is expected${tokens[at] === undefined ? " at its end" : ` before ${tokens[at]}`}`);
  };

  function either(): Test {
    const tests = [both()];
    while (take("OR")) tests.push(both());
    return tests.length === 1 ? tests[0]! : (values) => some(tests, values, true);
  }
  function both(): Test {
    const tests = [negated()];
    while (take("AND")) tests.push(negated());
    return tests.length === 1 ? tests[0]! : (values) => some(tests, values, false);
  }
  function negated(): Test {
    depth += 1;
    if (depth > deepest) throw unreadable(`it nests deeper than ${deepest} levels`);
    try {
      if (take("NOT")) return not(negated());
      if (!take("(")) return comparison();
      const inner = either();
      expect(")");
      return inner;
    } finally {
      depth -= 1;
    }
  }
  function comparison(): Test {
    const left = operand();
    if (take("IS")) {
      const isNot = take("NOT");
      expect("NULL");
      return (values) => (valueOf(left, values) === undefined) !== isNot;
    }
    const isNot = take("NOT");
    const negate = isNot ? not : (test: Test) => test;
    if (take("IN")) {
      expect("(");
      const all = [operand()];
      while (take(",")) all.push(operand());
      expect(")");
      return negate((values) =>
        some(
          all.map((one) => compared(left, one, (order) => order === 0)),
          values,
          true,
        ),
      );
    }
    if (take("BETWEEN")) {
      const low = operand();
      expect("AND");
      const high = operand();
      const tests = [compared(left, low, (order) => order >= 0), compared(left, high, (order) => order <= 0)];
      return negate((values) => some(tests, values, false));
    }
    if (take("LIKE")) return negate(like(left, operand()));
    if (isNot) throw unreadable("NOT is followed by IN, BETWEEN or LIKE");
    const operator = tokens[at++] ?? "";
    if (!Object.hasOwn(operators, operator)) throw unreadable(operator === "" ? "it ends too early" : `'${operator}' is no comparison`);
    return compared(left, operand(), operators[operator]!);
  }
  function operand(): Operand {
    const next = tokens[at++];
    if (next === undefined) throw unreadable("it ends too early");
    if (/^['"]/.test(next)) return { text: next.slice(1, -1).replaceAll(next[0]! + next[0]!, next[0]!) };
    if (/^[+-]?[\d.]/.test(next)) return { text: next };
    // DATE '2026-01-01'
    if (/^(date|timestamp)$/i.test(next) && /^['"]/.test(tokens[at] ?? "") && !keys.some(({ name }) => name === tokens[at]))
      return operand();
    const name = next.replaceAll("`", "").toLowerCase();
    const index = keys.findIndex((key) => key.name.toLowerCase() === name);
    if (index < 0) throw unreadable(`'${next}' is not a partition key`);
    return { key: keys[index]!, index };
  }

  if (tokens.length === 0) return () => true;
  const test = either();
  if (at < tokens.length) throw unreadable(`it goes on with ${tokens[at]}`);
  return (values) => test(values) === true;
}

function tokensOf(text: string): string[] {
  const found: string[] = [];
  token.lastIndex = 0;
  for (let from = 0; text.slice(from).trim() !== ""; from = token.lastIndex) {
    const match = token.exec(text);
    if (!match) throw unreadable(`'${text.slice(from).trim().slice(0, 20)}' cannot be read`);
    found.push(match[0].trim());
  }
  return found;
}

const unreadable = (why: string) => invalidInput(`Unsupported expression: ${why}.`);

const not =
  (test: Test): Test =>
  (values) => {
    const truth = test(values);
    return truth === undefined ? undefined : !truth;
  };

/** OR for `decisive` true, AND for false. */
function some(tests: readonly Test[], values: Values, decisive: boolean): Truth {
  let isUnknown = false;
  for (const test of tests) {
    const truth = test(values);
    if (truth === decisive) return decisive;
    isUnknown ||= truth === undefined;
  }
  return isUnknown ? undefined : !decisive;
}

const operators: Record<string, (order: number) => boolean> = {
  "=": (order) => order === 0,
  "==": (order) => order === 0,
  "<>": (order) => order !== 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  ">": (order) => order > 0,
  "<=": (order) => order <= 0,
  ">=": (order) => order >= 0,
};

const valueOf = (operand: Operand, values: Values): string | undefined => {
  if ("text" in operand) return operand.text;
  const value = values[operand.index];
  return value === nullValue ? undefined : value;
};

/** By the type of the key that is in it. */
function compared(left: Operand, right: Operand, holds: (order: number) => boolean): Test {
  const key = "key" in left ? left.key : "key" in right ? right.key : undefined;
  const order = orderOf(key?.type?.toLowerCase() ?? "string");
  return (values) => {
    const [a, b] = [valueOf(left, values), valueOf(right, values)];
    if (a === undefined || b === undefined) return undefined;
    const found = order(a, b);
    return Number.isNaN(found) ? undefined : holds(found);
  };
}

const inOrder = <T extends string | bigint | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : a === b ? 0 : NaN);

/** NaN where one of the two is not of the type. */
function orderOf(type: string): (a: string, b: string) => number {
  if (/^(tinyint|smallint|int|integer|bigint|long)$/.test(type))
    return (a, b) =>
      /^\s*[+-]?\d+\s*$/.test(a) && /^\s*[+-]?\d+\s*$/.test(b) ? inOrder(whole(a), whole(b)) : inOrder(Number(a), Number(b));
  if (/^(decimal|double|float)/.test(type)) return (a, b) => inOrder(Number(a), Number(b));
  return inOrder;
}

const whole = (text: string): bigint => BigInt(text.trim().replace(/^\+/, ""));

/** `%` stands for any text, `_` for any character. */
function like(left: Operand, right: Operand): Test {
  if (!("text" in right)) throw unreadable("LIKE is followed by a pattern in quotes");
  const glob = globOf(right.text, { any: "%", one: "_" });
  return (values) => {
    const value = valueOf(left, values);
    return value === undefined ? undefined : isLike(glob, value);
  };
}

/** A pattern whose signs for any text and for any character are these; all else stands for itself. */
export function globOf(pattern: string, { any, one }: { any: string; one: string }): Glob {
  const written = [...pattern]
    .map((sign) => (sign === any ? "*" : sign === one ? "?" : /[*?$]/.test(sign) ? `\${${sign}}` : sign))
    .join("");
  return resolve(parsePattern(written, { wildcards: true, variables: true }), contextOf([]))!;
}
