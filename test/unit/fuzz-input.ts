/** What a hostile or careless client may send: made from the model of an operation, by a seeded generator. */
import type { Operation, Rule, Schema, Service } from "../../src/aws/operations.ts";
import { isSecretName } from "../../src/aws/secrets.ts";
import { minimalInput } from "./model-input.ts";

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Whatever is secret begins with it: it may be in no answer and no log. */
export const sentinel = "SENTINELofSECRETS";
const secretName = isSecretName;

const hostileTexts = [
  "",
  " ",
  "\u0000",
  "\ud800",
  "𝒽\u202eowdah",
  "'; DROP TABLE clusters; --",
  '" OR 1=1 --',
  "../../../../etc/passwd",
  "<script>alert(1)</script>",
  "]]><x/>&amp;",
  "%s%n%x${7*7}#{7*7}",
  "{}",
  "[]",
  "null",
  "true",
  "NaN",
  "-1",
  "1e309",
  "*",
  "__proto__",
  "constructor",
  "toString",
  "arn:aws:iam::123456789012:role/x",
  "arn:aws:iam::aws:policy/AdministratorAccess",
  "j-AAAAAAAAAAAAA",
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
  "0.0.0.0/0",
  "::/0",
  "s3://b/k",
  "\r\nX-Injected: 1",
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
];
const hostileNumbers = [0, -0, -1, 1, 1.5, 255, 65_536, 2 ** 31 - 1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 1e300, -1e300, 5e-324];
const hostileKeys = ["__proto__", "constructor", "toString", "hasOwnProperty", "", "a.b", "member.1", "Ünï"];

export type Json = unknown;

/** A body as it is. */
export class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toJSON(): string {
    return `raw: ${this.text.slice(0, 100)}`;
  }
}

const malformed = [
  "",
  "{",
  '{"a":}',
  '{"a":1}{"b":2}',
  "\ufeff{}",
  "\u0000",
  "[".repeat(400_000),
  `{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`,
  `{"a":"${"x".repeat(1_000_000)}"}`,
  `{${Array.from({ length: 20_000 }, (_, n) => `"k${n}":1`).join(",")}}`,
  '{"a":1e99999}',
].map((text) => new Raw(text));

export class Generator {
  readonly random: () => number;
  readonly service: Service;
  /** Names of things that are there, by the name of the member that may hold them. */
  readonly known: (member: string) => readonly string[];

  constructor(service: Service, seed: number, known: (member: string) => readonly string[]) {
    this.service = service;
    this.random = seeded(seed);
    this.known = known;
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)]!;
  }

  chance(of: number): boolean {
    return this.random() < of;
  }

  /** Wrong in one way each, the same for every seed. */
  systematic({ input }: Operation): Json[] {
    const cases: Json[] = [
      {},
      null,
      [],
      "text",
      5,
      true,
      { Unknown: 1 },
      nested(50),
      nested(1000),
      poisoned(),
      { constructor: { prototype: 1 } },
    ];
    if (this.service.protocol === "awsJson1_1") cases.push(...malformed);
    if (input.isUnitSchema()) return cases;
    const whole = this.valid(input);
    cases.push(whole, { ...whole, Unknown: { a: [1] } });
    for (const [name, member] of input.structIterator()) {
      const { [name]: _, ...without } = whole;
      cases.push(without, { ...whole, [name]: null });
      for (const value of wrongTypes(member)) cases.push({ ...whole, [name]: value });
      const rule = this.service.constraints[input.getName() ?? ""]?.[name];
      if (rule?.max !== undefined) cases.push({ ...whole, [name]: tooLarge(member, rule.max) });
      if (member.isStringSchema()) cases.push({ ...whole, [name]: `${sentinelFor(name)}${"x".repeat(20_000)}` });
    }
    return cases;
  }

  /** The smallest legal input, and what names a thing names one that is there. */
  valid(input: Schema): Record<string, Json> {
    const put = (schema: Schema, value: unknown, name: string): unknown => {
      if (schema.isStructSchema()) {
        const given = value as Record<string, unknown>;
        return Object.fromEntries([...schema.structIterator()].filter(([n]) => n in given).map(([n, m]) => [n, put(m, given[n], n)]));
      }
      if (schema.isListSchema()) return (value as unknown[]).map((one) => put(schema.getValueSchema(), one, name));
      const there = schema.isStringSchema() ? this.known(name) : [];
      if (there.length > 0) return this.pick(there);
      return schema.isStringSchema() && secretName(name) ? sentinelFor(name) : value;
    };
    return put(input, minimalInput(input, this.service), "") as Record<string, Json>;
  }

  /** Any members, more or less legal ones. */
  anything({ input }: Operation): Json {
    if (input.isUnitSchema()) return this.chance(0.5) ? {} : { Unknown: 1 };
    const hostility = this.pick([0.02, 0.1, 0.4]);
    const made = this.value(input, undefined, "", hostility, 0) as Record<string, Json>;
    // Where nothing is there that must be, no handler is reached.
    return this.chance(0.8) ? { ...this.valid(input), ...made } : made;
  }

  /** A request that would be carried out, broken in one to three places. */
  broken(example: object): Json {
    let whole: Json = structuredClone(example);
    for (let n = 1 + Math.floor(this.random() * 3); n > 0; n--) whole = this.breakOne(whole, 0);
    return whole;
  }

  private breakOne(value: Json, depth: number): Json {
    const isJson = typeof value === "string" && /^[{[]/.test(value);
    if (isJson && this.chance(0.9)) {
      const inner: Json = parseJson(value);
      return inner === undefined ? this.hostile(value) : (JSON.stringify(this.breakOne(inner, depth + 1)) ?? "");
    }
    if (typeof value !== "object" || value === null || this.chance(0.1)) return this.hostile(value);
    const keys = Object.keys(value);
    if (keys.length === 0 || this.chance(0.05))
      return Array.isArray(value) ? [this.pick(hostileTexts)] : { ...value, [this.pick(hostileKeys)]: 1 };
    const key = this.pick(keys);
    const inner = (value as Record<string, Json>)[key];
    if (Array.isArray(value)) {
      const at = Number(key);
      if (this.chance(0.1)) return value.toSpliced(at, 1);
      if (this.chance(0.1)) return Array.from({ length: this.pick([2, 60]) }, () => inner);
      return value.with(at, this.breakOne(inner, depth + 1));
    }
    const { [key]: _, ...rest } = value as Record<string, Json>;
    if (depth > 0 && this.chance(0.1)) return rest;
    return { ...rest, [key]: this.breakOne(inner, depth + 1) };
  }

  private hostile(instead: Json): Json {
    if (typeof instead === "string" && this.chance(0.8))
      return this.chance(0.2) ? `${instead}${this.pick(hostileTexts)}` : this.pick(hostileTexts);
    if (typeof instead === "number" && this.chance(0.8)) return this.pick(hostileNumbers);
    return this.pick<Json>([null, 5, "text", [], {}, true, [null], poisoned(), "x".repeat(11_000)]);
  }

  private value(schema: Schema, rule: Rule | undefined, name: string, hostility: number, depth: number): Json {
    if (this.chance(hostility / 4)) return this.pick<Json>([null, 5, "text", [], {}, true, [null], { a: null }, poisoned()]);
    if (schema.isStructSchema()) {
      const rules = this.service.constraints[schema.getName() ?? ""];
      const found: Record<string, Json> = {};
      for (const [member, of] of schema.structIterator())
        if (this.chance(depth > 4 ? 0.1 : 0.5)) found[member] = this.value(of, rules?.[member], member, hostility, depth + 1);
      if (this.chance(hostility / 4)) found[this.pick(hostileKeys.slice(1))] = this.pick(hostileTexts);
      return found;
    }
    if (schema.isListSchema()) {
      const length = this.chance(hostility)
        ? this.pick([0, 1, 30, Math.min(600, (rule?.max ?? 10) + 1)])
        : 1 + Math.floor(this.random() * 2);
      return Array.from({ length }, () => this.value(schema.getValueSchema(), rule?.member, name, hostility, depth + 1));
    }
    if (schema.isMapSchema()) {
      const key = this.chance(hostility) ? this.pick(hostileKeys) : (rule?.key?.enum?.[0] ?? "key");
      const value = this.value(schema.getValueSchema(), rule?.value, name, hostility, depth + 1);
      return JSON.parse(`{${JSON.stringify(key)}: ${JSON.stringify(value) ?? "null"}}`);
    }
    if (schema.isBooleanSchema()) return this.chance(0.5);
    if (schema.isNumericSchema()) return this.chance(hostility) ? this.pick(hostileNumbers) : this.number(rule);
    if (schema.isTimestampSchema()) return this.chance(hostility) ? this.pick([0, -1, 1e12, 1e300, -1e12]) : 1_700_000_000;
    if (schema.isBlobSchema()) return this.pick(["AAAA", "", "!", "A".repeat(10_000)]);
    return this.text(rule, name, hostility);
  }

  private number(rule: Rule | undefined): number {
    const [min, max] = [rule?.min ?? 0, rule?.max ?? 300];
    return Math.floor(min + this.random() * (Math.min(max, min + 1000) - min + 1));
  }

  private text(rule: Rule | undefined, name: string, hostility: number): string {
    const there = this.known(name);
    if (there.length > 0 && this.chance(0.7)) return this.pick(there);
    if (secretName(name)) return `${sentinel}${this.chance(hostility) ? "x".repeat(9000) : ""}`;
    if (rule?.enum && !this.chance(hostility)) return this.pick(rule.enum);
    if (!this.chance(hostility))
      return this.pick(["a", "name", "123456789012", "arn:aws:iam::123456789012:role/EMR_DefaultRole", "s3://b/k/", "m5.xlarge"]);
    return this.chance(0.15) ? "x".repeat(Math.min((rule?.max ?? 300) + 1, 20_000)) : this.pick(hostileTexts);
  }
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const sentinelFor = (name: string): string => (secretName(name) ? sentinel : "");

const nested = (depth: number): Json => JSON.parse(`{"Deep":${"[".repeat(depth)}${"]".repeat(depth)}}`);
const poisoned = (): Json => JSON.parse('{"__proto__": {"isAdmin": true}, "constructor": {"prototype": {"isAdmin": true}}}');

function wrongTypes(schema: Schema): Json[] {
  if (schema.isListSchema()) return ["text", {}, [null], [[]], 5];
  if (schema.isStructSchema() || schema.isMapSchema()) return ["text", [], 5, poisoned()];
  if (schema.isBooleanSchema()) return ["true", 1, {}];
  if (schema.isNumericSchema()) return ["5", 1.5, 1e300, [], true];
  if (schema.isTimestampSchema()) return ["yesterday", 1e300, {}];
  return [5, {}, [], true];
}

const tooLarge = (schema: Schema, max: number): Json => {
  if (schema.isListSchema()) return Array.from({ length: Math.min(max + 1, 2000) }, () => "x");
  return schema.isNumericSchema() ? max + 1 : "x".repeat(Math.min(max + 1, 100_000));
};
