/** Trails with the SDK's client over the real pipeline, and their deliveries to a bucket that only remembers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import {
  AddTagsCommand,
  CloudTrailClient,
  CreateChannelCommand,
  CreateTrailCommand,
  type CreateTrailCommandInput,
  DeleteTrailCommand,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  GetInsightSelectorsCommand,
  GetTrailCommand,
  GetTrailStatusCommand,
  ListTagsCommand,
  ListTrailsCommand,
  PutEventSelectorsCommand,
  type PutEventSelectorsCommandInput,
  RemoveTagsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
  UpdateTrailCommand,
} from "@aws-sdk/client-cloudtrail";
import fc from "fast-check";
import { pino } from "pino";
import { cloudTrailHandlers } from "../../src/api/cloudtrail/handlers.ts";
import { overHttp } from "../../src/api/http.ts";
import { createPipeline } from "../../src/api/pipeline.ts";
import { cloudtrailService } from "../../src/aws/services/cloudtrail.ts";
import { systemClock } from "../../src/clock.ts";
import { emrService } from "../../src/aws/services/emr.ts";
import { iamService } from "../../src/aws/services/iam.ts";
import { openAudit } from "../../src/observe/audit.ts";
import { type AuditedCall, auditEvent } from "../../src/observe/record.ts";
import { trailReconciler } from "../../src/reconcile/trails.ts";
import { S3Failure } from "../../src/s3/direct.ts";
import { openStore } from "../../src/store/store.ts";
import { spansOf } from "../../src/store/trails.ts";
import { adminKey, authorise } from "./keys.ts";

const account = "123456789012";
const arnOf = (name: string, region = "eu-west-1") => `arn:aws:cloudtrail:${region}:${account}:trail/${name}`;

interface Record {
  eventID: string;
  eventName: string;
  awsRegion: string;
  eventTime: string;
}

/** As CloudTrail's User Guide gives it. */
const policyOf = (bucket: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "s3:GetBucketAcl",
        Resource: `arn:aws:s3:::${bucket}`,
      },
      {
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "s3:PutObject",
        Resource: [`arn:aws:s3:::${bucket}/AWSLogs/${account}/*`, `arn:aws:s3:::${bucket}/*/AWSLogs/${account}/*`],
        Condition: {
          StringEquals: { "s3:x-amz-acl": "bucket-owner-full-control" },
          ArnLike: { "aws:SourceArn": `arn:aws:cloudtrail:*:${account}:trail/*` },
        },
      },
    ],
  });

/** A store in memory, an audit trail, a bucket `logs` that remembers, and a clock that stands until it is moved. */
async function world(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), "howdah-trails-"));
  let now = Date.now();
  const store = await openStore(":memory:", { clock: { ...systemClock, now: () => now } });
  const audits = { event: openAudit(join(root, "audit.db")), data: openAudit(join(root, "audit-s3.db")) };
  const objects = new Map<string, Buffer>();
  const policies = new Map(["logs", "others"].map((name) => [name, policyOf(name)]));
  const bucket = {
    puts: 0,
    /** What becomes of a put: undefined is well. */
    trouble: undefined as (() => void) | undefined,
  };
  const s3 = {
    bucketExists: async (name: string) => name === "logs" || name === "others",
    async put(name: string, key: string, body: Buffer, headers: object) {
      bucket.puts += 1;
      bucket.trouble?.();
      assert.deepEqual(headers, { "content-type": "application/json", "content-encoding": "gzip" });
      objects.set(`${name}/${key}`, body);
    },
  };
  const buckets = { find: (name: string) => ({ accountId: account, policy: policies.get(name), tags: undefined, known: true }) };
  const reconcile = trailReconciler({ store, audits, s3, buckets, log: pino({ level: "silent" }), everyMs: 300_000 });
  const pipeline = overHttp(
    createPipeline({
      services: { cloudtrail: async () => ({ service: cloudtrailService, handlers: cloudTrailHandlers({ store, audits, s3, buckets }) }) },
      keys: () => adminKey,
      authorise,
      now: () => new Date(),
      audit: (call) => audits.event.write(auditEvent({ ...call, now: new Date(now) })),
      log: ({ fault }) => assert.equal(fault, undefined),
    }),
  );
  const server = createServer((req, res) => pipeline(req, res)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    for (const audit of Object.values(audits)) audit.close();
    await store.close();
    rmSync(root, { recursive: true });
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: adminKey.accessKeyId, secretAccessKey: adminKey.secretAccessKey };
  const client = (region = "eu-west-1") => new CloudTrailClient({ endpoint, region, credentials, maxAttempts: 1 });
  const services = { elasticmapreduce: emrService, iam: iamService };

  return {
    store,
    audits,
    objects,
    bucket,
    policies,
    reconcile,
    client,
    advance: (ms: number) => void (now += ms),
    /** A call that the audit trail records; its event id. */
    call(
      operation = "AddTags",
      { region = "eu-west-1", service = "elasticmapreduce" as keyof typeof services, accountId = account } = {},
    ): string {
      const made: AuditedCall = {
        requestId: "r",
        now: new Date(now),
        principal: { ...adminKey.principal, accountId },
        accessKeyId: "AKIA",
        region,
        origin: { sourceIp: "127.0.0.1", secure: false },
        host: "",
        userAgent: "",
        service: services[service],
        operation: services[service].operations.get(operation)!,
        input: {},
        output: {},
        error: undefined,
      };
      const event = auditEvent(made);
      audits.event.write(event);
      return event.eventId;
    },
    create: async (input: Partial<CreateTrailCommandInput> = {}, region?: string) => {
      const { TrailARN } = await client(region).send(new CreateTrailCommand({ Name: "trail", S3BucketName: "logs", ...input }));
      await client(region).send(new StartLoggingCommand({ Name: TrailARN }));
      return TrailARN!;
    },
    /** What is in the bucket, in the order of the files' making. */
    delivered: () =>
      [...objects].flatMap(([key, body]) =>
        (JSON.parse(gunzipSync(body).toString()) as { Records: Record[] }).Records.map((record) => ({ ...record, key })),
      ),
  };
}

/** Calls of the test itself, and not those to CloudTrail that set it up. */
const ids = (records: { eventID: string; eventName: string }[]) =>
  records.filter(({ eventName }) => !/Logging|Trail|Selectors/.test(eventName)).map(({ eventID }) => eventID);

describe("a trail", () => {
  test("from its making to its end: what was called while it logged is in its bucket, in CloudTrail's layout", async (t) => {
    const w = await world(t);
    const client = w.client();
    w.call();
    const made = await client.send(
      new CreateTrailCommand({ Name: "all.of-it", S3BucketName: "logs", S3KeyPrefix: "a/b", TagsList: [{ Key: "k", Value: "v" }] }),
    );
    const { $metadata: _, ...shape } = made;
    const trail = {
      Name: "all.of-it",
      S3BucketName: "logs",
      S3KeyPrefix: "a/b",
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: false,
      TrailARN: arnOf("all.of-it"),
      LogFileValidationEnabled: false,
      IsOrganizationTrail: false,
    };
    assert.deepEqual(shape, trail);
    const described = { ...trail, HomeRegion: "eu-west-1", HasCustomEventSelectors: false, HasInsightSelectors: false };
    assert.deepEqual((await client.send(new GetTrailCommand({ Name: "all.of-it" }))).Trail, described);
    assert.deepEqual((await client.send(new DescribeTrailsCommand({}))).trailList, [described]);
    assert.deepEqual((await client.send(new ListTrailsCommand({}))).Trails, [
      { Name: "all.of-it", TrailARN: arnOf("all.of-it"), HomeRegion: "eu-west-1" },
    ]);
    w.call();
    const status = async () => client.send(new GetTrailStatusCommand({ Name: arnOf("all.of-it") }));
    assert.deepEqual([(await status()).IsLogging, (await status()).LatestDeliveryTime], [false, undefined]);
    assert.deepEqual(await w.reconcile(made.TrailARN!), { done: true });
    assert.equal(w.objects.size, 0);

    await client.send(new StartLoggingCommand({ Name: "all.of-it" }));
    await client.send(new StartLoggingCommand({ Name: "all.of-it" }));
    const wanted = [w.call(), w.call("ListClusters"), w.call("CreateUser", { service: "iam" })];
    w.call("AddTags", { region: "us-west-2" });
    w.call("AddTags", { accountId: "999999999999" });
    assert.deepEqual(await w.reconcile(made.TrailARN!), { againMs: 300_000 });
    assert.deepEqual(ids(w.delivered()), wanted);
    const [key] = w.objects.keys();
    assert.match(
      key!,
      /^logs\/a\/b\/AWSLogs\/123456789012\/CloudTrail\/eu-west-1\/\d{4}\/\d\d\/\d\d\/123456789012_CloudTrail_eu-west-1_\d{8}T\d{4}Z_[0-9A-Z]{16}\.json\.gz$/,
    );
    assert.equal((await status()).IsLogging, true);
    assert.ok((await status()).LatestDeliveryTime);
    assert.match((await status()).LatestDeliveryAttemptSucceeded!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(await w.reconcile(made.TrailARN!), { againMs: 300_000 });

    const last = w.call();
    await client.send(new StopLoggingCommand({ Name: "all.of-it" }));
    w.call();
    assert.deepEqual(await w.reconcile(made.TrailARN!), { done: true });
    assert.deepEqual(ids(w.delivered()), [...wanted, last]);
    assert.equal((await status()).IsLogging, false);
    assert.ok((await status()).StopLoggingTime);

    await client.send(new DeleteTrailCommand({ Name: "all.of-it" }));
    await assert.rejects(status(), {
      name: "TrailNotFoundException",
      message: `Unknown trail: ${arnOf("all.of-it")} for the user: ${account}`,
    });
    assert.deepEqual(await w.reconcile(made.TrailARN!), { done: true });
    assert.deepEqual((await client.send(new DescribeTrailsCommand({}))).trailList, []);
  });

  test("of all regions has a folder for each, and is seen in each; it is changed at home", async (t) => {
    const w = await world(t);
    const arn = await w.create({ IsMultiRegionTrail: true });
    const wanted = [w.call("AddTags", { region: "us-west-2" }), w.call(), w.call("CreateUser", { service: "iam", region: "eu-west-1" })];
    await w.reconcile(arn);
    assert.deepEqual(new Set(ids(w.delivered())), new Set(wanted));
    const records = w.delivered();
    for (const { key, awsRegion } of records) assert.ok(key.includes(`/CloudTrail/${awsRegion}/`), key);
    assert.deepEqual(new Set(records.map(({ awsRegion }) => awsRegion)), new Set(["us-west-2", "eu-west-1", "us-east-1"]));
    const there = w.client("us-west-2");
    assert.equal((await there.send(new DescribeTrailsCommand({}))).trailList?.[0]?.HomeRegion, "eu-west-1");
    assert.deepEqual((await there.send(new DescribeTrailsCommand({ includeShadowTrails: false }))).trailList, []);
    assert.equal((await there.send(new GetTrailStatusCommand({ Name: arn }))).IsLogging, true);
    await assert.rejects(there.send(new GetTrailStatusCommand({ Name: "trail" })), { name: "TrailNotFoundException" });
    for (const command of [
      new StopLoggingCommand({ Name: arn }),
      new DeleteTrailCommand({ Name: arn }),
      new UpdateTrailCommand({ Name: arn }),
    ])
      await assert.rejects(there.send(command as StopLoggingCommand), { name: "InvalidHomeRegionException" });
  });

  test("selectors hold from when they are put, also for what is not delivered yet", async (t) => {
    const w = await world(t);
    const arn = await w.create();
    const put = (input: Omit<PutEventSelectorsCommandInput, "TrailName">) =>
      w.client().send(new PutEventSelectorsCommand({ TrailName: "trail", ...input }));
    const calls = () => ({ write: w.call("AddTags"), read: w.call("ListClusters"), user: w.call("CreateUser", { service: "iam" }) });
    const all = calls();
    await put({ EventSelectors: [{ ReadWriteType: "WriteOnly" }] });
    const writes = calls();
    await put({ EventSelectors: [{ ReadWriteType: "ReadOnly", IncludeManagementEvents: true }] });
    const reads = calls();
    await put({
      EventSelectors: [{ IncludeManagementEvents: false, DataResources: [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::b/p"] }] }],
    });
    calls();
    await put({
      AdvancedEventSelectors: [
        {
          Name: "IAM, and no reads",
          FieldSelectors: [
            { Field: "eventCategory", Equals: ["Management"] },
            { Field: "readOnly", Equals: ["false"] },
            { Field: "eventSource", NotEquals: ["elasticmapreduce.amazonaws.com", "cloudtrail.amazonaws.com"] },
          ],
        },
      ],
    });
    const users = calls();
    await w.client().send(new UpdateTrailCommand({ Name: "trail", IncludeGlobalServiceEvents: false }));
    calls();
    await w.reconcile(arn);
    assert.deepEqual(ids(w.delivered()), [...Object.values(all), writes.write, writes.user, reads.read, users.user]);
    const { $metadata: _, ...selectors } = await w.client().send(new GetEventSelectorsCommand({ TrailName: arn }));
    assert.equal(selectors.AdvancedEventSelectors?.[0]?.Name, "IAM, and no reads");
    assert.equal((await w.client().send(new GetTrailCommand({ Name: "trail" }))).Trail?.HasCustomEventSelectors, true);
    await put({ EventSelectors: [{}] });
    const basic = await w.client().send(new GetEventSelectorsCommand({ TrailName: arn }));
    assert.deepEqual(basic.EventSelectors, [
      { ReadWriteType: "All", IncludeManagementEvents: true, DataResources: [], ExcludeManagementEventSources: [] },
    ]);
  });

  test("goes on where S3 was down, and says in its status why", async (t) => {
    const w = await world(t);
    const arn = await w.create();
    const wanted = [w.call(), w.call()];
    w.bucket.trouble = () => {
      throw new S3Failure("NoSuchBucket", "it is gone");
    };
    const status = async () => w.client().send(new GetTrailStatusCommand({ Name: "trail" }));
    for (let i = 0; i < 3; i++) assert.deepEqual(await w.reconcile(arn), { againMs: 30_000 });
    assert.equal((await status()).LatestDeliveryError, "NoSuchBucket");
    assert.equal((await status()).LatestDeliveryAttemptSucceeded, "");
    w.advance(86_400_000);
    wanted.push(w.call());
    w.bucket.trouble = undefined;
    // A new bucket takes what was not delivered yet, too.
    await w.client().send(new UpdateTrailCommand({ Name: "trail", S3BucketName: "others", S3KeyPrefix: "p/" }));
    await w.reconcile(arn);
    assert.deepEqual(ids(w.delivered()), wanted);
    assert.ok([...w.objects.keys()].every((key) => key.startsWith("others/")));
    assert.equal((await status()).LatestDeliveryError, undefined);
  });

  test("writes only where the bucket's policy lets CloudTrail", async (t) => {
    const w = await world(t);
    const client = w.client();
    const create = () => client.send(new CreateTrailCommand({ Name: "trail", S3BucketName: "logs", S3KeyPrefix: "p" }));
    const refused = {
      name: "InsufficientS3BucketPolicyException",
      message: /bucket: logs.*s3:PutObject of arn:aws:s3:::logs\/p\/AWSLogs\/123456789012\/\*/,
    };
    for (const policy of [
      undefined,
      policyOf("others"),
      policyOf("logs").replaceAll("cloudtrail.amazonaws.com", "config.amazonaws.com"),
      policyOf("logs").replaceAll(account, "999999999999"),
    ]) {
      if (policy === undefined) w.policies.delete("logs");
      else w.policies.set("logs", policy);
      await assert.rejects(create(), refused);
    }
    w.policies.set("logs", policyOf("logs"));
    const { TrailARN } = await create();
    await client.send(new StartLoggingCommand({ Name: "trail" }));
    const id = w.call();
    w.policies.delete("logs");
    assert.deepEqual(await w.reconcile(TrailARN!), { againMs: 30_000 });
    assert.equal((await client.send(new GetTrailStatusCommand({ Name: "trail" }))).LatestDeliveryError, "AccessDenied");
    assert.equal(w.bucket.puts, 0);
    await assert.rejects(client.send(new UpdateTrailCommand({ Name: "trail", S3KeyPrefix: "q" })), {
      name: "InsufficientS3BucketPolicyException",
    });
    w.policies.set("logs", policyOf("logs"));
    await w.reconcile(TrailARN!);
    assert.deepEqual(ids(w.delivered()), [id]);
  });

  test("delivers each event once, wherever it is cut off", async (t) => {
    const w = await world(t);
    const arn = await w.create({ IsMultiRegionTrail: true });
    const wanted: string[] = [];
    const action = fc.oneof(
      { weight: 3, arbitrary: fc.record({ calls: fc.integer({ min: 1, max: 3 }), region: fc.constantFrom("eu-west-1", "us-west-2") }) },
      { weight: 2, arbitrary: fc.constant("deliver" as const) },
      { weight: 2, arbitrary: fc.constantFrom("fail before" as const, "die after" as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 12 }), async (actions) => {
        for (const act of actions) {
          w.advance(61_000);
          if (typeof act === "object") for (let i = 0; i < act.calls; i++) wanted.push(w.call("AddTags", { region: act.region }));
          else if (act === "deliver") await w.reconcile(arn);
          else {
            // The control plane ends between the upload and the writing down of it, or S3 refuses.
            const { transaction } = w.store;
            let armed = false;
            w.bucket.trouble = () => {
              if (act === "fail before") throw new S3Failure("SlowDown", "not now");
              armed = true;
            };
            w.store.transaction = (work) => (armed ? Promise.reject(new Error("died")) : transaction(work));
            await w.reconcile(arn).catch((error: Error) => assert.equal(error.message, "died"));
            w.store.transaction = transaction;
            w.bucket.trouble = undefined;
          }
        }
        await w.reconcile(arn);
        assert.deepEqual(ids(w.delivered()).toSorted(), wanted.toSorted());
      }),
      { numRuns: 40 },
    );
    assert.ok(w.bucket.puts > w.objects.size, "some file was put twice, as the same object");
  });

  test("takes many events in several files", async (t) => {
    const w = await world(t);
    const arn = await w.create();
    const wanted = Array.from({ length: 2500 }, () => w.call());
    await w.reconcile(arn);
    assert.deepEqual(ids(w.delivered()), wanted);
    assert.equal(w.objects.size, 3);
    assert.deepEqual(
      (await spansOf(w.store.db, arn)).map(({ pending }) => pending),
      [null],
    );
  });

  test("S3's object events wait for all trails that want them, and for nobody else", async (t) => {
    const w = await world(t);
    const event = (key: string) =>
      w.audits.data.write({
        accountId: account,
        region: "eu-west-1",
        time: Date.now(),
        eventId: key,
        name: "PutObject",
        source: "s3.amazonaws.com",
        userName: "",
        accessKeyId: "",
        readOnly: false,
        resources: [],
        record: JSON.stringify({
          eventCategory: "Data",
          awsRegion: "eu-west-1",
          eventSource: "s3.amazonaws.com",
          eventName: "PutObject",
          eventType: "AwsApiCall",
          readOnly: false,
          userIdentity: {},
          resources: [{ type: "AWS::S3::Object", ARN: `arn:aws:s3:::b/${key}` }],
          eventID: key,
        }),
      });
    const arn = await w.create();
    const selector = { IncludeManagementEvents: false, DataResources: [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::b/in/"] }] };
    event("in/before");
    await w.client().send(new PutEventSelectorsCommand({ TrailName: "trail", EventSelectors: [selector] }));
    for (const key of ["in/1", "out/1", "in/2"]) event(key);
    await w.reconcile(arn);
    assert.deepEqual(
      ids(w.delivered()).filter((id) => id.includes("/")),
      ["in/1", "in/2"],
    );
    assert.deepEqual(w.audits.data.range(0, 99, 99), []);
    event("in/3");
    await w.client().send(new StopLoggingCommand({ Name: "trail" }));
    event("in/4");
    await w.reconcile(arn);
    assert.deepEqual(
      ids(w.delivered()).filter((id) => id.includes("/")),
      ["in/1", "in/2", "in/3"],
    );
    assert.deepEqual(w.audits.data.range(0, 99, 99), []);
  });

  test("what is not right, or not there, is refused by CloudTrail's own errors", async (t) => {
    const w = await world(t);
    const client = w.client();
    const create = (input: Partial<CreateTrailCommandInput>) =>
      client.send(new CreateTrailCommand({ Name: "trail", S3BucketName: "logs", ...input }));
    for (const Name of ["ab", "a".repeat(129), "-abc", "abc.", "a..b", "a-_b", "192.168.5.4", "a b c", "ünï"])
      await assert.rejects(create({ Name }), { name: "InvalidTrailNameException" }, Name);
    await assert.rejects(create({ S3BucketName: "nowhere" }), {
      name: "S3BucketDoesNotExistException",
      message: "S3 bucket nowhere does not exist!",
    });
    await assert.rejects(create({ S3BucketName: "Not_A_Name" }), { name: "InvalidS3BucketNameException" });
    for (const S3KeyPrefix of ["/a", "a//b", "a/../b", "x".repeat(201)])
      await assert.rejects(create({ S3KeyPrefix }), { name: "InvalidS3PrefixException" });
    await assert.rejects(create({ IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false }), {
      name: "InvalidParameterCombinationException",
    });
    const refused: Partial<CreateTrailCommandInput>[] = [
      { EnableLogFileValidation: true },
      { SnsTopicName: "topic" },
      { KmsKeyId: "alias/a" },
      { CloudWatchLogsLogGroupArn: "arn" },
      { IsOrganizationTrail: true },
    ];
    for (const input of refused)
      await assert.rejects(create(input), { name: "UnsupportedOperationException", message: new RegExp(Object.keys(input)[0]!) });
    await assert.rejects(create({ TagsList: [{ Key: "a" }, { Key: "a" }] }), { name: "InvalidTagParameterException" });
    await create({});
    await assert.rejects(create({}), {
      name: "TrailAlreadyExistsException",
      message: `Trail trail already exists for customer: ${account}`,
    });
    for (let i = 2; i <= 5; i++) await create({ Name: `trail${i}` });
    await assert.rejects(create({ Name: "trail6" }), { name: "MaximumNumberOfTrailsExceededException" });
    await assert.rejects(client.send(new GetTrailCommand({ Name: "none" })), { name: "TrailNotFoundException" });
    await assert.rejects(client.send(new GetTrailCommand({ Name: "arn:aws:s3:::trail" })), { name: "CloudTrailARNInvalidException" });
    const other = arnOf("trail").replace(account, "999999999999");
    await assert.rejects(client.send(new GetTrailCommand({ Name: other })), { name: /TrailNotFoundException|AccessDeniedException/ });
    await assert.rejects(client.send(new GetInsightSelectorsCommand({ TrailName: "trail" })), { name: "InsightNotEnabledException" });
    await assert.rejects(
      client.send(
        new CreateChannelCommand({ Name: "channel", Source: "Custom", Destinations: [{ Type: "EVENT_DATA_STORE", Location: "abc" }] }),
      ),
      {
        name: "UnsupportedOperationException",
        message: /not there yet/,
      },
    );
    const put = (input: Omit<PutEventSelectorsCommandInput, "TrailName">) =>
      client.send(new PutEventSelectorsCommand({ TrailName: "trail", ...input }));
    const management = { Field: "eventCategory", Equals: ["Management"] };
    const data = { Field: "eventCategory", Equals: ["Data"] };
    const bad: Omit<PutEventSelectorsCommandInput, "TrailName">[] = [
      {},
      { EventSelectors: [] },
      { EventSelectors: [{}], AdvancedEventSelectors: [{ FieldSelectors: [management] }] },
      { EventSelectors: Array.from({ length: 6 }, () => ({})) },
      { EventSelectors: [{ DataResources: [{ Type: "AWS::Lambda::Function", Values: ["arn:aws:lambda"] }] }] },
      { EventSelectors: [{ DataResources: [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::bucket-without-slash"] }] }] },
      { EventSelectors: [{ ExcludeManagementEventSources: ["iam.amazonaws.com"] }] },
      { AdvancedEventSelectors: [{ FieldSelectors: [{ Field: "readOnly", Equals: ["true"] }] }] },
      { AdvancedEventSelectors: [{ FieldSelectors: [{ Field: "eventCategory", Equals: ["NetworkActivity"] }] }] },
      { AdvancedEventSelectors: [{ FieldSelectors: [management, { Field: "vpcEndpointId", Equals: ["a"] }] }] },
      { AdvancedEventSelectors: [{ FieldSelectors: [management, { Field: "readOnly", Equals: ["maybe"] }] }] },
      { AdvancedEventSelectors: [{ FieldSelectors: [management, { Field: "readOnly", NotEquals: ["true"] }] }] },
      { AdvancedEventSelectors: [{ FieldSelectors: [management, { Field: "eventName" }] }] },
      { AdvancedEventSelectors: [{ FieldSelectors: [data] }] },
      { AdvancedEventSelectors: [{ FieldSelectors: [data, { Field: "resources.type", Equals: ["AWS::DynamoDB::Table"] }] }] },
    ];
    for (const input of bad) await assert.rejects(put(input), { name: "InvalidEventSelectorsException" }, JSON.stringify(input));
  });

  test("tags", async (t) => {
    const w = await world(t);
    const client = w.client();
    const arn = await w.create({ TagsList: [{ Key: "a", Value: "1" }] });
    await client.send(new AddTagsCommand({ ResourceId: arn, TagsList: [{ Key: "a", Value: "2" }, { Key: "b" }] }));
    const tags = async () => (await client.send(new ListTagsCommand({ ResourceIdList: [arn] }))).ResourceTagList;
    assert.deepEqual(await tags(), [
      {
        ResourceId: arn,
        TagsList: [
          { Key: "a", Value: "2" },
          { Key: "b", Value: "" },
        ],
      },
    ]);
    await client.send(new RemoveTagsCommand({ ResourceId: arn, TagsList: [{ Key: "a" }] }));
    assert.deepEqual((await tags())?.[0]?.TagsList, [{ Key: "b", Value: "" }]);
    const many = Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}` }));
    await assert.rejects(client.send(new AddTagsCommand({ ResourceId: arn, TagsList: many })), { name: "TagsLimitExceededException" });
    assert.equal((await tags())?.[0]?.TagsList?.length, 1);
    await assert.rejects(client.send(new AddTagsCommand({ ResourceId: arnOf("none"), TagsList: [] })), {
      name: "ResourceNotFoundException",
    });
    await assert.rejects(client.send(new AddTagsCommand({ ResourceId: arn, TagsList: [{ Key: "aws:x" }] })), {
      name: "InvalidTagParameterException",
    });
    await assert.rejects(client.send(new ListTagsCommand({ ResourceIdList: ["trail"] })), { name: "CloudTrailARNInvalidException" });
  });
});
