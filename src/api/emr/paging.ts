/** EMR's Marker: opaque to clients. Here it is the position of a page's last item, with a digest of the list that it belongs to. */
import { createHash } from "node:crypto";
import { invalidRequest } from "../../aws/errors.ts";

type Kinds = readonly ("number" | "string")[];
type PositionOf<K extends Kinds> = { -readonly [I in keyof K]: K[I] extends "number" ? number : string };

export interface Page<Item> {
  items: Item[];
  /** Where there are more items than the page holds. */
  Marker?: string;
}

export interface List<Position> {
  /** The position of the last item of the page before. */
  after: Position | undefined;
  /** `items`: those after `after`, in their order; one more than `size` is enough. */
  page<Item>(items: readonly Item[], size: number, position: (last: Item) => Position): Page<Item>;
}

const digestLength = 12;

/**
 * A list that is shown page by page. `filters` are the parameters that choose its items: a marker of another operation, account, region or
 * filter is not valid, and neither is one that is damaged. `kinds` are the types of a position, `name` is what the operation calls its marker.
 *
 * Pages neither repeat an item nor leave one out, whatever changes meanwhile, where a position never changes and the order is by position.
 */
export function openList<const K extends Kinds>(
  operation: string,
  caller: { accountId: string; region: string },
  filters: object,
  kinds: K,
  marker: string | undefined,
  name = "Marker",
): List<PositionOf<K>> {
  const chosen = Object.entries(filters).filter(([, value]) => value !== undefined);
  const scope = [operation, caller.accountId, caller.region, chosen.toSorted(([a], [b]) => (a < b ? -1 : 1))];
  const digest = (position: unknown) =>
    createHash("sha256")
      .update(JSON.stringify([scope, position]))
      .digest()
      .subarray(0, digestLength);
  return {
    after: marker ? read(marker) : undefined,
    page(items, size, position) {
      const shown = items.slice(0, size);
      const last = shown.at(-1);
      if (items.length <= size || last === undefined) return { items: shown };
      const at = position(last);
      return { items: shown, Marker: Buffer.concat([digest(at), Buffer.from(JSON.stringify(at))]).toString("base64url") };
    },
  };

  function read(text: string): PositionOf<K> {
    const bytes = Buffer.from(text, "base64url");
    const position = parse(bytes.subarray(digestLength).toString("utf8"));
    const isOurs =
      Array.isArray(position) &&
      position.length === kinds.length &&
      position.every((part, index) => typeof part === kinds[index]) &&
      digest(position).equals(bytes.subarray(0, digestLength));
    if (!isOurs) throw notValid(text, name);
    return position as PositionOf<K>;
  }
}

/** For a list that is always one page: no marker is one of its own. */
export function onlyPage(marker: string | undefined): void {
  if (marker) throw notValid(marker, "Marker");
}

/** A page of a list in memory, whose items keep their names. */
export function pageByName<Item>(items: readonly Item[], size: number, nameOf: (item: Item) => string, list: List<[string]>): Page<Item> {
  const [after] = list.after ?? [];
  const index = items.findIndex((item) => nameOf(item) === after);
  return list.page(items.slice(index + 1), size, (item) => [nameOf(item)]);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notValid(marker: string, name: string) {
  return invalidRequest(
    `${name} '${marker.length > 100 ? `${marker.slice(0, 100)}…` : marker}' is not valid: it is not of a list with these parameters.`,
  );
}
