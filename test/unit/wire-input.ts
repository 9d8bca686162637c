/** A request's body and headers in the protocol of its service, whatever the input holds. */
import { Raw } from "./fuzz-input.ts";
import type { Operation, Schema, Service } from "../../src/aws/operations.ts";

export interface Written {
  body: string;
  headers: Record<string, string>;
}

export function written(service: Service, operation: Operation, input: unknown): Written {
  if (service.protocol === "awsJson1_1")
    return {
      body: input instanceof Raw ? input.text : (JSON.stringify(input, jsonValue) ?? ""),
      headers: { "x-amz-target": `${service.target}.${operation.name}`, "content-type": "application/x-amz-json-1.1" },
    };
  const form = new URLSearchParams({ Action: operation.name, Version: service.version });
  writeForm(form, "", operation.input.isUnitSchema() ? undefined : operation.input, input, service.protocol === "ec2Query", 0);
  return { body: form.toString(), headers: { "content-type": "application/x-www-form-urlencoded" } };
}

/** JSON has times as seconds, and bytes as base64. */
function jsonValue(this: unknown, key: string, value: unknown): unknown {
  const given = (this as Record<string, unknown>)[key];
  if (given instanceof Date) return given.getTime() / 1000;
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}

const deepest = 60;

function writeForm(form: URLSearchParams, at: string, schema: Schema | undefined, value: unknown, ec2: boolean, depth: number): void {
  if (depth > deepest || value === undefined) return;
  const below = (name: string) => (at === "" ? name : `${at}.${name}`);
  if (value instanceof Date) form.set(at, value.toISOString());
  else if (value instanceof Uint8Array) form.set(at, Buffer.from(value).toString("base64"));
  else if (Array.isArray(value)) {
    const list = ec2 ? at : below("member");
    const member = schema?.isListSchema() ? schema.getValueSchema() : undefined;
    for (const [i, element] of value.entries()) writeForm(form, `${list}.${i + 1}`, member, element, ec2, depth + 1);
  } else if (typeof value === "object" && value !== null) {
    const members = new Map(schema?.isStructSchema() ? schema.structIterator() : []);
    for (const [name, inner] of Object.entries(value)) {
      const member = members.get(name);
      writeForm(form, below(member ? wireName(name, member, ec2) : name), member, inner, ec2, depth + 1);
    }
  } else form.set(at, String(value));
}

function wireName(name: string, member: Schema, ec2: boolean): string {
  const traits = member.getMergedTraits() as { ec2QueryName?: string; xmlName?: string };
  if (!ec2) return traits.xmlName ?? name;
  const wire = traits.ec2QueryName ?? traits.xmlName ?? name;
  return wire.charAt(0).toUpperCase() + wire.slice(1);
}
