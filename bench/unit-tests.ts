/** The server for unit tests: how soon it answers, beside moto's; how soon a cluster has run and ended; what it takes when nothing happens. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  EMRClient,
  ListClustersCommand,
  RunJobFlowCommand,
  waitUntilClusterRunning,
  waitUntilClusterTerminated,
} from "@aws-sdk/client-emr";
import { clientEnvironment } from "../src/cli/env.ts";
import { startDetached } from "../src/cli/up.ts";
import { dataFolder } from "../src/data-folder.ts";
import { runningControlPlane } from "../src/running.ts";
import { takeDown } from "../src/take-down.ts";
import { startMoto } from "./api/servers.ts";
import type { BenchAlone } from "./context.ts";
import { type Figure, median } from "./figures.ts";
import { takeTurns, timed } from "./rounds.ts";

const ticksPerSecond = 100;

export const unitTests: BenchAlone = {
  name: "unit-tests",
  about: "the server of simulated nodes: its start beside moto's, a cluster from first to last, and CPU of 20 idle clusters",
  always: true,
  async run({ rounds, smoke, say }) {
    const figures: Figure[] = [];
    const starts = await takeTurns(
      rounds,
      () =>
        withServer(async (_client, _pid, seconds) => {
          return seconds;
        }),
      async () => {
        let moto: Awaited<ReturnType<typeof startMoto>> | undefined;
        const seconds = await timed(async () => void (moto = await startMoto()));
        await moto?.stop();
        return seconds;
      },
      say,
    );
    figures.push({
      bench: "unit-tests",
      what: "start to first answer",
      unit: "s",
      ours: starts.ours,
      floor: { what: "moto's server, until its port is open", value: starts.floor },
      rounds: starts.rounds,
    });
    await withServer(async (client, pid) => {
      const lives: number[] = [];
      for (let round = 0; round < Math.max(3, rounds); round++) lives.push(await timed(() => lifeOf(client)));
      figures.push({
        bench: "unit-tests",
        what: "a cluster with 3 steps, until seen TERMINATED",
        unit: "s",
        ours: median(lives),
        rounds: lives.length,
      });
      const ids = await Promise.all(Array.from({ length: smoke ? 2 : 20 }, () => run(client, true, 0)));
      for (const ClusterId of ids) await waitUntilClusterRunning({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { ClusterId });
      const lookMs = smoke ? 1_000 : 70_000; // Agents say once a minute that they are there.
      await sleep(smoke ? 100 : 5_000);
      const before = ticksOf(pid);
      await sleep(lookMs);
      const percent = (100 * (ticksOf(pid) - before)) / ticksPerSecond / (lookMs / 1000);
      figures.push({
        bench: "unit-tests",
        what: `CPU of ${ids.length} idle clusters of 10 nodes`,
        unit: "% of a core",
        ours: percent,
        rounds: 1,
      });
    });
    return figures;
  },
};

/** A server in a folder of its own. `seconds`: until it had answered a client. */
async function withServer<T>(work: (client: EMRClient, pid: number, seconds: number) => Promise<T>): Promise<T> {
  const data = dataFolder(mkdtempSync(join(tmpdir(), "howdah-bench-")));
  let client: EMRClient | undefined;
  try {
    const seconds = await timed(async () => {
      await startDetached(data, { provider: "simulated", pace: "instant" });
      const env = await clientEnvironment(data);
      const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID!, secretAccessKey: env.AWS_SECRET_ACCESS_KEY! };
      client = new EMRClient({ endpoint: env.AWS_ENDPOINT_URL!, region: env.AWS_REGION!, credentials });
      await client.send(new ListClustersCommand({}));
    });
    return await work(client!, runningControlPlane(data)!.pid, seconds);
  } finally {
    client?.destroy();
    await takeDown(data);
    rmSync(data.root, { recursive: true, force: true });
  }
}

async function run(client: EMRClient, keepAlive: boolean, steps: number): Promise<string> {
  const { JobFlowId = "" } = await client.send(
    new RunJobFlowCommand({
      Name: "bench",
      ReleaseLabel: "emr-7.13.0",
      Instances: {
        MasterInstanceType: "m5.xlarge",
        SlaveInstanceType: "m5.xlarge",
        InstanceCount: 10,
        KeepJobFlowAliveWhenNoSteps: keepAlive,
      },
      Steps: Array.from({ length: steps }, (_, n) => ({ Name: `step ${n}`, HadoopJarStep: { Jar: "command-runner.jar", Args: ["true"] } })),
      ServiceRole: "EMR_DefaultRole",
      JobFlowRole: "EMR_EC2_DefaultRole",
    }),
  );
  return JobFlowId;
}

async function lifeOf(client: EMRClient): Promise<void> {
  const ClusterId = await run(client, false, 3);
  await waitUntilClusterTerminated({ client, maxWaitTime: 60, minDelay: 0.02, maxDelay: 0.05 }, { ClusterId });
}

function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
