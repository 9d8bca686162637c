/** The query protocols' requests: `Tags.member.1.Key=a`, or in EC2's way `Tag.1.Key=a`, as the structure that it stands for. */
import { AwsError } from "./errors.ts";
import type { Schema } from "./operations.ts";

/** A name's own value and what comes after a dot below it. */
interface Node {
  value?: string;
  below: Map<string, Node>;
}

const ownParameters = new Set(["Action", "Version"]);

/** Where the two query protocols differ. */
export interface QueryStyle {
  /** The name of a structure's member on the wire. */
  memberName(member: Schema, name: string): string;
  /** Entries of a list follow the list's own name at once, with nothing such as `member` between. */
  flatLists: boolean;
  /** For text that is not of its member's type. `at` is the parameter's name. */
  malformed(value: string, wanted: string, at: string): AwsError;
}

export const awsStyle: QueryStyle = {
  memberName: xmlName,
  flatLists: false,
  malformed: (value, wanted) => new AwsError("MalformedInput", `'${value}' is not a ${wanted}`),
};

/** Source: Smithy, "AWS EC2 query protocol": ec2QueryName, else the capitalised xmlName, else the capitalised name. */
export const ec2Style: QueryStyle = {
  memberName(member, name) {
    const { ec2QueryName } = member.getMergedTraits();
    if (typeof ec2QueryName === "string") return ec2QueryName;
    const text = xmlName(member, name);
    return text.charAt(0).toUpperCase() + text.slice(1);
  },
  flatLists: true,
  malformed: (value, wanted, at) =>
    new AwsError("InvalidParameterValue", `Value (${value}) for parameter ${at} is invalid: it must be a ${wanted}.`),
};

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

function xmlName(schema: Schema, otherwise: string): string {
  return schema.getMergedTraits().xmlName ?? otherwise;
}

class Reader {
  readonly style: QueryStyle;
  /** Names of parameters that stand for nothing in the model. */
  readonly unknown: string[] = [];

  constructor(style: QueryStyle) {
    this.style = style;
  }

  structure(schema: Schema, node: Node, at = ""): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    const members = new Map<string, [string, Schema]>();
    for (const [name, member] of schema.structIterator()) members.set(this.style.memberName(member, name), [name, member]);
    for (const [wire, below] of node.below) {
      const path = at ? `${at}.${wire}` : wire;
      const [name, member] = members.get(wire) ?? [];
      if (name !== undefined && member) found[name] = this.value(member, below, path);
      else this.unknown.push(path);
    }
    return found;
  }

  private value(schema: Schema, node: Node, at: string): unknown {
    if (schema.isStructSchema()) return this.structure(schema, node, at);
    const isFlat = schema.getMergedTraits().xmlFlattened !== undefined;
    if (schema.isListSchema()) {
      const member = schema.getValueSchema();
      const entries = this.entries(node, this.style.flatLists || isFlat ? undefined : xmlName(member, "member"), at);
      return entries.map(([path, entry]) => this.value(member, entry, path));
    }
    if (schema.isMapSchema()) {
      const [keyName, valueName] = [xmlName(schema.getKeySchema(), "key"), xmlName(schema.getValueSchema(), "value")];
      const entries = this.entries(node, isFlat ? undefined : "entry", at).map(([path, entry]): [string, unknown] => {
        const value = entry.below.get(valueName);
        return [entry.below.get(keyName)?.value ?? "", value && this.value(schema.getValueSchema(), value, `${path}.${valueName}`)];
      });
      return Object.fromEntries(entries);
    }
    for (const below of node.below.keys()) this.unknown.push(`${at}.${below}`);
    return this.simple(schema, node.value ?? "", at);
  }

  /** Entries of a list or map with their paths, in the order of their numbers. `between` comes before the number. */
  private entries(node: Node, between: string | undefined, at: string): [string, Node][] {
    const isNumber = (name: string) => /^\d+$/.test(name);
    for (const name of node.below.keys())
      if (between === undefined ? !isNumber(name) : name !== between) this.unknown.push(`${at}.${name}`);
    // An empty list is the list's name alone, without a value.
    if (node.value) this.unknown.push(at);
    const below = between === undefined ? node : node.below.get(between);
    const path = between === undefined ? at : `${at}.${between}`;
    return [...(below?.below ?? [])]
      .filter(([name]) => isNumber(name))
      .toSorted((a, b) => Number(a[0]) - Number(b[0]))
      .map(([number, entry]) => [`${path}.${number}`, entry]);
  }

  private simple(schema: Schema, value: string, at: string): unknown {
    const { malformed } = this.style;
    if (schema.isBooleanSchema()) {
      if (value !== "true" && value !== "false") throw malformed(value, "boolean", at);
      return value === "true";
    }
    if (schema.isNumericSchema()) {
      if (value === "" || Number.isNaN(Number(value))) throw malformed(value, "number", at);
      return Number(value);
    }
    if (schema.isTimestampSchema()) {
      const time = new Date(value);
      if (Number.isNaN(time.getTime())) throw malformed(value, "timestamp", at);
      return time;
    }
    if (schema.isBlobSchema()) return Buffer.from(value, "base64");
    return value;
  }
}

/** The input that a query request holds, and the names of what the model does not have. Throws the style's error for text that is not of its member's type. */
export function fromQuery(
  schema: Schema,
  parameters: URLSearchParams,
  style: QueryStyle = awsStyle,
): { input: unknown; unknown: string[] } {
  if (schema.isUnitSchema()) return { input: {}, unknown: [] };
  const reader = new Reader(style);
  return { input: reader.structure(schema, tree(parameters)), unknown: reader.unknown };
}
