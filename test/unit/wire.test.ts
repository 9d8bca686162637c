/** The wire's corners at the pipeline: what no SDK sends by itself, over real sockets. At the front door: front.test.ts. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { EMRClient, ListClustersCommand } from "@aws-sdk/client-emr";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { AccessKey } from "../../src/access/keys.ts";
import { overHttp } from "../../src/api/http.ts";
import { createPipeline, type RequestRecord } from "../../src/api/pipeline.ts";
import { stsHandlers } from "../../src/api/sts/handlers.ts";
import { sha256Hex, signRequest } from "../../src/aws/sigv4.ts";
import { emrService } from "../../src/aws/services/emr.ts";
import { stsService } from "../../src/aws/services/sts.ts";
import { adminKey, authorise, nodeKey } from "./keys.ts";

const keys = (id: string) => [adminKey, nodeKey].find(({ accessKeyId }) => accessKeyId === id);
const credentials = ({ accessKeyId, secretAccessKey, sessionToken }: AccessKey) => ({
  accessKeyId,
  secretAccessKey,
  ...(sessionToken ? { sessionToken } : {}),
});
const form = "application/x-www-form-urlencoded";
const whoAmI = "Action=GetCallerIdentity&Version=2011-06-15";

describe("wire", () => {
  let server: Server;
  let endpoint: string;
  let port: number;
  const records: RequestRecord[] = [];
  /** Milliseconds by which this server's clock is before its clients'. */
  let ahead = 0;

  before(async () => {
    const pipeline = overHttp(
      createPipeline({
        services: {
          elasticmapreduce: async () => ({
            service: emrService,
            handlers: { ListClusters: () => ({ Clusters: [] }), RunJobFlow: () => ({}) },
          }),
          sts: async () => ({ service: stsService, handlers: stsHandlers({} as never) }),
        },
        keys,
        authorise,
        now: () => new Date(Date.now() + ahead),
        log: (record) => records.push(record),
      }),
      100,
    );
    server = createServer((req, res) => {
      res.setHeader("date", new Date(Date.now() + ahead).toUTCString());
      pipeline(req, res);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
    endpoint = `http://127.0.0.1:${port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  interface Sent {
    method?: string;
    path?: string;
    service?: string;
    headers?: Record<string, string>;
    body?: string | Buffer;
  }
  const signed = ({ method = "POST", path = "/", service = "elasticmapreduce", headers = {}, body = "" }: Sent) => ({
    host: `127.0.0.1:${port}`,
    "content-length": String(Buffer.byteLength(body)),
    ...signRequest({
      method,
      url: new URL(path, endpoint),
      headers,
      payloadHash: sha256Hex(body),
      credentials: credentials(adminKey),
      region: "us-east-1",
      service,
      now: new Date(),
    }),
  });
  async function send(sent: Sent) {
    const { host: _, "content-length": __, ...headers } = signed(sent);
    const { method = "POST", path = "/", body = "" } = sent;
    const answer = await fetch(new URL(path, endpoint), { method, headers, ...(body === "" ? {} : { body: body as string }) });
    return { status: answer.status, text: await answer.text() };
  }
  const typeOf = ({ status, text }: { status: number; text: string }) =>
    `${status} ${/"__type":"(\w+)"|<Code>(\w+)</.exec(text)?.slice(1).find(Boolean)}`;
  const list = { "x-amz-target": "ElasticMapReduce.ListClusters", "content-type": "application/x-amz-json-1.1" };

  /** As bytes, for what no client library sends. */
  const written = ({ method = "POST", path = "/", body = "", ...rest }: Sent): string => {
    const lines = Object.entries(signed({ method, path, body, ...rest })).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body.toString()}`;
  };
  /** All that the server sends until it closes, or until `enough` says so. */
  async function read(socket: Socket, enough: (text: string) => boolean = () => false): Promise<string> {
    let text = "";
    for await (const chunk of socket.setEncoding("latin1")) {
      text += chunk as string;
      if (enough(text)) break;
    }
    return text;
  }

  test("a service that is not here says so in its own protocol: what it is, what there is, and where its clients can be led", async () => {
    const json = (target: string) => ({ headers: { "x-amz-target": target, "content-type": "application/x-amz-json-1.1" }, body: "{}" });
    const query = { headers: { "content-type": form }, body: "Action=DescribeAlarms&Version=2010-08-01" };
    for (const [service, sent, name, variable] of [
      ["kms", json("TrentService.GenerateDataKey"), "AWS KMS", "KMS"],
      ["logs", json("Logs_20140328.DescribeLogGroups"), "Amazon CloudWatch Logs", "CLOUDWATCH_LOGS"],
      ["events", json("AWSEvents.PutRule"), "Amazon EventBridge", "EVENTBRIDGE"],
      ["application-autoscaling", json("AnyScaleFrontendService.PutScalingPolicy"), "Application Auto Scaling", "APPLICATION_AUTO_SCALING"],
      ["secretsmanager", json("secretsmanager.GetSecretValue"), "AWS Secrets Manager", "SECRETS_MANAGER"],
      ["athena", json("AmazonAthena.ListWorkGroups"), "Amazon Athena", "ATHENA"],
      ["dynamodb", json("DynamoDB_20120810.ListTables"), "Amazon DynamoDB", "DYNAMODB"],
      ["monitoring", query, "Amazon CloudWatch", "CLOUDWATCH"],
      ["autoscaling", query, "Amazon EC2 Auto Scaling", "AUTO_SCALING"],
    ] as const) {
      const answer = await send({ service, ...sent });
      assert.equal(typeOf(answer), "404 UnknownService");
      const message = `Howdah does not have ${name} (${service}): it serves elasticmapreduce, sts, s3. Clients of it find it elsewhere by AWS_ENDPOINT_URL_${variable}, with credentials that are good there.`;
      if (sent === query) assert.ok(answer.text.startsWith("<") && answer.text.includes(`<Message>${message}</Message>`), answer.text);
      else assert.deepEqual(JSON.parse(answer.text), { __type: "UnknownService", message });
    }
    assert.match((await send({ service: "constructor", ...json("X.Y") })).text, /the service 'constructor'/);
  });

  test("a JSON service takes a POST of JSON only", async () => {
    const sent = { headers: list, body: "{}" };
    assert.equal((await send(sent)).status, 200);
    for (const type of [
      "application/json",
      "application/x-amz-json-1.0",
      "application/x-amz-json-1.1; charset=utf-8",
      "Application/X-AMZ-JSON-1.1",
    ])
      assert.equal((await send({ ...sent, headers: { ...list, "content-type": type } })).status, 200, type);
    for (const type of ["text/plain", form, "application/x-amz-cbor-1.1", "application/jsonp"])
      assert.equal(typeOf(await send({ ...sent, headers: { ...list, "content-type": type } })), "404 UnknownOperationException", type);
    assert.equal(typeOf(await send({ method: "GET", headers: list })), "404 UnknownOperationException");
    assert.equal(typeOf(await send({ method: "PUT", headers: list, body: "{}" })), "404 UnknownOperationException");
  });

  test("text that nests too deep is refused, whatever it says", async () => {
    const run = { ...list, "x-amz-target": "ElasticMapReduce.RunJobFlow" };
    const nested = '{"Configurations":['.repeat(45_000) + "]}".repeat(45_000);
    const deep = [nested, "[".repeat(500_000), '{"a":'.repeat(100_000), `{"Name":"${"\\".repeat(11)}",${'"x":{'.repeat(60_000)}`];
    for (const body of deep) assert.equal(typeOf(await send({ headers: run, body })), "400 SerializationException");
    const quoted = JSON.stringify({ Name: `"${"[{".repeat(110)}\\`, Instances: {} });
    assert.equal((await send({ headers: run, body: quoted })).status, 200);
  });

  test("a query service takes parameters from the URL, the body, or both, gzipped too", async () => {
    const headers = { "content-type": `${form}; charset=utf-8` };
    const arn = /admin<\/Arn>/;
    assert.match((await send({ service: "sts", headers, body: whoAmI })).text, arn);
    assert.match((await send({ service: "sts", method: "GET", path: `/?${whoAmI}` })).text, arn);
    assert.match((await send({ service: "sts", headers, path: `/?${whoAmI}` })).text, arn);
    const [action, version] = whoAmI.split("&");
    assert.match(
      (await send({ service: "sts", headers: { "content-type": form.toUpperCase() }, path: `/?${action}`, body: version! })).text,
      arn,
    );
    const zipped = { ...headers, "content-encoding": "gzip" };
    assert.match((await send({ service: "sts", headers: zipped, body: gzipSync(whoAmI) })).text, arn);
    const bad = await send({ service: "sts", headers, body: "Action=GetCallerIdentity&Version=1999-01-01" });
    assert.equal(typeOf(bad), "400 InvalidAction");
    assert.equal(typeOf(await send({ service: "sts", headers, body: "x".repeat((1 << 20) + 1) })), "413 RequestEntityTooLargeException");
  });

  test("presigned requests, as those that say who a client is to others", async () => {
    const at = { protocol: "http:", hostname: "127.0.0.1", port, path: "/" };
    const presigned = async (who: AccessKey, expiresIn = 60, signingDate = new Date()) => {
      const client = new STSClient({ endpoint, region: "us-east-1", credentials: credentials(who) });
      const query = Object.fromEntries(new URLSearchParams(whoAmI));
      const headers = { host: `127.0.0.1:${port}` };
      const signer = await client.config.signer();
      const request = await (
        signer as unknown as { presign(request: object, options: object): Promise<{ query: Record<string, string> }> }
      ).presign({ ...at, method: "GET", headers, query }, { expiresIn, signingDate, signingService: "sts", signingRegion: "us-east-1" });
      return request.query;
    };
    const get = async (query: Record<string, string>) => {
      const answer = await fetch(`${endpoint}/?${new URLSearchParams(query).toString().replaceAll("+", "%20")}`);
      return { status: answer.status, text: await answer.text() };
    };
    for (const who of [adminKey, nodeKey])
      assert.match((await get(await presigned(who))).text, new RegExp(`<Arn>${who.principal.arn}</Arn>`));
    const good = await presigned(nodeKey);
    const refused = async (query: Record<string, string>) => typeOf(await get(query));
    assert.equal(await refused({ ...good, Action: "GetSessionToken" }), "403 SignatureDoesNotMatch");
    assert.equal(await refused({ ...good, "X-Amz-Security-Token": "other" }), "403 SignatureDoesNotMatch");
    assert.equal(
      await refused({ ...good, "X-Amz-Credential": good["X-Amz-Credential"]!.replace("ASIACLUSTER", "ASIANONE") }),
      "403 InvalidClientTokenId",
    );
    assert.equal(await refused({ ...good, "X-Amz-Expires": "-1" }), "400 IncompleteSignature");
    const { "X-Amz-Signature": _, ...without } = good;
    assert.equal(await refused(without), "400 IncompleteSignature");
    assert.equal(await refused(await presigned(adminKey, 60, new Date(Date.now() - 61_000))), "403 SignatureDoesNotMatch");
    assert.equal(await refused(await presigned(adminKey, 60, new Date(Date.now() + 16 * 60_000))), "403 SignatureDoesNotMatch");
  });

  test("a client whose clock is wrong learns the time and succeeds", async () => {
    for (const hours of [3, -3]) {
      ahead = hours * 3600_000;
      const emr = new EMRClient({ endpoint, region: "us-east-1", credentials: credentials(adminKey) });
      const { $metadata } = await emr.send(new ListClustersCommand({}));
      assert.equal($metadata.attempts, 2);
    }
    ahead = 0;
  });

  test("one connection carries many requests, refused ones among them, and pipelined ones in their order", async () => {
    const socket = connect(port, "127.0.0.1");
    const wrong = { headers: { ...list, "x-amz-target": "ElasticMapReduce.Nonsense" }, body: "{}" };
    const right = { headers: list, body: "{}" };
    const who = { service: "sts", headers: { "content-type": form }, body: whoAmI };
    socket.write([wrong, right, who, wrong, right].map(written).join(""));
    const text = await read(socket, (so) => so.split("HTTP/1.1").length > 5 && so.endsWith('"Clusters":[]}'));
    assert.deepEqual(
      [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      ["400", "200", "200", "400", "200"],
    );
    assert.deepEqual([...text.matchAll(/UnknownOperationException|Clusters|GetCallerIdentityResult>/g)].map(String), [
      "UnknownOperationException",
      "Clusters",
      "GetCallerIdentityResult>",
      "GetCallerIdentityResult>",
      "UnknownOperationException",
      "Clusters",
    ]);
  });

  test("a body that drips or stops is refused, its connection closed", async () => {
    for (const sentOf of [(text: string) => text.slice(0, -1), (text: string) => text.slice(0, text.indexOf("\r\n\r\n") + 4)]) {
      const socket = connect(port, "127.0.0.1");
      socket.write(sentOf(written({ headers: list, body: "{}" })));
      const text = await read(socket);
      assert.match(text, /^HTTP\/1\.1 408 .*"__type":"RequestTimeoutException"/s);
      assert.match(text, /connection: close/i);
    }
    const gone = connect(port, "127.0.0.1");
    gone.write(written({ headers: list, body: "{}" }).slice(0, -1));
    const before = records.length;
    gone.end();
    await once(gone.resume(), "close");
    assert.ok(records.slice(before).every(({ fault }) => fault === undefined));
    assert.equal((await send({ headers: list, body: "{}" })).status, 200);
  });

  test("a session's token must be there, and be its own", async () => {
    const client = (sessionToken?: string) =>
      new STSClient({
        endpoint,
        region: "us-east-1",
        maxAttempts: 1,
        credentials: { ...credentials({ ...nodeKey, sessionToken: null }), ...(sessionToken ? { sessionToken } : {}) },
      });
    const ask = new GetCallerIdentityCommand({});
    assert.equal((await client(nodeKey.sessionToken!).send(ask)).Arn, nodeKey.principal.arn);
    await assert.rejects(client().send(ask), { name: "InvalidClientTokenId" });
    await assert.rejects(client("other").send(ask), { name: "InvalidClientTokenId" });
  });
});
