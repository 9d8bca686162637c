/** EMR's Marker: opaque to clients; here the position after the last item of a page. */
import { invalidRequest } from "../../aws/errors.ts";

export function readMarker<T>(marker: string | undefined): T | undefined {
  if (!marker) return undefined;
  try {
    return JSON.parse(Buffer.from(marker, "base64url").toString("utf8")) as T;
  } catch {
    throw invalidRequest(`Marker '${marker}' is not valid.`);
  }
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
