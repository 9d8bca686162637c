/** IAM's Marker, MaxItems and IsTruncated: a page goes on after the last name of the page before, whatever came and went meanwhile. */
import { validationError } from "./errors.ts";

const usualItems = 100;

interface Asked {
  Marker?: string;
  MaxItems?: number;
}

/** In the order of `keyOf`, which is unique whatever its case. Throws ValidationError for a marker that is none of ours. */
export function paged<Item>(
  items: readonly Item[],
  { Marker, MaxItems = usualItems }: Asked,
  keyOf: (item: Item) => string,
): { items: Item[]; IsTruncated: boolean; Marker?: string } {
  const key = (item: Item) => keyOf(item).toLowerCase();
  const after = readMarker(Marker);
  const left = items.filter((item) => key(item) > after).toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  const shown = left.slice(0, MaxItems);
  const last = shown.at(-1);
  if (left.length <= MaxItems || last === undefined) return { items: shown, IsTruncated: false };
  return { items: shown, IsTruncated: true, Marker: Buffer.from(JSON.stringify(key(last))).toString("base64url") };
}

/** "" comes before every name. */
function readMarker(marker: string | undefined): string {
  if (marker === undefined) return "";
  try {
    const key: unknown = JSON.parse(Buffer.from(marker, "base64url").toString("utf8"));
    if (typeof key === "string") return key;
  } catch {
    // It is refused below.
  }
  throw validationError(`Invalid Marker: '${marker}' is not from an answer of this operation.`);
}
