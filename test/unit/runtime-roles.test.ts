import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import * as emr from "@aws-sdk/client-emr";
import * as iam from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { pino } from "pino";
import type { AgentContext } from "../../src/agent/context.ts";
import { createCredentials } from "../../src/agent/credentials.ts";
import { agentPaths, credentialsUrl, nodeLayout } from "../../src/agent/layout.ts";
import { createAgentLink } from "../../src/api/agent-link.ts";
import { createSilence } from "../../src/reconcile/silence.ts";
import { hadoopSites } from "../../src/engines/hadoop/sites.ts";
import { stepOrder } from "../../src/engines/step-command.ts";
import { findInstance, groupsOf, insertInstance } from "../../src/store/instances.ts";
import { setStepStatus } from "../../src/store/steps.ts";
import { stepCredentials } from "../../src/store/instance-credentials.ts";
import { factsOf } from "./engine-facts.ts";
import { m5 } from "./control-plane-harness.ts";
import { type Api, credentialsOf, startApi } from "./iam-harness.ts";

const statement = (more: object) => JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...more }] });
const configuration = (IAMConfiguration: object) => JSON.stringify({ AuthorizationConfiguration: { IAMConfiguration } });
const step: emr.StepConfig = {
  Name: "s",
  ActionOnFailure: "CONTINUE",
  HadoopJarStep: { Jar: "command-runner.jar", Args: ["true"] },
};

describe("runtime roles", () => {
  let api: Api;
  let client: emr.EMRClient;
  before(async () => {
    api = await startApi();
    client = api.emr();
    const configure = (Name: string, SecurityConfiguration: string) =>
      client.send(new emr.CreateSecurityConfigurationCommand({ Name, SecurityConfiguration }));
    await configure("roles", configuration({ EnableApplicationScopedIAMRole: true }));
    const ApplicationScopedIAMRoleConfiguration = { PropagateSourceIdentity: true };
    await configure("sources", configuration({ EnableApplicationScopedIAMRole: true, ApplicationScopedIAMRoleConfiguration }));
  });
  // A client learns from its first answer that the clock was moved: a new one begins with it.
  beforeEach(() => {
    client = api.emr();
  });
  after(() => api.close());

  const run = async (more: Partial<emr.RunJobFlowCommandInput> = {}) => {
    const input: emr.RunJobFlowCommandInput = {
      Name: "n",
      ReleaseLabel: "emr-7.13.0",
      Instances: { MasterInstanceType: "m5.xlarge", InstanceCount: 1, KeepJobFlowAliveWhenNoSteps: true },
      ServiceRole: "EMR_DefaultRole",
      JobFlowRole: "EMR_EC2_DefaultRole",
      SecurityConfiguration: "roles",
      ...more,
    };
    return (await client.send(new emr.RunJobFlowCommand(input))).JobFlowId!;
  };
  const add = async (JobFlowId: string, ExecutionRoleArn: string) =>
    (await client.send(new emr.AddJobFlowStepsCommand({ JobFlowId, Steps: [step], ExecutionRoleArn }))).StepIds![0]!;
  const nodeRoleArn = () => `arn:aws:iam::${api.account}:role/EMR_EC2_DefaultRole`;
  async function role(RoleName: string, more: object = {}): Promise<string> {
    const AssumeRolePolicyDocument = statement({ Principal: { AWS: nodeRoleArn() }, Action: "sts:AssumeRole", ...more });
    return (await api.iam().send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))).Role!.Arn!;
  }
  async function node(cluster_id: string) {
    const [group] = await groupsOf(api.store.db, cluster_id);
    const id = api.ids.instance();
    const cluster_instance_id = api.ids.clusterInstance();
    const instance = {
      id,
      cluster_id,
      group_id: group!.id,
      cluster_instance_id,
      ordinal: 1,
      address: "127.64.1.1",
      agent_token: `token-${id}`,
      ...m5,
    };
    await api.store.transaction((tx) => insertInstance(tx, instance));
    return (await findInstance(api.store.db, id))!;
  }
  const start = (id: string) => api.store.transaction((tx) => setStepStatus(tx, id, { state: "RUNNING" }));

  test("a step has one where the cluster allows it and the role trusts the cluster's", async () => {
    const arn = await role("analyst");
    const plain = await run({ SecurityConfiguration: undefined });
    await assert.rejects(add(plain, arn), { name: "ValidationException", message: /runtime roles are not enabled on j-/ });
    const cluster = await run();
    const id = await add(cluster, arn);
    const { Step } = await client.send(new emr.DescribeStepCommand({ ClusterId: cluster, StepId: id }));
    assert.equal(Step?.ExecutionRoleArn, arn);
    const none = `arn:aws:iam::${api.account}:role/none`;
    await assert.rejects(add(cluster, none), { name: "ValidationException", message: new RegExp(`there is no role ${none}`) });
    const other = await role("other", { Principal: { Service: "ec2.amazonaws.com" } });
    await assert.rejects(add(cluster, other), {
      name: "ValidationException",
      message: /EMR_EC2_DefaultRole is not allowed sts:AssumeRole on .*role\/other/,
    });
    // One that trusts the account leaves it to the policies of the cluster's role.
    const ofAccount = await role("of-account", { Principal: { AWS: api.account } });
    await assert.rejects(add(cluster, ofAccount), /is not allowed sts:AssumeRole/);
    const PolicyDocument = statement({ Action: "sts:AssumeRole", Resource: ofAccount });
    await api.iam().send(new iam.PutRolePolicyCommand({ RoleName: "EMR_EC2_DefaultRole", PolicyName: "assume", PolicyDocument }));
    await add(cluster, ofAccount);
    const withSteps = await run({ Steps: [step], StepExecutionRoleArn: arn });
    const { Steps } = await client.send(new emr.ListStepsCommand({ ClusterId: withSteps }));
    const own = await client.send(new emr.DescribeStepCommand({ ClusterId: withSteps, StepId: Steps?.[0]?.Id }));
    assert.equal(own.Step?.ExecutionRoleArn, arn);
    await assert.rejects(
      run({ SecurityConfiguration: undefined, Steps: [step], StepExecutionRoleArn: arn }),
      /^ValidationException: StepExecutionRoleArn: /,
    );
  });

  test("its credentials are the role's while it runs, and while the role trusts the cluster's", async () => {
    const RoleName = "runner";
    const cluster = await run();
    const id = await add(cluster, await role(RoleName));
    const master = await node(cluster);
    const elsewhere = await node(await run());
    const credentials = (of = master) => stepCredentials(api.store, api.ids, of, id);
    assert.equal(await credentials(), undefined);
    await start(id);
    const key = (await credentials())!;
    const who = await api.sts(credentialsOf(key)).send(new GetCallerIdentityCommand({}));
    assert.equal(who.Arn, `arn:aws:sts::${api.account}:assumed-role/${RoleName}/${id}`);
    assert.equal((await credentials())?.access_key_id, key.access_key_id);
    api.advance(31 * 60_000);
    assert.notEqual((await credentials())?.access_key_id, key.access_key_id);
    assert.equal(await credentials(elsewhere), undefined, "a node of another cluster");
    const nobody = statement({ Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" });
    await api.iam().send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: nobody }));
    assert.equal(await credentials(), undefined);
    await api.store.transaction((tx) => setStepStatus(tx, id, { state: "COMPLETED" }));
    assert.equal(await credentials(), undefined);
  });

  test("the source identity of whoever submits it is handed on where the cluster says so, and the role lets it", async () => {
    const AssumeRolePolicyDocument = statement({ Principal: { AWS: api.account }, Action: ["sts:AssumeRole", "sts:SetSourceIdentity"] });
    const { Role } = await api.iam().send(new iam.CreateRoleCommand({ RoleName: "engineer", AssumeRolePolicyDocument }));
    const PolicyArn = "arn:aws:iam::aws:policy/AmazonElasticMapReduceFullAccess";
    await api.iam().send(new iam.AttachRolePolicyCommand({ RoleName: "engineer", PolicyArn }));
    const assumed = await api
      .sts()
      .send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "ann", SourceIdentity: "ann@example.org" }));
    const { AccessKeyId, SecretAccessKey, SessionToken } = assumed.Credentials!;
    client = api.emr({ accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! });
    const cluster = await run({ SecurityConfiguration: "sources" });
    await assert.rejects(add(cluster, await role("without")), {
      name: "ValidationException",
      message: /not allowed sts:SetSourceIdentity/,
    });
    const id = await add(cluster, await role("with", { Action: ["sts:AssumeRole", "sts:SetSourceIdentity"] }));
    await start(id);
    const key = (await stepCredentials(api.store, api.ids, await node(cluster), id))!;
    assert.equal(api.keys(key.access_key_id)?.principal.sourceIdentity, "ann@example.org");
  });

  test("GetClusterSessionCredentials: a user name and a password for the role, that end with the cluster's hour", async () => {
    const cluster = await run();
    const ExecutionRoleArn = await role("session");
    const ask = (more: object = {}) =>
      client.send(new emr.GetClusterSessionCredentialsCommand({ ClusterId: cluster, ExecutionRoleArn, ...more }));
    await assert.rejects(ask({ ExecutionRoleArn: undefined }), { name: "ValidationException" });
    await assert.rejects(ask({ ClusterId: await run({ SecurityConfiguration: undefined }) }), /runtime roles are not enabled/);
    const { Credentials, ExpiresAt } = await ask();
    assert.ok(Credentials?.UsernamePassword?.Username && Credentials.UsernamePassword.Password);
    assert.equal(Math.round((ExpiresAt!.getTime() - api.store.now()) / 60_000), 60);
  });

  describe("on a node", () => {
    const folder = mkdtempSync(join(tmpdir(), "howdah-credentials-"));
    // No other process listens there.
    const address = `127.78.${(process.pid >> 8) & 255}.${process.pid & 255 || 1}`;
    let server: Server;
    let endpoint: Server;
    let credentials: ReturnType<typeof createCredentials>;
    let layout: ReturnType<typeof nodeLayout>;
    let cluster: string;
    let stepId: string;
    let arn: string;
    before(async () => {
      client = api.emr();
      cluster = await run();
      arn = await role("on-node");
      stepId = await add(cluster, arn);
      await start(stepId);
      const instance = await node(cluster);
      layout = nodeLayout(folder);
      mkdirSync(layout.run, { recursive: true });
      const link = createAgentLink(
        { store: api.store, silence: createSilence(api.store.steady) },
        api.ids,
        {} as never,
        pino({ level: "silent" }),
      );
      server = createServer((request, response) => link.handle(request, response)).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const endpointFile = join(folder, "endpoint");
      writeFileSync(endpointFile, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const record = { address, endpointFile, instanceId: instance.id, agentToken: instance.agent_token };
      credentials = createCredentials({ layout, record, log: () => {} } as unknown as AgentContext);
      endpoint = await credentials.serve(() => ({ paths: {}, tokens: "optional" }));
    });
    after(() => {
      for (const one of [endpoint, server]) {
        one.closeAllConnections();
        one.close();
      }
      rmSync(folder, { recursive: true });
    });

    const get = async (path: string, authorization: string) => {
      const response = await fetch(credentialsUrl(address, path || undefined), { headers: { authorization } });
      return response.status === 200 ? ((await response.json()) as { AccessKeyId: string }).AccessKeyId : response.status;
    };
    const roleOf = (accessKeyId: string | number) => api.keys(String(accessKeyId))?.principal.role?.name;

    test("each asks with its own token; a step that has ended is answered no more", async () => {
      assert.equal(await get(stepId, "guessed"), 403);
      credentials.letSteps([stepId]);
      const [own, ofStep] = [layout.credentialsToken, join(layout.stepTokens, stepId)].map((file) => readFileSync(file, "utf8"));
      assert.equal(statSync(join(layout.stepTokens, stepId)).mode & 0o777, 0o600);
      assert.equal(roleOf(await get("", own!)), "EMR_EC2_DefaultRole");
      assert.equal(roleOf(await get(stepId, ofStep!)), "on-node");
      assert.equal(await get(stepId, own!), 403);
      assert.equal(await get("", ofStep!), 403);
      credentials.letSteps([stepId]);
      assert.equal(roleOf(await get(stepId, ofStep!)), "on-node");
      credentials.letSteps([]);
      assert.equal(await get(stepId, ofStep!), 403);
      const shown = await fetch(`${readFileSync(join(folder, "endpoint"), "utf8")}${agentPaths.credentials}?instance=i-1&step=${stepId}`);
      assert.equal(shown.status, 403);
    });

    test("what GetClusterSessionCredentials gave is taken, until it ends", async () => {
      const { Credentials } = await client.send(new emr.GetClusterSessionCredentialsCommand({ ClusterId: cluster, ExecutionRoleArn: arn }));
      const { Username, Password } = Credentials!.UsernamePassword!;
      const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
      assert.equal(await get("", basic(Username!, Password!)), Username);
      assert.equal(roleOf(Username!), "on-node");
      assert.equal(await get("", basic(Username!, "wrong")), 403);
      assert.equal(await get("", basic(api.admin.accessKeyId, api.admin.secretAccessKey)), 403);
      api.advance(3_600_001);
      assert.equal(await get("", basic(Username!, Password!)), 403);
    });
  });
});

test("a step's role goes into the containers of its applications", () => {
  const facts = factsOf(["MASTER"], 0);
  const order = stepOrder({ step: { id: "s-1", name: "n", jar: "command-runner.jar", args: ["x"], properties: {}, hasRole: true }, facts });
  assert.equal(order.hasRole, true);
  assert.deepEqual(order.env, {
    HOWDAH_STEP_ROLE: "s-1",
    SPARK_SUBMIT_OPTS: "-Dspark.yarn.appMasterEnv.HOWDAH_STEP_ROLE=s-1 -Dspark.executorEnv.HOWDAH_STEP_ROLE=s-1",
  });
  const { "mapred-site.xml": plain } = hadoopSites(facts);
  assert.ok(!Object.keys(plain!).some((name) => name.includes("HOWDAH")));
  const { "mapred-site.xml": site } = hadoopSites({ ...facts, cluster: { ...facts.cluster, hasRuntimeRoles: true } });
  assert.equal(site!["mapreduce.map.env.HOWDAH_STEP_ROLE"], "${env.HOWDAH_STEP_ROLE:-}");
});
