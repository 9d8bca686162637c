/** `npm run demo`: the main job on real input, through the public APIs only, with AWS's own client. */
import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  DescribeClusterCommand,
  DescribeStepCommand,
  EMRClient,
  ListStepsCommand,
  RunJobFlowCommand,
  TerminateJobFlowsCommand,
} from "@aws-sdk/client-emr";
import type { StepConfig } from "@aws-sdk/client-emr";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { gunzipSync } from "node:zlib";
import { dataFolder } from "../data-folder.ts";
import { releaseLabels } from "../releases/release.ts";
import { runningControlPlane } from "../running.ts";
import { datasetFlights } from "../setup.ts";
import { takeDown } from "../take-down.ts";
import { clientEnvironment } from "./env.ts";
import { setUpWithProgress } from "./progress.ts";
import { startDetached } from "./up.ts";

const bucket = "howdah-demo";
const release = releaseLabels()[0] ?? "";
const phases: [string, number][] = [];

/** A folder of the demo's own beside the user's; made anew by each run, and left for a look at logs and result. */
const data = dataFolder(join(dirname(dataFolder().root), "howdah-demo"));

async function phase<T>(name: string, work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  console.log(`\n\u2500\u2500 ${name}`);
  const result = await work();
  phases.push([name, (performance.now() - from) / 1000]);
  return result;
}

async function demo(): Promise<void> {
  await phase("Set up", () => setUpWithProgress(release));
  const flights = await datasetFlights();
  await takeDown(data);
  rmSync(data.root, { recursive: true, force: true });
  const endpoint = await phase("Start Howdah", () => startDetached(data, { port: 0 }));
  console.log(`EMR, STS and S3 at ${endpoint}`);
  const clients = await connect();
  await phase("Put the flights into S3", () => putInput(clients.s3, flights));
  const clusterId = await phase("Create the cluster", () => createCluster(clients));
  await phase("Run the steps", () => followSteps(clients, clusterId));
  await phase("Read the result", () => printResult(clients.s3));
  await phase("Terminate", () => terminate(clients.emr, clusterId));
  console.log(`Logs:    s3://${bucket}/logs/${clusterId}/ (files: ${join(data.s3, bucket, "logs", clusterId)})`);
  console.log(`Result:  s3://${bucket}/result/. To look around: npx howdah up --detach --data ${data.root}`);
}

async function connect() {
  const env = await clientEnvironment(data);
  const options = {
    endpoint: env.AWS_ENDPOINT_URL,
    region: env.AWS_REGION,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? "", secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "" },
  };
  return { emr: new EMRClient(options), s3: new S3Client({ ...options, forcePathStyle: true }) };
}

type Clients = Awaited<ReturnType<typeof connect>>;

async function putInput(s3: S3Client, flights: string): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const csv = readFileSync(flights);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "input/flights.csv", Body: csv }));
  console.log(`s3://${bucket}/input/flights.csv: ${(csv.length / 1e6).toFixed(1)} MB, ${lines(csv) - 1} flights from New York in 2013`);
  for (const file of ["bootstrap.sh", "count_mapper.py", "count_reducer.py", "delays.py"])
    await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: `code/${file}`, Body: readFileSync(new URL(`../../demo/${file}`, import.meta.url)) }),
    );
}

function lines(text: Buffer): number {
  let count = 0;
  for (const byte of text) if (byte === 10) count += 1;
  return count;
}

const steps: StepConfig[] = [
  {
    Name: "Count flights (Hadoop streaming, S3 to HDFS)",
    ActionOnFailure: "TERMINATE_CLUSTER",
    HadoopJarStep: {
      Jar: "command-runner.jar",
      Args: [
        "hadoop-streaming",
        "-files",
        `s3://${bucket}/code/count_mapper.py,s3://${bucket}/code/count_reducer.py`,
        "-mapper",
        "count_mapper.py",
        "-reducer",
        "count_reducer.py",
        "-input",
        `s3://${bucket}/input/flights.csv`,
        "-output",
        "/user/hadoop/flight-counts",
      ],
    },
  },
  {
    Name: "Mean delays (PySpark, S3 and HDFS to S3)",
    ActionOnFailure: "TERMINATE_CLUSTER",
    HadoopJarStep: {
      Jar: "command-runner.jar",
      Args: [
        "spark-submit",
        "--deploy-mode",
        "cluster",
        `s3://${bucket}/code/delays.py`,
        `s3://${bucket}/input/flights.csv`,
        "hdfs:///user/hadoop/flight-counts",
        `s3://${bucket}/result`,
      ],
    },
  },
];

async function createCluster({ emr, s3 }: Clients): Promise<string> {
  const group = (InstanceRole: "MASTER" | "CORE" | "TASK", InstanceCount: number) => ({
    InstanceRole,
    InstanceType: "m5.xlarge",
    InstanceCount,
  });
  const { JobFlowId = "" } = await emr.send(
    new RunJobFlowCommand({
      Name: "flights",
      ReleaseLabel: release,
      Applications: [{ Name: "Hadoop" }, { Name: "Spark" }],
      LogUri: `s3://${bucket}/logs/`,
      Instances: { InstanceGroups: [group("MASTER", 1), group("CORE", 2), group("TASK", 1)], KeepJobFlowAliveWhenNoSteps: true },
      BootstrapActions: [{ Name: "greet", ScriptBootstrapAction: { Path: `s3://${bucket}/code/bootstrap.sh`, Args: ["elephants"] } }],
      Configurations: [{ Classification: "spark-defaults", Properties: { "spark.sql.shuffle.partitions": "8" } }],
      JobFlowRole: "EMR_EC2_DefaultRole",
      ServiceRole: "EMR_DefaultRole",
      Steps: steps,
    }),
  );
  console.log(`${JobFlowId}: 1 master, 2 core, 1 task, ${release}`);
  await followCluster({ emr, s3 }, JobFlowId, (state) => state === "RUNNING" || state === "WAITING");
  return JobFlowId;
}

/** Prints each state once. Throws where the cluster ends instead of getting there. */
async function followCluster({ emr, s3 }: Clients, ClusterId: string, isThere: (state: string) => boolean): Promise<void> {
  const from = performance.now();
  let last = "";
  for (;;) {
    const status = (await emr.send(new DescribeClusterCommand({ ClusterId }))).Cluster?.Status;
    const state = status?.State ?? "";
    if (state !== last) console.log(`${seconds(from)}  ${state.padEnd(14)} ${status?.StateChangeReason?.Message ?? ""}`);
    last = state;
    if (isThere(state)) return;
    if (state.startsWith("TERMINAT")) {
      const log = status?.ErrorDetails?.[0]?.ErrorData?.[0]?.log ?? "";
      throw new Error(`the cluster ended: ${status?.StateChangeReason?.Message}${log && `\n${await logTail(s3, log)}`}`);
    }
    await sleep(100);
  }
}

const seconds = (from: number): string => `${((performance.now() - from) / 1000).toFixed(1).padStart(6)} s`;

async function followSteps({ emr, s3 }: Clients, ClusterId: string): Promise<void> {
  const { Steps = [] } = await emr.send(new ListStepsCommand({ ClusterId }));
  for (const { Id: StepId = "", Name } of Steps.toReversed()) {
    const from = performance.now();
    for (;;) {
      const status = (await emr.send(new DescribeStepCommand({ ClusterId, StepId }))).Step?.Status;
      if (status?.State === "COMPLETED") break;
      if (status?.State !== "PENDING" && status?.State !== "RUNNING") {
        const { Reason = "", Message = "", LogFile = "" } = status?.FailureDetails ?? {};
        throw new Error(`step ${StepId} (${Name}) is ${status?.State}: ${Reason} ${Message}\n${LogFile}:\n${await logTail(s3, LogFile)}`);
      }
      await sleep(100);
    }
    console.log(`${seconds(from)}  COMPLETED  ${Name}`);
  }
}

/** The last lines of a log in S3; it may still be on its way there. */
async function logTail(s3: S3Client, uri: string): Promise<string> {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
  if (!Bucket) return "(the cluster has no LogUri)";
  for (let tries = 0; tries < 30; tries++) {
    try {
      const body = await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToByteArray();
      return gunzipSync(body ?? Buffer.alloc(0))
        .toString("utf8")
        .trimEnd()
        .split("\n")
        .slice(-25)
        .join("\n");
    } catch {
      await sleep(1000);
    }
  }
  return "(the log did not arrive in S3)";
}

async function printResult(s3: S3Client): Promise<void> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "result/" }));
  const csvKey = Contents.map(({ Key = "" }) => Key).find((key) => key.startsWith("result/csv/part-"));
  const parquet = Contents.filter(({ Key = "" }) => /^result\/parquet\/part-.*\.parquet$/.test(Key)).length;
  if (!csvKey || parquet === 0)
    throw new Error(`the result is not whole: ${Contents.map(({ Key }) => Key).join(", ") || "nothing"} below s3://${bucket}/result/`);
  const csv = await (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: csvKey }))).Body?.transformToString();
  const rows = (csv ?? "")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  const carriers = [...new Set(rows.map(([carrier]) => carrier ?? ""))];
  const cell = new Map(rows.map(([carrier, month, mean]) => [`${carrier}/${Number(month)}`, mean]));
  const months = Array.from({ length: 12 }, (_, index) => index + 1);
  console.log("Mean departure delay in minutes, by carrier and month of 2013:");
  console.log(`     ${months.map((month) => String(month).padStart(6)).join("")}`);
  for (const carrier of carriers) {
    const means = months.map((month) => {
      const mean = cell.get(`${carrier}/${month}`);
      return (mean ? Number(mean).toFixed(1) : "").padStart(6);
    });
    console.log(`  ${carrier} ${means.join("")}`);
  }
  console.log(`${rows.length} rows in s3://${bucket}/${csvKey}\nand ${parquet} Parquet files in s3://${bucket}/result/parquet/`);
}

async function terminate(emr: EMRClient, id: string): Promise<void> {
  await emr.send(new TerminateJobFlowsCommand({ JobFlowIds: [id] }));
  const from = performance.now();
  for (;;) {
    const state = (await emr.send(new DescribeClusterCommand({ ClusterId: id }))).Cluster?.Status?.State;
    if (state === "TERMINATED") break;
    if (state !== "TERMINATING") throw new Error(`the cluster is ${state}`);
    await sleep(100);
  }
  console.log(`${seconds(from)}  TERMINATED`);
}

const another = runningControlPlane(data);
if (another) {
  console.error(`A demo is running already at ${another.endpoint}. Wait for it, or end it: npx howdah down --data ${data.root}`);
  process.exit(1);
}
let failed = false;
try {
  await demo();
} catch (error) {
  failed = true;
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
}
await phase("End Howdah", async () => {
  await takeDown(data);
});
console.log("\nHow long it took:");
for (const [name, took] of phases) console.log(`  ${name.padEnd(26)} ${took.toFixed(1).padStart(6)} s`);
if (failed) console.error(`\nWhat is left to look at: ${data.root}`);
process.exitCode = failed ? 1 : 0;
