import assert from "node:assert/strict";
import { test } from "node:test";
import type { AwsError } from "../../src/aws/errors.ts";
import { builtInAnswer, builtInObjects, builtInSource } from "../../src/s3/emr-bucket.ts";

const splitter = "samples/wordcount/wordSplitter.py";
const ask = (path: string, query = "", headers: Record<string, string> = {}, method = "GET") => {
  const answer = builtInAnswer(method, path, new URLSearchParams(query), headers);
  assert.ok(answer, `${path} is the built-in bucket's`);
  return { ...answer, text: answer.body.toString("utf8") };
};
const refusal = (code: string) => (error: AwsError) => error.code === code;
const all = (text: string, element: string) =>
  [...text.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g"))].map(([, value]) => value);

test("EMR's bucket, in general and of every region, and no other", () => {
  for (const bucket of [
    "elasticmapreduce",
    "us-east-1.elasticmapreduce",
    "ap-southeast-2.elasticmapreduce",
    "us-gov-west-1.elasticmapreduce",
  ])
    assert.equal(ask(`/${bucket}/${splitter}`).status, 200);
  for (const path of ["/my.elasticmapreduce/x", "/elasticmapreduce2/x", "/", "/b/elasticmapreduce/x"])
    assert.equal(builtInAnswer("GET", path, new URLSearchParams(), {}), undefined);
});

test("the bucket of samples has what is below samples/", () => {
  const bucket = "/us-west-2.elasticmapreduce.samples";
  assert.match(ask(`${bucket}/cloudfront/code/Hive_CloudFront.q`).text, /CREATE EXTERNAL TABLE/);
  const keys = all(ask(`${bucket}/`, "list-type=2").text, "Key");
  assert.ok(keys.includes("wordcount/wordSplitter.py") && keys.includes("cloudfront/data/access-2014.txt"));
  assert.ok(!keys.some((key) => /^(samples|libs)\//.test(key!)));
  assert.throws(() => ask(`${bucket}/samples/wordcount/wordSplitter.py`), refusal("NoSuchKey"));
});

test("objects: whole, in ranges, and by what is known of them", () => {
  const { content, etag } = builtInObjects().get(splitter)!;
  const whole = ask(`/elasticmapreduce/${splitter}`, "x-id=GetObject");
  assert.deepEqual([whole.body, whole.headers.etag], [content, etag]);
  const size = content.length;
  for (const [range, from, to] of [
    ["bytes=0-0", 0, 0],
    ["bytes=5-", 5, size - 1],
    ["bytes=-7", size - 7, size - 1],
    ["bytes=3-99999999", 3, size - 1],
  ] as const) {
    const part = ask(`/elasticmapreduce/${splitter}`, "", { range });
    assert.deepEqual([part.status, part.headers["content-range"]], [206, `bytes ${from}-${to}/${size}`]);
    assert.deepEqual(part.body, content.subarray(from, to + 1));
  }
  assert.throws(() => ask(`/elasticmapreduce/${splitter}`, "", { range: `bytes=${size}-` }), refusal("InvalidRange"));
  assert.equal(ask(`/elasticmapreduce/${splitter}`, "", { "if-none-match": etag }).status, 304);
  assert.throws(() => ask(`/elasticmapreduce/${splitter}`, "", { "if-match": '"other"' }), refusal("PreconditionFailed"));
  assert.throws(() => ask("/elasticmapreduce/none"), refusal("NoSuchKey"));
  assert.equal(ask("/eu-west-1.elasticmapreduce", "", {}, "HEAD").headers["x-amz-bucket-region"], "eu-west-1");
  assert.match(ask("/eu-west-1.elasticmapreduce", "location").text, />eu-west-1</);
});

test("both kinds of lists, with prefix, delimiter and pages of one", () => {
  const keys = [...builtInObjects().keys()];
  assert.deepEqual(keys, keys.toSorted());
  assert.deepEqual(all(ask("/elasticmapreduce/", "list-type=2").text, "Key"), keys);
  const top = ask("/elasticmapreduce", "list-type=2&delimiter=%2F").text;
  assert.deepEqual(
    [...top.matchAll(/<CommonPrefixes><Prefix>([^<]*)/g)].map(([, prefix]) => prefix),
    ["bootstrap-actions/", "libs/", "samples/"],
  );
  const input = keys.filter((key) => key.startsWith("samples/wordcount/input/"));
  assert.deepEqual(all(ask("/elasticmapreduce/", "prefix=samples%2Fwordcount%2Finput%2F").text, "Key"), input);

  const seen: (string | undefined)[] = [];
  for (let token = ""; ;) {
    const page = ask("/elasticmapreduce/", `list-type=2&max-keys=1${token}`).text;
    seen.push(...all(page, "Key"));
    const [next] = all(page, "NextContinuationToken");
    if (!next) break;
    token = `&continuation-token=${next}`;
  }
  assert.deepEqual(seen, keys);

  const folders: string[] = [];
  for (let marker = ""; ;) {
    const page = ask("/elasticmapreduce/", `delimiter=%2F&max-keys=1&marker=${encodeURIComponent(marker)}`).text;
    folders.push(...[...page.matchAll(/<CommonPrefixes><Prefix>([^<]*)/g)].map(([, prefix]) => prefix!));
    const [next] = all(page, "NextMarker");
    if (!next) break;
    marker = next;
  }
  assert.deepEqual(folders, ["bootstrap-actions/", "libs/", "samples/"]);
  assert.match(ask("/elasticmapreduce/", "list-type=2&max-keys=0").text, /<IsTruncated>false</);
  assert.throws(() => ask("/elasticmapreduce/", "list-type=2&continuation-token=%21"), refusal("InvalidArgument"));
});

test("nothing can be written, and nothing is made up", () => {
  for (const method of ["PUT", "POST", "DELETE"]) assert.throws(() => ask("/elasticmapreduce/x", "", {}, method), refusal("AccessDenied"));
  for (const query of ["acl", "policy", "uploads", "versions"])
    assert.throws(() => ask("/elasticmapreduce", query), refusal("AccessDenied"), query);
  assert.throws(() => ask(`/elasticmapreduce/${splitter}`, "acl"), refusal("AccessDenied"));
  assert.equal(builtInSource(`/elasticmapreduce/${splitter}`)?.key, splitter);
  assert.equal(builtInSource(`us-west-2.elasticmapreduce/${splitter}`)?.key, splitter);
  assert.equal(builtInSource("mine/x"), undefined);
  assert.throws(() => builtInSource("elasticmapreduce/none"), refusal("NoSuchKey"));
});
