/** What an operation asks for, in IAM's words. Source: Service Authorization Reference, a page per service. */
import type { ContextValue } from "../policy/context.ts";
import type { ResourcePolicy } from "../policy/decide.ts";
import type { Principal } from "../principal.ts";
import type { ResourceFacts } from "../resource-facts.ts";

/** An action on one resource, with the condition keys that the request has beside those of every request. */
export interface Asked {
  action: string;
  /** An ARN, or `*` for an action that has no resource of its own. */
  resource: string;
  keys: [string, ContextValue | undefined][];
  /** Where the resource has a policy of its own. */
  policy?: ResourcePolicy;
}

export interface Caller {
  principal: Principal;
  region: string;
  facts: ResourceFacts;
}

/** By operation and its input, which is validated. All of what is asked for must be allowed; nothing is asked for what AWS lets everybody do. */
export type ActionsOf = (operation: string, input: Input, caller: Caller) => Asked[];

export type Input = Readonly<Record<string, unknown>>;

type Tags = Readonly<Record<string, string>>;

export const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
export const textsOf = (value: unknown): string[] => list(value).filter((one): one is string => typeof one === "string");

/** `aws:ResourceTag/…`, and under the prefixes of services that had one before. */
export function resourceTags(tags: Tags | undefined, ...prefixes: string[]): Asked["keys"] {
  return Object.entries(tags ?? {}).flatMap(([key, value]) =>
    ["aws", ...prefixes].map((prefix): Asked["keys"][number] => [`${prefix}:ResourceTag/${key}`, value]),
  );
}

/** `aws:RequestTag/…` and aws:TagKeys of a list of tags. */
export function requestTags(tags: unknown, ...prefixes: string[]): Asked["keys"] {
  const pairs = list(tags).flatMap((tag) => {
    const { Key, Value } = tag as { Key?: string; Value?: string };
    return Key === undefined ? [] : [[Key, Value ?? ""] as const];
  });
  const values = pairs.flatMap(([key, value]) =>
    ["aws", ...prefixes].map((prefix): Asked["keys"][number] => [`${prefix}:RequestTag/${key}`, value]),
  );
  return pairs.length === 0 ? [] : [...values, tagKeys(pairs.map(([key]) => key))];
}

export const tagKeys = (keys: readonly string[]): Asked["keys"][number] => ["aws:TagKeys", keys];

/** iam:PassRole: whoever gives a role to a service must be allowed to. `role` is an ARN. */
export function passRole(role: string, service: string, keys: Asked["keys"] = []): Asked {
  return { action: "iam:PassRole", resource: role, keys: [...keys, ["iam:PassedToService", service]] };
}

/** The ARN of a role that a request names in either way. One that is not there is asked for by its ARN all the same. */
export function roleArn(named: string, { principal: { accountId }, facts }: Caller): string {
  return named.startsWith("arn:") ? named : facts.iamArn(accountId, "role", named.split("/").at(-1)!);
}
