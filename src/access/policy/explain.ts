/** Why a decision is as it is: for IAM's policy simulation. Source: IAM API Reference, SimulatePrincipalPolicy and GetContextKeysForPrincipalPolicy. */
import type { Principal } from "../principal.ts";
import { applies, type Ask, isAbout, namedBy } from "./decide.ts";
import { type Policy, policyOf } from "./document.ts";
import { contextNames, lookUp } from "./context.ts";
import { variablesOf } from "./pattern.ts";

/** Lines and columns count from 1. */
export interface Position {
  Line: number;
  Column: number;
}

export interface Span {
  effect: "Allow" | "Deny";
  start: Position;
  end: Position;
}

/** The statements of a policy that apply, by where they are in its text. `of`: in a resource's policy, whom they must name. */
export function applying(text: string, ask: Ask, of?: { principal: Principal | undefined }): Span[] {
  const policy = policyOf(text);
  let spans = known.get(policy);
  if (!spans) known.set(policy, (spans = statementSpans(text)));
  return policy.statements.flatMap((statement, i) => {
    if ((of && namedBy(statement, of.principal) === "not") || !applies(statement, ask)) return [];
    return [{ effect: statement.effect, ...spans![i]! }];
  });
}

const known = new WeakMap<Policy, ReturnType<typeof statementSpans>>();

/** Condition keys and variables of the statements about this action and resource that the request has no value for; as they are written. */
export function missingKeys(text: string, ask: Ask): string[] {
  const about = policyOf(text).statements.filter((statement) => isAbout(statement, ask));
  return keysOf({ version: undefined, statements: about }).filter((key) => lookUp(ask.context, contextNames(key)) === undefined);
}

/** All keys that a policy asks for, each once. */
export function keysOf({ statements }: Policy): string[] {
  const keys = new Map<string, string>();
  for (const { conditions, resources } of statements) {
    const written = [
      ...conditions.map(({ key }) => key),
      ...conditions.flatMap(({ variables }) => variables),
      ...(resources?.patterns ?? []).flatMap(({ fields }) => fields.flatMap(variablesOf)),
    ];
    for (const key of written) if (!keys.has(key.toLowerCase())) keys.set(key.toLowerCase(), key);
  }
  return [...keys.values()];
}

/** Where each statement begins and ends in a text that is a policy. */
function statementSpans(text: string): { start: Position; end: Position }[] {
  const spans: { start: Position; end: Position }[] = [];
  const open: { at: number; isList: boolean; key: string | undefined }[] = [];
  let [last, key] = ["", ""];
  for (const { 0: token, index } of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g)) {
    if (token === ":") key = JSON.parse(last) as string;
    else if (token === "{" || token === "[") {
      open.push({ at: index, isList: token === "[", key });
      key = "";
    } else if (token === "}" || token === "]") {
      const closed = open.pop()!;
      const inList = open.length === 2 && open[1]!.isList && open[1]!.key === "Statement";
      const alone = open.length === 1 && !closed.isList && closed.key === "Statement";
      if (inList || alone) spans.push({ start: positionOf(text, closed.at), end: positionOf(text, index + 1) });
    }
    last = token;
  }
  return spans;
}

function positionOf(text: string, at: number): Position {
  const before = text.slice(0, at).split("\n");
  return { Line: before.length, Column: before.at(-1)!.length + 1 };
}
