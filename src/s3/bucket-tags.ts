/** A bucket's tags as S3 reads and writes them. Source: Amazon S3 API Reference, PutBucketTagging; Billing User Guide, "Tag restrictions". */
import { AwsError } from "../aws/errors.ts";
import { escapeXml } from "../aws/xml.ts";
import { unescapeText } from "./delete-list.ts";

export interface BucketTag {
  Key: string;
  Value: string;
}

const mostTags = 50;

const malformed = () =>
  new AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
const invalid = (message: string) => new AwsError("InvalidTag", message);

const envelope =
  /^(?:<\?xml[^?<>]*\?>\s*)?<Tagging(?:\s+xmlns="[^"<&]*")?\s*>\s*(?:<TagSet\s*\/>|<TagSet\s*>(.*)<\/TagSet>)\s*<\/Tagging>$/s;
const oneTag = /\s*<Tag>\s*<Key>([^<]*)<\/Key>\s*(?:<Value\s*\/>|<Value>([^<]*)<\/Value>)\s*<\/Tag>\s*/y;

/** Throws MalformedXML, or InvalidTag, which says what is wrong with which tag. */
export function readTags(xml: string): BucketTag[] {
  const found = envelope.exec(xml.trim());
  if (!found) throw malformed();
  const [, set = ""] = found;
  const tags: BucketTag[] = [];
  oneTag.lastIndex = 0;
  for (let at = 0; at < set.length && set.slice(at).trim() !== ""; at = oneTag.lastIndex) {
    const match = oneTag.exec(set);
    if (!match || tags.length === mostTags + 1) throw match ? tooMany() : malformed();
    tags.push({ Key: unescapeText(match[1]!), Value: unescapeText(match[2] ?? "") });
  }
  if (tags.length > mostTags) throw tooMany();
  const keys = new Set<string>();
  for (const tag of tags) {
    check(tag);
    if (keys.has(tag.Key)) throw invalid(`Cannot provide multiple Tags with the same key: ${tag.Key}`);
    keys.add(tag.Key);
  }
  return tags;
}

const tooMany = () => invalid(`Bucket tag count cannot be greater than ${mostTags}`);

const letters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

function check({ Key, Value }: BucketTag): void {
  if (Key.toLowerCase().startsWith("aws:")) throw invalid(`System tags cannot be added/updated by requester: ${Key}`);
  if (Key.length < 1 || Key.length > 128 || !letters.test(Key))
    throw invalid(`The TagKey you have provided is invalid: '${Key}'. It has 1 to 128 letters, digits, spaces and + - = . _ : / @.`);
  if (Value.length > 256 || !letters.test(Value))
    throw invalid(`The TagValue you have provided is invalid: '${Value}'. It has at most 256 letters, digits, spaces and + - = . _ : / @.`);
}

/** What is in GetBucketTagging's `Tagging`. */
export const tagSet = (tags: readonly BucketTag[]): string => {
  const inner = tags.map(({ Key, Value }) => `<Tag><Key>${escapeXml(Key)}</Key><Value>${escapeXml(Value)}</Value></Tag>`);
  return `<TagSet>${inner.join("")}</TagSet>`;
};
