/**
 * Answers as JSON text. Of each shape a writer is made once, of the model: the SDK's own asks the schema anew for every value, and writes byte by byte. What is
 * written is the same, which test/unit/operations.test.ts compares for every operation.
 */
import type { Schema } from "./operations.ts";

/** Never given undefined or null. */
type Writer = (value: unknown) => string;

/** Writes what has no writer here. */
type Otherwise = (schema: Schema, value: unknown) => string;

/** By structure: shapes may be circular. */
const ofStructures = new WeakMap<object, Writer>();

/** What the SDK's schemas call a timestamp that is written as the model says: ISO 8601, or HTTP's date. All others are seconds. */
const [isoTime, httpTime] = [5, 6];

export function writerOf(schema: Schema, otherwise: Otherwise): Writer {
  if (schema.isStructSchema()) return structure(schema, otherwise);
  if (schema.isListSchema()) return list(schema, otherwise);
  if (schema.isMapSchema()) return map(schema, otherwise);
  if (schema.isStringSchema()) return text;
  if (schema.isBlobSchema()) return (value) => `"${Buffer.from(value as Uint8Array).toString("base64")}"`;
  if (schema.isBooleanSchema()) return String;
  // What JSON has no number for is a text in AWS's.
  if (schema.isNumericSchema()) return (value) => (Number.isFinite(value) ? String(value) : `"${String(value)}"`);
  if (schema.isTimestampSchema() && ![isoTime, httpTime].includes(schema.getSchema() as number))
    return (value) => String((value as Date).getTime() / 1000);
  return (value) => otherwise(schema, value);
}

function structure(schema: Schema, otherwise: Otherwise): Writer {
  const shape = schema.getSchema() as object;
  const known = ofStructures.get(shape);
  if (known) return known;
  let members: { name: string; key: string; write: Writer }[] | undefined;
  const write: Writer = (value) => {
    members ??= [...schema.structIterator()].map(([name, member]) => ({ name, key: `${text(name)}:`, write: writerOf(member, otherwise) }));
    let written = "";
    for (const member of members) {
      const item = (value as Record<string, unknown>)[member.name];
      if (item === undefined || item === null) continue;
      written += (written === "" ? member.key : `,${member.key}`) + member.write(item);
    }
    return `{${written}}`;
  };
  ofStructures.set(shape, write);
  return write;
}

/** Lists and maps leave nothing out where the model calls them sparse. */
const isSparse = (schema: Schema): boolean => Boolean(schema.getMergedTraits().sparse);

function list(schema: Schema, otherwise: Otherwise): Writer {
  const write = writerOf(schema.getValueSchema(), otherwise);
  const sparse = isSparse(schema);
  return (value) => {
    let written = "";
    for (const item of value as unknown[]) {
      const isNothing = item === undefined || item === null;
      if (isNothing && !sparse) continue;
      written += (written === "" ? "" : ",") + (isNothing ? "null" : write(item));
    }
    return `[${written}]`;
  };
}

function map(schema: Schema, otherwise: Otherwise): Writer {
  const write = writerOf(schema.getValueSchema(), otherwise);
  const sparse = isSparse(schema);
  return (value) => {
    let written = "";
    for (const [key, item] of Object.entries(value as object)) {
      const isNothing = item === undefined || item === null;
      if (isNothing && (!sparse || item === undefined)) continue;
      written += `${written === "" ? "" : ","}${text(key)}:${isNothing ? "null" : write(item)}`;
    }
    return `{${written}}`;
  };
}

/** ASCII that JSON writes as it is: most texts are, and a look is cheaper than a call. */
const plain = /^[ !#-[\]-~]*$/;

const text = (value: unknown): string => (typeof value === "string" && plain.test(value) ? `"${value}"` : JSON.stringify(value));
