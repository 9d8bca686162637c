import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { overHttp } from "../../src/api/http.ts";
import { createPipeline } from "../../src/api/pipeline.ts";
import { stsHandlers } from "../../src/api/sts/handlers.ts";
import { emrService } from "../../src/aws/services/emr.ts";
import { stsService } from "../../src/aws/services/sts.ts";
import { createAuthoriser } from "../../src/access/authorise.ts";
import { openKeyLookup } from "../../src/access/keys.ts";
import { openPolicySource } from "../../src/access/policy-source.ts";
import { openResourceFacts } from "../../src/access/resource-facts.ts";
import { dataFolder } from "../../src/data-folder.ts";
import { admin, cluster, type Harness, runTool, startHarness } from "./s3-harness.ts";

/** Unmodified clients, against the front door with the real pipeline behind it. */
let harness: Harness;
let keys: ReturnType<typeof openKeyLookup>;
let readers: { close(): void }[] = [];

before(async () => {
  harness = await startHarness();
  const path = dataFolder(harness.root).database;
  keys = openKeyLookup(path);
  const [policies, facts] = [openPolicySource(path), openResourceFacts(path)];
  readers = [keys, policies, facts];
  harness.control.answer = overHttp(
    createPipeline({
      services: {
        elasticmapreduce: async () => ({ service: emrService, handlers: {} }),
        sts: async () => ({ service: stsService, handlers: stsHandlers({} as never) }),
      },
      keys,
      authorise: createAuthoriser(policies, facts),
      now: () => new Date(),
      log: () => {},
    }),
  );
});
after(async () => {
  await harness?.close();
  for (const reader of readers) reader.close();
});

async function aws(args: string[], key = admin, more: Record<string, string> = {}): Promise<string> {
  const { status, out, err } = await runTool("aws", args, { ...harness.env(key), ...more });
  assert.equal(status, 0, err);
  return out;
}

async function awsFails(args: string[], key = admin): Promise<string> {
  const { status, err } = await runTool("aws", args, harness.env(key));
  assert.notEqual(status, 0);
  return err;
}

describe("the aws CLI", () => {
  test("s3: copies there and back, one part and many, by a cluster's key too", async () => {
    await aws(["s3", "mb", "s3://cli"]);
    const [small, large] = [randomBytes(1000), randomBytes(20 << 20)];
    const [smallFile, largeFile, back] = ["small", "large", "back"].map((name) => join(harness.root, name)) as [string, string, string];
    writeFileSync(smallFile, small);
    writeFileSync(largeFile, large);
    await aws(["s3", "cp", smallFile, "s3://cli/a b/small"]);
    await aws(["s3", "cp", largeFile, "s3://cli/large"], cluster);
    await aws(["s3", "cp", "s3://cli/large", back]);
    assert.deepEqual(readFileSync(back), large);
    assert.match(await aws(["s3", "ls", "s3://cli/", "--recursive"]), / 1000 a b\/small\n.* 20971520 large\n/);
    assert.equal(
      await aws([
        "s3api",
        "get-object",
        "--bucket",
        "cli",
        "--key",
        "large",
        "--range",
        "bytes=0-9",
        back,
        "--query",
        "ContentLength",
        "--output",
        "text",
      ]),
      "10\n",
    );
    const url = (await aws(["s3", "presign", "s3://cli/a b/small"])).trim();
    assert.deepEqual(Buffer.from(await (await fetch(url)).arrayBuffer()), small);
    await aws(["s3", "rb", "s3://cli", "--force"]);
  });

  test("s3: says what was refused", async () => {
    assert.match(await awsFails(["s3", "ls"], { ...admin, secretAccessKey: "wrong" }), /SignatureDoesNotMatch/);
    assert.match(await awsFails(["s3api", "get-bucket-tagging", "--bucket", "nowhere"]), /NoSuchBucket/);
    assert.match(await awsFails(["s3", "ls", "--no-sign-request"]), /AccessDenied/);
  });

  test("s3: bucket policies, and reading without a signature where one says so", async () => {
    const file = join(harness.root, "object");
    writeFileSync(file, "text");
    await aws(["s3", "mb", "s3://shared"]);
    await aws(["s3", "cp", file, "s3://shared/public/object"]);
    await aws(["s3", "cp", file, "s3://shared/object"]);
    assert.match(await awsFails(["s3api", "get-bucket-policy", "--bucket", "shared"]), /NoSuchBucketPolicy/);
    const Statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::shared/public/*" };
    const policy = JSON.stringify({ Version: "2012-10-17", Statement });
    await aws(["s3api", "put-bucket-policy", "--bucket", "shared", "--policy", policy]);
    assert.equal(JSON.parse(await aws(["s3api", "get-bucket-policy", "--bucket", "shared"])).Policy, policy);
    assert.match(await aws(["s3api", "get-bucket-policy-status", "--bucket", "shared"]), /"IsPublic": true/);
    assert.equal(await aws(["s3", "cp", "s3://shared/public/object", "-", "--no-sign-request"]), "text");
    assert.match(await awsFails(["s3", "cp", "s3://shared/object", "-", "--no-sign-request"]), /403|Forbidden/);
    assert.match(await awsFails(["s3api", "put-bucket-policy", "--bucket", "shared", "--policy", "{}"]), /MalformedPolicy/);
    await aws(["s3api", "delete-bucket-policy", "--bucket", "shared"]);
    assert.match(await awsFails(["s3", "cp", "s3://shared/public/object", "-", "--no-sign-request"]), /403|Forbidden/);
    await aws(["s3", "rb", "s3://shared", "--force"]);
  });

  test("sts and emr, on the same port", async () => {
    assert.equal(JSON.parse(await aws(["sts", "get-caller-identity"])).Arn, admin.principal.arn);
    assert.match(await awsFails(["sts", "get-caller-identity"], { ...admin, secretAccessKey: "wrong" }), /\(SignatureDoesNotMatch\)/);
    assert.match(await awsFails(["emr", "list-clusters"]), /\(InvalidRequestException\).*ListClusters is not there yet in Howdah/);
    assert.match(await awsFails(["emr", "list-clusters"], { ...admin, secretAccessKey: "wrong" }), /\(InvalidSignatureException\)/);
    assert.match(await awsFails(["emr", "terminate-clusters", "--cluster-ids", "j-1"], cluster), /\(AccessDeniedException\)/);
    assert.match(await awsFails(["athena", "list-work-groups"]), /serves elasticmapreduce, sts, s3/);
  });
});

const script = `
import boto3, io, json, os, urllib.request
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
def client(**kw): return boto3.client("s3", config=Config(retries={"max_attempts": 1}, **kw))
s3 = client()
s3.create_bucket(Bucket="boto")
body = os.urandom(12 << 20)
s3.put_object(Bucket="boto", Key="k", Body=body, Metadata={"x": "y"})
got = s3.get_object(Bucket="boto", Key="k")
assert got["Body"].read() == body and got["Metadata"] == {"x": "y"}
for algorithm in ("CRC32", "SHA1", "SHA256"):
    s3.upload_fileobj(io.BytesIO(body), "boto", "parts", ExtraArgs={"ChecksumAlgorithm": algorithm}, Config=TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=6 << 20))
    out = io.BytesIO(); s3.download_fileobj("boto", "parts", out); assert out.getvalue() == body
unsigned = client(s3={"payload_signing_enabled": False}, request_checksum_calculation="when_required")
unsigned.put_object(Bucket="boto", Key="unsigned", Body=b"u")
signed = client(s3={"payload_signing_enabled": True}, request_checksum_calculation="when_required")
signed.put_object(Bucket="boto", Key="signed", Body=b"s")
url = s3.generate_presigned_url("get_object", Params={"Bucket": "boto", "Key": "k", "ResponseContentType": "text/weird"})
assert "AWSAccessKeyId=" in url
answer = urllib.request.urlopen(url)
assert answer.read() == body and answer.headers["Content-Type"] == "text/weird"
try: urllib.request.urlopen(url.replace("/k?", "/url?")); raise Exception("passed")
except urllib.error.HTTPError as e: assert e.code == 403 and b"SignatureDoesNotMatch" in e.read()
v4 = client(signature_version="s3v4")
url = v4.generate_presigned_url("put_object", Params={"Bucket": "boto", "Key": "url"})
urllib.request.urlopen(urllib.request.Request(url, data=b"by url", method="PUT", headers={"Content-Type": "text/plain"}))
url = v4.generate_presigned_url("get_object", Params={"Bucket": "boto", "Key": "url"})
assert urllib.request.urlopen(url).read() == b"by url"
for i in range(5): s3.put_object(Bucket="boto", Key="l/%d/x" % i, Body=b"")
pages = s3.get_paginator("list_objects_v2").paginate(Bucket="boto", Prefix="l/", Delimiter="/", PaginationConfig={"PageSize": 2})
assert sum(len(p.get("CommonPrefixes", [])) for p in pages) == 5
def code(f):
    try: f()
    except ClientError as e: return e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]
assert code(lambda: s3.put_object(Bucket="boto", Key="n", Body=b"", ServerSideEncryption="aws:kms")) == ("NotImplemented", 501)
assert code(lambda: s3.get_object(Bucket="boto", Key="none")) == ("NoSuchKey", 404)
assert code(lambda: s3.put_object(Bucket="boto", Key="k", Body=b"", IfNoneMatch="*")) == ("PreconditionFailed", 412)
print("all passed")
`;

test("boto3: whole, in parts, with each checksum, by URL, in pages", async () => {
  const { status, out, err } = await runTool("python3", ["-c", script], harness.env(cluster));
  assert.equal(status, 0, err);
  assert.match(out, /all passed/);
});
