/**
 * From S3's front door to a trail's file, end to end over HTTP: the real door (a thread), the real API behind it, the real deliveries. The only
 * stand-in is the S3 server behind the door, which keeps objects in memory.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import {
  CloudTrailClient,
  CreateTrailCommand,
  GetTrailStatusCommand,
  LookupEventsCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
} from "@aws-sdk/client-cloudtrail";
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { pino } from "pino";
import { createSpotMarket } from "../../src/market/spot.ts";
import { createAuthoriser } from "../../src/access/authorise.ts";
import { openBucketFacts } from "../../src/access/bucket-facts.ts";
import { openKeyLookup } from "../../src/access/keys.ts";
import { openPolicySource } from "../../src/access/policy-source.ts";
import { openResourceFacts } from "../../src/access/resource-facts.ts";
import { createPipeline } from "../../src/api/pipeline.ts";
import { createServices } from "../../src/api/services.ts";
import { openAudit } from "../../src/observe/audit.ts";
import { auditEvent } from "../../src/observe/record.ts";
import { trailReconciler } from "../../src/reconcile/trails.ts";
import { directS3 } from "../../src/s3/direct.ts";
import { startFront } from "../../src/s3/front.ts";
import { adminKey, ensureAccounts } from "../../src/store/accounts.ts";
import { changeBucket } from "../../src/store/buckets.ts";
import { makeIds } from "../../src/store/ids.ts";
import { openStore } from "../../src/store/store.ts";

/** Path-style, without signatures: who may do what is the door's. `in/stuck` is an object that it does not delete. */
function memoryS3(): { objects: Map<string, Buffer>; serve: RequestListener } {
  const objects = new Map<string, Buffer>();
  const serve: RequestListener = (req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.once("end", () => {
      const url = new URL(req.url!, "http://s3");
      const path = decodeURIComponent(url.pathname.slice(1));
      const [bucket = "", key = ""] = [path.split("/", 1)[0], path.slice(path.indexOf("/") + 1)];
      const body = Buffer.concat(chunks);
      if (req.method === "POST") {
        const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, one]) => one!);
        const told = keys.map((one) =>
          one === "in/stuck"
            ? `<Error><Key>${one}</Key><Code>InternalError</Code><Message>stuck</Message></Error>`
            : `<Deleted><Key>${one}</Key></Deleted>`,
        );
        for (const one of keys) if (one !== "in/stuck") objects.delete(`${bucket}/${one}`);
        res.end(`<DeleteResult>${told.join("")}</DeleteResult>`);
      } else if (req.method === "PUT") {
        if (path.includes("/")) objects.set(path, body);
        res.end();
      } else if (!path.includes("/") || key === "") {
        const prefix = url.searchParams.get("prefix") ?? "";
        const found = [...objects.keys()].filter((one) => one.startsWith(`${bucket}/${prefix}`));
        const contents = found.map((one) => `<Contents><Key>${one.slice(bucket.length + 1)}</Key></Contents>`);
        res.end(req.method === "HEAD" ? undefined : `<ListBucketResult>${contents.join("")}</ListBucketResult>`);
      } else {
        const found = objects.get(path);
        if (found) res.writeHead(200, { "content-length": found.length }).end(found);
        else res.writeHead(404).end("<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>");
      }
    });
  };
  return { objects, serve };
}

/** What src/control-plane.ts puts together, without nodes. */
async function world(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), "howdah-s3-trail-"));
  const [database, eventPath, dataPath] = ["howdah.db", "audit.db", "audit-s3.db"].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  const store = await openStore(database);
  const ids = makeIds();
  const [account] = await store.transaction((tx) => ensureAccounts(tx, ids));
  const audits = { event: openAudit(eventPath), data: openAudit(dataPath) };
  const { objects, serve } = memoryS3();
  const behind = createServer(serve).listen(0, "127.0.0.1");
  await once(behind, "listening");
  const server = {
    endpoint: `http://127.0.0.1:${(behind.address() as AddressInfo).port}`,
    accessKeyId: "a",
    secretAccessKey: "s",
    region: "us-east-1",
    external: true,
  };
  const direct = directS3(() => server);
  const buckets = openBucketFacts(database);
  const [keys, policies, facts] = [openKeyLookup(database), openPolicySource(database), openResourceFacts(database)];
  const pipeline = createPipeline({
    services: createServices({
      store,
      ids,
      market: createSpotMarket(),
      releases: { substitute: false, missingApplications: "refuse" },
      audits,
      s3: direct,
      buckets,
      catalogs: undefined,
    }),
    keys,
    authorise: createAuthoriser(policies, facts),
    now: () => new Date(),
    audit: (call) => audits.event.write(auditEvent(call)),
    log: ({ fault }) => assert.equal(fault, undefined),
  });
  const front = await startFront({
    host: "127.0.0.1",
    port: 0,
    databasePath: database,
    linkSocket: join(root, "none.sock"),
    answer: pipeline,
    s3: server,
    audits: { event: eventPath, data: dataPath, region: "us-east-1" },
    changeBucket: (change) => store.transaction((tx) => changeBucket(tx, change)),
    log: (fault) => assert.fail(JSON.stringify(fault)),
  });
  t.after(async () => {
    await front.close();
    behind.closeAllConnections();
    behind.close();
    for (const one of [keys, policies, facts, buckets, ...Object.values(audits)]) one.close();
    await store.close();
    rmSync(root, { recursive: true });
  });
  const key = (await adminKey(store.db, account!.id))!;
  const client = {
    endpoint: `http://127.0.0.1:${front.port}`,
    region: "eu-west-1",
    credentials: { accessKeyId: key.access_key_id, secretAccessKey: key.secret_access_key },
    maxAttempts: 1,
  };
  const reconcile = trailReconciler({ store, audits, s3: direct, buckets, log: pino({ level: "silent" }), everyMs: 1 });
  return {
    account: account!.id,
    objects,
    s3: new S3Client({ ...client, forcePathStyle: true }),
    trails: new CloudTrailClient(client),
    /** The loop's part: what a trail is woken for. */
    deliver: (arn: string) => reconcile(arn),
  };
}

const policyFor = (bucket: string, account: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: ["s3:GetBucketAcl", "s3:PutObject"],
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/AWSLogs/${account}/*`],
      },
    ],
  });

test("a trail with S3 selectors: objects are put, read, missed and deleted, and a gzipped file of the trail's bucket has each call once", async (t) => {
  const { account, s3, trails, deliver } = await world(t);
  for (const Bucket of ["logs", "data"]) await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketPolicyCommand({ Bucket: "logs", Policy: policyFor("logs", account) }));
  const { TrailARN = "" } = await trails.send(new CreateTrailCommand({ Name: "objects", S3BucketName: "logs" }));
  const DataResources = [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::data/in/"] }];
  const EventSelectors = [{ ReadWriteType: "All" as const, IncludeManagementEvents: false, DataResources }];
  await trails.send(new PutEventSelectorsCommand({ TrailName: "objects", EventSelectors }));
  await trails.send(new StartLoggingCommand({ Name: "objects" }));

  const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket: "data", Key, Body: "12345" }));
  for (const key of ["in/a", "in/stuck", "out/a"]) await put(key);
  const got = await s3.send(new GetObjectCommand({ Bucket: "data", Key: "in/a" }));
  assert.equal(await got.Body?.transformToString(), "12345");
  await assert.rejects(s3.send(new GetObjectCommand({ Bucket: "data", Key: "in/none" })), { name: "NoSuchKey" });
  const Delete = { Objects: ["in/a", "in/stuck", "out/a"].map((Key) => ({ Key })) };
  const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket: "data", Delete }));
  assert.deepEqual(
    Errors.map(({ Key, Code }) => [Key, Code]),
    [["in/stuck", "InternalError"]],
  );
  await trails.send(new StopLoggingCommand({ Name: "objects" }));
  await put("in/later");
  assert.deepEqual(await deliver(TrailARN), { done: true });
  const { LatestDeliveryError, IsLogging } = await trails.send(new GetTrailStatusCommand({ Name: "objects" }));
  assert.deepEqual([LatestDeliveryError ?? "", IsLogging], ["", false]);

  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "logs", Prefix: `AWSLogs/${account}/CloudTrail/eu-west-1/` }));
  assert.equal(Contents.length, 1);
  const [file] = Contents;
  assert.match(file!.Key!, new RegExp(`/\\d{4}/\\d\\d/\\d\\d/${account}_CloudTrail_eu-west-1_\\d{8}T\\d{4}Z_[0-9A-Z]{16}\\.json\\.gz$`));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: "logs", Key: file!.Key! }));
  const { Records } = JSON.parse(gunzipSync(await Body!.transformToByteArray()).toString());
  assert.deepEqual(
    Records.map((one: any) => [one.eventName, one.requestParameters.key, one.errorCode]),
    [
      ["PutObject", "in/a", undefined],
      ["PutObject", "in/stuck", undefined],
      ["GetObject", "in/a", undefined],
      ["GetObject", "in/none", "NoSuchKey"],
      ["DeleteObject", "in/a", undefined],
      ["DeleteObject", "in/stuck", "InternalError"],
    ],
  );
  for (const one of Records) {
    assert.deepEqual(
      [one.eventCategory, one.managementEvent, one.awsRegion, one.recipientAccountId],
      ["Data", false, "eu-west-1", account],
    );
    assert.deepEqual([one.userIdentity.userName, one.sourceIPAddress], ["admin", "127.0.0.1"]);
    assert.deepEqual(one.resources[0], { type: "AWS::S3::Object", ARN: `arn:aws:s3:::data/${one.requestParameters.key}` });
  }
  // As in AWS, data events are for trails only.
  const looked = await trails.send(new LookupEventsCommand({}));
  assert.ok(!looked.Events?.some(({ EventName }) => EventName === "PutObject"));
  assert.ok(looked.Events?.some(({ EventName }) => EventName === "CreateTrail"));
});
