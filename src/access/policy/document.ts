/** Policy documents. Source: IAM User Guide, "Grammar of the IAM JSON policy language". */
import { type Condition, parseCondition } from "./conditions.ts";
import { arnFields, everything, type Glob, isEverything, type Pattern, parsePattern, resolve, splitArnPattern } from "./pattern.ts";
import { PolicyError } from "./policy-error.ts";
import { parsePrincipal, type PrincipalElement } from "./principals.ts";

export interface Policy {
  version: string | undefined;
  statements: readonly Statement[];
}

export interface Statement {
  sid: string | undefined;
  effect: "Allow" | "Deny";
  /** Of policies of resources and of trust. */
  principal: { negated: boolean; element: PrincipalElement } | undefined;
  /** In lower case. */
  actions: { negated: boolean; globs: readonly Glob[]; texts: readonly string[] };
  /** A policy of trust has none: it is about its role. */
  resources: { negated: boolean; patterns: readonly ResourcePattern[] } | undefined;
  conditions: readonly Condition[];
}

/** Field by field; `everything` is `*`, which is also like what is no ARN. */
export interface ResourcePattern {
  text: string;
  everything: boolean;
  fields: readonly Pattern[];
  /** Of fields without variables. */
  globs: readonly (Glob | undefined)[];
}

/** By text. A few thousand policies, or a few megabytes of them, whichever comes first. */
const parsed = new Map<string, Policy>();
const mostParsed = 2000;
const mostText = 8 << 20;
let textParsed = 0;

/** As `readPolicy`; what was read is kept, for the same texts decide about most requests. */
export function policyOf(text: string): Policy {
  const known = parsed.get(text);
  if (known) {
    // Among the newest again.
    parsed.delete(text);
    parsed.set(text, known);
    return known;
  }
  const policy = readPolicy(text);
  parsed.set(text, policy);
  textParsed += text.length;
  for (const [oldest] of parsed) {
    if (parsed.size <= mostParsed && textParsed <= mostText) break;
    parsed.delete(oldest);
    textParsed -= oldest.length;
  }
  return policy;
}

/** Longer than any policy that AWS takes. */
const longest = 131_072;

/** Throws PolicyError for a text that is no policy. What each kind of policy must have beyond that is in checks.ts. */
export function readPolicy(text: string): Policy {
  if (text.length > longest) throw new PolicyError("syntax", "too long");
  const document = readJson(text);
  if (!isObject(document)) throw new PolicyError("json");
  const { Version: version, Id: id, Statement: statement, ...others } = document;
  for (const name of Object.keys(others)) throw new PolicyError("field", name);
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17") throw new PolicyError("version");
  if (id !== undefined && typeof id !== "string") throw new PolicyError("syntax", "Id");
  if (statement === undefined) throw new PolicyError("syntax", "Statement");
  const variables = version === "2012-10-17";
  return { version, statements: (Array.isArray(statement) ? statement : [statement]).map((one) => readStatement(one, variables)) };
}

const statementFields = new Set([
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
]);

function readStatement(statement: unknown, variables: boolean): Statement {
  if (!isObject(statement)) throw new PolicyError("syntax", "Statement");
  for (const name of Object.keys(statement)) if (!statementFields.has(name)) throw new PolicyError("field", name);
  const { Sid: sid, Effect: effect } = statement;
  if (sid !== undefined && typeof sid !== "string") throw new PolicyError("sid");
  if (effect !== "Allow" && effect !== "Deny") throw new PolicyError("effect", effect === undefined ? "" : JSON.stringify(effect));
  const principal = either(statement, "Principal");
  const action = either(statement, "Action");
  const resource = either(statement, "Resource");
  if (!action) throw new PolicyError("action-missing");
  const actions = texts(action.value, "action");
  const globs = actions.map((text) => actionGlob(text));
  return {
    sid,
    effect,
    principal: principal && { negated: principal.negated, element: parsePrincipal(principal.value) },
    actions: { negated: action.negated, globs, texts: actions },
    resources: resource && {
      negated: resource.negated,
      patterns: texts(resource.value, "resource").map((text) => resourcePattern(text, variables)),
    },
    conditions: readConditions(statement.Condition, variables),
  };
}

/** Action or NotAction, and so on; never both. */
function either(statement: Record<string, unknown>, name: string): { negated: boolean; value: unknown } | undefined {
  const [plain, not] = [statement[name], statement[`Not${name}`]];
  if (plain !== undefined && not !== undefined) throw new PolicyError("syntax", `${name} and Not${name}`);
  if (plain !== undefined) return { negated: false, value: plain };
  return not === undefined ? undefined : { negated: true, value: not };
}

function texts(value: unknown, problem: "action" | "resource"): string[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  if (list.length === 0) throw new PolicyError(`${problem}-missing`);
  for (const text of list) if (typeof text !== "string") throw new PolicyError(problem, JSON.stringify(text));
  return list as string[];
}

const actionForm = /^(\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+|\*:\*)$/;

function actionGlob(text: string): Glob {
  if (!actionForm.test(text)) throw new PolicyError("action", text);
  const pattern = text === "*:*" ? everything : parsePattern(text.toLowerCase(), { wildcards: true, variables: false });
  return resolve(pattern, new Map())!;
}

function resourcePattern(text: string, variables: boolean): ResourcePattern {
  const pattern = parsePattern(text, { wildcards: true, variables });
  if (isEverything(pattern)) return { text, everything: true, fields: [], globs: [] };
  if (!text.startsWith("arn:")) throw new PolicyError("resource", text);
  const fields = splitArnPattern(pattern)!;
  // "AWS completes an ARN of fewer fields with wildcards."
  while (fields.length < arnFields) fields.push(everything);
  return { text, everything: false, fields, globs: fields.map((field) => (field.hasVariables ? undefined : resolve(field, new Map()))) };
}

function readConditions(block: unknown, variables: boolean): Condition[] {
  if (block === undefined) return [];
  if (!isObject(block)) throw new PolicyError("syntax", "Condition");
  return Object.entries(block).flatMap(([operator, keys]) => {
    if (!isObject(keys)) throw new PolicyError("syntax", `Condition ${operator}`);
    return Object.entries(keys).map(([key, value]) => {
      if (!key.includes(":")) throw new PolicyError("condition-key", key);
      const values = Array.isArray(value) ? (value as unknown[]) : [value];
      for (const one of values)
        if (!["string", "number", "boolean"].includes(typeof one)) throw new PolicyError("condition-value", `${operator} ${key}`);
      return parseCondition(operator, key, values.map(String), variables);
    });
  });
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** JSON in which no object has a key twice: readers would take one or the other. */
function readJson(text: string): unknown {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new PolicyError("json");
  }
  // The text is JSON: strings and brackets are all that there is to see.
  const open: (Set<string> | undefined)[] = [];
  let last = "";
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      const key = JSON.parse(last) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) throw new PolicyError("field", `${key} twice`);
      keys?.add(key);
    }
    last = token;
  }
  return document;
}
