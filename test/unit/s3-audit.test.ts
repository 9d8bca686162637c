/** What the front door's thread records of S3 requests: real sockets, a store, and a stand-in for the S3 server. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type Audit, openAudit } from "../../src/observe/audit.ts";
import { eventNameOf } from "../../src/observe/s3-record.ts";
import type { BasicSelector, Selectors } from "../../src/observe/selectors.ts";
import { type Front, startFront } from "../../src/s3/front.ts";
import { adminKey, ensureAccounts } from "../../src/store/accounts.ts";
import { changeBucket } from "../../src/store/buckets.ts";
import { makeIds } from "../../src/store/ids.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { closeSpan, deleteTrail, insertTrail, openSpan } from "../../src/store/trails.ts";

interface Recorded {
  eventName: string;
  eventCategory: string;
  errorCode?: string;
  errorMessage?: string;
  readOnly: boolean;
  managementEvent: boolean;
  requestParameters: Record<string, unknown>;
  additionalEventData: Record<string, unknown>;
  userIdentity: Record<string, string>;
  resources?: { type: string; ARN?: string; ARNPrefix?: string; accountId?: string }[];
  sourceIPAddress: string;
  awsRegion: string;
}

describe("S3 in the audit trail", () => {
  const root = mkdtempSync(join(tmpdir(), "howdah-s3-audit-"));
  const [databasePath, auditPath, dataPath] = ["howdah.db", "audit.db", "audit-s3.db"].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  const there = new Set(["bkt/in/there", "bkt/out/there"]);
  const behind = createServer((req, res) => {
    req.resume().once("end", () => {
      const path = decodeURIComponent(req.url!.slice(1).split("?")[0]!);
      const isUpload = req.url!.includes("uploads");
      if (isUpload) res.end("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
      else if (req.headers["x-amz-copy-source"]) res.end("<CopyObjectResult><ETag>e</ETag></CopyObjectResult>");
      else if (path === "bkt/busy")
        res.writeHead(409).end("<Error><Code>OperationAborted</Code><Message>A &amp; B are at it.</Message></Error>");
      else if (req.method === "GET" && /\/./.test(path) && !there.has(path)) res.writeHead(404).end();
      else if (["GET", "HEAD"].includes(req.method!) && there.has(path)) res.writeHead(200, { "content-length": "5" }).end("hello");
      else if (req.method === "POST") res.end(deleted);
      else if (req.method === "GET") res.end(path === "" ? "<ListAllMyBucketsResult/>" : "<ListBucketResult/>");
      else res.writeHead(req.method === "HEAD" && path === "new" ? 404 : 200).end();
    });
  });
  let deleted = "<DeleteResult/>";
  let store: Store;
  let front: Front | undefined;
  let account: string;
  let credentials: { accessKeyId: string; secretAccessKey: string };
  let audits: { event: Audit; data: Audit };
  const faults: string[] = [];

  before(async () => {
    store = await openStore(databasePath);
    const [row] = await store.transaction((tx) => ensureAccounts(tx, makeIds()));
    account = row!.id;
    const key = await adminKey(store.db, account);
    credentials = { accessKeyId: key!.access_key_id, secretAccessKey: key!.secret_access_key };
    audits = { event: openAudit(auditPath), data: openAudit(dataPath) };
    await once(behind.listen(0, "127.0.0.1"), "listening");
    front = await startFront({
      host: "127.0.0.1",
      port: 0,
      databasePath,
      linkSocket: join(root, "none.sock"),
      answer: () => assert.fail("of S3 alone"),
      s3: {
        endpoint: `http://127.0.0.1:${(behind.address() as AddressInfo).port}`,
        accessKeyId: "a",
        secretAccessKey: "s",
        region: "us-east-1",
        external: true,
      },
      audits: { event: auditPath, data: dataPath, region: "eu-north-1" },
      changeBucket: (change) => store.transaction((tx) => changeBucket(tx, change)),
      log: ({ message }) => faults.push(message),
    });
  });
  after(async () => {
    await front?.close();
    behind.closeAllConnections();
    behind.close();
    for (const audit of Object.values(audits ?? {})) audit.close();
    await store.close();
    rmSync(root, { recursive: true });
    assert.deepEqual(faults, []);
  });
  beforeEach(() => {
    for (const audit of Object.values(audits)) assert.ok(audit.removeUpTo(audit.lastId()));
  });

  const client = (change: object = {}) =>
    new S3Client({
      endpoint: `http://127.0.0.1:${front!.port}`,
      region: "eu-west-1",
      forcePathStyle: true,
      maxAttempts: 1,
      credentials,
      ...change,
    });
  const recorded = (audit: Audit) => audit.range(0, Number.MAX_SAFE_INTEGER, 10_000).map(({ record }) => JSON.parse(record) as Recorded);
  const arn = () => `arn:aws:cloudtrail:eu-west-1:${account}:trail/t`;

  async function withTrail(selectors: Selectors, work: () => Promise<void>): Promise<void> {
    const rules = { homeRegion: "eu-west-1", multiRegion: true, globalEvents: true, selectors };
    await store.transaction(async (tx) => {
      await insertTrail(tx, {
        arn: arn(),
        account_id: account,
        region: "eu-west-1",
        name: "t",
        bucket: "logs",
        prefix: null,
        multi_region: 1,
        global_events: 1,
      });
      await openSpan(tx, arn(), rules, { event: 0, data: 0 });
    });
    try {
      await work();
    } finally {
      await store.transaction((tx) => deleteTrail(tx, arn()));
    }
  }
  const objectsOf = (value: string, change: Partial<BasicSelector> = {}): Selectors => ({
    basic: [
      {
        ReadWriteType: "All",
        IncludeManagementEvents: false,
        DataResources: [{ Type: "AWS::S3::Object", Values: [value] }],
        ExcludeManagementEventSources: [],
        ...change,
      },
    ],
  });

  test("what is done to buckets is recorded always, as management events", async () => {
    const s3 = client();
    await s3.send(new CreateBucketCommand({ Bucket: "new" }));
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::bkt/public/*" }],
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket: "bkt", Policy }));
    await s3.send(new GetBucketLocationCommand({ Bucket: "bkt" }));
    await s3.send(new ListBucketsCommand({}));
    const events = recorded(audits.event);
    assert.deepEqual(
      events.map(({ eventName, readOnly, managementEvent, eventCategory }) => [eventName, readOnly, managementEvent, eventCategory]),
      [
        ["CreateBucket", false, true, "Management"],
        ["PutBucketPolicy", false, true, "Management"],
        ["GetBucketLocation", true, true, "Management"],
        ["ListBuckets", true, true, "Management"],
      ],
    );
    const [created, put] = events as [Recorded, Recorded];
    assert.deepEqual(created.resources, [{ accountId: account, type: "AWS::S3::Bucket", ARN: "arn:aws:s3:::new" }]);
    assert.equal(created.awsRegion, "eu-west-1");
    assert.equal(created.sourceIPAddress, "127.0.0.1");
    assert.deepEqual([created.userIdentity["type"], created.userIdentity["userName"]], ["IAMUser", "admin"]);
    assert.deepEqual(put.requestParameters, {
      bucketName: "bkt",
      Host: `127.0.0.1:${front!.port}`,
      policy: "",
      bucketPolicy: JSON.parse(Policy),
    });
    assert.deepEqual(
      audits.event.lookUp({
        accountId: account,
        region: "eu-west-1",
        from: 0,
        to: Date.now(),
        limit: 9,
        attribute: { key: "ResourceName", value: "new" },
      }).length,
      1,
    );
    assert.deepEqual(recorded(audits.data), []);
  });

  test("what is done to objects is recorded while a trail asks, and before it is answered", async () => {
    const s3 = client();
    const touch = async () => {
      await s3.send(new PutObjectCommand({ Bucket: "bkt", Key: "in/a", Body: "12345" }));
      await s3.send(new GetObjectCommand({ Bucket: "bkt", Key: "in/there" })).then(({ Body }) => Body!.transformToString());
      await s3.send(new PutObjectCommand({ Bucket: "bkt", Key: "out/a", Body: "x" }));
    };
    await touch();
    await withTrail(
      { basic: [{ ReadWriteType: "All", IncludeManagementEvents: true, DataResources: [], ExcludeManagementEventSources: [] }] },
      touch,
    );
    assert.deepEqual(recorded(audits.data), []);
    await withTrail(objectsOf("arn:aws:s3:::bkt/in/"), async () => {
      await touch();
      const [put, got, ...rest] = recorded(audits.data) as [Recorded, Recorded];
      assert.deepEqual(rest, []);
      assert.deepEqual([put.eventName, put.readOnly, put.managementEvent, put.eventCategory], ["PutObject", false, false, "Data"]);
      assert.deepEqual(put.resources, [
        { type: "AWS::S3::Object", ARN: "arn:aws:s3:::bkt/in/a" },
        { accountId: account, type: "AWS::S3::Bucket", ARN: "arn:aws:s3:::bkt" },
      ]);
      assert.equal(put.requestParameters["key"], "in/a");
      assert.deepEqual(put.additionalEventData, {
        SignatureVersion: "SigV4",
        AuthenticationMethod: "AuthHeader",
        bytesTransferredIn: 5,
        bytesTransferredOut: 0,
      });
      assert.deepEqual([got.eventName, got.readOnly, got.additionalEventData["bytesTransferredOut"]], ["GetObject", true, 5]);
      await store.transaction((tx) => closeSpan(tx, arn(), { event: 0, data: 0 }));
      await touch();
      assert.equal(recorded(audits.data).length, 2);
    });
  });

  test("each kind of call has CloudTrail's name; refusals and what is not there are told", async () => {
    const s3 = client();
    await withTrail(objectsOf("arn:aws:s3:::"), async () => {
      await s3.send(new HeadObjectCommand({ Bucket: "bkt", Key: "k" }));
      await s3.send(new CopyObjectCommand({ Bucket: "bkt", Key: "k", CopySource: "bkt/in/there" }));
      await s3.send(new CreateMultipartUploadCommand({ Bucket: "bkt", Key: "k" }));
      await s3.send(new UploadPartCommand({ Bucket: "bkt", Key: "k", UploadId: "u", PartNumber: 1, Body: "x" }));
      await s3.send(new DeleteObjectCommand({ Bucket: "bkt", Key: "k" }));
      await s3.send(new ListObjectsV2Command({ Bucket: "bkt", Prefix: "p" }));
      await assert.rejects(s3.send(new GetObjectCommand({ Bucket: "bkt", Key: "none" })));
      const anonymous = await fetch(`http://127.0.0.1:${front!.port}/bkt/secret`);
      assert.equal(anonymous.status, 403);
      const told = recorded(audits.data);
      assert.deepEqual(
        told.map(({ eventName, errorCode }) => (errorCode ? `${eventName} ${errorCode}` : eventName)),
        [
          "HeadObject",
          "CopyObject",
          "CreateMultipartUpload",
          "UploadPart",
          "DeleteObject",
          "ListObjects",
          "GetObject NoSuchKey",
          "GetObject AccessDenied",
        ],
      );
      assert.deepEqual(told.find(({ eventName }) => eventName === "ListObjects")?.resources?.[0], {
        type: "AWS::S3::Object",
        ARNPrefix: "arn:aws:s3:::bkt/",
      });
      assert.deepEqual(told.at(-1)?.userIdentity, { type: "AWSAccount", principalId: "", accountId: "anonymous" });
      assert.equal(told.at(-1)?.awsRegion, "eu-north-1");
    });
  });

  test("a multi-object delete is each of its objects, too", async () => {
    await withTrail(objectsOf("arn:aws:s3:::bkt/in/", { ReadWriteType: "WriteOnly" }), async () => {
      await client().send(
        new DeleteObjectsCommand({ Bucket: "bkt", Delete: { Objects: [{ Key: "in/1" }, { Key: "out/1" }, { Key: "in/2" }] } }),
      );
      await client()
        .send(new GetObjectCommand({ Bucket: "bkt", Key: "in/there" }))
        .then(({ Body }) => Body!.transformToString());
      assert.deepEqual(
        recorded(audits.data).map(({ eventName, resources }) => [eventName, resources?.[0]?.ARN]),
        [
          ["DeleteObject", "arn:aws:s3:::bkt/in/1"],
          ["DeleteObject", "arn:aws:s3:::bkt/in/2"],
        ],
      );
    });
  });

  test("an object that a policy keeps from a multi-object delete is told as refused", async () => {
    const Resource = "arn:aws:s3:::bkt/in/kept*";
    const Statement = [{ Effect: "Deny", Principal: "*", Action: "s3:DeleteObject", Resource }];
    await client().send(new PutBucketPolicyCommand({ Bucket: "bkt", Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }));
    try {
      await withTrail(objectsOf("arn:aws:s3:::bkt/in/"), async () => {
        for (const keys of [["in/1", "in/kept"], ["in/kept"]]) {
          const Objects = keys.map((Key) => ({ Key }));
          const { Errors } = await client().send(new DeleteObjectsCommand({ Bucket: "bkt", Delete: { Objects } }));
          assert.deepEqual(
            Errors?.map(({ Key, Code }) => [Key, Code]),
            [["in/kept", "AccessDenied"]],
          );
        }
        assert.deepEqual(
          recorded(audits.data).map(({ eventName, errorCode, resources }) => [eventName, resources?.[0]?.ARN, errorCode]),
          [
            ["DeleteObject", "arn:aws:s3:::bkt/in/1", undefined],
            ["DeleteObject", "arn:aws:s3:::bkt/in/kept", "AccessDenied"],
            ["DeleteObject", "arn:aws:s3:::bkt/in/kept", "AccessDenied"],
          ],
        );
      });
    } finally {
      await client().send(new DeleteBucketPolicyCommand({ Bucket: "bkt" }));
    }
  });

  test("what the S3 server itself does not delete is told as that", async () => {
    const xml =
      '<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Deleted><Key>in/1</Key></Deleted><Error><Key>in/&lt;2&gt;</Key><VersionId>v</VersionId><Code>InternalError</Code><Message>We met an internal error.</Message></Error></DeleteResult>';
    await withTrail(objectsOf("arn:aws:s3:::bkt/in/"), async () => {
      for (const answer of [
        xml,
        "<Error><Code>SlowDown</Code><Message>Later</Message></Error>",
        "<DeleteResult><Error><Key>&none;</Key>",
      ]) {
        deleted = answer;
        await client()
          .send(new DeleteObjectsCommand({ Bucket: "bkt", Delete: { Objects: [{ Key: "in/1" }, { Key: "in/<2>" }] } }))
          .catch(() => {});
      }
      deleted = "<DeleteResult/>";
      const told = recorded(audits.data).map(({ eventName, errorCode, resources }) => [eventName, resources?.[0]?.ARN, errorCode]);
      assert.deepEqual(told.slice(0, 2), [
        ["DeleteObject", "arn:aws:s3:::bkt/in/1", undefined],
        ["DeleteObject", "arn:aws:s3:::bkt/in/<2>", "InternalError"],
      ]);
    });
  });

  test("why the S3 server refuses is told in its words, to the client and in the trail", async () => {
    await withTrail(objectsOf("arn:aws:s3:::bkt/"), async () => {
      const busy = client().send(new PutObjectCommand({ Bucket: "bkt", Key: "busy", Body: "x" }));
      await assert.rejects(busy, { name: "OperationAborted", message: "A & B are at it." });
      assert.deepEqual(
        recorded(audits.data).map(({ errorCode, errorMessage }) => [errorCode, errorMessage]),
        [["OperationAborted", "A & B are at it."]],
      );
    });
  });

  test("nothing of an object goes out by a HEAD", async () => {
    await withTrail(objectsOf("arn:aws:s3:::bkt/"), async () => {
      await client().send(new HeadObjectCommand({ Bucket: "bkt", Key: "in/there" }));
      await client()
        .send(new GetObjectCommand({ Bucket: "bkt", Key: "in/there" }))
        .then(({ Body }) => Body!.transformToString());
      assert.deepEqual(
        recorded(audits.data).map(({ eventName, additionalEventData }) => [eventName, additionalEventData.bytesTransferredOut]),
        [
          ["HeadObject", 0],
          ["GetObject", 5],
        ],
      );
    });
  });

  test("who does not prove who he is, is in nobody's trail", async () => {
    await withTrail(objectsOf("arn:aws:s3:::"), async () => {
      const wrong = client({ credentials: { ...credentials, secretAccessKey: "wrong" } });
      await assert.rejects(wrong.send(new GetObjectCommand({ Bucket: "bkt", Key: "k" })), { name: "SignatureDoesNotMatch" });
      await assert.rejects(wrong.send(new CreateBucketCommand({ Bucket: "bkt" })), { name: "SignatureDoesNotMatch" });
      assert.deepEqual([...recorded(audits.data), ...recorded(audits.event)], []);
    });
  });
});

test("names of S3's calls", () => {
  const named = (asked: string) => {
    const [method = "", place = "", subresource] = asked.split(" ");
    const [bucket = "", key = ""] = place.slice(1).split("/");
    return eventNameOf({ method, bucket, key, subresource, copies: false });
  };
  const names = {
    "GET /": "ListBuckets",
    "PUT /b policy": "PutBucketPolicy",
    "GET /b policyStatus": "GetBucketPolicyStatus",
    "GET /b versioning": "GetBucketVersioning",
    "PUT /b publicAccessBlock": "PutBucketPublicAccessBlock",
    "DELETE /b": "DeleteBucket",
    "HEAD /b": "HeadBucket",
    "GET /b uploads": "ListMultipartUploads",
    "GET /b/k acl": "GetObjectAcl",
    "PUT /b/k legal-hold": "PutObjectLegalHold",
    "POST /b/k uploadId": "CompleteMultipartUpload",
    "GET /b/k uploadId": "ListParts",
  };
  for (const [asked, name] of Object.entries(names)) assert.equal(named(asked), name);
  assert.equal(eventNameOf({ method: "PUT", bucket: "b", key: "k", subresource: "uploadId", copies: true }), "UploadPartCopy");
});
