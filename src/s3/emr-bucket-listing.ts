/** ListObjects and ListObjectsV2 of the built-in bucket. */
import { AwsError } from "../aws/errors.ts";
import { uriEncode } from "../aws/sigv4.ts";
import { escapeXml } from "../aws/xml.ts";
import type { BuiltInObject } from "./emr-bucket.ts";

const mostKeys = 1000;
const known = new Set([
  "list-type",
  "prefix",
  "delimiter",
  "marker",
  "max-keys",
  "encoding-type",
  "continuation-token",
  "start-after",
  "fetch-owner",
]);

/** A key, or what keys have in common up to the delimiter. */
interface Item {
  name: string;
  object?: BuiltInObject;
}

/** `objects` in the order of their keys; `asked` are the names of the query that are not the signature's. Throws AwsError. */
export function listing(bucket: string, objects: BuiltInObject[], query: URLSearchParams, asked: string[], denied: () => AwsError): string {
  if (asked.some((name) => !known.has(name))) throw denied();
  const version2 = query.get("list-type") === "2";
  const [prefix, delimiter] = [query.get("prefix") ?? "", query.get("delimiter") ?? ""];
  const token = query.get("continuation-token");
  const after = version2 ? (token === null ? (query.get("start-after") ?? "") : readToken(token)) : (query.get("marker") ?? "");
  const limit = readLimit(query.get("max-keys"));
  const items = itemsOf(objects, prefix, delimiter, after);
  const shown = items.slice(0, limit);
  const last = shown.at(-1)?.name ?? "";
  const isTruncated = items.length > shown.length && limit > 0;

  const encode = query.get("encoding-type") === "url" ? (text: string) => text.split("/").map(uriEncode).join("/") : escapeXml;
  const element = (name: string, value: string | number | null) => (value === null ? "" : `<${name}>${value}</${name}>`);
  const own = version2
    ? [
        element("KeyCount", shown.length),
        element("ContinuationToken", token && escapeXml(token)),
        element("NextContinuationToken", isTruncated ? Buffer.from(last).toString("base64url") : null),
        element("StartAfter", query.has("start-after") ? encode(query.get("start-after") ?? "") : null),
      ]
    : [element("Marker", encode(after)), element("NextMarker", isTruncated && delimiter !== "" ? encode(last) : null)];
  return [
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
    element("Name", bucket),
    element("Prefix", encode(prefix)),
    element("Delimiter", delimiter === "" ? null : encode(delimiter)),
    element("MaxKeys", limit),
    element("EncodingType", query.get("encoding-type") === "url" ? "url" : null),
    element("IsTruncated", String(isTruncated)),
    ...own,
    ...shown.map(({ name, object }) => (object ? contents(encode(name), object) : "")),
    ...shown.map(({ name, object }) => (object ? "" : `<CommonPrefixes><Prefix>${encode(name)}</Prefix></CommonPrefixes>`)),
    "</ListBucketResult>",
  ].join("");
}

function contents(key: string, { content, etag, modified }: BuiltInObject): string {
  return (
    `<Contents><Key>${key}</Key><LastModified>${modified.toISOString()}</LastModified><ETag>${escapeXml(etag)}</ETag>` +
    `<Size>${content.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`
  );
}

function itemsOf(objects: BuiltInObject[], prefix: string, delimiter: string, after: string): Item[] {
  const items: Item[] = [];
  for (const object of objects) {
    const { key } = object;
    if (!key.startsWith(prefix) || key <= after) continue;
    // A common prefix that was the last item of a page stands for all its keys.
    if (delimiter !== "" && after.endsWith(delimiter) && key.startsWith(after)) continue;
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (at < 0) items.push({ name: key, object });
    else if (items.at(-1)?.name !== key.slice(0, at + delimiter.length)) items.push({ name: key.slice(0, at + delimiter.length) });
  }
  return items;
}

function readLimit(text: string | null): number {
  if (text === null) return mostKeys;
  if (!/^\d{1,9}$/.test(text)) throw new AwsError("InvalidArgument", "Provided max-keys not an integer or within integer range", 400);
  return Math.min(Number(text), mostKeys);
}

function readToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString("utf8");
  if (text === "" || Buffer.from(text).toString("base64url") !== token)
    throw new AwsError("InvalidArgument", "The continuation token provided is incorrect", 400, { ArgumentName: "continuation-token" });
  return text;
}
