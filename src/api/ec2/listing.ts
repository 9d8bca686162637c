/** What all of EC2's Describe operations have in common: ids, filters, and pages. */
import type { Filter, Tag } from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import type { Kind, Resource } from "../../store/ec2-resources.ts";
import { checkForm, invalidCombination, notFound, type Thing } from "./errors.ts";
import { filtered, type FilterTable } from "./filters.ts";

export interface Listing<Item> {
  thing: Thing;
  id: (item: Item) => string;
  filters: FilterTable<Item>;
  tags?: (item: Item) => readonly Tag[];
  /** Where an item stands: items are in this order, and pages stay right whatever comes and goes between them. */
  position: (item: Item) => readonly (number | string)[];
  /** Pages of a list of ids are refused, as EC2 does for instances and volumes. */
  idsOrPages?: boolean;
}

export interface Asked {
  ids?: readonly string[];
  Filters?: Filter[];
  MaxResults?: number;
  NextToken?: string;
}

/** For rows of ec2_resources. */
export function resourceListing<K extends Kind>(
  kind: K,
  filters: FilterTable<Resource<K>>,
  tags: Map<string, Tag[]>,
): Listing<Resource<K>> {
  return { thing: kind, id: ({ id }) => id, filters, tags: ({ id }) => tags.get(id) ?? [], position: ({ seq }) => [seq] };
}

/** Throws where an id is no item's, a filter is unknown, or NextToken is none of ours. */
export function select<Item>(items: readonly Item[], asked: Asked, listing: Listing<Item>): { items: Item[]; NextToken?: string } {
  const { ids = [], MaxResults: size, NextToken: token } = asked;
  if (listing.idsOrPages && ids.length > 0 && (size !== undefined || token !== undefined))
    throw invalidCombination(`MaxResults and NextToken cannot be used together with ids of ${listing.thing}s`);
  const found = filtered(named(items, ids, listing), asked.Filters, listing.filters, listing.tags);
  const inOrder = found.toSorted((a, b) => compare(listing.position(a), listing.position(b)));
  const after = token === undefined ? undefined : readToken(token);
  const left = after === undefined ? inOrder : inOrder.filter((item) => compare(listing.position(item), after) > 0);
  const page = left.slice(0, size ?? left.length);
  const last = page.at(-1);
  return last === undefined || page.length === left.length
    ? { items: page }
    : { items: page, NextToken: writeToken(listing.position(last)) };
}

/** All items where no id is asked for. */
export function named<Item>(items: readonly Item[], ids: readonly string[], { thing, id }: Pick<Listing<Item>, "thing" | "id">): Item[] {
  if (ids.length === 0) return [...items];
  for (const asked of ids) checkForm(thing, asked);
  const byId = new Map(items.map((item) => [id(item), item]));
  const unknown = [...new Set(ids)].filter((asked) => !byId.has(asked));
  if (unknown.length > 0) throw notFound(thing, unknown);
  return [...new Set(ids)].map((asked) => byId.get(asked)!);
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined || left === right) continue;
    return left < right ? -1 : 1;
  }
  return 0;
}

const writeToken = (position: readonly (number | string)[]) => Buffer.from(JSON.stringify(position)).toString("base64url");

function readToken(token: string): (number | string)[] {
  try {
    const position: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (Array.isArray(position) && position.every((part) => typeof part === "number" || typeof part === "string")) return position;
  } catch {
    // Not ours.
  }
  throw new AwsError("InvalidNextToken", `The token '${token}' is invalid`);
}
