/** The audit trail, with the SDK's clients over the real pipeline: what is recorded, what is not, and how it is found again. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { CloudTrailClient, type LookupEventsCommandInput, LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import { CreateKeyPairCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  AddTagsCommand,
  DescribeClusterCommand,
  EMRClient,
  ListClustersCommand,
  ListStudiosCommand,
  RunJobFlowCommand,
  TerminateJobFlowsCommand,
} from "@aws-sdk/client-emr";
import { CreateAccessKeyCommand, CreateLoginProfileCommand, IAMClient } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import fc from "fast-check";
import type { AccessKey } from "../../src/access/keys.ts";
import { createAuthoriser } from "../../src/access/authorise.ts";
import { cloudTrailHandlers } from "../../src/api/cloudtrail/handlers.ts";
import { overHttp } from "../../src/api/http.ts";
import { type AnyHandler, createPipeline, type RequestRecord } from "../../src/api/pipeline.ts";
import { AwsError, invalidRequest } from "../../src/aws/errors.ts";
import type { Origin } from "../../src/aws/origin.ts";
import { emrService } from "../../src/aws/services/emr.ts";
import { ec2Service } from "../../src/aws/services/ec2.ts";
import { iamService } from "../../src/aws/services/iam.ts";
import { stsService } from "../../src/aws/services/sts.ts";
import { cloudtrailService } from "../../src/aws/services/cloudtrail.ts";
import { type Audit, openAudit } from "../../src/observe/audit.ts";
import { writeByTurns } from "../../src/observe/keep.ts";
import { type AuditEvent, auditEvent } from "../../src/observe/record.ts";
import { hidden, shown } from "../../src/observe/redact.ts";
import { adminKey, nodeKey, noFacts, noTrails, policies } from "./keys.ts";

const issuedAt = Date.UTC(2026, 0, 2, 3, 4, 5);
const rootKey: AccessKey = {
  ...adminKey,
  accessKeyId: "AKIAROOT",
  principal: { ...adminKey.principal, type: "Root", arn: "arn:aws:iam::123456789012:root", id: "123456789012" },
};
delete rootKey.principal.userName;
const sessionKey: AccessKey = {
  ...adminKey,
  accessKeyId: "ASIASESSION",
  sessionToken: "token-of-a-user",
  principal: { ...adminKey.principal, sessionIssuedAt: issuedAt },
};
const roleKey: AccessKey = { ...nodeKey, principal: { ...nodeKey.principal, sessionIssuedAt: issuedAt } };
const keys = (id: string) => [adminKey, rootKey, sessionKey, roleKey].find(({ accessKeyId }) => accessKeyId === id);

const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: "arn:aws:iam::123456789012:root" }, Action: "sts:AssumeRole" }],
});
const authorise = createAuthoriser(policies, { ...noFacts, role: (arn) => ({ arn, tags: {}, boundaryArn: null, trust }) });

const secret = "hunter2-a-secret";

test("what comes in one turn is one transaction, and each is told whether it is there", async () => {
  const written: string[][] = [];
  const write = writeByTurns({
    writeAll(events: readonly AuditEvent[]) {
      const ids = events.map(({ eventId }) => eventId);
      if (ids.includes("bad")) throw new Error("no room");
      written.push(ids);
    },
  } as Audit);
  const event = (eventId: string) => ({ eventId }) as AuditEvent;
  const together = [write(event("a")), write(event("b"))];
  assert.deepEqual(written, []);
  await Promise.all(together);
  await write(event("c"));
  assert.deepEqual(written, [["a", "b"], ["c"]]);
  const told = await Promise.allSettled([write(event("d")), write(event("bad"))]);
  assert.deepEqual(
    told.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  await write(event("e"));
  assert.deepEqual(written.at(-1), ["e"]);
});

describe("audit trail", () => {
  const root = mkdtempSync(join(tmpdir(), "howdah-audit-"));
  const path = join(root, "audit.db");
  let audit: Audit;
  let server: Server;
  let endpoint: string;
  let origin: Origin | undefined;
  const records: RequestRecord[] = [];

  before(async () => {
    audit = openAudit(path);
    const handlers: Record<string, Partial<Record<string, AnyHandler>>> = {
      emr: {
        RunJobFlow: () => ({ JobFlowId: "j-NEW", ClusterArn: "arn:aws:elasticmapreduce:eu-west-1:123456789012:cluster/j-NEW" }),
        ListClusters: () => ({ Clusters: [{ Id: "j-OTHER", Name: "of-an-answer" }] }),
        AddTags: () => ({}),
        TerminateJobFlows: () => {
          throw invalidRequest("No such cluster.");
        },
        DescribeCluster: () => {
          throw new Error("a fault of the house");
        },
      },
      iam: {
        CreateAccessKey: () => ({
          AccessKey: { UserName: "eve", AccessKeyId: "AKIAEVE", Status: "Active", SecretAccessKey: secret, CreateDate: new Date(issuedAt) },
        }),
        CreateLoginProfile: () => ({}),
      },
      sts: {
        AssumeRole: () => ({
          Credentials: {
            AccessKeyId: "ASIAROLE",
            SecretAccessKey: secret,
            SessionToken: `${secret}-token`,
            Expiration: new Date(issuedAt),
          },
          AssumedRoleUser: { AssumedRoleId: "AROA:s", Arn: "arn:aws:sts::123456789012:assumed-role/r/s" },
        }),
        GetCallerIdentity: () => ({}),
      },
      ec2: { CreateKeyPair: () => ({ KeyName: "k", KeyMaterial: secret, KeyPairId: "key-1" }) },
    };
    const pipeline = overHttp(
      createPipeline({
        services: {
          elasticmapreduce: async () => ({ service: emrService, handlers: handlers["emr"]! }),
          iam: async () => ({ service: iamService, handlers: handlers["iam"]! }),
          sts: async () => ({ service: stsService, handlers: handlers["sts"]! }),
          ec2: async () => ({ service: ec2Service, handlers: handlers["ec2"]! }),
          cloudtrail: async () => ({
            service: cloudtrailService,
            handlers: cloudTrailHandlers({ ...noTrails, audits: { event: audit, data: audit } }),
          }),
        },
        keys,
        authorise,
        now: () => new Date(),
        audit: (call) => audit.write(auditEvent(call)),
        log: (record) => records.push(record),
      }),
    );
    server = createServer((req, res) => pipeline(req, res, origin)).listen(0, "127.0.0.1");
    await once(server, "listening");
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    origin = undefined;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    audit.close();
    rmSync(root, { recursive: true });
  });

  const config = (key: AccessKey, region = "eu-west-1") => ({
    endpoint,
    region,
    maxAttempts: 1,
    credentials: {
      accessKeyId: key.accessKeyId,
      secretAccessKey: key.secretAccessKey,
      ...(key.sessionToken ? { sessionToken: key.sessionToken } : {}),
    },
  });
  const emr = (key: AccessKey = adminKey) => new EMRClient(config(key));
  const trail = (region?: string) => new CloudTrailClient(config(adminKey, region));
  const lookUp = (input: LookupEventsCommandInput = {}, region?: string) => trail(region).send(new LookupEventsCommand(input));
  /** The newest of this name, as it is written. */
  async function newest(name: string, region?: string): Promise<Record<string, never>> {
    const { Events } = await lookUp({ LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: name }] }, region);
    return JSON.parse(Events?.[0]?.CloudTrailEvent ?? "null") as Record<string, never>;
  }

  test("a call as CloudTrail records it", async () => {
    const { $metadata } = await emr().send(
      new RunJobFlowCommand({ Name: "n", Instances: { InstanceCount: 1, MasterInstanceType: "m5.xlarge" } }),
    );
    const { eventTime, eventID, userAgent, ...rest } = await newest("RunJobFlow");
    assert.match(eventTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(eventID, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.match(userAgent, /^aws-sdk-js\//);
    assert.deepEqual(rest, {
      eventVersion: "1.11",
      userIdentity: {
        type: "IAMUser",
        principalId: "AIDAADMIN",
        arn: "arn:aws:iam::123456789012:user/admin",
        accountId: "123456789012",
        accessKeyId: "AKIAADMIN",
        userName: "admin",
      },
      eventSource: "elasticmapreduce.amazonaws.com",
      eventName: "RunJobFlow",
      awsRegion: "eu-west-1",
      sourceIPAddress: "127.0.0.1",
      requestParameters: { name: "n", instances: { instanceCount: 1, masterInstanceType: "m5.xlarge" } },
      responseElements: { jobFlowId: "j-NEW", clusterArn: "arn:aws:elasticmapreduce:eu-west-1:123456789012:cluster/j-NEW" },
      requestID: $metadata.requestId,
      readOnly: false,
      eventType: "AwsApiCall",
      managementEvent: true,
      recipientAccountId: "123456789012",
      eventCategory: "Management",
    });
  });

  test("who, by each type of principal, and from where", async () => {
    const identityOf = async (key: AccessKey) => {
      await emr(key).send(new ListClustersCommand({}));
      return (await newest("ListClusters"))["userIdentity"] as unknown;
    };
    const user = { type: "IAMUser", principalId: "AIDAADMIN", arn: adminKey.principal.arn, accountId: "123456789012", userName: "admin" };
    const attributes = { creationDate: "2026-01-02T03:04:05Z", mfaAuthenticated: "false" };
    assert.deepEqual(await identityOf(rootKey), {
      type: "Root",
      principalId: "123456789012",
      arn: "arn:aws:iam::123456789012:root",
      accountId: "123456789012",
      accessKeyId: "AKIAROOT",
    });
    assert.deepEqual(await identityOf(sessionKey), { ...user, accessKeyId: "ASIASESSION", sessionContext: { attributes } });
    assert.deepEqual(await identityOf(roleKey), {
      type: "AssumedRole",
      principalId: "AROANODE:i-1",
      arn: "arn:aws:sts::123456789012:assumed-role/EMR_EC2_DefaultRole/i-1",
      accountId: "123456789012",
      accessKeyId: "ASIACLUSTER",
      sessionContext: {
        sessionIssuer: {
          type: "Role",
          principalId: "AROANODE",
          arn: "arn:aws:iam::123456789012:role/EMR_EC2_DefaultRole",
          accountId: "123456789012",
          userName: "EMR_EC2_DefaultRole",
        },
        attributes,
        ec2RoleDelivery: "2.0",
      },
    });
    origin = { sourceIp: "198.51.100.7", secure: true, tls: { version: "TLSv1.3", cipherSuite: "TLS_AES_128_GCM_SHA256" } };
    await emr().send(new ListClustersCommand({}));
    const { sourceIPAddress, tlsDetails } = await newest("ListClusters");
    const clientProvidedHostHeader = endpoint.slice("http://".length);
    assert.deepEqual(
      [sourceIPAddress, tlsDetails],
      ["198.51.100.7", { tlsVersion: "TLSv1.3", cipherSuite: "TLS_AES_128_GCM_SHA256", clientProvidedHostHeader }],
    );
  });

  test("answers are of what changes something; reads show none", async () => {
    await emr().send(new ListClustersCommand({}));
    const list = await newest("ListClusters");
    assert.deepEqual([list["readOnly"], list["requestParameters"], list["responseElements"]], [true, null, null]);
    await emr().send(new AddTagsCommand({ ResourceId: "j-TAGGED", Tags: [{ Key: "a", Value: "b" }] }));
    const tagged = await newest("AddTags");
    assert.deepEqual(tagged["requestParameters"], { resourceId: "j-TAGGED", tags: [{ key: "a", value: "b" }] });
    assert.deepEqual([tagged["readOnly"], tagged["responseElements"]], [false, null]);
  });

  test("every outcome: refused, invalid, denied, not built, a fault of the house", async () => {
    const outcome = async (name: string, call: Promise<unknown>) => {
      await assert.rejects(call);
      const { errorCode, errorMessage, responseElements } = await newest(name);
      assert.equal(responseElements, null);
      return `${errorCode}: ${errorMessage}`;
    };
    assert.equal(
      await outcome("TerminateJobFlows", emr().send(new TerminateJobFlowsCommand({ JobFlowIds: ["j-1"] }))),
      "InvalidRequestException: No such cluster.",
    );
    assert.match(
      await outcome("RunJobFlow", emr().send(new RunJobFlowCommand({ Name: "n" } as never))),
      /^ValidationException: 1 validation error/,
    );
    assert.match(
      await outcome("RunJobFlow", emr(roleKey).send(new RunJobFlowCommand({ Name: "n", Instances: {} }))),
      /^AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/,
    );
    assert.match(await outcome("DescribeCluster", emr().send(new DescribeClusterCommand({ ClusterId: "j-1" }))), /^InternalFailure: /);
    assert.ok(!readFileSync(path).includes("a fault of the house"));
    assert.match(await outcome("ListStudios", emr().send(new ListStudiosCommand({}))), /not there yet/);
  });

  test("who does not prove who he is, is in nobody's trail", async () => {
    const { Events: before } = await lookUp();
    const told = records.length;
    const wrong = { ...adminKey, secretAccessKey: "wrong" };
    await assert.rejects(emr(wrong).send(new ListClustersCommand({})), { name: "InvalidSignatureException" });
    await assert.rejects(emr({ ...adminKey, accessKeyId: "AKIANOBODY" }).send(new ListClustersCommand({})), {
      name: "UnrecognizedClientException",
    });
    assert.deepEqual(
      records.slice(told).map(({ error, sourceIp }) => [error, sourceIp]),
      [
        ["InvalidSignatureException", "127.0.0.1"],
        ["UnrecognizedClientException", "127.0.0.1"],
      ],
    );
    const { Events: now } = await lookUp();
    assert.deepEqual(now?.map(({ EventId }) => EventId).slice(1), before?.map(({ EventId }) => EventId).slice(0, (now?.length ?? 0) - 1));
  });

  test("no secret is in it, wherever a request or an answer has one", async () => {
    await emr().send(
      new RunJobFlowCommand({
        Name: "secrets",
        Instances: {},
        KerberosAttributes: {
          Realm: "R",
          KdcAdminPassword: secret,
          CrossRealmTrustPrincipalPassword: secret,
          ADDomainJoinPassword: secret,
        },
        Configurations: [
          {
            Classification: "hive-site",
            Properties: {
              "javax.jdo.option.ConnectionPassword": secret,
              "javax.jdo.option.ConnectionUserName": "hive",
              "fs.s3a.secret.key": secret,
            },
            Configurations: [
              { Classification: "export", Properties: { AWS_SECRET_ACCESS_KEY: secret, API_TOKEN: secret, USE_TOKEN: "true" } },
            ],
          },
        ],
        BootstrapActions: [{ Name: "b", ScriptBootstrapAction: { Path: "s3://b/k", Args: ["--password", secret, "--user", "x"] } }],
        Steps: [
          {
            Name: "s",
            HadoopJarStep: {
              Jar: "command-runner.jar",
              Args: [
                "spark-submit",
                "--conf",
                `spark.hadoop.fs.s3a.secret.key=${secret}`,
                `-Dpassword=${secret}`,
                "--token",
                secret,
                "s3://b/k",
              ],
              Properties: [
                { Key: "db.password", Value: secret },
                { Key: "db.user", Value: "u" },
              ],
            },
          },
        ],
      }),
    );
    const run = await newest("RunJobFlow");
    assert.deepEqual(run["requestParameters"], {
      name: "secrets",
      instances: {},
      kerberosAttributes: { realm: "R", kdcAdminPassword: hidden, crossRealmTrustPrincipalPassword: hidden, aDDomainJoinPassword: hidden },
      configurations: [
        {
          classification: "hive-site",
          properties: {
            "javax.jdo.option.ConnectionPassword": hidden,
            "javax.jdo.option.ConnectionUserName": "hive",
            "fs.s3a.secret.key": hidden,
          },
          configurations: [
            { classification: "export", properties: { AWS_SECRET_ACCESS_KEY: hidden, API_TOKEN: hidden, USE_TOKEN: "true" } },
          ],
        },
      ],
      bootstrapActions: [{ name: "b", scriptBootstrapAction: { path: "s3://b/k", args: ["--password", hidden, "--user", "x"] } }],
      steps: [
        {
          name: "s",
          hadoopJarStep: {
            jar: "command-runner.jar",
            args: [
              "spark-submit",
              "--conf",
              `spark.hadoop.fs.s3a.secret.key=${hidden}`,
              `-Dpassword=${hidden}`,
              "--token",
              hidden,
              "s3://b/k",
            ],
            properties: [
              { key: "db.password", value: hidden },
              { key: "db.user", value: "u" },
            ],
          },
        },
      ],
    });
    const iam = new IAMClient(config(adminKey, "us-east-1"));
    await iam.send(new CreateAccessKeyCommand({ UserName: "eve" }));
    await iam.send(new CreateLoginProfileCommand({ UserName: "eve", Password: secret }));
    const sts = new STSClient(config(adminKey));
    await sts.send(new AssumeRoleCommand({ RoleArn: "arn:aws:iam::123456789012:role/r", RoleSessionName: "session", TokenCode: "123456" }));
    await new EC2Client(config(adminKey)).send(new CreateKeyPairCommand({ KeyName: "k" }));
    assert.deepEqual((await newest("CreateAccessKey", "us-east-1"))["responseElements"], {
      accessKey: { userName: "eve", accessKeyId: "AKIAEVE", status: "Active", secretAccessKey: hidden, createDate: "2026-01-02T03:04:05Z" },
    });
    const assumed = await newest("AssumeRole");
    assert.deepEqual(assumed["responseElements"], {
      credentials: { accessKeyId: "ASIAROLE", secretAccessKey: hidden, sessionToken: hidden, expiration: "2026-01-02T03:04:05Z" },
      assumedRoleUser: { assumedRoleId: "AROA:s", arn: "arn:aws:sts::123456789012:assumed-role/r/s" },
    });
    assert.deepEqual(assumed["resources"], [
      { accountId: "123456789012", type: "AWS::IAM::Role", ARN: "arn:aws:iam::123456789012:role/r" },
    ]);
    assert.deepEqual((await newest("CreateKeyPair"))["responseElements"], { keyName: "k", keyMaterial: hidden, keyPairId: "key-1" });
    for (const file of readdirSync(root)) assert.ok(!readFileSync(join(root, file)).includes(secret), file);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test("every sensitive member of every service is hidden", () => {
    let count = 0;
    for (const service of [emrService, iamService, stsService, ec2Service, cloudtrailService])
      for (const { input, output } of service.operations.values())
        for (const schema of [input, output])
          fill(schema, [], (value) => {
            count += 1;
            assert.ok(!JSON.stringify(shown(schema, value)).includes(secret));
          });
    assert.ok(count > 100);
  });

  test("IAM is of us-east-1, wherever it is called", async () => {
    await new IAMClient(config(adminKey, "eu-west-1")).send(new CreateAccessKeyCommand({ UserName: "there" }));
    assert.equal((await newest("CreateAccessKey", "us-east-1"))["awsRegion"], "us-east-1");
  });

  test("what is large is left out with its size", async () => {
    const tags = Array.from({ length: 700 }, (_, i) => ({ Key: `k${i}`, Value: "x".repeat(200) }));
    await emr().send(new AddTagsCommand({ ResourceId: "j-LARGE", Tags: tags }));
    const { omitted, originalSize } = (await newest("AddTags"))["requestParameters"];
    assert.deepEqual([omitted, originalSize > 140_000], [true, true]);
  });

  test("is found by each attribute, and by nothing else", async () => {
    await new STSClient(config(roleKey)).send(new GetCallerIdentityCommand({}));
    await emr().send(new AddTagsCommand({ ResourceId: "j-FOUND", Tags: [] }));
    const { Events } = await lookUp();
    const [added] = (Events ?? []).filter(({ EventName }) => EventName === "AddTags");
    const found = async (AttributeKey: string, AttributeValue: string) =>
      (await lookUp({ LookupAttributes: [{ AttributeKey: AttributeKey as "EventId", AttributeValue }] })).Events ?? [];
    assert.deepEqual(await found("EventId", added?.EventId ?? ""), [added]);
    assert.deepEqual(
      (await found("ResourceName", "j-FOUND")).map(({ EventId }) => EventId),
      [added?.EventId],
    );
    for (const [key, value, field] of [
      ["EventName", "AddTags", "EventName"],
      ["EventSource", "sts.amazonaws.com", "EventSource"],
      ["ReadOnly", "false", "ReadOnly"],
      ["ReadOnly", "true", "ReadOnly"],
      ["Username", "i-1", "Username"],
      ["AccessKeyId", "ASIACLUSTER", "AccessKeyId"],
    ] as const) {
      const events = await found(key, value);
      assert.ok(events.length > 0, key);
      assert.ok(
        events.every((event) => event[field] === value),
        key,
      );
    }
    const clusters = await found("ResourceType", "AWS::EMR::Cluster");
    assert.ok(
      clusters.length > 0 && clusters.every(({ Resources }) => Resources?.some(({ ResourceType }) => ResourceType === "AWS::EMR::Cluster")),
    );
    for (const odd of ['"', "]", "%", "j-FOUN", "AWS::EMR::Cluster", "'"]) assert.deepEqual(await found("ResourceName", odd), []);
    assert.deepEqual((await lookUp({ EventCategory: "insight" })).Events, []);
    await assert.rejects(found("Colour", "red"), { name: "ValidationException" });
    await assert.rejects(
      lookUp({
        LookupAttributes: [
          { AttributeKey: "EventName", AttributeValue: "a" },
          { AttributeKey: "Username", AttributeValue: "b" },
        ],
      }),
      { name: "InvalidLookupAttributesException" },
    );
    await assert.rejects(lookUp({ StartTime: new Date(2), EndTime: new Date(1) }), { name: "InvalidTimeRangeException" });
    await assert.rejects(lookUp({ MaxResults: 51 }), { name: "ValidationException" });
  });

  test("times are inclusive, and pages stay what they were while calls go on", async () => {
    const region = "ap-south-1";
    const there = new EMRClient(config(adminKey, region));
    const call = (ResourceId: string) => there.send(new AddTagsCommand({ ResourceId, Tags: [] }));
    for (let i = 0; i < 7; i++) await call(`j-PAGE${i}`);
    const range: LookupEventsCommandInput = {
      LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "AddTags" }],
      StartTime: new Date(Date.now() - 60_000),
      MaxResults: 3,
    };
    const names: (string | undefined)[] = [];
    for (let NextToken: string | undefined, more = true; more; more = NextToken !== undefined) {
      const page = await lookUp({ ...range, NextToken }, region);
      names.push(...(page.Events ?? []).map(({ Resources }) => Resources?.[0]?.ResourceName));
      ({ NextToken } = page);
      await call("j-LATER");
      if (NextToken)
        await assert.rejects(lookUp({ ...range, StartTime: new Date(0), NextToken }, region), { name: "InvalidNextTokenException" });
    }
    assert.deepEqual(
      names,
      [6, 5, 4, 3, 2, 1, 0].map((i) => `j-PAGE${i}`),
    );
    await assert.rejects(lookUp({ NextToken: "x" }), { name: "InvalidNextTokenException" });
    const [last] = (await lookUp({ MaxResults: 1 }, region)).Events ?? [];
    const at = last!.EventTime!;
    const ids = (await lookUp({ StartTime: at, EndTime: at }, region)).Events?.map(({ EventId }) => EventId);
    assert.ok(ids?.includes(last?.EventId));
    const first = new Date(at.getTime() - 60_000);
    assert.deepEqual((await lookUp({ StartTime: first, EndTime: first }, region)).Events, []);
    assert.deepEqual((await lookUp({ LookupAttributes: range.LookupAttributes! }, "ap-south-2")).Events, []);
  });
});

/** Calls `check` with a value of this schema for each sensitive member in it: a structure that holds nothing else. */
function fill(
  schema: (typeof emrService.operations extends Map<string, infer O> ? O : never)["input"],
  inside: string[],
  check: (value: unknown) => void,
): void {
  if (schema.getMergedTraits().sensitive) {
    check(
      schema.isBlobSchema() ? Buffer.from(secret) : schema.isStructSchema() || schema.isListSchema() || schema.isMapSchema() ? {} : secret,
    );
    return;
  }
  const name = schema.getName() ?? "";
  if (schema.isStructSchema()) {
    if (inside.includes(name)) return;
    for (const [member, below] of schema.structIterator()) fill(below, [...inside, name], (value) => check({ [member]: value }));
  } else if (schema.isListSchema()) fill(schema.getValueSchema(), inside, (value) => check([value]));
  else if (schema.isMapSchema()) fill(schema.getValueSchema(), inside, (value) => check({ key: value }));
}

const someEvent = (change: Partial<AuditEvent> = {}): AuditEvent => ({
  accountId: "1",
  region: "r",
  time: 0,
  eventId: "e",
  name: "n",
  source: "s",
  userName: "u",
  accessKeyId: "a",
  readOnly: true,
  resources: [],
  record: "{}",
  ...change,
});

describe("the audit trail's file", () => {
  const root = mkdtempSync(join(tmpdir(), "howdah-audit-file-"));
  after(() => rmSync(root, { recursive: true }));

  test("pages hold each event once, whatever the times", () => {
    const audit = openAudit(join(root, "pages.db"));
    let run = 0;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), (times, limit) => {
        const accountId = String(run++);
        for (const [i, time] of times.entries()) audit.write(someEvent({ accountId, eventId: String(i), time }));
        const query = { accountId, region: "r", from: 1, to: 4, limit };
        const seen: [time: number, id: number][] = [];
        for (let page = audit.lookUp(query); page.length > 0; page = audit.lookUp({ ...query, after: page.at(-1) }))
          seen.push(...page.map(({ time, eventId }): [number, number] => [time, Number(eventId)]));
        const wanted = times.map((time, i): [number, number] => [time, i]).filter(([time]) => time >= 1 && time <= 4);
        assert.deepEqual(
          seen,
          wanted.toSorted((a, b) => b[0] - a[0] || b[1] - a[1]),
        );
      }),
      { numRuns: 50 },
    );
    audit.close();
  });

  test("forgets what is older than 90 days, a piece at a time, and nothing else", () => {
    const audit = openAudit(join(root, "prune.db"));
    for (let i = 0; i < 1200; i++) audit.write(someEvent({ time: i, eventId: String(i) }));
    let pieces = 1;
    for (; !audit.prune(1100); pieces++);
    assert.equal(pieces, 3);
    const left = audit.lookUp({ accountId: "1", region: "r", from: 0, to: 9999, limit: 9999 });
    assert.deepEqual([left.length, left.at(-1)?.time], [100, 1100]);
    const last = audit.lastId();
    assert.equal(audit.removeUpTo(last - 50), true);
    assert.equal(audit.range(0, last, 9999).length, 50);
    for (let i = 0; i < 600; i++) audit.write(someEvent());
    assert.deepEqual([audit.removeUpTo(last + 600), audit.removeUpTo(last + 600)], [false, true]);
    assert.equal(audit.lastId(), last + 600);
    audit.close();
  });

  test("a full disk, or a file that cannot be written, is told of; the call is answered", async () => {
    const told: unknown[] = [];
    const pipeline = overHttp(
      createPipeline({
        services: { elasticmapreduce: async () => ({ service: emrService, handlers: { AddTags: () => ({}) } }) },
        keys,
        authorise,
        now: () => new Date(),
        audit: () => {
          throw new AwsError("disk", "database or disk is full");
        },
        log: ({ fault }) => told.push(String(fault)),
      }),
    );
    const server = createServer(pipeline).listen(0, "127.0.0.1");
    await once(server, "listening");
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const credentials = { accessKeyId: adminKey.accessKeyId, secretAccessKey: adminKey.secretAccessKey };
    await new EMRClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 }).send(
      new AddTagsCommand({ ResourceId: "j-1", Tags: [] }),
    );
    assert.match(String(told[0]), /disk is full/);
    server.closeAllConnections();
    server.close();
  });

  test("kill -9 at any moment loses no call that was answered", async () => {
    const path = join(root, "killed.db");
    const answered = new Set<string>();
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "audit-server.ts"), path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [port] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
      const credentials = { accessKeyId: adminKey.accessKeyId, secretAccessKey: adminKey.secretAccessKey };
      const client = new EMRClient({ endpoint: `http://127.0.0.1:${port.trim()}`, region: "us-east-1", credentials, maxAttempts: 1 });
      let left = 1 + Math.floor(Math.random() * 150);
      const ask = async (): Promise<void> => {
        for (;;) {
          const answer = await client.send(new AddTagsCommand({ ResourceId: "j-1", Tags: [] })).catch(() => undefined);
          if (!answer) return;
          answered.add(answer.$metadata.requestId ?? "");
          if (--left === 0) child.kill("SIGKILL");
        }
      };
      const ended = once(child, "exit");
      await Promise.all(Array.from({ length: 8 }, ask));
      child.kill(); // Where it was not killed.
      await ended;
      assert.equal(child.signalCode, "SIGKILL");
    }
    const audit = openAudit(path);
    const events = audit.lookUp({ accountId: "123456789012", region: "us-east-1", from: 0, to: Date.now(), limit: 1e6 });
    const recorded = new Set(events.map(({ record }) => (JSON.parse(record) as { requestID: string }).requestID));
    assert.ok(answered.size > 0);
    assert.deepEqual(
      [...answered].filter((id) => !recorded.has(id)),
      [],
    );
    await audit.sync();
    audit.close();
  });
});
