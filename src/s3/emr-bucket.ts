/**
 * The bucket that EMR's tutorials and scripts use, s3://elasticmapreduce and s3://REGION.elasticmapreduce, and that of its samples,
 * s3://REGION.elasticmapreduce.samples: built in, only to be read, the same whatever S3 server is behind the front door. What is in it is in the folder elasticmapreduce/, written for Howdah.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { join, relative } from "node:path";
import { AwsError } from "../aws/errors.ts";
import { listing } from "./emr-bucket-listing.ts";

export interface BuiltInObject {
  key: string;
  content: Buffer;
  /** With its quotes. */
  etag: string;
  modified: Date;
}

export interface BuiltInAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

const folder = join(import.meta.dirname, "elasticmapreduce");
const bucketName = /^(?:([a-z]{2}(?:-[a-z]+)+-\d)\.)?elasticmapreduce(\.samples)?$/;
/** What REGION.elasticmapreduce.samples holds of it. */
const samples = "samples/";

export const isBuiltIn = (bucket: string): boolean => bucketName.test(bucket);

let objects: Map<string, BuiltInObject> | undefined;

/** By key, in the order of keys. */
export function builtInObjects(): Map<string, BuiltInObject> {
  objects ??= new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readObject(join(entry.parentPath, entry.name)))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      .map((object) => [object.key, object]),
  );
  return objects;
}

function readObject(file: string): BuiltInObject {
  const content = readFileSync(file);
  const etag = `"${createHash("md5").update(content).digest("hex")}"`;
  // Headers have whole seconds.
  return { key: relative(folder, file), content, etag, modified: new Date(Math.floor(statSync(file).mtimeMs / 1000) * 1000) };
}

const objectsOf = (isSamples: boolean): BuiltInObject[] => {
  const all = [...builtInObjects().values()];
  return isSamples
    ? all.filter(({ key }) => key.startsWith(samples)).map((object) => ({ ...object, key: object.key.slice(samples.length) }))
    : all;
};

/** Bucket, region and decoded key of `/bucket/key` or `bucket/key`, where the bucket is this one. */
function place(path: string): { bucket: string; region: string; key: string; isSamples: boolean } | undefined {
  const [, bucket = "", rest = ""] = /^\/?([^/]*)\/?(.*)$/s.exec(path) ?? [];
  const match = bucketName.exec(bucket);
  return match ? { bucket, region: match[1] ?? "us-east-1", key: decode(rest), isSamples: match[2] !== undefined } : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError("InvalidURI", "Couldn't parse the specified URI.");
  }
}

/** `path` is as on the request line. Undefined for every other bucket. Throws AwsError. */
export function builtInAnswer(
  method: string,
  path: string,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
): BuiltInAnswer | undefined {
  const at = place(path);
  if (!at) return undefined;
  const reads = method === "GET" || method === "HEAD";
  const asked = [...query.keys()].filter((name) => !/^(x-id|x-amz-.*|awsaccesskeyid|signature|expires)$/i.test(name));
  if (!reads) throw denied();
  if (at.key !== "") {
    if (asked.some((name) => !name.startsWith("response-"))) throw denied();
    return objectAnswer(theObject(at), query, headers);
  }
  if (asked.includes("location")) return xml(locationOf(at.region));
  if (method === "HEAD") return { status: 200, headers: { "x-amz-bucket-region": at.region }, body: Buffer.alloc(0) };
  return xml(listing(at.bucket, objectsOf(at.isSamples), query, asked, denied));
}

/** The object that x-amz-copy-source names, where it is one of this bucket. Throws AwsError. */
export function builtInSource(copySource: string | string[] | undefined): BuiltInObject | undefined {
  const at = typeof copySource === "string" ? place(copySource.split("?", 1)[0] ?? "") : undefined;
  return at && theObject(at);
}

const denied = () => new AwsError("AccessDenied", "Access Denied: this bucket is built into Howdah and can only be read.", 403);

function theObject({ key, isSamples }: { key: string; isSamples: boolean }): BuiltInObject {
  const object = builtInObjects().get(isSamples ? samples + key : key);
  if (!object) throw new AwsError("NoSuchKey", "The specified key does not exist.", 404, { Key: key });
  return object;
}

function objectAnswer(object: BuiltInObject, query: URLSearchParams, given: IncomingHttpHeaders): BuiltInAnswer {
  const { content, etag, modified } = object;
  const headers: Record<string, string> = {
    etag,
    "last-modified": modified.toUTCString(),
    "accept-ranges": "bytes",
    "content-type": "binary/octet-stream",
  };
  if (failsPrecondition(object, given))
    throw new AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412);
  if (isUnchanged(object, given)) return { status: 304, headers, body: Buffer.alloc(0) };
  for (const [name, value] of query) if (name.startsWith("response-")) headers[name.slice("response-".length)] = value;
  const range = rangeOf(given.range, content.length);
  if (!range) return { status: 200, headers, body: content };
  const [from, to] = range;
  headers["content-range"] = `bytes ${from}-${to}/${content.length}`;
  return { status: 206, headers, body: content.subarray(from, to + 1) };
}

const names = (header: string, { etag }: BuiltInObject) =>
  header === "*" || header.split(",").some((text) => text.trim().replaceAll('"', "") === etag.replaceAll('"', ""));

function failsPrecondition(object: BuiltInObject, given: IncomingHttpHeaders): boolean {
  if (given["if-match"] !== undefined) return !names(given["if-match"], object);
  return given["if-unmodified-since"] !== undefined && object.modified > new Date(given["if-unmodified-since"]);
}

function isUnchanged(object: BuiltInObject, given: IncomingHttpHeaders): boolean {
  if (given["if-none-match"] !== undefined) return names(given["if-none-match"], object);
  return given["if-modified-since"] !== undefined && object.modified <= new Date(given["if-modified-since"]);
}

/** First and last byte; undefined for all of it. As in S3, what is no single range is ignored. */
function rangeOf(header: string | undefined, size: number): [from: number, to: number] | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [first, last] = [match[1] ?? "", match[2] ?? ""];
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < from) return undefined;
  if (from > to)
    throw new AwsError("InvalidRange", "The requested range is not satisfiable", 416, {
      RangeRequested: header ?? "",
      ActualObjectSize: String(size),
    });
  return [from, to];
}

const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

/** us-east-1 is the one without a name, for historical reasons. */
const locationOf = (region: string) => `<LocationConstraint ${namespace}>${region === "us-east-1" ? "" : region}</LocationConstraint>`;

function xml(text: string): BuiltInAnswer {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);
  return { status: 200, headers: { "content-type": "application/xml" }, body };
}
