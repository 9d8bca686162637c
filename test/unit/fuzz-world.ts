/** The API as a fuzzer sees it, and what must hold of each answer. */
import assert from "node:assert/strict";
import { Agent, request as httpRequest } from "node:http";
import { DatabaseSync } from "node:sqlite";
import type { AccessKey } from "../../src/access/keys.ts";
import type { RequestRecord } from "../../src/api/pipeline.ts";
import type { Operation, Service } from "../../src/aws/operations.ts";
import { sha256Hex, signRequest } from "../../src/aws/sigv4.ts";
import { auditEvent } from "../../src/observe/record.ts";
import { sentinel } from "./fuzz-input.ts";
import { type Api, startApi } from "./iam-harness.ts";
import { written } from "./wire-input.ts";

/** Far more than any request takes: one that has no answer by then has none. */
const hangMs = 20_000;

/** An error of a program's own: a stack, a path of the source, the database's words. */
const inside =
  /\n\s+at \S|node:internal|file:\/\/|\.ts\b|\bsrc\/|SQLITE|SQLite|no such (column|table)|constraint failed|\bundefined\b|\[object /;

export async function fuzzWorld() {
  const records: RequestRecord[] = [];
  const trail: string[] = [];
  const key: AccessKey = {
    accessKeyId: "AKIAFUZZER",
    secretAccessKey: "fuzzers-own-key",
    sessionToken: null,
    expiresAt: null,
    principal: rootOf(""),
  };
  const api = await startApi({
    key,
    log: (record) => void records.push(record),
    audit: (call) => void trail.push(auditEvent(call).record),
  });
  Object.assign(key.principal, rootOf(api.account));
  // Another connection: it sees what has been committed, and whether anything has.
  const database = new DatabaseSync(api.path, { readOnly: true });
  const version = () => database.prepare("PRAGMA data_version").get()!["data_version"];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const refusals: string[] = [];

  async function send(service: Service, operation: Operation, input: unknown): Promise<{ status: number; type: string; text: string }> {
    const url = new URL(api.endpoint);
    const { body, headers } = written(service, operation, input);
    const signed = signRequest({
      method: "POST",
      url,
      headers,
      payloadHash: sha256Hex(body),
      credentials: { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey },
      region: "us-east-1",
      service: service.signingName,
      now: new Date(),
    });
    return new Promise((resolve, reject) => {
      const req = httpRequest(url, { method: "POST", headers: signed, agent, timeout: hangMs }, (res) => {
        let text = "";
        res.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        res.on("end", () => resolve({ status: res.statusCode!, type: String(res.headers["content-type"]), text }));
      });
      req.on("timeout", () => req.destroy(new Error("no answer")));
      req.on("error", reject).end(body);
    });
  }

  /** Tables as texts, without what a fuzzer's calls may always change. */
  const contents = (): string => {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    return JSON.stringify(tables.map(({ name }) => [name, database.prepare(`SELECT * FROM "${String(name)}"`).all()]));
  };

  /** Sends it, and holds what comes to all that must be so. Whether it was carried out. */
  async function check(service: Service, operation: Operation, input: unknown): Promise<boolean> {
    const before = version();
    records.length = trail.length = 0;
    const { status, type, text } = await send(service, operation, input);
    const answer = `${status} ${text.slice(0, 600)}`;
    for (const { fault } of records) assert.equal(fault, undefined, `a fault: ${fault instanceof Error ? fault.stack : String(fault)}`);
    assert.ok(status < 500, answer);
    const told = `${JSON.stringify(records)}\n${trail.join("\n")}`;
    assert.ok(!text.includes(sentinel), `a secret is in the answer: ${answer}`);
    assert.ok(!told.includes(sentinel), `a secret is in the log or the trail: ${told.slice(0, 600)}`);
    if (status < 300) {
      readable(service, text, answer);
      return true;
    }

    assert.doesNotMatch(withoutInput(text, input), inside, answer);
    wellFormed(service, type, text, answer);
    refusals.push(text.slice(0, 5000), told.slice(0, 5000));
    if (version() !== before) {
      const was = contents();
      await send(service, operation, input);
      assert.equal(contents(), was, `something was written, and the answer was an error: ${answer}`);
    }
    return false;
  }

  return {
    api,
    send,
    check,
    rows: (sql: string) => database.prepare(sql).all() as Record<string, string>[],
    /** What the store holds as secret must not have been in an error, a log or the trail since the last look. */
    checkSecrets() {
      const all = refusals.splice(0).join("\n");
      const columns = [
        ["access_keys", "secret_access_key"],
        ["access_keys", "session_token"],
        ["instances", "agent_token"],
      ];
      for (const [table, column] of columns)
        for (const row of database.prepare(`SELECT ${column} AS secret FROM ${table} WHERE ${column} IS NOT NULL`).all())
          assert.ok(!all.includes(String(row["secret"])), `a secret of ${table} is in an error, a log or the trail`);
    },
    async close() {
      agent.destroy();
      database.close();
      await api.close();
    },
  };
}

export type FuzzWorld = Awaited<ReturnType<typeof fuzzWorld>>;

/** An error names what was sent: that is no leak. */
function withoutInput(text: string, input: unknown): string {
  const sent = new Set<string>();
  const collect = (value: unknown, depth: number): void => {
    if (typeof value === "string" && value.length > 3) sent.add(value.slice(0, 1000));
    else if (typeof value === "object" && value !== null && depth < 50)
      for (const [name, inner] of Object.entries(value)) {
        if (name.length > 3) sent.add(name);
        collect(inner, depth + 1);
      }
  };
  collect(input, 0);
  let left = text;
  for (const one of sent) left = left.replaceAll(one, "").replaceAll(JSON.stringify(one).slice(1, -1), "");
  return left;
}

/** What a client's parser makes of an answer that is no error. */
function readable(service: Service, text: string, answer: string): void {
  if (service.protocol !== "awsJson1_1") assertXml(text, answer);
  else if (text !== "") JSON.parse(text);
}

function wellFormed(service: Service, type: string, text: string, answer: string): void {
  if (service.protocol === "awsJson1_1") {
    assert.equal(type, "application/x-amz-json-1.1", answer);
    const { __type: code, ...rest } = JSON.parse(text) as Record<string, unknown>;
    assert.match(String(code), /^\w+$/, answer);
    assert.ok(String(rest["Message"] ?? rest["message"] ?? "").length > 0, answer);
    return;
  }
  assert.match(type, /^text\/xml/, answer);
  assert.match(text, /<Code>[\w.]+<\/Code>\s*<Message>[^<]+<\/Message>/, answer);
  assertXml(text, answer);
}

/** Tags that fit one another, and nothing in the text between them that must be escaped. */
function assertXml(text: string, answer: string): void {
  const open: string[] = [];
  const body = text.replace(/^<\?xml[^>]*\?>/, "");
  for (const [, end, name, empty] of body.matchAll(/<(\/?)([\w:]+)[^<>]*?(\/?)>/g)) {
    if (end) assert.equal(open.pop(), name, answer);
    else if (!empty) open.push(name!);
  }
  assert.deepEqual(open, [], answer);
  const texts = body.replaceAll(/<[^<>]*>/g, "");
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(texts, /[<\u0000-\u0008\u000b\u000c\u000e-\u001f]/, answer);
  assert.doesNotMatch(texts, /&(?!(amp|lt|gt|quot|apos|#\w+);)/, answer);
}

async function call({ api }: FuzzWorld, service: string, operation: string, input: object): Promise<void> {
  const { handlers } = await api.services[service]!();
  await handlers[operation]!(input as never, {
    requestId: "r",
    region: "us-east-1",
    accountId: api.account,
    principal: { ...rootOf(api.account) },
    accessKeyId: "AKIA",
    sourceIp: "127.0.0.1",
    secure: false,
    userAgent: "",
    now: new Date(),
    unknownMembers: [],
  });
}

const rootOf = (accountId: string) => ({
  type: "Root" as const,
  arn: `arn:aws:iam::${accountId}:root`,
  accountId,
  id: accountId,
  tags: {},
  sessionPolicies: [],
  clusterId: null,
});

/** Resources of each service, so that requests that name one get further. */
export async function populate(world: FuzzWorld): Promise<void> {
  await call(world, "elasticmapreduce", "CreateSecurityConfiguration", { Name: "name", SecurityConfiguration: "{}" });
  await call(world, "iam", "CreateUser", { UserName: "name" });
  await call(world, "iam", "CreateGroup", { GroupName: "name" });
  const PolicyDocument = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}';
  await call(world, "iam", "CreatePolicy", { PolicyName: "name", PolicyDocument });
  await call(world, "ec2", "DescribeVpcs", {});
  await call(world, "glue", "CreateDatabase", { DatabaseInput: { Name: "d" } });
  const TableInput = { Name: "p", PartitionKeys: [{ Name: "k", Type: "int" }] };
  await call(world, "glue", "CreateTable", { DatabaseName: "d", TableInput });
  await call(world, "glue", "CreatePartition", { DatabaseName: "d", TableName: "p", PartitionInput: { Values: ["7"] } });
}

const living = "phase <> 'ended' AND terminate_requested_at IS NULL";

/** Two that live, and one of fleets, whatever has been asked for. */
export async function keepClusters(world: FuzzWorld): Promise<void> {
  const step = { Name: "s", ActionOnFailure: "CONTINUE", HadoopJarStep: { Jar: "command-runner.jar", Args: ["true"] } };
  const Instances = {
    MasterInstanceType: "m5.xlarge",
    SlaveInstanceType: "m5.xlarge",
    InstanceCount: 2,
    KeepJobFlowAliveWhenNoSteps: true,
  };
  const input = { Name: "one", ReleaseLabel: "emr-7.13.0", Instances, Steps: [step, step], AutoScalingRole: "EMR_AutoScaling_DefaultRole" };
  const count = (what: string) => world.rows(`SELECT id FROM clusters WHERE ${living} AND ${what}`).length;
  for (let groups = count("spec ->> 'hasFleets' IS NULL"); groups < 2; groups++) await call(world, "elasticmapreduce", "RunJobFlow", input);
  if (count("spec ->> 'hasFleets'") > 0) return;
  const InstanceTypeConfigs = [{ InstanceType: "m5.xlarge" }];
  const InstanceFleets = ["MASTER", "CORE"].map((InstanceFleetType) => ({
    InstanceFleetType,
    TargetOnDemandCapacity: 1,
    InstanceTypeConfigs,
  }));
  await call(world, "elasticmapreduce", "RunJobFlow", { ...input, Instances: { InstanceFleets, KeepJobFlowAliveWhenNoSteps: true } });
}

export type Known = (member: string) => readonly string[];

/** Names of what is there now, by the member that may hold them. */
export async function knownTo(world: FuzzWorld, service: string): Promise<Known> {
  const column = (sql: string) => world.rows(sql).map((row) => row["v"]!);
  const kinds: Record<string, string[]> = {};
  const add = (names: string[], values: string[]) => {
    for (const name of names) kinds[name] = [...(kinds[name] ?? []), ...values];
  };
  if (service === "elasticmapreduce") {
    const clusters = column(`SELECT id AS v FROM clusters ORDER BY (${living}) DESC, created_at LIMIT 10`);
    add(["ClusterId", "JobFlowId", "JobFlowIds", "ResourceId"], clusters);
    const [first] = clusters;
    add(["StepId", "StepIds"], column(`SELECT id AS v FROM steps ORDER BY (cluster_id = '${first}') DESC LIMIT 10`));
    add(["InstanceFleetId"], column("SELECT id AS v FROM instance_groups WHERE fleet IS NOT NULL AND role = 'CORE' LIMIT 10"));
    add(["FleetClusterId"], column("SELECT cluster_id AS v FROM instance_groups WHERE fleet IS NOT NULL LIMIT 10"));
    add(["InstanceGroupId"], column(`SELECT id AS v FROM instance_groups ORDER BY (cluster_id = '${first}') DESC LIMIT 10`));
    add(["ReleaseLabel"], ["emr-7.13.0"]);
    add(["InstanceType", "MasterInstanceType", "SlaveInstanceType"], ["m5.xlarge"]);
    add(["SecurityConfiguration"], ["name", "{}"]);
    add(["Jar"], ["command-runner.jar"]);
  }
  if (service === "iam" || service === "sts") {
    for (const [member, kind] of [
      ["RoleName", "role"],
      ["UserName", "user"],
      ["GroupName", "group"],
      ["InstanceProfileName", "instance-profile"],
      ["PolicyName", "policy"],
    ] as const)
      add([member], column(`SELECT name AS v FROM iam_entities WHERE kind = '${kind}' LIMIT 20`));
    add(
      ["RoleArn"],
      column(`SELECT 'arn:aws:iam::' || account_id || ':role/' || name AS v FROM iam_entities WHERE kind = 'role' LIMIT 20`),
    );
    add(
      ["OwnPolicyArn", "PolicyArn"],
      column("SELECT 'arn:aws:iam::' || account_id || ':policy' || path || name AS v FROM iam_entities WHERE kind = 'policy' LIMIT 10"),
    );
    add(["PolicyArn", "PolicySourceArn"], ["arn:aws:iam::aws:policy/AdministratorAccess"]);
    add(["AccessKeyId"], column("SELECT access_key_id AS v FROM access_keys LIMIT 20"));
    const policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}';
    add(["PolicyDocument", "Policy"], [policy]);
    add(
      ["AssumeRolePolicyDocument"],
      ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'],
    );
  }
  if (service === "glue") {
    add(["DatabaseName"], ["d"]);
    add(["TableName"], ["p"]);
    add(["PartitionValues", "PartitionValueList", "Values"], ["7"]);
  }
  if (service === "ec2")
    for (const [member, kind] of [
      ["VpcId", "vpc"],
      ["SubnetId", "subnet"],
      ["RouteTableId", "route-table"],
      ["InternetGatewayId", "internet-gateway"],
      ["GatewayId", "internet-gateway"],
      ["NetworkAclId", "network-acl"],
      ["GroupId", "security-group"],
      ["KeyPairId", "key-pair"],
      ["Resource", "vpc"],
    ] as const)
      add([member, `${member}s`], column(`SELECT id AS v FROM ec2_resources WHERE kind = '${kind}' LIMIT 20`));
  return (member) => (Object.hasOwn(kinds, member) ? kinds[member]! : []);
}

export type { Api };
