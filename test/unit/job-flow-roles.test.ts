import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { DescribeClusterCommand, ListClustersCommand, RunJobFlowCommand, type RunJobFlowCommandInput } from "@aws-sdk/client-emr";
import * as iam from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { findCluster } from "../../src/store/clusters.ts";
import { eventsOf } from "../../src/store/events.ts";
import { instanceCredentials } from "../../src/store/instance-credentials.ts";
import { findInstance, groupsOf, insertInstance } from "../../src/store/instances.ts";
import { m5 } from "./control-plane-harness.ts";
import { type Api, credentialsOf, startApi } from "./iam-harness.ts";

const trust = (Service: string, Condition: object = {}) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole", Condition }] });
const emr = "elasticmapreduce.amazonaws.com";
const ec2 = "ec2.amazonaws.com";
const hour = 3_600_000;

describe("the roles of a cluster", () => {
  let api: Api;
  let client: iam.IAMClient;
  before(async () => {
    api = await startApi();
  });
  // A client learns from its first answer that the clock was moved: a new one begins with it.
  beforeEach(() => {
    client = api.iam();
  });
  after(() => api.close());

  const run = async (more: Partial<RunJobFlowCommandInput> = {}) =>
    (
      await api.emr().send(
        new RunJobFlowCommand({
          Name: "roles",
          ReleaseLabel: "emr-7.13.0",
          Instances: { MasterInstanceType: "m5.xlarge", InstanceCount: 1, KeepJobFlowAliveWhenNoSteps: true },
          ServiceRole: "EMR_DefaultRole",
          JobFlowRole: "EMR_EC2_DefaultRole",
          ...more,
        }),
      )
    ).JobFlowId!;
  const refused = (more: Partial<RunJobFlowCommandInput>, message: RegExp) =>
    assert.rejects(run(more), { name: "ValidationException", message });
  const role = async (RoleName: string, AssumeRolePolicyDocument: string, Path = "/") =>
    (await client.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, Path }))).Role!.Arn!;
  async function profile(InstanceProfileName: string, RoleName?: string): Promise<string> {
    const { InstanceProfile } = await client.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName }));
    if (RoleName) await client.send(new iam.AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName }));
    return InstanceProfile!.Arn!;
  }
  const shown = async (ClusterId: string) => {
    const { Cluster } = await api.emr().send(new DescribeClusterCommand({ ClusterId }));
    return [Cluster?.ServiceRole, Cluster?.Ec2InstanceAttributes?.IamInstanceProfile];
  };

  test("a service role must be there, and trust EMR", async () => {
    await refused(
      { ServiceRole: "none" },
      new RegExp(`^EMR service role arn:aws:iam::${api.account}:role/none is invalid: there is no such role`),
    );
    await role("nodes", trust(ec2));
    await refused(
      { ServiceRole: "nodes" },
      /role\/nodes is invalid: its trust policy does not let elasticmapreduce\.amazonaws\.com assume it/,
    );
    await refused({ ServiceRole: "arn:aws:iam::999999999999:role/EMR_DefaultRole" }, /is invalid/);
    const arn = await role("service", trust(emr), "/deep/er/");
    assert.deepEqual(await shown(await run({ ServiceRole: arn })), [arn, "EMR_EC2_DefaultRole"]);
    const condition = (region: string) => ({
      StringEquals: { "aws:SourceAccount": api.account },
      ArnLike: { "aws:SourceArn": `arn:aws:elasticmapreduce:${region}:${api.account}:*` },
    });
    await role("guarded", trust(emr, condition("us-east-1")));
    await run({ ServiceRole: "guarded" });
    await role("elsewhere", trust(emr, condition("eu-west-1")));
    await refused({ ServiceRole: "elsewhere" }, /does not let/);
  });

  test("an instance profile must be there with a role that trusts EC2", async () => {
    await refused({ JobFlowRole: "none" }, /^Invalid InstanceProfile: none\.$/);
    await refused({ JobFlowRole: "EMR_DefaultRole" }, /^Invalid InstanceProfile: EMR_DefaultRole\.$/);
    await profile("empty");
    await refused({ JobFlowRole: "empty" }, /^Invalid InstanceProfile: empty\.$/);
    await profile("of-service", "EMR_DefaultRole");
    await refused({ JobFlowRole: "of-service" }, /^Invalid InstanceProfile: of-service\. .*does not let ec2\.amazonaws\.com assume it/);
    await refused(
      { AutoScalingRole: "EMR_DefaultRole" },
      /^Auto Scaling role .* does not let application-autoscaling\.amazonaws\.com assume it/,
    );
    const { Clusters } = await api.emr().send(new ListClustersCommand({}));
    assert.equal(Clusters?.length, 2);
    await run({ JobFlowRole: await profile("mine", "nodes"), AutoScalingRole: "EMR_AutoScaling_DefaultRole" });
  });

  test("the default roles stand for those that are not named, and a warning says so, until they are deleted", async () => {
    const id = await run({ ServiceRole: undefined, JobFlowRole: undefined });
    assert.deepEqual(await shown(id), ["EMR_DefaultRole", "EMR_EC2_DefaultRole"]);
    const warnings = (await eventsOf(api.store.db, id)).filter(({ kind }) => kind === "warning").map(({ message }) => message);
    assert.ok(warnings.includes("ServiceRole is required by EMR; without it EMR_DefaultRole is taken"));
    const named = { InstanceProfileName: "EMR_EC2_DefaultRole" };
    await client.send(new iam.RemoveRoleFromInstanceProfileCommand({ ...named, RoleName: "EMR_EC2_DefaultRole" }));
    await client.send(new iam.DeleteInstanceProfileCommand(named));
    await refused({ JobFlowRole: undefined }, /^InstanceProfile is required for creating cluster\.$/);
    await client.send(new iam.CreateInstanceProfileCommand(named));
    await client.send(new iam.AddRoleToInstanceProfileCommand({ ...named, RoleName: "EMR_EC2_DefaultRole" }));
  });

  test("EMR's service-linked role is made with the first cluster, and stays while clusters run", async () => {
    const RoleName = "AWSServiceRoleForEMRCleanup";
    const { Role } = await client.send(new iam.GetRoleCommand({ RoleName }));
    assert.equal(Role?.Path, "/aws-service-role/elasticmapreduce.amazonaws.com/");
    const { DeletionTaskId } = await client.send(new iam.DeleteServiceLinkedRoleCommand({ RoleName }));
    const { Status, Reason } = await client.send(new iam.GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }));
    assert.equal(Status, "FAILED");
    assert.match(Reason?.RoleUsageList?.[0]?.Resources?.[0] ?? "", /:cluster\/j-/);
    await client.send(new iam.GetRoleCommand({ RoleName }));
  });

  /** A node of a new cluster, as the reconciler writes it down. */
  async function node(more: Partial<RunJobFlowCommandInput> = {}) {
    const cluster_id = await run(more);
    const [group] = await groupsOf(api.store.db, cluster_id);
    const id = api.ids.instance();
    const instance = {
      id,
      cluster_id,
      group_id: group!.id,
      cluster_instance_id: api.ids.clusterInstance(),
      ordinal: 1,
      address: "127.64.1.1",
      agent_token: "t",
      ...m5,
    };
    await api.store.transaction((tx) => insertInstance(tx, instance));
    return (await findInstance(api.store.db, id))!;
  }
  const credentials = (instance: Awaited<ReturnType<typeof node>>) => instanceCredentials(api.store, api.ids, instance);

  test("a node signs as a session of its profile's role, by credentials that are new two hours before the old ones end", async () => {
    const instance = await node({ JobFlowRole: "mine" });
    const first = (await credentials(instance))!;
    const who = await api.sts(credentialsOf(first)).send(new GetCallerIdentityCommand({}));
    assert.equal(who.Arn, `arn:aws:sts::${api.account}:assumed-role/nodes/${instance.id}`);
    assert.equal(api.keys(first.access_key_id)?.principal.clusterId, instance.cluster_id);
    assert.equal(first.expires_at! - first.created_at, 6 * hour);
    api.advance(4 * hour - 60_000);
    assert.equal((await credentials(instance))?.access_key_id, first.access_key_id);
    api.advance(120_000);
    const second = (await credentials(instance))!;
    assert.notEqual(second.access_key_id, first.access_key_id);
    for (const key of [first, second]) await api.sts(credentialsOf(key)).send(new GetCallerIdentityCommand({}));
    api.advance(2 * hour);
    await assert.rejects(api.sts(credentialsOf(first)).send(new GetCallerIdentityCommand({})), { name: "ExpiredToken" });
    await api.sts(credentialsOf(second)).send(new GetCallerIdentityCommand({}));
  });

  test("what a node may do is what its role may do, from the moment that it is allowed or no more", async () => {
    const instance = await node({ JobFlowRole: "mine" });
    const emrClient = api.emr(credentialsOf((await credentials(instance))!));
    const list = () => emrClient.send(new ListClustersCommand({}));
    await assert.rejects(list(), { name: "AccessDeniedException", message: new RegExp(`assumed-role/nodes/${instance.id}`) });
    const PolicyArn = "arn:aws:iam::aws:policy/AmazonElasticMapReduceReadOnlyAccess";
    await client.send(new iam.AttachRolePolicyCommand({ RoleName: "nodes", PolicyArn }));
    await list();
    await client.send(new iam.DetachRolePolicyCommand({ RoleName: "nodes", PolicyArn }));
    await assert.rejects(list(), { name: "AccessDeniedException" });
  });

  test("a role that is deleted or trusts EC2 no more gives no credentials; the cluster is there all the same", async () => {
    const instance = await node({ JobFlowRole: "mine" });
    const key = (await credentials(instance))!;
    await client.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName: "nodes", PolicyDocument: trust(emr) }));
    assert.equal(await credentials(instance), undefined);
    await client.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName: "nodes", PolicyDocument: trust(ec2) }));
    assert.ok(await credentials(instance));
    await client.send(new iam.RemoveRoleFromInstanceProfileCommand({ InstanceProfileName: "mine", RoleName: "nodes" }));
    await client.send(new iam.DeleteRoleCommand({ RoleName: "nodes" }));
    assert.equal(await credentials(instance), undefined);
    await assert.rejects(api.emr(credentialsOf(key)).send(new ListClustersCommand({})), { name: "AccessDeniedException" });
    assert.equal((await findCluster(api.store.db, instance.cluster_id))?.phase, "starting");
  });
});
