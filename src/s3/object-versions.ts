/**
 * ListObjectVersions of the embedded S3 server, which has no versions: each object is its only one, whose id is `null`, as in a bucket that has
 * never had versioning on. Made of the server's list of objects. Source: Amazon S3 API Reference, ListObjectVersions.
 */
import { AwsError } from "../aws/errors.ts";
import { type Allowed, send } from "./allowed.ts";
import { noSuchBucket } from "./buckets.ts";
import { ask } from "./exchange.ts";

/** The id of the version that an object without versions is. */
export const nullVersion = "null";

/** Parameters, by what they are called in a list of objects. */
const parameters = {
  prefix: "prefix",
  delimiter: "delimiter",
  "max-keys": "max-keys",
  "encoding-type": "encoding-type",
  "key-marker": "marker",
};

export async function listVersions({ res, requestId, begin, server, request, query }: Allowed): Promise<void> {
  if (query.get("version-id-marker") && !query.get("key-marker"))
    throw new AwsError("InvalidArgument", "A version-id marker cannot be specified without a key marker.");
  const asked = new URLSearchParams();
  for (const [name, inList] of Object.entries(parameters)) {
    const value = query.get(name);
    if (value !== null && value !== "") asked.set(inList, value);
  }
  begin();
  // A blank is %20, not +, in what is signed.
  const { statusCode, text } = await ask(server, "GET", `/${request.bucket}`, asked.toString().replaceAll("+", "%20"));
  if (statusCode === 404) throw noSuchBucket(request.bucket);
  send(res, statusCode, { "content-type": "application/xml" }, statusCode === 200 ? asVersions(text) : text, requestId);
}

/** ListObjects' answer as ListObjectVersions'. */
export function asVersions(xml: string): string {
  return xml
    .replaceAll(/<(\/?)ListBucketResult\b/g, "<$1ListVersionsResult")
    .replaceAll("<Marker/>", "<KeyMarker/><VersionIdMarker/>")
    .replaceAll(/<Marker>(.*?)<\/Marker>/gs, "<KeyMarker>$1</KeyMarker><VersionIdMarker/>")
    .replaceAll(
      /<NextMarker>(.*?)<\/NextMarker>/gs,
      `<NextKeyMarker>$1</NextKeyMarker><NextVersionIdMarker>${nullVersion}</NextVersionIdMarker>`,
    )
    .replaceAll("</Contents>", "</Version>")
    .replaceAll(/<Contents>(<Key>.*?<\/Key>)/gs, `<Version>$1<VersionId>${nullVersion}</VersionId><IsLatest>true</IsLatest>`);
}
