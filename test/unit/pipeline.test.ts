import assert from "node:assert/strict";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { DescribeClusterCommand, EMRClient, RunJobFlowCommand, TerminateJobFlowsCommand } from "@aws-sdk/client-emr";
import { DescribeVpcsCommand, EC2Client, type EC2ServiceException } from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { AccessKey } from "../../src/access/keys.ts";
import { stsHandlers } from "../../src/api/sts/handlers.ts";
import { overHttp } from "../../src/api/http.ts";
import { createPipeline, type RequestRecord } from "../../src/api/pipeline.ts";
import { invalidRequest } from "../../src/aws/errors.ts";
import type { Handlers, RequestContext } from "../../src/aws/operations.ts";
import { ec2Service } from "../../src/aws/services/ec2.ts";
import { type emr, emrService } from "../../src/aws/services/emr.ts";
import { stsService } from "../../src/aws/services/sts.ts";
import { sha256Hex, signRequest } from "../../src/aws/sigv4.ts";
import { adminKey, authorise, nodeKey } from "./keys.ts";

const [admin, cluster] = [adminKey, nodeKey];
const keys = (id: string) => [admin, cluster].find((key) => key.accessKeyId === id);

const credentials = (key: AccessKey) => ({
  accessKeyId: key.accessKeyId,
  secretAccessKey: key.secretAccessKey,
  ...(key.sessionToken ? { sessionToken: key.sessionToken } : {}),
});

describe("pipeline", () => {
  let server: Server;
  let endpoint: string;
  let records: RequestRecord[];
  let seen: RequestContext | undefined;
  const emrHandlers: Handlers<typeof emr> = {
    RunJobFlow(input, context) {
      seen = context;
      if (input.Name === "boom") throw new Error("a secret of the house");
      if (input.Name === "refused") throw invalidRequest("No.", "Refused");
      return { JobFlowId: `j-${input.Name.toUpperCase()}`, ClusterArn: input.Instances.MasterInstanceType };
    },
    DescribeCluster: (input) => ({
      Cluster: { Id: input.ClusterId, Status: { Timeline: { CreationDateTime: new Date(1_700_000_000_250) } } },
    }),
    TerminateJobFlows: () => ({}),
  };

  before(async () => {
    const pipeline = overHttp(
      createPipeline({
        services: {
          elasticmapreduce: async () => ({ service: emrService, handlers: emrHandlers }),
          sts: async () => ({ service: stsService, handlers: stsHandlers({} as never) }),
          ec2: async () => ({ service: ec2Service, handlers: {} }),
        },
        keys,
        authorise,
        now: () => new Date(),
        log: (record) => records.push(record),
      }),
    );
    server = createServer(pipeline).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    records = [];
    seen = undefined;
  });
  after(() => server.close());

  const emrClient = (key: AccessKey) => new EMRClient({ endpoint, region: "eu-west-1", credentials: credentials(key), maxAttempts: 1 });

  interface Raw {
    target?: string;
    body?: string | Buffer;
    headers?: Record<string, string>;
    now?: Date;
    service?: string;
    tamper?: (headers: Record<string, string>) => void;
  }
  /** A request signed by hand, for what no SDK would send. */
  async function raw({
    target = "ElasticMapReduce.RunJobFlow",
    body = "{}",
    headers = {},
    now = new Date(),
    service = "elasticmapreduce",
    tamper,
  }: Raw) {
    const signed = signRequest({
      method: "POST",
      url: new URL(`${endpoint}/`),
      headers: { "x-amz-target": target, "content-type": "application/x-amz-json-1.1", ...headers },
      payloadHash: sha256Hex(body),
      credentials: credentials(admin),
      region: "us-east-1",
      service,
      now,
    });
    tamper?.(signed);
    return new Promise<{ status: number; text: string; json: Record<string, unknown>; id: unknown }>((resolve, reject) => {
      const req = httpRequest(`${endpoint}/`, { method: "POST", headers: signed }, (res) => {
        let text = "";
        res.setEncoding("utf8").on("data", (chunk) => (text += chunk));
        res.on("end", () => {
          resolve({
            status: res.statusCode!,
            text,
            json: text.startsWith("{") ? JSON.parse(text) : {},
            id: res.headers["x-amzn-requestid"],
          });
        });
      });
      req.on("error", reject).end(body);
    });
  }
  const refused = async (options: Raw) => {
    const { status, json, id } = await raw({ body: cannedRun, ...options });
    assert.ok(id);
    assert.equal(seen, undefined);
    return [status, json.__type, json.message];
  };
  const cannedRun = JSON.stringify({ Name: "n", Instances: {} });

  test("carries a typed call from the SDK to its handler and back", async () => {
    const output = await emrClient(admin).send(new RunJobFlowCommand({ Name: "one", Instances: { MasterInstanceType: "m5.xlarge" } }));
    assert.equal(output.JobFlowId, "j-ONE");
    assert.equal(output.ClusterArn, "m5.xlarge");
    assert.equal(seen?.region, "eu-west-1");
    assert.equal(seen?.accountId, "123456789012");
    assert.equal(seen?.accessKeyId, "AKIAADMIN");
    assert.deepEqual([seen?.sourceIp, seen?.secure], ["127.0.0.1", false]);
    assert.match(String(seen?.userAgent), /^aws-sdk-js/);
    assert.equal(output.$metadata.requestId, seen?.requestId);
    assert.equal(records[0]?.operation, "RunJobFlow");
    const described = await emrClient(admin).send(new DescribeClusterCommand({ ClusterId: "j-ONE" }));
    assert.equal(described.Cluster?.Status?.Timeline?.CreationDateTime?.getTime(), 1_700_000_000_250);
    await emrClient(admin).send(new TerminateJobFlowsCommand({ JobFlowIds: ["j-ONE"] }));
  });

  test("answers STS in the query protocol", async () => {
    const client = new STSClient({ endpoint, region: "us-east-1", credentials: credentials(cluster), maxAttempts: 1 });
    const who = await client.send(new GetCallerIdentityCommand({}));
    assert.equal(who.Account, "123456789012");
    assert.equal(who.Arn, cluster.principal.arn);
  });

  test("answers EC2 in its own protocol, also before it knows who asks", async () => {
    const client = (key: AccessKey) => new EC2Client({ endpoint, region: "us-east-1", credentials: credentials(key), maxAttempts: 1 });
    const refusal = (name: string, message: RegExp, httpStatusCode: number) => (error: EC2ServiceException) => {
      assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, httpStatusCode]);
      assert.match(error.message, message);
      return true;
    };
    await assert.rejects(
      client(admin).send(new DescribeVpcsCommand({})),
      refusal("UnsupportedOperation", /^DescribeVpcs is not there yet/, 400),
    );
    for (const key of [
      { ...admin, accessKeyId: "AKIANOBODY" },
      { ...admin, secretAccessKey: "wrong" },
    ])
      await assert.rejects(client(key).send(new DescribeVpcsCommand({})), refusal("AuthFailure", /was not able to validate/, 401));
  });

  test("lets a cluster's key look, and do nothing else", async () => {
    await emrClient(cluster).send(new DescribeClusterCommand({ ClusterId: "j-1" }));
    await assert.rejects(emrClient(cluster).send(new RunJobFlowCommand({ Name: "x", Instances: {} })), { name: "AccessDeniedException" });
    assert.equal(seen, undefined);
  });

  test("reports what a handler throws, and hides what it did not mean to say", async () => {
    await assert.rejects(emrClient(admin).send(new RunJobFlowCommand({ Name: "refused", Instances: {} })), {
      name: "InvalidRequestException",
      ErrorCode: "Refused",
      message: "No.",
    });
    const { status, text } = await raw({ body: JSON.stringify({ Name: "boom", Instances: {} }) });
    assert.equal(status, 500);
    assert.ok(!text.includes("secret"));
    assert.match(String(records.at(-1)?.fault), /a secret of the house/);
  });

  test("answers every operation without a handler with an error of EMR's", async () => {
    for (const name of emrService.operations.keys()) {
      if (name in emrHandlers) continue;
      const { json, status, id } = await raw({ target: `ElasticMapReduce.${name}` });
      assert.equal(status, 400);
      assert.ok(id);
      assert.ok(["InvalidRequestException", "ValidationException"].includes(String(json.__type)), `${name}: ${String(json.__type)}`);
    }
    const { json } = await raw({ target: "ElasticMapReduce.ListStudios" });
    assert.deepEqual(Object.keys(json), ["__type", "ErrorCode", "Message"]);
    assert.match(String(json.Message), /ListStudios is not there yet in Howdah/);
  });

  test("refuses signatures as AWS does", async () => {
    const invalid = "The security token included in the request is invalid.";
    assert.deepEqual(await refused({ tamper: (h) => delete h["authorization"] }), [
      400,
      "MissingAuthenticationTokenException",
      "Missing Authentication Token",
    ]);
    assert.deepEqual(await refused({ tamper: (h) => (h["authorization"] = h["authorization"]!.replace("AKIAADMIN", "AKIANOBODY")) }), [
      400,
      "UnrecognizedClientException",
      invalid,
    ]);
    assert.deepEqual(await refused({ tamper: (h) => (h["x-amz-security-token"] = "stolen") }), [
      400,
      "UnrecognizedClientException",
      invalid,
    ]);
    assert.deepEqual(
      (await refused({ tamper: (h) => (h["authorization"] = h["authorization"]!.replace(/.$/, (c) => (c === "0" ? "1" : "0"))) })).slice(
        0,
        2,
      ),
      [400, "InvalidSignatureException"],
    );
    assert.deepEqual((await refused({ tamper: (h) => (h["x-amz-target"] = "ElasticMapReduce.TerminateJobFlows") })).slice(0, 2), [
      400,
      "InvalidSignatureException",
    ]);
    const malformed = await refused({ tamper: (h) => (h["authorization"] = "AWS4-HMAC-SHA256 Credential=AKIAADMIN") });
    assert.deepEqual(malformed.slice(0, 2), [400, "IncompleteSignatureException"]);
    assert.match(String(malformed[2]), /requires 'Signature' parameter.*requires 'SignedHeaders' parameter/);
    const late = await refused({ now: new Date(Date.now() - 16 * 60_000) });
    assert.match(String(late[2]), /^Signature expired: \d{8}T\d{6}Z is now earlier than/);
    const early = await refused({ now: new Date(Date.now() + 16 * 60_000) });
    assert.match(String(early[2]), /^Signature not yet current/);
  });

  test("refuses what is not a request of the model", async () => {
    assert.equal((await raw({ body: "{" })).json.__type, "SerializationException");
    assert.equal((await raw({ body: "[]" })).json.__type, "SerializationException");
    assert.equal((await raw({ body: '{"Name":5,"Instances":{}}' })).json.message, "NUMBER_VALUE cannot be converted to String");
    const { json, status } = await raw({ body: '{"Name":"n"}' });
    assert.deepEqual(
      [status, json.__type, json.message],
      [
        400,
        "ValidationException",
        "1 validation error detected: Value null at 'instances' failed to satisfy constraint: Member must not be null",
      ],
    );
    assert.equal((await raw({ target: "ElasticMapReduce.Nonsense" })).json.__type, "UnknownOperationException");
    const service = await raw({ service: "athena" });
    assert.equal(service.status, 404);
    assert.match(String(service.json.message), /Amazon Athena \(athena\): it serves elasticmapreduce, sts, ec2, s3/);
  });

  test("hands unknown members to the handler", async () => {
    await raw({
      body: JSON.stringify({
        Name: "n",
        Colour: "red",
        Instances: { InstanceGroups: [{ InstanceRole: "MASTER", InstanceType: "m5.xlarge", InstanceCount: 1, Hue: 1 }] },
      }),
    });
    assert.deepEqual(seen?.unknownMembers, ["Instances.InstanceGroups[0].Hue", "Colour"]);
  });

  test("reads gzip, signed as sent, and limits what comes out of it", async () => {
    const headers = { "content-encoding": "gzip" };
    assert.equal((await raw({ body: gzipSync(cannedRun), headers })).status, 200);
    assert.equal((await raw({ body: cannedRun, headers })).json.__type, "SerializationException");
    assert.equal((await raw({ body: gzipSync(Buffer.alloc(8 << 20)), headers })).status, 413);
    assert.equal((await raw({ body: "x".repeat((1 << 20) + 1) })).status, 413);
  });
});
