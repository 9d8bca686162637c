import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { amzDate, hmac, scopeText, sha256Hex, signRequest, signingKey } from "../../src/aws/sigv4.ts";
import { dataFolder } from "../../src/data-folder.ts";
import { startFront } from "../../src/s3/front.ts";
import { checksums } from "../../src/s3/checksums.ts";
import { admin, cluster, credentials, type Harness, startHarness } from "./s3-harness.ts";

const bucket = "front";
let harness: Harness;
/** The admin of another account. */
const other = {
  ...admin,
  accessKeyId: "AKIAOTHER",
  principal: { ...admin.principal, accountId: "444455556666", id: "AIDAOTHER", arn: "arn:aws:iam::444455556666:user/admin" },
};

before(async () => {
  harness = await startHarness([other]);
  await harness.client().send(new CreateBucketCommand({ Bucket: bucket }));
});
after(() => harness?.close());

interface Sent {
  method?: string;
  path: string;
  body?: Buffer | string;
  headers?: Record<string, string>;
  hash?: string;
  now?: Date;
  key?: typeof admin;
  tamper?: (headers: Record<string, string>) => void;
}

interface Got {
  status: number;
  text: string;
  headers: Record<string, unknown>;
}

/** A request signed by hand, for what no SDK would send. */
function send({
  method = "PUT",
  path,
  body = "",
  headers = {},
  hash = sha256Hex(body),
  now = new Date(),
  key = admin,
  tamper,
}: Sent): Promise<Got> {
  const url = new URL(path, harness.endpoint);
  const options = { method, url, headers, payloadHash: hash, credentials: credentials(key), region: "us-east-1", service: "s3", now };
  const signed = signRequest(options);
  tamper?.(signed);
  return raw(method, url, signed, body);
}

function raw(method: string, url: URL, headers: Record<string, string>, body: Buffer | string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const req = request(
      url,
      { method, agent: false, headers: { "content-length": String(Buffer.byteLength(body)), ...headers } },
      (res) => {
        let text = "";
        res.setEncoding("latin1").on("data", (chunk) => (text += chunk));
        res.on("end", () => resolve({ status: res.statusCode!, text, headers: res.headers }));
      },
    );
    req.on("error", reject).end(body);
  });
}

function codeOf(answer: Got): string {
  return `${answer.status} ${/<Code>(\w+)<\/Code>/.exec(answer.text)?.[1]}`;
}

async function missing(key: string): Promise<boolean> {
  const { status } = await send({ method: "HEAD", path: `/${bucket}/${key}` });
  return status === 404;
}

async function content(key: string): Promise<string> {
  return (await send({ method: "GET", path: `/${bucket}/${key}` })).text;
}

describe("objects, with the SDK", () => {
  test("put, get, head, range, metadata, odd names", async () => {
    const client = harness.client();
    for (const Key of ["plain", "a b/ü+&?=%/x*'()!.txt", "deep/er/and/deeper"]) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "0123456789", Metadata: { x: "y" }, ContentType: "text/x" }));
      const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
      assert.equal(await got.Body?.transformToString(), "0123456789");
      assert.deepEqual(got.Metadata, { x: "y" });
      assert.equal(got.ContentType, "text/x");
      const range = await client.send(new GetObjectCommand({ Bucket: bucket, Key, Range: "bytes=2-4" }));
      assert.equal(await range.Body?.transformToString(), "234");
      assert.equal((await client.send(new HeadObjectCommand({ Bucket: bucket, Key }))).ContentLength, 10);
    }
    await assert.rejects(client.send(new GetObjectCommand({ Bucket: bucket, Key: "nowhere" })), { name: "NoSuchKey" });
    const listed = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "a b/" }));
    assert.deepEqual(
      listed.Contents?.map(({ Key }) => Key),
      ["a b/ü+&?=%/x*'()!.txt"],
    );
    await client.send(new CopyObjectCommand({ Bucket: bucket, Key: "copy", CopySource: `${bucket}/plain` }));
    const deleted = await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: "copy" }, { Key: "plain" }] } }),
    );
    assert.equal(deleted.Deleted?.length, 2);
  });

  test("buckets of any region, in the names that S3 takes", async () => {
    const client = harness.client(admin, { region: "eu-west-1" });
    await client.send(new CreateBucketCommand({ Bucket: "in-europe", CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
    await client.send(new PutObjectCommand({ Bucket: "in-europe", Key: "k", Body: "x", Metadata: { a: "b" } }));
    await assert.rejects(client.send(new CreateBucketCommand({ Bucket: "Upper_Case" })), { name: "InvalidBucketName" });
  });

  test("streams with a trailing checksum, in each algorithm", async () => {
    const body = randomBytes(300_000);
    for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const) {
      const stream = Readable.from([body.subarray(0, 100_000), body.subarray(100_000)]);
      await harness
        .client()
        .send(new PutObjectCommand({ Bucket: bucket, Key: "t", Body: stream, ContentLength: body.length, ChecksumAlgorithm }));
      const got = await harness.client().send(new GetObjectCommand({ Bucket: bucket, Key: "t" }));
      assert.deepEqual(Buffer.from(await got.Body!.transformToByteArray()), body);
    }
  });

  test("multipart, and its abort", async () => {
    const client = harness.client(cluster);
    const part = randomBytes(5 << 20);
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: "mp", ChecksumAlgorithm: "CRC32" }));
    const Parts = [];
    for (const PartNumber of [1, 2]) {
      const { ETag, ChecksumCRC32 } = await client.send(
        new UploadPartCommand({ Bucket: bucket, Key: "mp", UploadId, PartNumber, Body: part, ChecksumAlgorithm: "CRC32" }),
      );
      assert.ok(ChecksumCRC32);
      Parts.push({ PartNumber, ETag, ChecksumCRC32 });
    }
    const done = await client.send(new CompleteMultipartUploadCommand({ Bucket: bucket, Key: "mp", UploadId, MultipartUpload: { Parts } }));
    assert.match(done.ETag ?? "", /-2"$/);
    const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "mp" }));
    assert.deepEqual(Buffer.from(await got.Body!.transformToByteArray()), Buffer.concat([part, part]));
    const other = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: "aborted" }));
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: "aborted", UploadId: other.UploadId }));
  });

  test("refuses what the embedded server cannot do", async () => {
    const client = harness.client();
    const object = { Bucket: bucket, Key: "no", Body: "x" };
    const refused = [
      new PutObjectCommand({ ...object, ServerSideEncryption: "AES256" }),
      new PutObjectCommand({ ...object, SSECustomerAlgorithm: "AES256", SSECustomerKey: randomBytes(32).toString("base64") }),
      new PutObjectCommand({ ...object, Tagging: "a=b" }),
      new PutObjectCommand({ ...object, ACL: "public-read" }),
      new PutObjectCommand({ ...object, StorageClass: "GLACIER" }),
      new PutObjectCommand({ ...object, ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: new Date() }),
      new PutObjectCommand({ ...object, WebsiteRedirectLocation: "/x" }),
      new PutObjectTaggingCommand({ Bucket: bucket, Key: "no", Tagging: { TagSet: [] } }),
      new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }),
      new GetObjectCommand({ Bucket: bucket, Key: "no", VersionId: "1" }),
    ];
    for (const command of refused) {
      await assert.rejects(client.send(command as PutObjectCommand), { name: "NotImplemented" }, command.constructor.name);
    }
    assert.ok(await missing("no"));
    for (const [Key, other] of [
      ["file", "file/below"],
      ["folder/x/y", "folder/x"],
    ] as const) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "x" }));
      const clash = client.send(new PutObjectCommand({ Bucket: bucket, Key: other, Body: "x" }));
      await assert.rejects(clash, { name: "NotImplemented", message: /cannot hold both/ });
    }
    await assert.rejects(client.send(new PutObjectCommand({ ...object, ExpectedBucketOwner: "999999999999" })), { name: "AccessDenied" });
    await client.send(new PutObjectCommand({ ...object, Key: "yes", ExpectedBucketOwner: admin.principal.accountId }));
  });
});

const presign = (method: string, path: string, now: Date, more: Record<string, string> = {}) => {
  const scope = { day: amzDate(now).slice(0, 8), region: "us-east-1", service: "s3" };
  const url = new URL(path, harness.endpoint);
  url.search = new URLSearchParams({
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${admin.accessKeyId}/${scopeText(scope)}`,
    "X-Amz-Date": amzDate(now),
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host",
    ...more,
  }).toString();
  const canonical = [
    method,
    url.pathname,
    url.search.slice(1).split("&").toSorted().join("&"),
    `host:${url.host}\n`,
    "host",
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", amzDate(now), scopeText(scope), sha256Hex(canonical)].join("\n");
  url.searchParams.set("X-Amz-Signature", hmac(signingKey(admin.secretAccessKey, scope), text).toString("hex"));
  return url;
};

test("EMR's own bucket: read by whoever signs, in parts and pages, copied from, never written", async () => {
  const client = harness.client(cluster);
  const Bucket = "eu-west-1.elasticmapreduce";
  const Key = "samples/wordcount/wordSplitter.py";
  const whole = await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();
  assert.match(whole, /LongValueSum/);
  const part = await client.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=2-9" }));
  assert.deepEqual([await part.Body!.transformToString(), part.ContentRange], [whole.slice(2, 10), `bytes 2-9/${whole.length}`]);
  const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
  assert.deepEqual([head.ContentLength, head.ETag], [whole.length, part.ETag]);
  const keys: (string | undefined)[] = [];
  for (let ContinuationToken: string | undefined, more = true; more; more = ContinuationToken !== undefined) {
    const page = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2, Prefix: "samples/", ContinuationToken }));
    keys.push(...(page.Contents ?? []).map((object) => object.Key));
    ContinuationToken = page.NextContinuationToken;
  }
  const cloudfront = ["code/Hive_CloudFront.q", "data/access-2014.txt"].map((name) => `samples/cloudfront/${name}`);
  assert.deepEqual(keys, [...cloudfront, ...["1", "2", "3"].map((number) => `samples/wordcount/input/000${number}`), Key]);
  const copy = { Bucket: bucket, Key: "copy.py", CopySource: `/${Bucket}/${Key}` };
  assert.equal((await client.send(new CopyObjectCommand(copy))).CopyObjectResult?.ETag, head.ETag);
  const copied = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "copy.py" }));
  assert.equal(await copied.Body!.transformToString(), whole);
  await assert.rejects(client.send(new PutObjectCommand({ Bucket, Key, Body: "x".repeat(100_000) })), { name: "AccessDenied" });
  await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key: "none" })), { name: "NoSuchKey" });
  const unsigned = await raw("GET", new URL(`/${Bucket}/${Key}`, harness.endpoint), {}, "");
  assert.equal(unsigned.status, 403);
  const tamper = (headers: Record<string, string>) =>
    (headers.authorization = headers.authorization!.replace(/.$/, (last) => (last === "0" ? "1" : "0")));
  assert.match((await send({ method: "GET", path: `/${Bucket}/${Key}`, tamper })).text, /SignatureDoesNotMatch/);
});

describe("signatures", () => {
  test("refusals, in S3's words", async () => {
    const path = `/${bucket}/sig`;
    assert.equal(codeOf(await raw("GET", new URL(path, harness.endpoint), {}, "")), "403 AccessDenied");
    assert.equal(codeOf(await send({ path, key: { ...admin, secretAccessKey: "wrong" } })), "403 SignatureDoesNotMatch");
    assert.equal(codeOf(await send({ path, key: { ...admin, accessKeyId: "AKIANOBODY" } })), "403 InvalidAccessKeyId");
    assert.equal(codeOf(await send({ path, key: { ...cluster, sessionToken: "other" } })), "400 InvalidToken");
    assert.equal(codeOf(await send({ path, key: { ...cluster, sessionToken: null } })), "400 InvalidToken");
    assert.equal(codeOf(await send({ path, now: new Date(Date.now() - 16 * 60_000) })), "403 RequestTimeTooSkewed");
    assert.equal(codeOf(await send({ path, tamper: (h) => (h["authorization"] = `AWS ${admin.accessKeyId}:sig`) })), "400 InvalidRequest");
    assert.equal(codeOf(await send({ path, tamper: (h) => (h["x-amz-acl"] = "public-read") })), "403 AccessDenied");
    assert.equal(
      codeOf(await send({ path, tamper: (h) => (h["authorization"] = h["authorization"]!.split(",")[0]!) })),
      "400 AuthorizationHeaderMalformed",
    );
    assert.equal(codeOf(await send({ path, hash: "nonsense" })), "400 InvalidArgument");
    const notEncoded = new URL(`/${bucket}/%zz?AWSAccessKeyId=${admin.accessKeyId}&Signature=x&Expires=1`, harness.endpoint);
    assert.equal(codeOf(await raw("GET", notEncoded, {}, "")), "400 InvalidURI");
    assert.equal((await send({ path, body: "fine" })).status, 200);
    assert.equal(await content("sig"), "fine");
  });

  test("presigned URLs, until they expire", async () => {
    const path = `/${bucket}/presigned`;
    assert.equal((await raw("PUT", presign("PUT", path, new Date()), {}, "by url")).status, 200);
    const got = await raw("GET", presign("GET", path, new Date(), { "response-content-type": "text/weird" }), {}, "");
    assert.deepEqual([got.status, got.text, got.headers["content-type"]], [200, "by url", "text/weird"]);
    assert.equal(codeOf(await raw("GET", presign("PUT", path, new Date()), {}, "")), "403 SignatureDoesNotMatch");
    const expired = await raw("GET", presign("GET", path, new Date(Date.now() - 61_000)), {}, "");
    assert.equal(codeOf(expired), "403 AccessDenied");
    assert.match(expired.text, /<Message>Request has expired<\/Message>/);
    assert.equal(
      codeOf(await raw("GET", presign("GET", path, new Date(), { "X-Amz-Expires": "604801" }), {}, "")),
      "400 AuthorizationQueryParametersError",
    );
    const injected = await raw("PUT", presign("PUT", path, new Date()), { "x-amz-copy-source": `${bucket}/sig` }, "");
    assert.equal(codeOf(injected), "403 AccessDenied");
  });
});

/** The aws-chunked form of a body, signed. `spoil` changes a chunk after it is signed. */
function chunked(pieces: Buffer[], now: Date, seed: string, options: { trailer?: [string, string]; spoil?: number } = {}): Buffer {
  const scope = { day: amzDate(now).slice(0, 8), region: "us-east-1", service: "s3" };
  const key = signingKey(admin.secretAccessKey, scope);
  let previous = seed;
  const parts: (Buffer | string)[] = [];
  for (const [i, piece] of [...pieces, Buffer.alloc(0)].entries()) {
    previous = hmac(
      key,
      ["AWS4-HMAC-SHA256-PAYLOAD", amzDate(now), scopeText(scope), previous, sha256Hex(""), sha256Hex(piece)].join("\n"),
    ).toString("hex");
    const data = Buffer.from(piece);
    if (options.spoil === i) data[0] = data[0]! ^ 1;
    parts.push(`${piece.length.toString(16)};chunk-signature=${previous}\r\n`, data, piece.length > 0 ? "\r\n" : "");
  }
  if (options.trailer) {
    const line = options.trailer.join(":");
    const signature = hmac(
      key,
      ["AWS4-HMAC-SHA256-TRAILER", amzDate(now), scopeText(scope), previous, sha256Hex(`${line}\n`)].join("\n"),
    ).toString("hex");
    parts.push(`${line}\r\nx-amz-trailer-signature:${signature}\r\n`);
  }
  parts.push("\r\n");
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

/** Waits for leave to send its body: was it given, and the answer's status. */
const wait = (key: typeof admin) => {
  const url = new URL(`/${bucket}/expect`, harness.endpoint);
  const body = "expected";
  const signed = signRequest({
    method: "PUT",
    url,
    headers: {},
    payloadHash: sha256Hex(body),
    credentials: credentials(key),
    region: "us-east-1",
    service: "s3",
    now: new Date(),
  });
  return new Promise<[boolean, number]>((resolve, reject) => {
    let continued = false;
    const req = request(url, { method: "PUT", agent: false, headers: { ...signed, "content-length": "8", expect: "100-continue" } });
    req.on("continue", () => {
      continued = true;
      req.end(body);
    });
    req.on("response", (res) => {
      res.resume();
      resolve([continued, res.statusCode!]);
      req.destroy();
    });
    req.on("error", reject);
    req.flushHeaders();
  });
};

describe("bodies", () => {
  const pieces = [randomBytes(65_536), randomBytes(65_536), randomBytes(1000)];
  const whole = Buffer.concat(pieces);

  async function sendChunked(key: string, options: { trailer?: [string, string]; spoil?: number; length?: number } = {}): Promise<Got> {
    const now = new Date();
    const url = new URL(`/${bucket}/${key}`, harness.endpoint);
    const hash = `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${options.trailer ? "-TRAILER" : ""}`;
    const headers: Record<string, string> = {
      "x-amz-decoded-content-length": String(options.length ?? whole.length),
      "content-encoding": "aws-chunked",
    };
    if (options.trailer) headers["x-amz-trailer"] = options.trailer[0];
    const signed = signRequest({
      method: "PUT",
      url,
      headers,
      payloadHash: hash,
      credentials: credentials(admin),
      region: "us-east-1",
      service: "s3",
      now,
    });
    const seed = /Signature=(\w+)/.exec(signed["authorization"]!)![1]!;
    return raw("PUT", url, signed, chunked(pieces, now, seed, options));
  }

  test("a body that is not what its hash says is not stored", async () => {
    for (const size of [10, 3_000_000]) {
      const body = randomBytes(size);
      const answer = await send({ path: `/${bucket}/tampered`, body, hash: sha256Hex("something else") });
      assert.equal(codeOf(answer), "400 XAmzContentSHA256Mismatch");
      assert.ok(await missing("tampered"));
    }
  });

  test("Content-MD5 and checksum headers are checked", async () => {
    const path = `/${bucket}/md5`;
    assert.equal(codeOf(await send({ path, body: "x", headers: { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" } })), "400 BadDigest");
    assert.equal(codeOf(await send({ path, body: "x", headers: { "x-amz-checksum-crc32": "AAAAAA==" } })), "400 BadDigest");
    assert.ok(await missing("md5"));
  });

  test("signed chunks", async () => {
    assert.equal((await sendChunked("chunks")).status, 200);
    assert.equal(await content("chunks"), whole.toString("latin1"));
    for (const spoil of [0, 1, 2]) {
      assert.equal(codeOf(await sendChunked("spoilt", { spoil })), "403 SignatureDoesNotMatch");
      assert.ok(await missing("spoilt"));
    }
    assert.equal(codeOf(await sendChunked("short", { length: whole.length + 1 })), "400 IncompleteBody");
    assert.equal(codeOf(await sendChunked("short", { length: whole.length - 1 })), "400 IncompleteBody");
    assert.ok(await missing("short"));
  });

  test("signed chunks with a signed trailer", async () => {
    const sum = checksums.crc32c!();
    sum.update(whole);
    assert.equal((await sendChunked("trailer", { trailer: ["x-amz-checksum-crc32c", sum.digest().toString("base64")] })).status, 200);
    assert.equal(await content("trailer"), whole.toString("latin1"));
    assert.equal(codeOf(await sendChunked("wrong", { trailer: ["x-amz-checksum-crc32c", "AAAAAA=="] })), "400 BadDigest");
    assert.ok(await missing("wrong"));
  });

  test("Expect: 100-continue is answered after the signature is", async () => {
    assert.deepEqual(await wait(admin), [true, 200]);
    assert.deepEqual(await wait({ ...admin, secretAccessKey: "wrong" }), [false, 403]);
  });

  test("a client that goes away leaves no object", async () => {
    const url = new URL(`/${bucket}/gone`, harness.endpoint);
    const signed = signRequest({
      method: "PUT",
      url,
      headers: {},
      payloadHash: "UNSIGNED-PAYLOAD",
      credentials: credentials(admin),
      region: "us-east-1",
      service: "s3",
      now: new Date(),
    });
    const req = request(url, { method: "PUT", agent: false, headers: { ...signed, "content-length": "1000000" } });
    req.on("error", () => {});
    req.write(Buffer.alloc(500_000));
    await once(req, "socket");
    req.destroy();
    assert.ok(await missing("gone"));
    assert.equal((await send({ path: `/${bucket}/after`, body: "fine" })).status, 200);
  });

  test("64 MB bodies, several at once", async () => {
    const big = randomBytes(64 << 20);
    const client = harness.client();
    await Promise.all([1, 2].map((i) => client.send(new PutObjectCommand({ Bucket: bucket, Key: `big${i}`, Body: big }))));
    const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "big2" }));
    assert.equal(sha256Hex(await got.Body!.transformToByteArray()), sha256Hex(big));
  });
});

test("a bucket is its account's, and its policy ends with it", async () => {
  const Bucket = "of-the-other";
  const theirs = harness.client(other);
  await theirs.send(new CreateBucketCommand({ Bucket }));
  await theirs.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
  const get = new GetObjectCommand({ Bucket, Key: "k" });
  await assert.rejects(harness.client().send(get), { name: "AccessDenied" });
  await assert.rejects(harness.client().send(new CreateBucketCommand({ Bucket })), { name: "BucketAlreadyExists" });
  const again = await theirs.send(new CreateBucketCommand({ Bucket })).catch((error: Error) => error.name);
  assert.equal(again, "BucketAlreadyOwnedByYou");
  const Statement = {
    Effect: "Allow",
    Principal: { AWS: admin.principal.accountId },
    Action: "s3:GetObject",
    Resource: `arn:aws:s3:::${Bucket}/*`,
  };
  await theirs.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }));
  assert.equal(await (await harness.client().send(get)).Body?.transformToString(), "x");
  const names = async (client: ReturnType<Harness["client"]>) =>
    (await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name);
  assert.deepEqual(await names(theirs), [Bucket]);
  assert.ok(!(await names(harness.client()))?.includes(Bucket));
  // One of two objects may not be deleted: the server is asked for the other only.
  const only = { Effect: "Deny", Principal: "*", Action: "s3:DeleteObject", Resource: `arn:aws:s3:::${Bucket}/k` };
  await theirs.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement: only }) }));
  await theirs.send(new PutObjectCommand({ Bucket, Key: "a & b", Body: "x" }));
  const gone = await theirs.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "k" }, { Key: "a & b" }] } }));
  assert.deepEqual(
    [gone.Deleted?.map(({ Key }) => Key), gone.Errors?.map(({ Key, Code }) => [Key, Code])],
    [["a & b"], [["k", "AccessDenied"]]],
  );
  await theirs.send(new DeleteBucketPolicyCommand({ Bucket }));
  await theirs.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
  await theirs.send(new DeleteBucketCommand({ Bucket }));
  await harness.client().send(new CreateBucketCommand({ Bucket }));
  await assert.rejects(theirs.send(new ListObjectsV2Command({ Bucket })), { name: "AccessDenied" });
  await assert.rejects(harness.client().send(new GetBucketPolicyCommand({ Bucket })), { name: "NoSuchBucketPolicy" });
});

test("any other S3 server by configuration, to which all headers go", async () => {
  // Another front door stands in for it: it is strict with signatures.
  const { accessKeyId, secretAccessKey } = admin;
  const outer = await startFront({
    host: "127.0.0.1",
    port: 0,
    databasePath: dataFolder(harness.root).database,
    linkSocket: join(harness.root, "control.sock"),
    answer: () => assert.fail("of S3 alone"),
    s3: { endpoint: harness.endpoint, accessKeyId, secretAccessKey, region: "us-east-1", external: true },
    changeBucket: async () => {},
  });
  try {
    const client = harness.client(cluster, { endpoint: `http://127.0.0.1:${outer.port}` });
    const Body = Readable.from([randomBytes(100_000), randomBytes(100_000)]);
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: "outer/a b", Body, ContentLength: 200_000 }));
    assert.equal((await client.send(new HeadObjectCommand({ Bucket: bucket, Key: "outer/a b" }))).ContentLength, 200_000);
    const encrypted = new PutObjectCommand({ Bucket: bucket, Key: "e", Body: "x", ServerSideEncryption: "AES256" });
    await assert.rejects(client.send(encrypted), { name: "NotImplemented", message: /x-amz-server-side-encryption/ });
    outer.useS3({ endpoint: "http://127.0.0.1:1", accessKeyId, secretAccessKey, region: "us-east-1", external: true });
    await assert.rejects(
      client.send(new HeadObjectCommand({ Bucket: bucket, Key: "outer/a b" })),
      (error: { $metadata?: { httpStatusCode?: number } }) => error.$metadata?.httpStatusCode === 503,
    );
  } finally {
    await outer.close();
  }
});

test("a port that is taken, and a database that is not there, are said at once", async () => {
  const { accessKeyId, secretAccessKey } = admin;
  const options = {
    host: "127.0.0.1",
    port: harness.front.port,
    databasePath: dataFolder(harness.root).database,
    linkSocket: join(harness.root, "control.sock"),
    answer: () => assert.fail("of S3 alone"),
    s3: { endpoint: harness.endpoint, accessKeyId, secretAccessKey, region: "us-east-1" },
    changeBucket: async () => {},
  };
  await assert.rejects(startFront(options), { code: "EADDRINUSE" });
  await assert.rejects(startFront({ ...options, port: 0, databasePath: join(harness.root, "nowhere.db") }), /unable to open database/);
});

describe("everything else goes to the control plane", () => {
  test("with its body, and back as a stream", async () => {
    harness.control.answer = (req, res) => {
      let body = "";
      req.setEncoding("utf8").on("data", (text) => (body += text));
      req.on("end", () => {
        res.writeHead(201, { "x-mine": "yes" });
        res.end(`${req.method} ${req.url} ${String(req.headers["x-amz-target"])} ${body}`);
      });
    };
    const url = new URL("/_howdah/agent/report?x=1", harness.endpoint);
    const report = await raw("POST", url, {}, "hello");
    assert.deepEqual(
      [report.status, report.headers["x-mine"], report.text],
      [201, "yes", "POST /_howdah/agent/report?x=1 undefined hello"],
    );
    const json = await raw("POST", new URL("/", harness.endpoint), { "x-amz-target": "ElasticMapReduce.ListClusters" }, "{}");
    assert.equal(json.text, "POST / ElasticMapReduce.ListClusters {}");
    const form = await raw(
      "POST",
      new URL("/", harness.endpoint),
      { "content-type": "application/x-www-form-urlencoded" },
      "Action=GetCallerIdentity",
    );
    assert.equal(form.text, "POST / undefined Action=GetCallerIdentity");
    const scope = { authorization: "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0" };
    assert.equal((await raw("GET", new URL("/x", harness.endpoint), scope, "")).text, "GET /x undefined ");
  });

  test("a client that leaves a long poll takes it along", async () => {
    const left = Promise.withResolvers<void>();
    harness.control.answer = (_req, res) => {
      res.write("first");
      res.once("close", left.resolve);
    };
    const socket = connect(harness.front.port, "127.0.0.1");
    socket.write("GET /_howdah/poll HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "data");
    socket.destroy();
    await left.promise;
  });

  test("an answer that comes before the end of the body arrives", async () => {
    harness.control.answer = (req, res) => {
      req.once("data", () => {
        res.writeHead(413);
        res.end("too large");
      });
    };
    const answer = await raw("POST", new URL("/_howdah/x", harness.endpoint), {}, Buffer.alloc(3_000_000));
    assert.deepEqual([answer.status, answer.text], [413, "too large"]);
  });

  test("a control plane that cuts the connection is reported", async () => {
    harness.control.answer = (req) => req.destroy();
    const answer = await raw("POST", new URL("/_howdah/x", harness.endpoint), {}, "");
    assert.equal(answer.status, 502);
    assert.match(answer.text, /control plane does not answer/);
  });
});
