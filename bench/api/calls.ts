/** The five operations, as both servers are asked. */
import { releaseLabels } from "../../src/releases/release.ts";
import type { Server } from "./servers.ts";
import { signed } from "./generator.ts";

export type Operation = "DescribeCluster" | "ListClusters" | "ListSteps" | "AddJobFlowSteps" | "RunJobFlow";

const group = (InstanceRole: "MASTER" | "CORE", InstanceCount: number) => ({
  Name: InstanceRole,
  InstanceRole,
  InstanceType: "m5.xlarge",
  InstanceCount,
});
const cluster = {
  Name: "bench",
  ReleaseLabel: releaseLabels()[0],
  Applications: [{ Name: "Hadoop" }, { Name: "Spark" }],
  Instances: { InstanceGroups: [group("MASTER", 1), group("CORE", 2)], KeepJobFlowAliveWhenNoSteps: true },
  JobFlowRole: "EMR_EC2_DefaultRole",
  ServiceRole: "EMR_DefaultRole",
  Tags: [{ Key: "team", Value: "data" }],
};
export const step = {
  Name: "count",
  ActionOnFailure: "CONTINUE",
  HadoopJarStep: { Jar: "command-runner.jar", Args: ["spark-submit", "s3://bucket/count.py", "--day", "2026-01-01"] },
};

/** Requests of one operation, ready to be sent, for each of these clusters where the operation is about one. */
export function requestsOf(operation: Operation, { port, credentials }: Server, clusterIds: readonly string[]): string[] {
  const inputs = {
    DescribeCluster: () => clusterIds.map((ClusterId) => ({ ClusterId })),
    ListClusters: () => [{}],
    ListSteps: () => clusterIds.map((ClusterId) => ({ ClusterId })),
    AddJobFlowSteps: () => clusterIds.map((JobFlowId) => ({ JobFlowId, Steps: [step] })),
    RunJobFlow: () => [cluster],
  }[operation]();
  return inputs.map((input) => signed(port, credentials, operation, input));
}
