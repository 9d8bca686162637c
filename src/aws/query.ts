/** The query protocol's requests: `Tags.member.1.Key=a` as the structure that it stands for. */
import { AwsError } from "./errors.ts";
import type { Schema } from "./operations.ts";

/** A name's own value and what comes after a dot below it. */
interface Node {
  value?: string;
  below: Map<string, Node>;
}

const ownParameters = new Set(["Action", "Version"]);

function tree(parameters: URLSearchParams): Node {
  const root: Node = { below: new Map() };
  for (const [name, value] of parameters) {
    if (ownParameters.has(name) || name.startsWith("X-Amz-")) continue;
    let node = root;
    for (const part of name.split(".")) {
      let next = node.below.get(part);
      if (!next) node.below.set(part, (next = { below: new Map() }));
      node = next;
    }
    node.value = value;
  }
  return root;
}

function malformed(value: string, wanted: string): AwsError {
  return new AwsError("MalformedInput", `'${value}' is not a ${wanted}`);
}

/** Entries of a list or map, in the order of their numbers. */
function numbered(node: Node | undefined): Node[] {
  const entries = [...(node?.below ?? [])].filter(([name]) => /^\d+$/.test(name));
  return entries.toSorted((a, b) => Number(a[0]) - Number(b[0])).map(([, entry]) => entry);
}

function xmlName(schema: Schema, otherwise: string): string {
  return schema.getMergedTraits().xmlName ?? otherwise;
}

function read(schema: Schema, node: Node): unknown {
  if (schema.isStructSchema()) return readStructure(schema, node);
  const flattened = schema.getMergedTraits().xmlFlattened !== undefined;
  if (schema.isListSchema()) {
    const member = schema.getValueSchema();
    return numbered(flattened ? node : node.below.get(xmlName(member, "member"))).map((entry) => read(member, entry));
  }
  if (schema.isMapSchema()) {
    const [keyName, valueName] = [xmlName(schema.getKeySchema(), "key"), xmlName(schema.getValueSchema(), "value")];
    const entries = numbered(flattened ? node : node.below.get("entry")).map((entry): [string, unknown] => {
      const value = entry.below.get(valueName);
      return [entry.below.get(keyName)?.value ?? "", value && read(schema.getValueSchema(), value)];
    });
    return Object.fromEntries(entries);
  }
  return readSimple(schema, node.value ?? "");
}

/** Names that the structure does not have are kept, so that validation finds them. */
function readStructure(schema: Schema, node: Node): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const left = new Map(node.below);
  for (const [name, member] of schema.structIterator()) {
    const wire = xmlName(member, name);
    const below = node.below.get(wire);
    if (below) found[name] = read(member, below);
    left.delete(wire);
  }
  for (const [name, below] of left) found[name] = below.value ?? "";
  return found;
}

function readSimple(schema: Schema, value: string): unknown {
  if (schema.isBooleanSchema()) {
    if (value !== "true" && value !== "false") throw malformed(value, "boolean");
    return value === "true";
  }
  if (schema.isNumericSchema()) {
    if (value === "" || Number.isNaN(Number(value))) throw malformed(value, "number");
    return Number(value);
  }
  if (schema.isTimestampSchema()) {
    const time = new Date(value);
    if (Number.isNaN(time.getTime())) throw malformed(value, "timestamp");
    return time;
  }
  if (schema.isBlobSchema()) return Buffer.from(value, "base64");
  return value;
}

/** The input that a query request holds. Throws AwsError MalformedInput for text that is not of its member's type. */
export function fromQuery(schema: Schema, parameters: URLSearchParams): unknown {
  return schema.isUnitSchema() ? {} : readStructure(schema, tree(parameters));
}
