/** A Howdah for the benches, in a data folder of its own, and what they do with it: by the public API, as any client would. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import {
  AddJobFlowStepsCommand,
  DescribeClusterCommand,
  DescribeStepCommand,
  EMRClient,
  ListInstancesCommand,
  RunJobFlowCommand,
  TerminateJobFlowsCommand,
} from "@aws-sdk/client-emr";
import { nodeLayout } from "../src/agent/layout.ts";
import { clientEnvironment } from "../src/cli/env.ts";
import { startDetached } from "../src/cli/up.ts";
import { type DataFolder, dataFolder } from "../src/data-folder.ts";
import type { Installation } from "../src/engines/installation.ts";
import { enterNode } from "../src/providers/local/enter.ts";
import { takeDown } from "../src/take-down.ts";

/** How often a client looks. A waiter of an SDK waits half a minute, and 50 looks a second took a fifth of a core from what they look at. */
const lookMs = 150;

export interface Howdah {
  data: DataFolder;
  endpoint: string;
  installation: Installation;
  emr: EMRClient;
}

/** Ends it, and removes its data, whatever happens. */
export async function withHowdah<T>(installation: Installation, work: (howdah: Howdah) => Promise<T>): Promise<T> {
  const data = dataFolder(mkdtempSync(join(homedir(), ".howdah-bench-")));
  try {
    const endpoint = await startDetached(data, { port: 0 });
    const env = await clientEnvironment(data);
    const emr = new EMRClient({
      endpoint,
      region: env.AWS_REGION,
      credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? "", secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "" },
    });
    return await work({ data, endpoint, installation, emr });
  } finally {
    await takeDown(data);
    rmSync(data.root, { recursive: true, force: true });
  }
}

export const defaultApplications = ["Hadoop", "Spark"];

/** 1 master, 2 core, 1 task, as of RunJobFlow's answer. */
export async function runJobFlow({ emr, installation }: Howdah, applications = defaultApplications): Promise<string> {
  const group = (InstanceRole: "MASTER" | "CORE" | "TASK", InstanceCount: number) => ({
    InstanceRole,
    InstanceType: "m5.xlarge",
    InstanceCount,
  });
  const { JobFlowId = "" } = await emr.send(
    new RunJobFlowCommand({
      Name: "bench",
      ReleaseLabel: installation.releaseLabel,
      Applications: applications.map((Name) => ({ Name })),
      Instances: { InstanceGroups: [group("MASTER", 1), group("CORE", 2), group("TASK", 1)], KeepJobFlowAliveWhenNoSteps: true },
    }),
  );
  return JobFlowId;
}

/** Resolves when the cluster is in the state; throws where it ends before. */
export async function clusterIs({ emr }: Howdah, ClusterId: string, wanted: "WAITING" | "TERMINATED"): Promise<void> {
  for (;;) {
    const status = (await emr.send(new DescribeClusterCommand({ ClusterId }))).Cluster?.Status;
    if (status?.State === wanted) return;
    if (status?.State?.startsWith("TERMINATED")) throw new Error(`the cluster ended: ${status.StateChangeReason?.Message}`);
    await sleep(lookMs);
  }
}

export async function terminate(howdah: Howdah, clusterId: string): Promise<void> {
  await howdah.emr.send(new TerminateJobFlowsCommand({ JobFlowIds: [clusterId] }));
  await clusterIs(howdah, clusterId, "TERMINATED");
}

/** A command as a step, from the request until a client sees it COMPLETED; its standard output. Throws where it fails. */
export async function runStep({ emr, data }: Howdah, clusterId: string, Args: string[]): Promise<string> {
  const { StepIds: [StepId = ""] = [] } = await emr.send(
    new AddJobFlowStepsCommand({
      JobFlowId: clusterId,
      Steps: [{ Name: Args[0], ActionOnFailure: "CONTINUE", HadoopJarStep: { Jar: "command-runner.jar", Args } }],
    }),
  );
  for (;;) {
    const { State, FailureDetails } = (await emr.send(new DescribeStepCommand({ ClusterId: clusterId, StepId }))).Step?.Status ?? {};
    const logs = join(nodeLayout(data.node(await masterOf(emr, clusterId))).logs, "steps", StepId);
    if (State === "COMPLETED") return readFileSync(join(logs, "stdout"), "utf8");
    if (State !== "PENDING" && State !== "RUNNING") throw new Error(`${Args.join(" ")} is ${State}: ${FailureDetails?.Message}`);
    await sleep(lookMs);
  }
}

const masters = new Map<string, string>();

/** Instance id of a cluster's master node. */
export async function masterOf(emr: EMRClient, ClusterId: string): Promise<string> {
  let id = masters.get(ClusterId);
  if (id === undefined) {
    const { Instances = [] } = await emr.send(new ListInstancesCommand({ ClusterId, InstanceGroupTypes: ["MASTER"] }));
    masters.set(ClusterId, (id = Instances[0]?.Ec2InstanceId ?? ""));
  }
  return id;
}

/** The command typed on the master node, as `howdah ssh` starts it. Its standard output; throws where it fails. */
export async function runOnMaster({ emr, data }: Howdah, clusterId: string, command: string[]): Promise<string> {
  const { prefix, env } = enterNode(nodeLayout(data.node(await masterOf(emr, clusterId))));
  return await capture([...prefix, ...command], env);
}

/** Unmodified Spark on the machine itself: the same distribution and JDK, two threads, none of our settings or class archives. */
export async function runLocally({ installation, data }: Howdah, args: string[]): Promise<string> {
  const { home } = installation.spark;
  const env = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: data.root,
    JAVA_HOME: installation.javaHome,
    SPARK_HOME: home,
    PYSPARK_PYTHON: installation.python,
    SPARK_LOCAL_IP: "127.0.0.1",
    SPARK_LOCAL_DIRS: data.run,
  };
  return await capture([join(home, "bin", "spark-submit"), "--master", "local[2]", ...args], env);
}

/** Standard output of a program. Throws with the end of what it says where it fails. */
export async function capture([command = "", ...args]: string[], env: Record<string, string>): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { env, cwd: "/", timeout: 20 * 60_000, maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    throw new Error(`${command} ${args.join(" ").slice(-200)}: ${stderr.slice(-2000) || message}`, { cause: error });
  }
}
