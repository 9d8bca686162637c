/** A real Howdah for a test: the command itself, in a data folder of its own, with the real aws CLI and boto3 of the nodes' tools. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { DescribeClusterCommand, DescribeStepCommand, EMRClient, ListInstanceGroupsCommand } from "@aws-sdk/client-emr";
import { GetObjectCommand, NoSuchKey, S3Client } from "@aws-sdk/client-s3";
import { clientEnvironment } from "../../src/cli/env.ts";
import { startDetached } from "../../src/cli/up.ts";
import { dataFolder, ownerVariable } from "../../src/data-folder.ts";
import type { Installation } from "../../src/engines/installation.ts";
import { findByEnvironment } from "../../src/process/known.ts";
import { releaseLabels } from "../../src/releases/release.ts";
import { ensureSetup } from "../../src/setup.ts";
import { takeDown } from "../../src/take-down.ts";
import { awsCli } from "./aws-cli.ts";

export const releaseLabel = releaseLabels()[0] ?? "";

export interface HowdahOptions {
  isolation?: "view" | "plain";
  /** howdah.json's content; where it says nothing of them, JVMs are quick ones. */
  config?: object;
}

export async function startHowdah(options: HowdahOptions = {}) {
  const installation = await ensureSetup({ releaseLabel });
  const data = dataFolder(mkdtempSync(join(homedir(), ".howdah-test-")));
  writeFileSync(data.config, JSON.stringify({ jvm: "quick", ...options.config }));
  await startDetached(data, { port: 0, isolation: options.isolation });
  const clientEnv = await clientEnvironment(data);

  /** By the JavaScript SDK: what a test looks at again and again must not take a core, as the aws CLI does. */
  async function look<Client extends EMRClient | S3Client, T>(
    Client: new (options: object) => Client,
    question: (client: Client) => Promise<T>,
  ): Promise<T> {
    // Each time anew: a control plane that was started again may have another port.
    const env = await clientEnvironment(data);
    const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID ?? "", secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "" };
    const client = new Client({ endpoint: env.AWS_ENDPOINT_URL, region: env.AWS_REGION, credentials, forcePathStyle: true });
    try {
      return await question(client);
    } finally {
      client.destroy();
    }
  }

  async function object(bucket: string, key: string): Promise<Buffer | undefined> {
    try {
      return await look(S3Client, async (s3) => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return Buffer.from(await Body!.transformToByteArray());
      });
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  return {
    data,
    installation,
    clientEnv,
    aws: (...args: string[]) => aws(installation, clientEnv, args),
    /** Runs a Python program with boto3; its standard output. */
    boto3: (program: string) => run(join(installation.toolsBin, "python3"), ["-c", program], clientEnv),
    cluster: async (id: string): Promise<any> =>
      (await look(EMRClient, (emr) => emr.send(new DescribeClusterCommand({ ClusterId: id })))).Cluster,
    groups: async (id: string) =>
      (await look(EMRClient, (emr) => emr.send(new ListInstanceGroupsCommand({ ClusterId: id })))).InstanceGroups ?? [],
    step: async (id: string, stepId: string): Promise<any> =>
      (await look(EMRClient, (emr) => emr.send(new DescribeStepCommand({ ClusterId: id, StepId: stepId })))).Step,
    /** Waits for a log in S3; a step's, which has ended, for all of it: while it runs its logs are shipped, too. */
    async log(bucket: string, key: string): Promise<string> {
      const found = await until(`all of s3://${bucket}/${key}`, async () => {
        const packed = await object(bucket, key);
        if (!packed) return undefined;
        const text = gunzipSync(packed).toString("utf8");
        const [, ofStep] = /\/(steps\/s-\w+\/\w+)\.gz$/.exec(key) ?? [];
        const files = ofStep ? readdirSync(data.nodes).map((node) => join(data.node(node), "logs", ofStep)) : [];
        const file = files.find((path) => existsSync(path));
        return (file === undefined || text === readFileSync(file, "utf8")) && { text };
      });
      return found.text;
    },
    up: () => startDetached(data, { isolation: options.isolation }),
    /** Ends everything; throws where a process is left. */
    async stop(): Promise<void> {
      await takeDown(data);
      const left = findByEnvironment(ownerVariable, data.root);
      rmSync(data.root, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`processes left behind: ${left.map(({ pid }) => pid).join(", ")}`);
    },
  };
}

export type Howdah = Awaited<ReturnType<typeof startHowdah>>;

/** What a user can read of a cluster by `howdah events`; of one kind. */
export function eventMessages(howdah: Pick<Howdah, "data">, clusterId: string, kind = "warning"): string[] {
  const database = new DatabaseSync(howdah.data.database, { readOnly: true, timeout: 10_000 });
  try {
    const rows = database.prepare("SELECT message FROM events WHERE cluster_id = ? AND kind = ?").all(clusterId, kind);
    return rows.map(({ message }) => String(message));
  } finally {
    database.close();
  }
}

/** Parsed JSON of an aws CLI command; text where it is none. Throws with the CLI's own error. */
async function aws(installation: Installation, env: Record<string, string>, args: string[]): Promise<any> {
  const text = await awsCli(installation, { ...base, ...env }, [...args, "--output", "json"]);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const base = { PATH: process.env.PATH ?? "", HOME: "/nonexistent" };

async function run(command: string, args: string[], env: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { env: { ...base, ...env }, timeout: 300_000, maxBuffer: 64 << 20 });
  return stdout;
}

/** Polls until `look` gives something. The limit is generous: it is there so that a test ends at all. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>, limitMs = 480_000): Promise<T> {
  const giveUpAt = performance.now() + limitMs; // Some tests set the clock.
  for (let pause = 100; ;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > giveUpAt) throw new Error(`gave up waiting for ${what}`);
    await sleep(pause);
    pause = Math.min(pause * 1.3, 1_000);
  }
}
