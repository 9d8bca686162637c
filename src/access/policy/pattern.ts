/**
 * Texts of policies that match others: `*`, `?` and, where the policy's version has them, variables such as `${aws:username}`.
 * Source: IAM User Guide, "Policy elements: variables and tags" and "String condition operators". Matching is no regular expression: it costs
 * at most the product of both lengths, whatever the pattern.
 */
import type { Context } from "./context.ts";
import { contextNames, lookUp } from "./context.ts";

const star = Symbol("*");
const any = Symbol("?");

interface Variable {
  /** As it is written. */
  key: string;
  names: readonly string[];
  /** `${aws:PrincipalTag/team, 'none'}` */
  otherwise: string | undefined;
}

type Piece = string | typeof star | typeof any | Variable;

/** A pattern as it was written; `hasVariables` decides whether it must be resolved for each request. */
export interface Pattern {
  pieces: readonly Piece[];
  hasVariables: boolean;
}

/** What stands between two stars: texts at their places, and any character between them. */
interface Segment {
  length: number;
  texts: readonly { at: number; text: string }[];
}

/** A pattern whose variables have their values: segments with a star between each two. */
export type Glob = readonly Segment[];

export interface PatternOptions {
  /** `*` and `?` stand for others. */
  wildcards: boolean;
  /** `${…}` is a variable (policies of version 2012-10-17). */
  variables: boolean;
}

const special = /\$\{([^}]*)\}|\*+|\?/g;
/** A key, and its default in single quotes. */
const variableForm = /^\s*([\w:./+=@ -]+?)\s*(?:,\s*'([^']*)'\s*)?$/;

export function parsePattern(text: string, options: PatternOptions): Pattern {
  const pieces: Piece[] = [];
  let from = 0;
  let hasVariables = false;
  for (const match of text.matchAll(special)) {
    const piece = pieceOf(match[0], match[1], options);
    if (piece === undefined) continue;
    if (match.index > from) pieces.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    hasVariables ||= typeof piece === "object";
    pieces.push(piece);
  }
  if (from < text.length) pieces.push(text.slice(from));
  return { pieces, hasVariables };
}

/** Undefined for what stands for itself. */
function pieceOf(whole: string, inside: string | undefined, options: PatternOptions): Piece | undefined {
  if (inside === undefined) return options.wildcards ? (whole === "?" ? any : star) : undefined;
  if (!options.variables) return undefined;
  if (inside === "*" || inside === "?" || inside === "$") return inside;
  const [, key, otherwise] = variableForm.exec(inside) ?? [];
  return key === undefined ? undefined : { key, names: contextNames(key), otherwise };
}

/** Undefined where a variable has no value: such a pattern is like nothing. What a variable's value holds stands for itself, `*` too. */
export function resolve(pattern: Pattern, context: Context): Glob | undefined {
  const pieces = pattern.hasVariables ? valuesOf(pattern.pieces, context) : (pattern.pieces as (string | symbol)[]);
  return pieces && globOf(pieces);
}

function valuesOf(pieces: readonly Piece[], context: Context): (string | symbol)[] | undefined {
  const found: (string | symbol)[] = [];
  for (const piece of pieces) {
    if (typeof piece !== "object") found.push(piece);
    else {
      const value = lookUp(context, piece.names) ?? piece.otherwise;
      // A key of many values has none that could stand here.
      if (typeof value !== "string") return undefined;
      found.push(value);
    }
  }
  return found;
}

function globOf(pieces: readonly (string | symbol)[]): Glob {
  const segments: { length: number; texts: { at: number; text: string }[] }[] = [{ length: 0, texts: [] }];
  for (const piece of pieces) {
    const last = segments.at(-1)!;
    if (piece === star) segments.push({ length: 0, texts: [] });
    else if (piece === any) last.length++;
    else if (piece !== "") {
      const text = piece as string;
      const before = last.texts.at(-1);
      if (before && before.at + before.text.length === last.length) before.text += text;
      else last.texts.push({ at: last.length, text });
      last.length += text.length;
    }
  }
  return segments;
}

/** Splits at colons as an ARN is split: into at most six parts, of which the last keeps its colons. Colons of variables' values count with `context`. */
export function splitArnPattern(pattern: Pattern, context?: Context): Pattern[] | undefined {
  const pieces = context && pattern.hasVariables ? (valuesOf(pattern.pieces, context) as Piece[] | undefined) : pattern.pieces;
  if (!pieces) return undefined;
  const fields: Piece[][] = [[]];
  for (const piece of pieces) {
    if (typeof piece !== "string") {
      fields.at(-1)!.push(piece);
      continue;
    }
    let rest = piece;
    for (let at = rest.indexOf(":"); at >= 0 && fields.length < arnFields; at = rest.indexOf(":")) {
      if (at > 0) fields.at(-1)!.push(rest.slice(0, at));
      fields.push([]);
      rest = rest.slice(at + 1);
    }
    if (rest !== "") fields.at(-1)!.push(rest);
  }
  return fields.map((field) => ({ pieces: field, hasVariables: field.some((piece) => typeof piece === "object") }));
}

export const arnFields = 6;

/** The six fields of an ARN; undefined for a text that is none. */
export function splitArn(text: string): string[] | undefined {
  if (!text.startsWith("arn:")) return undefined;
  const fields: string[] = [];
  let from = 0;
  while (fields.length < arnFields - 1) {
    const at = text.indexOf(":", from);
    if (at < 0) return undefined;
    fields.push(text.slice(from, at));
    from = at + 1;
  }
  fields.push(text.slice(from));
  return fields;
}

/** The keys of its variables. */
export const variablesOf = ({ pieces }: Pattern): string[] => pieces.flatMap((piece) => (typeof piece === "object" ? [piece.key] : []));

/** A pattern of nothing but stars. */
export const isEverything = ({ pieces }: Pattern): boolean => pieces.length > 0 && pieces.every((piece) => piece === star);
export const everything: Pattern = { pieces: [star], hasVariables: false };

/** Is `text` like `glob`, from its first character to its last? */
export function isLike(glob: Glob, text: string): boolean {
  const first = glob[0]!;
  if (!standsAt(first, text, 0)) return false;
  if (glob.length === 1) return text.length === first.length;
  const last = glob.at(-1)!;
  const end = text.length - last.length;
  let from = first.length;
  // The leftmost place leaves the most room for the others: nothing is ever tried again.
  for (let i = 1; i < glob.length - 1; i++) {
    const at = find(glob[i]!, text, from, end);
    if (at < 0) return false;
    from = at + glob[i]!.length;
  }
  return from <= end && standsAt(last, text, end);
}

/** Where `segment` stands first in `text` between two places; -1 for nowhere. */
function find(segment: Segment, text: string, from: number, end: number): number {
  const latest = end - segment.length;
  const [only] = segment.texts;
  if (only && only.text.length === segment.length) {
    const at = text.indexOf(only.text, from);
    return at <= latest ? at : -1;
  }
  for (let at = from; at <= latest; at++) if (standsAt(segment, text, at)) return at;
  return -1;
}

function standsAt(segment: Segment, text: string, at: number): boolean {
  return at + segment.length <= text.length && segment.texts.every((part) => text.startsWith(part.text, at + part.at));
}
