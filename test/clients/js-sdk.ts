/** The JavaScript SDK, configured by the environment alone: commands, waiters, paginators, errors. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  AddJobFlowStepsCommand,
  DescribeClusterCommand,
  DescribeStepCommand,
  EMRClient,
  InvalidRequestException,
  ListReleaseLabelsCommand,
  paginateListClusters,
  paginateListInstances,
  paginateListSteps,
  RunJobFlowCommand,
  waitUntilClusterRunning,
  waitUntilClusterTerminated,
  waitUntilStepComplete,
} from "@aws-sdk/client-emr";
import { GetObjectCommand, S3Client, waitUntilObjectExists } from "@aws-sdk/client-s3";
import { releaseLabel } from "../integration/howdah.ts";
import { bucket, tooMany, type World } from "./world.ts";

export function jsSdkSuite(world: () => World): void {
  let client: EMRClient;
  const soon = () => ({ client, maxWaitTime: 400, minDelay: 1, maxDelay: 2 });
  const step = (...Args: string[]) => ({
    Name: Args.join(" "),
    ActionOnFailure: "CONTINUE" as const,
    HadoopJarStep: { Jar: "command-runner.jar", Args },
  });

  before(async () => {
    Object.assign(process.env, world().env);
    client = new EMRClient();
    const { state } = await waitUntilClusterRunning(soon(), { ClusterId: world().clusterId });
    assert.equal(state, "SUCCESS");
  });

  test("steps: waitUntilStepComplete, and its failure", async () => {
    const ClusterId = world().clusterId;
    const script = `hadoop fs -cat s3://${bucket}/words.txt | head -1 | aws s3 cp - s3://${bucket}/js/out`;
    const Steps = [step("bash", "-c", script), step("false")];
    const { StepIds = [] } = await client.send(new AddJobFlowStepsCommand({ JobFlowId: ClusterId, Steps }));
    const [good, bad] = StepIds;
    assert.equal((await waitUntilStepComplete(soon(), { ClusterId, StepId: good })).state, "SUCCESS");
    const s3 = new S3Client();
    await waitUntilObjectExists({ client: s3, maxWaitTime: 60 }, { Bucket: bucket, Key: "js/out" });
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "js/out" }));
    assert.equal(await Body?.transformToString(), "elephant tiger elephant\n");
    await assert.rejects(waitUntilStepComplete(soon(), { ClusterId, StepId: bad }), /"state":"FAILURE"/);
    const { Step } = await client.send(new DescribeStepCommand({ ClusterId, StepId: bad }));
    assert.equal(Step?.Status?.State, "FAILED");
    assert.ok(Step.Status.Timeline?.EndDateTime instanceof Date);
  });

  test("paginators over more than one page, and a cluster that fails", async () => {
    const { JobFlowId = "" } = await client.send(
      new RunJobFlowCommand({
        Name: "too large",
        ReleaseLabel: releaseLabel,
        Instances: { MasterInstanceType: "m5.xlarge", SlaveInstanceType: "m5.xlarge", InstanceCount: tooMany },
        Steps: Array.from({ length: 101 }, (_, n) => step("echo", `${n}`)),
      }),
    );
    await assert.rejects(waitUntilClusterRunning(soon(), { ClusterId: JobFlowId }), /"state":"FAILURE"/);
    await assert.rejects(waitUntilClusterTerminated(soon(), { ClusterId: JobFlowId }), /"state":"FAILURE"/);
    const sizes: number[] = [];
    for await (const { Steps = [] } of paginateListSteps({ client }, { ClusterId: JobFlowId })) sizes.push(Steps.length);
    assert.deepEqual(sizes, [50, 50, 1]);
    const ids: (string | undefined)[] = [];
    for await (const { Clusters = [] } of paginateListClusters({ client }, { ClusterStates: ["TERMINATED_WITH_ERRORS"] }))
      ids.push(...Clusters.map(({ Id }) => Id));
    assert.equal(ids[0], JobFlowId);
    const types: (string | undefined)[] = [];
    for await (const { Instances = [] } of paginateListInstances({ client }, { ClusterId: world().clusterId }))
      types.push(...Instances.map(({ InstanceType }) => InstanceType));
    assert.deepEqual(types, ["m5.xlarge"]);
  });

  describe("errors", () => {
    test("are of their class", async () => {
      await assert.rejects(client.send(new DescribeClusterCommand({ ClusterId: "j-NONE" })), (error: unknown) => {
        assert.ok(error instanceof InvalidRequestException);
        assert.match(error.message, /Cluster id 'j-NONE' is not valid/);
        assert.equal(error.ErrorCode, "NoSuchCluster");
        assert.equal(error.$metadata.httpStatusCode, 400);
        assert.ok(error.$metadata.requestId);
        return true;
      });
      const wrong = new EMRClient({ credentials: { accessKeyId: world().env.AWS_ACCESS_KEY_ID ?? "", secretAccessKey: "wrong" } });
      await assert.rejects(wrong.send(new ListReleaseLabelsCommand()), { name: "InvalidSignatureException" });
    });
  });
}
