/** EMR's Marker: opaque to clients; here the position after the last item of a page. */
import { invalidRequest } from "../../aws/errors.ts";

/** `name` is what the operation calls it. */
export function readMarker<T>(marker: string | undefined, name = "Marker"): T | undefined {
  if (!marker) return undefined;
  try {
    return JSON.parse(Buffer.from(marker, "base64url").toString("utf8")) as T;
  } catch {
    throw invalidRequest(`${name} '${marker}' is not valid.`);
  }
}

/** A page of a list whose items keep their names; one that is not in it is no marker of ours. */
export function pageByName<Item>(
  items: readonly Item[],
  size: number,
  nameOf: (item: Item) => string,
  marker: string | undefined,
  name = "Marker",
): { items: Item[]; Marker?: string } {
  const after = readMarker<string>(marker, name);
  const index = items.findIndex((item) => nameOf(item) === after);
  if (after !== undefined && index < 0) throw invalidRequest(`${name} '${marker}' is not valid.`);
  return page(items.slice(index + 1), size, nameOf);
}

/** `position` of the last item goes into the marker, where there are more items than the page holds. */
export function page<Item, Position>(
  items: readonly Item[],
  size: number,
  position: (last: Item) => Position,
): { items: Item[]; Marker?: string } {
  const shown = items.slice(0, size);
  const last = shown.at(-1);
  if (items.length <= size || last === undefined) return { items: shown };
  return { items: shown, Marker: Buffer.from(JSON.stringify(position(last))).toString("base64url") };
}
