/** How a bucket is set, as Terraform's provider and people's scripts read it: tags are kept, all else is as nobody has set it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as s3 from "@aws-sdk/client-s3";
import { openBucketFacts } from "../../src/access/bucket-facts.ts";
import { openEmrfsRoles } from "../../src/access/emrfs-roles.ts";
import { openKeyLookup } from "../../src/access/keys.ts";
import { openPolicySource } from "../../src/access/policy-source.ts";
import { readTags } from "../../src/s3/bucket-tags.ts";
import { serveObjects } from "../../src/s3/objects.ts";
import { adminKey, createAccount } from "../../src/store/accounts.ts";
import { changeBucket } from "../../src/store/buckets.ts";
import { makeIds } from "../../src/store/ids.ts";
import { openStore, type Store } from "../../src/store/store.ts";

const folder = mkdtempSync(join(tmpdir(), "howdah-s3-settings-"));
const accountId = "111122223333";
const there = new Set<string>();
/** Of an S3 server of the user's own. */
let external = false;
const forwarded: string[] = [];
let store: Store;
let client: s3.S3Client;
const servers: Server[] = [];
const closing: (() => void)[] = [];

/** Of a multi-object delete, as it reached the server. */
const deleted: string[] = [];
const listed: string[] = [];
const isListed = (name: string) => name === "listed";
/** As s3proxy writes it. */
const listOfObjects = `<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>listed</Name><Prefix>a b/</Prefix><MaxKeys>1</MaxKeys><Marker>a</Marker><IsTruncated>true</IsTruncated><NextMarker>a b/c</NextMarker><Contents><Key>a b/c</Key><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>"e"</ETag><Size>3</Size><StorageClass>STANDARD</StorageClass></Contents><CommonPrefixes><Prefix>a b/d/</Prefix></CommonPrefixes></ListBucketResult>`;

async function readAll(req: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of req.setEncoding("utf8")) text += String(piece);
  return text;
}

const listen = async (server: Server): Promise<string> => {
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

before(async () => {
  const path = join(folder, "howdah.db");
  const ids = makeIds();
  store = await openStore(path);
  await store.transaction((tx) => createAccount(tx, ids, "one", accountId));
  const behind = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url!, "http://behind");
    const name = pathname.replaceAll("/", "");
    const query = [...searchParams.keys()].find((key) => key !== "x-id" && !["prefix", "marker", "max-keys"].includes(key));
    if (query === "delete") {
      void readAll(req).then((body) => deleted.push(...[...body.matchAll(/<Object>.*?<\/Object>/g)].map(([object]) => object)));
      res.end("<DeleteResult/>");
      return;
    }
    if (req.method === "GET" && query === undefined && isListed(name)) {
      listed.push(decodeURIComponent(req.url!));
      res.end(listOfObjects);
      return;
    }
    const isThere = there.has(name);
    if (query !== undefined && isThere) forwarded.push(`${req.method} ${query}`);
    if (req.method === "PUT" && query === undefined) there.add(name);
    if (req.method === "DELETE") there.delete(name);
    res.writeHead(isThere || req.method === "PUT" ? (req.method === "DELETE" ? 204 : 200) : 404).end();
  });
  const endpoint = await listen(behind);
  const policies = openPolicySource(path);
  const [keys, facts, emrfs] = [openKeyLookup(path), openBucketFacts(path), openEmrfsRoles(path, policies)];
  closing.push(() => [keys, policies, facts, emrfs].forEach((reader) => reader.close()));
  const options = {
    keys,
    policies,
    emrfs,
    buckets: { ...facts, change: (change: Parameters<typeof changeBucket>[1]) => store.transaction((tx) => changeBucket(tx, change)) },
    server: () => ({ endpoint, accessKeyId: "a", secretAccessKey: "s", region: "us-east-1", external }),
    now: () => new Date(),
    fault: (_: string, error: unknown) => assert.fail(String(error)),
  };
  const door = await listen(createServer((req, res) => void serveObjects(req, res, options, undefined)));
  const key = (await adminKey(store.db, accountId))!;
  const credentials = { accessKeyId: key.access_key_id, secretAccessKey: key.secret_access_key };
  client = new s3.S3Client({ endpoint: door, region: "us-east-1", forcePathStyle: true, maxAttempts: 1, credentials });
});
after(async () => {
  client.destroy();
  for (const server of servers) server.close().closeAllConnections();
  for (const close of closing) close();
  await store.close();
  rmSync(folder, { recursive: true });
});

const tagsOf = async (Bucket: string) => (await client.send(new s3.GetBucketTaggingCommand({ Bucket }))).TagSet;
const put = (Bucket: string, TagSet: s3.Tag[]) => client.send(new s3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));

test("tags of a bucket are put, shown, replaced and deleted, and end with their bucket", async () => {
  const Bucket = "tagged";
  await client.send(new s3.CreateBucketCommand({ Bucket }));
  await assert.rejects(tagsOf(Bucket), { name: "NoSuchTagSet", message: "The TagSet does not exist" });
  const tags = [
    { Key: "Name", Value: "a & b" },
    { Key: "größe", Value: "" },
  ];
  await assert.rejects(put(Bucket, tags), { name: "InvalidTag", message: /The TagValue you have provided is invalid: 'a & b'/ });
  tags[0]!.Value = "a + b";
  await put(Bucket, tags);
  assert.deepEqual(await tagsOf(Bucket), tags);
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Deny", Principal: "*", Action: "s3:DeleteObject", Resource: "arn:aws:s3:::tagged/*" }],
  });
  await client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy }));
  assert.deepEqual(await tagsOf(Bucket), tags, "a policy changes no tag");
  await put(Bucket, [{ Key: "only", Value: "1" }]);
  assert.deepEqual(await tagsOf(Bucket), [{ Key: "only", Value: "1" }]);
  assert.equal((await client.send(new s3.GetBucketPolicyCommand({ Bucket }))).Policy, Policy);
  await client.send(new s3.DeleteBucketTaggingCommand({ Bucket }));
  await assert.rejects(tagsOf(Bucket), { name: "NoSuchTagSet" });
  await put(Bucket, tags);
  await client.send(new s3.DeleteBucketCommand({ Bucket }));
  await client.send(new s3.CreateBucketCommand({ Bucket }));
  await assert.rejects(tagsOf(Bucket), { name: "NoSuchTagSet" });
  for (const call of [tagsOf("nowhere"), put("nowhere", tags)]) await assert.rejects(call, { name: "NoSuchBucket" });
});

test("tags that S3 would not take are refused, and say why", () => {
  const one = (Key: string, Value = "v") => `<Tag><Key>${Key}</Key><Value>${Value}</Value></Tag>`;
  const all = (...tags: string[]) => `<?xml version="1.0"?>\n<Tagging xmlns="http://x"> <TagSet>${tags.join("\n")}</TagSet>\n</Tagging>\n`;
  assert.deepEqual(readTags(all(one("a"), one("b", "x/y"))), [
    { Key: "a", Value: "v" },
    { Key: "b", Value: "x/y" },
  ]);
  assert.deepEqual(readTags("<Tagging><TagSet/></Tagging>"), []);
  assert.equal(readTags(all(...Array.from({ length: 50 }, (_, n) => one(`k${n}`)))).length, 50);
  const refused: [string, string, RegExp][] = [
    [all(one("a"), one("a")), "InvalidTag", /Cannot provide multiple Tags with the same key/],
    [all(one("aws:a")), "InvalidTag", /System tags cannot be added/],
    [all(one("")), "InvalidTag", /TagKey you have provided is invalid: ''/],
    [all(one("k".repeat(129))), "InvalidTag", /TagKey/],
    [all(one("k", "v".repeat(257))), "InvalidTag", /TagValue/],
    [all(...Array.from({ length: 51 }, (_, n) => one(`k${n}`))), "InvalidTag", /cannot be greater than 50/],
    [all("<Tag><Key>a</Key></Tag>"), "MalformedXML", /not well-formed/],
    [all("x"), "MalformedXML", /not well-formed/],
    [all(one("&nbsp;")), "MalformedXML", /not well-formed/],
    [`${" ".repeat(200_000)}<Tag`, "MalformedXML", /not well-formed/],
    ["", "MalformedXML", /not well-formed/],
  ];
  for (const [xml, code, message] of refused) assert.throws(() => readTags(xml), { code, message });
});

test("everything else is as in a bucket that nobody has set anything of, and to set it is refused", async () => {
  const Bucket = "plain";
  await client.send(new s3.CreateBucketCommand({ Bucket }));
  const ask = { Bucket };
  const shown: [s3.GetBucketVersioningCommand, object][] = [
    [new s3.GetBucketVersioningCommand(ask), {}],
    [new s3.GetBucketLoggingCommand(ask), {}],
    [new s3.GetBucketAccelerateConfigurationCommand(ask), {}],
    [new s3.GetBucketNotificationConfigurationCommand(ask), {}],
    [new s3.GetBucketRequestPaymentCommand(ask), { Payer: "BucketOwner" }],
    [new s3.GetBucketOwnershipControlsCommand(ask), { OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] } }],
  ];
  for (const [command, expected] of shown) {
    const { $metadata, ...answer } = await client.send(command);
    assert.deepEqual([$metadata.httpStatusCode, answer], [200, expected], command.constructor.name);
  }
  const absent: [s3.GetBucketCorsCommand, string][] = [
    [new s3.GetBucketCorsCommand(ask), "NoSuchCORSConfiguration"],
    [new s3.GetBucketEncryptionCommand(ask), "ServerSideEncryptionConfigurationNotFoundError"],
    [new s3.GetBucketLifecycleConfigurationCommand(ask), "NoSuchLifecycleConfiguration"],
    [new s3.GetObjectLockConfigurationCommand(ask), "ObjectLockConfigurationNotFoundError"],
    [new s3.GetPublicAccessBlockCommand(ask), "NoSuchPublicAccessBlockConfiguration"],
    [new s3.GetBucketReplicationCommand(ask), "ReplicationConfigurationNotFoundError"],
    [new s3.GetBucketWebsiteCommand(ask), "NoSuchWebsiteConfiguration"],
  ];
  for (const [command, name] of absent)
    await assert.rejects(client.send(command), (error: s3.S3ServiceException) => {
      assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, 404]);
      return true;
    });
  await assert.rejects(client.send(new s3.GetBucketVersioningCommand({ Bucket: "nowhere" })), { name: "NoSuchBucket" });
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await assert.rejects(client.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration })), { name: "NotImplemented" });
  assert.deepEqual(forwarded, [], "the server behind was asked for nothing");
});

test("an S3 server of the user's own is asked itself", async () => {
  external = true;
  try {
    await client.send(new s3.GetBucketVersioningCommand({ Bucket: "plain" }));
    await put("plain", [{ Key: "k", Value: "v" }]);
  } finally {
    external = false;
  }
  assert.deepEqual(forwarded.splice(0), ["GET versioning", "PUT tagging"]);
  await assert.rejects(tagsOf("plain"), { name: "NoSuchTagSet" });
});

test("each object is its only version, named null, and can be deleted by that name: so Terraform empties a bucket", async () => {
  const Bucket = "listed";
  await client.send(new s3.CreateBucketCommand({ Bucket }));
  const answer = await client.send(new s3.ListObjectVersionsCommand({ Bucket, Prefix: "a b/", KeyMarker: "a", MaxKeys: 1 }));
  assert.deepEqual(listed, ["/listed?prefix=a b/&max-keys=1&marker=a"]);
  const { Versions = [], DeleteMarkers, KeyMarker, NextKeyMarker, NextVersionIdMarker, IsTruncated, CommonPrefixes } = answer;
  assert.deepEqual(
    Versions.map(({ Key, VersionId, IsLatest, Size }) => [Key, VersionId, IsLatest, Size]),
    [["a b/c", "null", true, 3]],
  );
  assert.deepEqual(
    [DeleteMarkers, KeyMarker, NextKeyMarker, NextVersionIdMarker, IsTruncated, CommonPrefixes],
    [undefined, "a", "a b/c", "null", true, [{ Prefix: "a b/d/" }]],
  );
  await assert.rejects(client.send(new s3.ListObjectVersionsCommand({ Bucket, VersionIdMarker: "null" })), { name: "InvalidArgument" });
  await assert.rejects(client.send(new s3.ListObjectVersionsCommand({ Bucket: "nowhere" })), { name: "NoSuchBucket" });

  const remove = (...VersionIds: (string | undefined)[]) => {
    const Objects = VersionIds.map((VersionId, n) => ({ Key: `k${n}`, VersionId }));
    return client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  };
  await remove("null", undefined);
  assert.deepEqual(deleted.splice(0), ["<Object><Key>k0</Key></Object>", "<Object><Key>k1</Key></Object>"]);
  await assert.rejects(remove(undefined, "v1"), { name: "NotImplemented", message: /has no versions, and so no v1 of k1/ });
  assert.deepEqual(deleted, [], "a version that is not there takes no object with it");
});
