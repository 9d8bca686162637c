/** A full store beside one with a page of everything, and many clusters of simulated nodes: by the real server process, asked with signed requests. */
import { EC2Client, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { EMRClient, RunJobFlowCommand } from "@aws-sdk/client-emr";
import { setTimeout as sleep } from "node:timers/promises";
import { openStore } from "../src/store/store.ts";
import { runningInstances } from "../src/store/instances.ts";
import { region, signed } from "./api/generator.ts";
import type { BenchAlone } from "./context.ts";
import { type Figure, median } from "./figures.ts";
import { cpuPercent, type Made, make, remove, type Running, settled, start } from "./scale/server.ts";
import { type Asked, compare, type Length } from "./scale/turns.ts";

/** A page and more of clusters, of those that live, and of those that ended well: the newest in either store, so that both show the same. */
const newest = { clusters: 150, steps: 1500, instances: 750, living: 60 };
const older = { clusters: 9_850, steps: 98_500, instances: 49_250, living: 440 };
const fleet = { clusters: 500, steps: 500, instances: 10_000, living: 500 };
/** So many times the failures that are asked for (1 % of the nodes in an hour), so that some minutes see many. */
const failureTimes = 10;
/** How long each operation is asked for. */
const callLength: Length = { seconds: 25, leastRounds: 5, perRound: 200 };
const shortly: Length = { seconds: 0, leastRounds: 1, perRound: 20 };

export const scale: BenchAlone = {
  name: "scale",
  about: "10,000 clusters in the store beside one page of them; 500 clusters of 10,000 simulated nodes, of which some fail",
  always: false,
  async run({ rounds, smoke, say }) {
    return [...(await lists(rounds, smoke, say)), ...(await nodes(smoke, say))];
  },
};

async function lists(rounds: number, smoke: boolean, say: (text: string) => void): Promise<Figure[]> {
  const made: Made[] = [];
  let running: Running[] = [];
  try {
    for (const fills of [smoke ? [newest, newest] : [older, newest], [newest]]) {
      say(
        `stores of ${fills.map(({ clusters, steps, instances }) => `${clusters} clusters, ${steps} steps, ${instances} instances`).join(" and ")}`,
      );
      made.push(await make(...fills));
    }
    const starts: number[][] = [];
    for (let round = 0; round < rounds; round++) {
      for (const one of running) await one.stop();
      running = [];
      for (const one of made) {
        running.push(await start(one));
        await settled(running.at(-1)!.pid);
      }
      starts.push(running.map(({ startSeconds }) => startSeconds));
      say(
        `start ${round + 1} of ${rounds}: ${starts
          .at(-1)!
          .map((seconds) => seconds.toFixed(2))
          .join(" s against ")} s`,
      );
    }
    const figure = (what: string, unit: Figure["unit"], ours: number, beside: number, wanted: string, value: number): Figure[] => [
      { bench: "scale", what, unit, ours, floor: { what: wanted, value }, goal: { times: 1 }, rounds },
      { bench: "scale", what: `${what}, one page`, unit, ours: beside, rounds },
    ];
    const started = [0, 1].map((which) => median(starts.map((round) => round[which]!)));
    const idle = await Promise.all(running.map(({ pid }) => cpuPercent(pid, smoke ? 1 : 30)));
    const figures = [
      ...figure("start, until it has answered", "s", started[0]!, started[1]!, "2 s", 2),
      ...figure("CPU with nothing to do", "% of a core", idle[0]!, idle[1]!, "1 %", 1),
    ];
    const calls: [string, (store: Made) => [operation: string, input: object][]][] = [
      ["DescribeCluster", ({ clusters }) => sample(clusters).map((ClusterId) => ["DescribeCluster", { ClusterId }])],
      ["ListSteps", ({ clusters }) => sample(clusters).map((ClusterId) => ["ListSteps", { ClusterId }])],
      ["ListClusters", () => [["ListClusters", {}]]],
      ["ListClusters of WAITING", () => [["ListClusters", { ClusterStates: ["WAITING"] }]]],
      ["ListClusters of TERMINATED", () => [["ListClusters", { ClusterStates: ["TERMINATED"] }]]],
      [
        "ListClusters --active",
        () => [["ListClusters", { ClusterStates: ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING", "TERMINATING"] }]],
      ],
    ];
    for (const [what, inputs] of calls) {
      const asked = (which: 0 | 1): Asked => {
        const [store, { port, pid }] = [made[which]!, running[which]!];
        return { port, pid, requests: inputs(store).map(([operation, input]) => signed(port, store.credentials, operation, input)) };
      };
      const { ours, beside, p99Ratio, cpuRatio, rounds: asking } = await compare(asked(0), asked(1), smoke ? shortly : callLength);
      const ratios = `${p99Ratio.toFixed(2)} times in p99, ${cpuRatio.toFixed(2)} in CPU`;
      say(`${what}: ${ours.p99.toFixed(2)} ms against ${beside.p99.toFixed(2)}, ${ratios}, ${asking} rounds`);
      const both = { bench: "scale", unit: "ms", goal: { times: 1.5 }, rounds: asking } as const;
      figures.push(
        { ...both, what: `${what}, p99`, ours: ours.p99, floor: { what: "one page", value: beside.p99 }, ratio: p99Ratio },
        { ...both, what: `${what}, CPU of a request`, ours: ours.cpuMs, floor: { what: "one page", value: beside.cpuMs }, ratio: cpuRatio },
      );
    }
    return figures;
  } finally {
    for (const one of running) await one.stop();
    for (const one of made) remove(one);
  }
}

/** A hundred, from the first to the last. */
const sample = (ids: readonly string[]): string[] => Array.from({ length: 100 }, (_, n) => ids[Math.floor((n * ids.length) / 100)]!);

/** The server's CPU has the simulated nodes in it, which are in its process. */
async function nodes(smoke: boolean, say: (text: string) => void): Promise<Figure[]> {
  const fill = smoke ? { clusters: 5, steps: 5, instances: 100, living: 5 } : fleet;
  say(`${fill.clusters} clusters of ${fill.instances} nodes`);
  const made = await make(fill);
  const server = await start(made);
  try {
    await settled(server.pid);
    const idle = await cpuPercent(server.pid, smoke ? 1 : 30);
    const perHour = (fill.instances / 100) * failureTimes;
    const seconds = smoke ? 2 : 120;
    const stop = failAndReplace(made, server.port, 3600 / perHour);
    const busy = await cpuPercent(server.pid, seconds);
    const failed = await stop();
    const beside = { floor: { what: "half a core", value: 50 }, goal: { times: 1 }, rounds: 1 };
    const figure = (what: string, ours: number): Figure => ({ bench: "scale", what, unit: "% of a core", ours, ...beside });
    return [
      { bench: "scale", what: `start with ${fill.instances} nodes`, unit: "s", ours: server.startSeconds, rounds: 1 },
      figure(`${fill.clusters} clusters of ${fill.instances} nodes`, idle),
      figure(
        `… of which ${failed} fail in ${seconds} s: ${((failed * 3600) / seconds / (fill.instances / 100)).toFixed(1)} times 1 % an hour`,
        busy,
      ),
    ];
  } finally {
    await server.stop();
    remove(made);
  }
}

/** A node ends, by EC2's TerminateInstances, which ends its cluster; and a cluster as large as that takes its place. Stopped, it says how many did. */
function failAndReplace({ data, credentials }: Made, port: number, everySeconds: number): () => Promise<number> {
  const client = { endpoint: `http://127.0.0.1:${port}`, region, credentials };
  const [ec2, emr] = [new EC2Client(client), new EMRClient(client)];
  const over = new AbortController();
  let failed = 0;
  const work = (async () => {
    const store = await openStore(data.database);
    const ids = await runningInstances(store.db);
    await store.close();
    // Each of another cluster: twenty nodes stand one behind the other.
    for (let n = 0; !over.signal.aborted; n++) {
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: [ids[(n * 7919) % ids.length]!] })).catch((error: Error) => {
        if (error.name !== "InvalidInstanceID.NotFound") throw error;
      });
      await emr.send(
        new RunJobFlowCommand({
          Name: "nightly",
          ReleaseLabel: "emr-7.13.0",
          Instances: {
            MasterInstanceType: "m5.xlarge",
            SlaveInstanceType: "m5.xlarge",
            InstanceCount: 20,
            KeepJobFlowAliveWhenNoSteps: true,
          },
          ServiceRole: "EMR_DefaultRole",
          JobFlowRole: "EMR_EC2_DefaultRole",
        }),
      );
      failed += 1;
      await sleep(everySeconds * 1000, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  work.catch(() => {}); // Told by whoever stops it.
  return async () => {
    over.abort();
    await work;
    ec2.destroy();
    emr.destroy();
    return failed;
  };
}
