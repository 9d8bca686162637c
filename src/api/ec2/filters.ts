/**
 * EC2's filters: a list of names with values; a resource must match each name by at least one of its values. Source: Amazon EC2 User
 * Guide, "List and filter your resources": `*` is any text, `?` one character, a backslash takes their meaning away; case matters.
 */
import type { Filter, Tag } from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import { invalidValue } from "./errors.ts";

type Value = string | number | boolean | null | undefined;

/** What of an item a filter looks at, by the filter's name. */
export type FilterTable<Item> = Record<string, (item: Item) => Value | readonly Value[]>;

const mostValues = 200;

/** `tagsOf` brings the filters tag:KEY, tag-key and tag-value. Throws InvalidParameterValue for a filter that is in neither. */
export function filtered<Item>(
  items: readonly Item[],
  filters: readonly Filter[] | undefined,
  table: FilterTable<Item>,
  tagsOf?: (item: Item) => readonly Tag[],
): Item[] {
  const count = (filters ?? []).reduce((sum, { Values }) => sum + (Values?.length ?? 0), 0);
  if (count > mostValues)
    throw new AwsError("FilterLimitExceeded", `The maximum number of filter values specified on a single call is ${mostValues}`);
  let found = [...items];
  for (const { Name = "", Values = [] } of filters ?? []) {
    const look = tagFilter(Name, tagsOf) ?? (Object.hasOwn(table, Name) ? table[Name] : undefined);
    if (!look) throw invalidValue(`The filter '${Name}' is invalid`);
    found = found.filter((item) => {
      const seen = look(item);
      const texts = (Array.isArray(seen) ? seen : [seen]).filter((value) => value !== undefined && value !== null).map(String);
      return Values.some((pattern) => texts.some((text) => matchesPattern(pattern, text)));
    });
  }
  return found;
}

function tagFilter<Item>(name: string, tagsOf?: (item: Item) => readonly Tag[]): FilterTable<Item>[string] | undefined {
  if (!tagsOf) return undefined;
  if (name === "tag-key") return (item) => tagsOf(item).map(({ Key }) => Key);
  if (name === "tag-value") return (item) => tagsOf(item).map(({ Value }) => Value);
  if (!name.startsWith("tag:")) return undefined;
  const key = name.slice("tag:".length);
  return (item) =>
    tagsOf(item)
      .filter(({ Key }) => Key === key)
      .map(({ Value }) => Value);
}

/** Takes time in proportion to both lengths at worst: a pattern of many asterisks is no burden. */
export function matchesPattern(pattern: string, text: string): boolean {
  const parts = [...pattern.matchAll(/\\([\s\S])|([\s\S])/gu)].map(([, escaped, plain]) =>
    escaped === undefined ? { text: plain ?? "", isWild: plain === "*" || plain === "?" } : { text: escaped, isWild: false },
  );
  const characters = [...text];
  let [at, part, star, retry] = [0, 0, -1, 0];
  while (at < characters.length) {
    const { text: wanted, isWild } = parts[part] ?? { text: "", isWild: false };
    if (isWild && wanted === "*") [star, retry, part] = [part, at, part + 1];
    else if (part < parts.length && ((isWild && wanted === "?") || wanted === characters[at])) [at, part] = [at + 1, part + 1];
    else if (star >= 0) [part, retry, at] = [star + 1, retry + 1, retry + 1];
    else return false;
  }
  return parts.slice(part).every(({ text: left, isWild }) => isWild && left === "*");
}
