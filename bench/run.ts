/**
 * `npm run bench`: our figure, the floor, and their ratio, in one run and taking turns, for the machine's speed drifts.
 * Created to WAITING (1 master, 2 core, 1 task, by the public API) against the bare start of the same seven JVMs: the same command
 * lines, configuration, archives and addresses, started by nothing but spawn, until the same probes hold.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DescribeClusterCommand, EMRClient, RunJobFlowCommand, TerminateJobFlowsCommand } from "@aws-sdk/client-emr";
import { clientEnvironment } from "../src/cli/env.ts";
import { setUpWithProgress } from "../src/cli/progress.ts";
import { startDetached } from "../src/cli/up.ts";
import { dataFolder } from "../src/data-folder.ts";
import { releaseLabels } from "../src/releases/release.ts";
import { takeDown } from "../src/take-down.ts";
import { startBare } from "./bare.ts";

const release = releaseLabels()[0] ?? "";
const rounds = Number(process.argv[2] ?? 3);
const installation = await setUpWithProgress(release);
const data = dataFolder(mkdtempSync(join(homedir(), ".howdah-bench-")));

/** Seconds from the answer-less moment of the request to WAITING. */
async function createdToWaiting(emr: EMRClient): Promise<number> {
  const group = (InstanceRole: "MASTER" | "CORE" | "TASK", InstanceCount: number) => ({
    InstanceRole,
    InstanceType: "m5.xlarge",
    InstanceCount,
  });
  const from = performance.now();
  const { JobFlowId: ClusterId = "" } = await emr.send(
    new RunJobFlowCommand({
      Name: "bench",
      ReleaseLabel: release,
      Applications: [{ Name: "Hadoop" }, { Name: "Spark" }],
      Instances: { InstanceGroups: [group("MASTER", 1), group("CORE", 2), group("TASK", 1)], KeepJobFlowAliveWhenNoSteps: true },
    }),
  );
  const stateIs = async (wanted: string) => {
    for (;;) {
      const status = (await emr.send(new DescribeClusterCommand({ ClusterId }))).Cluster?.Status;
      if (status?.State === wanted) return;
      if (status?.State?.startsWith("TERMINATED")) throw new Error(`the cluster ended: ${status.StateChangeReason?.Message}`);
      await sleep(50);
    }
  };
  await stateIs("WAITING");
  const took = (performance.now() - from) / 1000;
  await emr.send(new TerminateJobFlowsCommand({ JobFlowIds: [ClusterId] }));
  await stateIs("TERMINATED");
  return took;
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const ours: number[] = [];
const bare: number[] = [];
try {
  const endpoint = await startDetached(data, { port: 0 });
  const env = await clientEnvironment(data);
  const emr = new EMRClient({
    endpoint,
    region: env.AWS_REGION,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? "", secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "" },
  });
  for (let round = 1; round <= rounds; round++) {
    ours.push(await createdToWaiting(emr));
    bare.push(await startBare({ installation, endpoint, folder: join(data.root, `bare-${round}`) }));
    console.log(
      `round ${round}: created to WAITING ${ours.at(-1)?.toFixed(2)} s, bare start of the same JVMs ${bare.at(-1)?.toFixed(2)} s`,
    );
  }
} finally {
  await takeDown(data);
  rmSync(data.root, { recursive: true, force: true });
}
console.log(
  `median: ${median(ours).toFixed(2)} s against ${median(bare).toFixed(2)} s: ${(median(ours) / median(bare)).toFixed(2)} times (goal: under 1.5)`,
);
