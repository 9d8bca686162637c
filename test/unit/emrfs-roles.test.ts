/** Role mappings of EMRFS: which role a request takes, by the front door with a store and real clients, and by the node's credentials endpoint. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import * as emr from "@aws-sdk/client-emr";
import * as iam from "@aws-sdk/client-iam";
import * as s3 from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import fc from "fast-check";
import { pino } from "pino";
import { openBucketFacts } from "../../src/access/bucket-facts.ts";
import { firstFit, fitEverywhere, fits, type RoleMapping } from "../../src/access/emrfs-mappings.ts";
import { openEmrfsRoles } from "../../src/access/emrfs-roles.ts";
import { openPolicySource } from "../../src/access/policy-source.ts";
import type { AgentContext } from "../../src/agent/context.ts";
import { createCredentials } from "../../src/agent/credentials.ts";
import { credentialsUrl, nodeLayout } from "../../src/agent/layout.ts";
import { createAgentLink } from "../../src/api/agent-link.ts";
import { createSilence } from "../../src/reconcile/silence.ts";
import { hadoopSites } from "../../src/engines/hadoop/sites.ts";
import { planNode } from "../../src/engines/plan-node.ts";
import { createRecorder } from "../../src/s3/recorder.ts";
import { serveObjects } from "../../src/s3/objects.ts";
import { eventsOf } from "../../src/store/events.ts";
import { emrfsCredentials, instanceCredentials, stepCredentials } from "../../src/store/instance-credentials.ts";
import { findInstance, groupsOf, insertInstance, type InstanceRow } from "../../src/store/instances.ts";
import { setStepStatus } from "../../src/store/steps.ts";
import { factsOf } from "./engine-facts.ts";
import { m5 } from "./control-plane-harness.ts";
import { type Api, credentialsOf, startApi } from "./iam-harness.ts";

const mapping = (type: RoleMapping["type"], ...identifiers: string[]): RoleMapping => ({
  role: "arn:aws:iam::1:role/r",
  type,
  identifiers,
});
const nobody = { name: "nobody", groups: [] };

describe("what a mapping fits", () => {
  test("users and groups by their whole names", () => {
    assert.ok(fits(mapping("User", "ann", "bob"), { name: "bob", groups: [] }, { bucket: "b", key: "k" }));
    assert.ok(!fits(mapping("User", "bobby"), { name: "bob", groups: ["bobby"] }, { bucket: "b", key: "k" }));
    assert.ok(fits(mapping("Group", "x", "staff"), { name: "bob", groups: ["a", "staff"] }, { bucket: "b", key: "k" }));
    assert.ok(!fits(mapping("Group", "bob"), { name: "bob", groups: [] }, { bucket: "b", key: "k" }));
  });

  for (const [identifier, inside, outside] of [
    ["s3://b", ["", "x", "x/y"], []],
    ["s3://b/", ["", "x", "x/y"], []],
    ["s3://b/in/", ["in", "in/", "in/x", "in/x/y"], ["", "i", "inner", "x/in/"]],
    ["s3://b/in", ["in", "in/x", "inner"], ["", "i", "x/in"]],
  ] as const)
    test(`${identifier} by what a key begins with`, () => {
      for (const key of inside) assert.ok(fits(mapping("Prefix", identifier), nobody, { bucket: "b", key }), key);
      for (const key of outside) assert.ok(!fits(mapping("Prefix", identifier), nobody, { bucket: "b", key }), key);
      for (const key of [...inside, ...outside]) assert.ok(!fits(mapping("Prefix", identifier), nobody, { bucket: "bb", key }), key);
    });

  test("the first one in the list counts, whatever its kind; what is said of every place is true at each", () => {
    const name = fc.constantFrom("a", "b", "c");
    const kinds = fc.constantFrom("User", "Group", "Prefix");
    const any = fc
      .tuple(kinds, fc.uniqueArray(name, { minLength: 1 }))
      .map(([type, names]) => mapping(type, ...names.map((one) => (type === "Prefix" ? `s3://${one}/` : one))));
    const who = fc.record({ name, groups: fc.uniqueArray(name) });
    fc.assert(
      fc.property(fc.array(any), who, name, (mappings, user, bucket) => {
        const place = { bucket, key: "k" };
        const found = firstFit(mappings, user, place);
        const until = found ? mappings.indexOf(found) : mappings.length;
        assert.ok(mappings.slice(0, until).every((one) => !fits(one, user, place)));
        assert.ok(!found || fits(found, user, place));
        const everywhere = fitEverywhere(mappings, user);
        if (everywhere) assert.equal(found, everywhere);
      }),
    );
  });
});

const statement = (...statements: object[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements.map((one) => ({ Effect: "Allow", ...one })) });

describe("a cluster with mappings", () => {
  let api: Api;
  let door: Server;
  let behind: Server;
  let arrived: string[] = [];
  let recorded: Record<string, any>[] = [];
  const closing: (() => unknown)[] = [];
  const faults: unknown[] = [];
  const url = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  before(async () => {
    api = await startApi();
    behind = createServer((req, res) => {
      req.resume().once("end", () => {
        arrived.push(`${req.method} ${decodeURIComponent(req.url!)}`);
        if (req.method === "POST") res.end("<DeleteResult/>");
        else if (req.headers["x-amz-copy-source"]) res.end("<CopyObjectResult/>");
        else res.end(req.method === "GET" && req.url!.includes("list-type") ? "<ListBucketResult/>" : "");
      });
    });
    await once(behind.listen(0, "127.0.0.1"), "listening");
    const policies = openPolicySource(api.path);
    const [facts, emrfs] = [openBucketFacts(api.path), openEmrfsRoles(api.path, policies)];
    const options = {
      keys: api.keys,
      policies,
      emrfs,
      buckets: { ...facts, change: async () => {} },
      server: () => ({ endpoint: url(behind), accessKeyId: "a", secretAccessKey: "s", region: "us-east-1" }),
      now: () => new Date(api.store.now()),
      fault: (_: string, error: unknown) => faults.push(error),
      record: createRecorder({
        event: { write: ({ record }) => void recorded.push(JSON.parse(record)) },
        data: { writeAll: (events) => void recorded.push(...events.map(({ record }) => JSON.parse(record))) },
        rules: { wants: () => true, close() {} },
        buckets: facts,
        now: () => new Date(api.store.now()),
        region: "us-east-1",
        fault: (_, error) => faults.push(error),
      }),
    };
    door = createServer((req, res) => void serveObjects(req, res, options, undefined));
    await once(door.listen(0, "127.0.0.1"), "listening");
    closing.push(() => [policies, facts, emrfs].forEach((reader) => reader.close()));
    for (const [RoleName, folder] of [
      ["own", "open"],
      ["alice", "alice"],
      ["analysts", "analysis"],
      ["finance", "finance"],
    ] as const)
      await role(RoleName, { Action: ["s3:*"], Resource: [`arn:aws:s3:::data/${folder}`, `arn:aws:s3:::data/${folder}/*`] });
    await api.iam().send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: "own" }));
    await api.iam().send(new iam.AddRoleToInstanceProfileCommand({ InstanceProfileName: "own", RoleName: "own" }));
  });
  beforeEach(() => {
    arrived = [];
    recorded = [];
  });
  after(async () => {
    for (const server of [door, behind]) server.close().closeAllConnections();
    for (const close of closing) await close();
    await api.close();
    assert.deepEqual(faults, []);
  });

  const arn = (name: string) => `arn:aws:iam::${api.account}:role/${name}`;
  const session = (name: string, of: InstanceRow) => `arn:aws:sts::${api.account}:assumed-role/${name}/${of.id}`;
  const trustOf = (name: string) => statement({ Principal: { AWS: arn(name) }, Action: "sts:AssumeRole" });

  async function role(RoleName: string, ...may: object[]): Promise<string> {
    const ec2 = statement({ Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" });
    const AssumeRolePolicyDocument = RoleName === "own" ? ec2 : trustOf("own");
    await api.iam().send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const PolicyDocument = statement(...may);
    await api.iam().send(new iam.PutRolePolicyCommand({ RoleName, PolicyName: "may", PolicyDocument }));
    return arn(RoleName);
  }

  async function cluster(RoleMappings: [role: string, type: string, ...identifiers: string[]][], more: object = {}) {
    const Name = api.ids.cluster();
    const EmrFsConfiguration = {
      RoleMappings: RoleMappings.map(([name, IdentifierType, ...Identifiers]) => ({ Role: arn(name), IdentifierType, Identifiers })),
    };
    const SecurityConfiguration = JSON.stringify({ AuthorizationConfiguration: { EmrFsConfiguration, ...more } });
    await api.emr().send(new emr.CreateSecurityConfigurationCommand({ Name, SecurityConfiguration }));
    const { JobFlowId } = await api.emr().send(
      new emr.RunJobFlowCommand({
        Name,
        ReleaseLabel: "emr-7.13.0",
        Instances: { MasterInstanceType: "m5.xlarge", InstanceCount: 1, KeepJobFlowAliveWhenNoSteps: true },
        ServiceRole: "EMR_DefaultRole",
        JobFlowRole: "own",
        SecurityConfiguration: Name,
      }),
    );
    return JobFlowId!;
  }

  async function node(cluster_id: string): Promise<InstanceRow> {
    const [group] = await groupsOf(api.store.db, cluster_id);
    const [id, cluster_instance_id] = [api.ids.instance(), api.ids.clusterInstance()];
    const more = { ...m5, ordinal: 1, address: "127.64.1.1", agent_token: `token-${id}` };
    await api.store.transaction((tx) => insertInstance(tx, { id, cluster_id, group_id: group!.id, cluster_instance_id, ...more }));
    return (await findInstance(api.store.db, id))!;
  }

  const client = (credentials: { accessKeyId: string; secretAccessKey: string }) =>
    new s3.S3Client({ endpoint: url(door), region: "us-east-1", forcePathStyle: true, maxAttempts: 1, credentials });
  async function as(of: InstanceRow, name: string, ...groups: string[]): Promise<s3.S3Client> {
    const key = await emrfsCredentials(api.store, api.ids, of, { name, groups });
    assert.ok(key && !("problem" in key));
    return client(credentialsOf(key));
  }
  const put = (by: s3.S3Client, Key: string) => by.send(new s3.PutObjectCommand({ Bucket: "data", Key, Body: "x" }));
  const denied = (sent: Promise<unknown>, message: RegExp) => assert.rejects(sent, { name: "AccessDenied", message });
  const who = () => recorded.map(({ userIdentity, errorCode = "" }) => `${userIdentity.arn} ${errorCode}`.trim());

  const three: [string, string, string][] = [
    ["finance", "Prefix", "s3://data/finance/"],
    ["alice", "User", "alice"],
    ["analysts", "Group", "analysts"],
  ];

  test("takes the role of the first mapping that fits, and its own where none does; the trail shows whose session it was", async () => {
    const master = await node(await cluster(three));
    const alice = await as(master, "alice", "alice", "analysts");
    await put(alice, "alice/x");
    await put(alice, "finance/x");
    await denied(put(alice, "analysis/x"), /assumed-role\/alice\/i-\w+ is not authorized to perform: s3:PutObject/);
    await denied(put(alice, "open/x"), /assumed-role\/alice\//);
    const bob = await as(master, "bob", "staff", "analysts");
    await put(bob, "analysis/x");
    await put(bob, "finance/x");
    await denied(put(bob, "open/x"), /assumed-role\/analysts\//);
    const carl = await as(master, "carl", "staff");
    await put(carl, "open/x");
    await put(carl, "finance/x");
    await denied(put(carl, "alice/x"), /assumed-role\/own\//);
    const kept = arrived.filter((line) => line.startsWith("PUT")).map((line) => line.replace(/\?.*/, ""));
    assert.deepEqual(
      kept,
      ["alice/x", "finance/x", "analysis/x", "finance/x", "open/x", "finance/x"].map((key) => `PUT /data/${key}`),
    );
    const [a, f, g, o] = ["alice", "finance", "analysts", "own"].map((name) => session(name, master));
    const no = "AccessDenied";
    assert.deepEqual(who(), [a, f, `${a} ${no}`, `${a} ${no}`, g, f, `${g} ${no}`, o, f, `${o} ${no}`]);
  });

  test("the order of the list decides between user, group and prefix", async () => {
    const [byPrefix, byUser, byGroup] = three as [(typeof three)[0], (typeof three)[0], (typeof three)[0]];
    for (const [mappings, expected] of [
      [[byUser, byPrefix, byGroup], "alice"],
      [[byGroup, byUser, byPrefix], "analysts"],
      [[byPrefix, byGroup, byUser], "finance"],
    ] as const) {
      recorded = [];
      const master = await node(await cluster([...mappings]));
      await put(await as(master, "alice", "analysts"), "finance/x").catch(() => {});
      assert.deepEqual(who()[0]?.replace(/ .*/, ""), session(expected, master));
    }
  });

  test("only EMRFS's requests are mapped: not those of the node's own credentials", async () => {
    const master = await node(await cluster(three));
    const own = client(credentialsOf((await instanceCredentials(api.store, api.ids, master))!));
    await put(own, "open/x");
    await denied(put(own, "finance/x"), /assumed-role\/own\//);
    const key = await emrfsCredentials(api.store, api.ids, master, { name: "alice", groups: [] });
    assert.ok(key && !("problem" in key));
    assert.notEqual(key.access_key_id, (await instanceCredentials(api.store, api.ids, master))?.access_key_id);
    // They are the node's own, kept for each user and its groups.
    const { Arn } = await api.sts(credentialsOf(key)).send(new GetCallerIdentityCommand({}));
    assert.equal(Arn, session("own", master));
    const again = async (name: string, ...groups: string[]) => {
      const found = await emrfsCredentials(api.store, api.ids, master, { name, groups });
      return found && "access_key_id" in found ? found.access_key_id : undefined;
    };
    assert.equal(await again("alice"), key.access_key_id);
    assert.notEqual(await again("alice", "a"), key.access_key_id);
    assert.equal(await again("bob", "b", "a"), await again("bob", "a", "b", "a"));
  });

  test("a listing is of the place that it lists, a copy of the place that it makes, a multi-object delete of each object", async () => {
    const master = await node(await cluster(three.slice(0, 2)));
    const list = { Action: "s3:ListBucket", Resource: "arn:aws:s3:::data" };
    await api.iam().send(new iam.PutRolePolicyCommand({ RoleName: "finance", PolicyName: "list", PolicyDocument: statement(list) }));
    const carl = await as(master, "carl");
    await carl.send(new s3.ListObjectsV2Command({ Bucket: "data", Prefix: "finance/" }));
    await carl.send(new s3.ListObjectsV2Command({ Bucket: "data", Prefix: "finance/2026" }));
    await denied(carl.send(new s3.ListObjectsV2Command({ Bucket: "data", Prefix: "" })), /assumed-role\/own\//);
    await denied(carl.send(new s3.ListObjectsV2Command({ Bucket: "data", Prefix: "financial" })), /assumed-role\/own\//);
    await denied(carl.send(new s3.DeleteBucketCommand({ Bucket: "data" })), /assumed-role\/own\//);
    const copy = (from: string, Key: string) => carl.send(new s3.CopyObjectCommand({ Bucket: "data", CopySource: `data/${from}`, Key }));
    await copy("finance/x", "finance/y");
    await denied(copy("open/x", "finance/y"), /assumed-role\/finance\/.* s3:GetObject/);
    recorded = [];
    const Objects = ["open/x", "finance/x", "alice/x"].map((Key) => ({ Key }));
    const { Errors } = await carl.send(new s3.DeleteObjectsCommand({ Bucket: "data", Delete: { Objects } }));
    assert.deepEqual(
      Errors?.map(({ Key, Code }) => `${Key} ${Code}`),
      ["alice/x AccessDenied"],
    );
    const [own, finance] = ["own", "finance"].map((name) => session(name, master));
    assert.deepEqual(who(), [own, own, finance, `${own} AccessDenied`]);
  });

  test("a role that is gone, or does not trust the cluster's, denies: with its name and the reason, and no other role in its place", async () => {
    const RoleName = "late";
    const mappings: [string, string, string][] = [
      [RoleName, "Prefix", "s3://data/late"],
      ["alice", "User", "alice"],
    ];
    const id = await cluster(mappings);
    const warned = (await eventsOf(api.store.db, id)).filter(({ kind, message }) => kind === "warning" && message.includes("EMRFS"));
    assert.deepEqual(
      warned.map(({ message }) => message),
      [`EMRFS denies requests of Prefix s3://data/late until its role can be taken: there is no role ${arn(RoleName)}`],
    );
    const master = await node(id);
    const alice = await as(master, "alice");
    const nowhere = `EMRFS cannot take the role ${arn(RoleName)}, to which a mapping by prefix leads user alice: `;
    await denied(put(alice, "late/x"), new RegExp(`^${nowhere}there is no role ${arn(RoleName)}$`));
    await put(alice, "alice/x");
    assert.deepEqual(who(), [`${session("own", master)} AccessDenied`, session("alice", master)]);
    assert.match(recorded[0]!.errorMessage, new RegExp(nowhere));
    await role(RoleName, { Action: "s3:*", Resource: "arn:aws:s3:::data/late/*" });
    await put(alice, "late/x");
    const trust = async (PolicyDocument: string) => api.iam().send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
    await trust(trustOf("alice"));
    await denied(put(alice, "late/x"), /own is not allowed sts:AssumeRole on .*role\/late: its trust policy must let that role assume it$/);
    const Objects = [{ Key: "late/x" }, { Key: "alice/x" }];
    const { Errors } = await alice.send(new s3.DeleteObjectsCommand({ Bucket: "data", Delete: { Objects } }));
    assert.match(Errors?.[0]?.Message ?? "", /EMRFS cannot take the role/);
    assert.equal(Errors?.length, 1);
    // One that trusts the account leaves it to the policies of the cluster's role.
    await trust(statement({ Principal: { AWS: api.account }, Action: "sts:AssumeRole" }));
    await denied(put(alice, "late/x"), /is not allowed sts:AssumeRole/);
    const PolicyDocument = statement({ Action: "sts:AssumeRole", Resource: arn(RoleName) });
    await api.iam().send(new iam.PutRolePolicyCommand({ RoleName: "own", PolicyName: "assume", PolicyDocument }));
    await put(alice, "late/x");
    const Deny = statement({ Effect: "Deny", Action: "sts:AssumeRole", Resource: "*" });
    await api.iam().send(new iam.PutRolePolicyCommand({ RoleName: "own", PolicyName: "assume", PolicyDocument: Deny }));
    await denied(put(alice, "alice/x"), /is not allowed sts:AssumeRole/);
    await api.iam().send(new iam.DeleteRolePolicyCommand({ RoleName: "own", PolicyName: "assume" }));
    await put(alice, "alice/x");
  });

  test("where all that a user asks for would be denied, the node is told instead of given credentials", async () => {
    const gone = "nowhere";
    const master = await node(await cluster([[gone, "User", "alice"]]));
    const problem = `EMRFS cannot take the role ${arn(gone)}, to which a mapping by user leads user alice: there is no role ${arn(gone)}`;
    const given = (of: InstanceRow, name: string) => emrfsCredentials(api.store, api.ids, of, { name, groups: [] });
    assert.deepEqual(await given(master, "alice"), { problem });
    await as(master, "bob");
    // A mapping by prefix before it may still lead elsewhere.
    const other = await node(
      await cluster([
        ["finance", "Prefix", "s3://data/finance/"],
        [gone, "User", "alice"],
      ]),
    );
    await put(await as(other, "alice"), "finance/x");
  });

  test("a step with a runtime role has that role only", async () => {
    const id = await cluster(three, { IAMConfiguration: { EnableApplicationScopedIAMRole: true } });
    const HadoopJarStep = { Jar: "command-runner.jar", Args: ["true"] };
    const Steps: emr.StepConfig[] = [{ Name: "s", ActionOnFailure: "CONTINUE", HadoopJarStep }];
    const ExecutionRoleArn = arn("alice");
    const { StepIds } = await api.emr().send(new emr.AddJobFlowStepsCommand({ JobFlowId: id, Steps, ExecutionRoleArn }));
    const [stepId] = StepIds!;
    await api.store.transaction((tx) => setStepStatus(tx, stepId!, { state: "RUNNING" }));
    const step = client(credentialsOf((await stepCredentials(api.store, api.ids, await node(id), stepId!))!));
    await put(step, "alice/x");
    await denied(put(step, "finance/x"), /assumed-role\/alice\/s-/);
  });

  test("without mappings EMRFS has the cluster's role", async () => {
    const id = await cluster(three);
    const plain = await api.emr().send(
      new emr.RunJobFlowCommand({
        Name: "plain",
        ReleaseLabel: "emr-7.13.0",
        Instances: { MasterInstanceType: "m5.xlarge", InstanceCount: 1, KeepJobFlowAliveWhenNoSteps: true },
        ServiceRole: "EMR_DefaultRole",
        JobFlowRole: "own",
      }),
    );
    const master = await node(plain.JobFlowId!);
    await put(await as(master, "alice"), "open/x");
    await denied(put(await as(master, "alice"), "alice/x"), /assumed-role\/own\//);
    assert.deepEqual(
      await api
        .emr()
        .send(new emr.DescribeClusterCommand({ ClusterId: id }))
        .then(({ Cluster }) => Cluster?.Id),
      id,
    );
  });

  test("the node's endpoint asks for the user that it is told, with the node's token", async (t) => {
    const master = await node(
      await cluster([
        ["nowhere", "User", "alice"],
        ["analysts", "Group", "analysts"],
      ]),
    );
    const folder = mkdtempSync(join(tmpdir(), "howdah-emrfs-"));
    const link = createAgentLink(
      { store: api.store, silence: createSilence(api.store.steady) },
      api.ids,
      {} as never,
      pino({ level: "silent" }),
    );
    const server = createServer((request, response) => link.handle(request, response)).listen(0, "127.0.0.1");
    await once(server, "listening");
    writeFileSync(join(folder, "endpoint"), url(server));
    const address = `127.79.${(process.pid >> 8) & 255}.${process.pid & 255 || 1}`;
    const layout = nodeLayout(folder);
    mkdirSync(layout.run, { recursive: true });
    const record = { address, endpointFile: join(folder, "endpoint"), instanceId: master.id, agentToken: master.agent_token };
    const endpoint = await createCredentials({ layout, record, log() {} } as unknown as AgentContext).serve(() => ({
      paths: {},
      tokens: "optional",
    }));
    t.after(() => {
      for (const one of [server, endpoint]) one.close().closeAllConnections();
      rmSync(folder, { recursive: true });
    });
    const authorization = readFileSync(layout.credentialsToken, "utf8");
    const get = async (query: string, token = authorization) => {
      const response = await fetch(`${credentialsUrl(address)}${query}`, { headers: { authorization: token } });
      return { status: response.status, text: await response.text() };
    };
    const user = async (query: string) => api.keys(JSON.parse((await get(query)).text).AccessKeyId)?.principal.emrfs;
    assert.deepEqual(await user("?user=bob&group=staff&group=analysts"), { name: "bob", groups: ["analysts", "staff"] });
    assert.deepEqual(await user("?user=b%26b&group=a%20b"), { name: "b&b", groups: ["a b"] });
    assert.equal(await user(""), undefined);
    assert.equal((await get("?user=bob", "guessed")).status, 403);
    const refused = await get("?user=alice");
    assert.equal(refused.status, 403);
    assert.match(refused.text, /^no credentials: EMRFS cannot take the role .*role\/nowhere, .* user alice: there is no role /);
  });
});

test("S3A asks by Howdah's provider on nodes of a cluster with mappings, and only there", () => {
  const facts = factsOf(["MASTER"], 0);
  const provider = "fs.s3a.aws.credentials.provider";
  const mapped = { ...facts, cluster: { ...facts.cluster, hasEmrfsRoles: true } };
  assert.equal(hadoopSites(facts)["core-site.xml"]?.[provider], undefined);
  assert.equal(hadoopSites(mapped)["core-site.xml"]?.[provider], "howdah.emrfs.UserCredentialsProvider");
  const { jar } = facts.installation.emrfs;
  const namesJar = (of: typeof facts) => {
    const sites = hadoopSites(of);
    const { files, daemons } = planNode(of);
    const end = (file: string) => files.find(({ path }) => path.endsWith(file))?.content?.includes(jar);
    return [
      sites["yarn-site.xml"]!["yarn.application.classpath"]!.endsWith(`,${jar}`),
      sites["mapred-site.xml"]!["mapreduce.application.classpath"]!.endsWith(`,${jar}`),
      end("hadoop-env.sh"),
      end("spark-env.sh"),
      daemons.find(({ name }) => name === "spark-history-server")?.argv.some((word) => word.includes(jar)),
    ];
  };
  assert.deepEqual(namesJar(mapped), [true, true, true, true, true]);
  assert.deepEqual(namesJar(facts), [false, false, false, false, false]);
});
