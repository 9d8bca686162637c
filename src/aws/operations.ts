/**
 * Services and their operations as AWS's own SDK describes them; which ones Howdah speaks is in services/. The only module that touches the
 * SDK's internals: the names of its schemas and serialisers change from release to release, everything else here does not.
 */
import { JsonShapeDeserializer2, JsonShapeSerializer2, XmlShapeSerializer } from "@aws-sdk/core/protocols";
import { NormalizedSchema } from "@smithy/core/schema";
import type { Principal } from "../access/principal.ts";
import { writerOf } from "./json-text.ts";
import { legalXml } from "./xml.ts";

/** A shape of the model: a structure with its members, a list, a map or a simple type. */
export type Schema = NormalizedSchema;

export type Protocol = "awsJson1_1" | "awsQuery" | "ec2Query";

export interface Operation {
  name: string;
  input: Schema;
  output: Schema;
}

/** What a value must satisfy beyond its type. Lengths for strings, lists and maps, ranges for numbers. */
export interface Rule {
  min?: number;
  max?: number;
  pattern?: string;
  enum?: string[];
  /** Of whole numbers: 32 and 64 bits. */
  type?: "integer" | "long";
  member?: Rule;
  key?: Rule;
  value?: Rule;
}

/** By structure, by member. */
export type Constraints = Record<string, Record<string, Rule>>;

export interface Service {
  /** As in the scope of a signature. */
  signingName: string;
  protocol: Protocol;
  /** What comes before the dot in X-Amz-Target (awsJson1_1). */
  target: string;
  /** As query requests name it, and the namespace of answers (awsQuery, ec2Query). */
  version: string;
  namespace: string;
  operations: Map<string, Operation>;
  /** Modelled errors, with their members. */
  errors: Map<string, string[]>;
  constraints: Constraints;
}

type Tuple = readonly unknown[];

/** Marks in the SDK's schema tuples. */
const operationMark = 9;
const errorMark = -3;

/** Operations and modelled errors of an SDK client's module. */
export function readModule(module: Record<string, unknown>): Pick<Service, "operations" | "errors"> {
  const operations = new Map<string, Operation>();
  const errors = new Map<string, string[]>();
  for (const value of Object.values(module)) {
    if (!Array.isArray(value)) continue;
    const [mark, , name, , fourth, fifth] = value as Tuple as [number, string, string, unknown, unknown, unknown];
    if (mark === operationMark) operations.set(name, { name, input: schemaOf(fourth), output: schemaOf(fifth) });
    if (mark === errorMark) errors.set(name, fourth as string[]);
  }
  return { operations, errors };
}

/** Schemas refer to one another by functions, so that they may be circular. */
function schemaOf(reference: unknown): Schema {
  return NormalizedSchema.of((typeof reference === "function" ? reference() : reference) as Parameters<typeof NormalizedSchema.of>[0]);
}

/** How many of a structure's members, from the first, are required. */
export function requiredCount(structure: Schema): number {
  const schema = structure.getSchema() as Tuple;
  const unionMark = 4;
  return schema[0] === unionMark ? 0 : ((schema[6] as number | undefined) ?? 0);
}

const jsonSettings = { timestampFormat: { useTrait: true, default: 7 as const }, jsonName: false };
const jsonReader = new JsonShapeDeserializer2(jsonSettings);

/** A parsed JSON document as the handler's input: timestamps become Dates, unknown members are left out. The document is used up. */
export function fromJson(schema: Schema, document: unknown): unknown {
  return jsonReader.readObject(schema, document as never);
}

/** JSON text of an output; empty for an operation that has none. */
export const toJson = (schema: Schema, value: unknown): string => (schema.isUnitSchema() ? "" : writerOf(schema, toJsonBySdk)(value ?? {}));

/** The same by the SDK's own writer, which has every type of the model. */
export function toJsonBySdk(schema: Schema, value: unknown): string {
  const writer = new JsonShapeSerializer2(jsonSettings);
  writer.write(schema, value ?? {});
  const { buffer, byteOffset, byteLength } = writer.flush() as unknown as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
}

/** The members of an output as XML inside `<element>`; empty for an operation that has none. */
export function toXml(schema: Schema, value: unknown, element: string): string {
  if (schema.isUnitSchema()) return "";
  const writer = new XmlShapeSerializer({
    timestampFormat: { useTrait: true, default: 5 },
    httpBindings: false,
    xmlNamespace: "",
    serviceNamespace: "",
  });
  writer.write(schema, value ?? {});
  const xml = legalXml(String(writer.flush()));
  // The serialiser names the root after the structure, the query protocol after the operation.
  const name = schema.getName() ?? "";
  return xml.replace(new RegExp(`^<${name}(?=[\\s/>])`), `<${element}`).replace(new RegExp(`</${name}>$`), `</${element}>`);
}

/** What the pipeline tells a handler of its request. */
export interface RequestContext {
  requestId: string;
  region: string;
  accountId: string;
  principal: Principal;
  accessKeyId: string;
  /** The client's address, as the front door saw it. */
  sourceIp: string;
  /** Whether it came over TLS. */
  secure: boolean;
  /** As the client names itself; empty where it does not. */
  userAgent: string;
  now: Date;
  /** Paths of members that the model does not have, such as `Instances.Colour`. AWS ignores them; a handler warns of them. */
  unknownMembers: string[];
}

/** `T` once it is validated: what the model requires is there. */
export type Present<T> = T extends readonly (infer E)[]
  ? Present<E>[]
  : T extends Date | Uint8Array
    ? T
    : T extends object
      ? { [K in keyof T]: Record<never, never> extends Pick<T, K> ? Present<T[K]> : Present<Exclude<T[K], undefined>> }
      : T;

/** Names of a service's operations, from its SDK client's module: `OperationName<typeof emr>`. */
export type OperationName<M> = Exclude<keyof { [K in keyof M as K extends `${infer Name}Command` ? Name : never]: true } & string, "$">;
type CommandOf<M, Name extends string> = `${Name}Command` extends keyof M ? M[`${Name}Command`] : never;
// The command's class is overloaded and its base nameless: the types are read off its instance.
type Instance<C> = C extends new (input: never) => infer I ? I : never;

/** What a client sends to operation `Name`, validated. */
export type Input<M, Name extends string> = Instance<CommandOf<M, Name>> extends { input: infer I } ? Present<I> : never;

/** What operation `Name` answers. */
export type Output<M, Name extends string> =
  Instance<CommandOf<M, Name>> extends { resolveMiddleware(...rest: never[]): (...rest: never[]) => Promise<{ output: infer O }> }
    ? Omit<O, "$metadata">
    : never;

/** One operation. Throws AwsError for what the client must know; anything else that it throws is an internal error. */
export type Handler<M, Name extends string> = (
  input: Input<M, Name>,
  context: RequestContext,
) => Output<M, Name> | Promise<Output<M, Name>>;

/** Handlers of a service by operation: `Handlers<typeof emr>`. An operation without one answers that it is not built yet. */
export type Handlers<M> = { [Name in OperationName<M>]?: Handler<M, Name> };
