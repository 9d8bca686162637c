/**
 * Our API beside moto's server: the same calls, signed, by the same client, in turns. Ours checks signatures and policies, records each call in the audit
 * trail and has every write on the disk before it answers; moto's does none of that and keeps everything in memory.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Operation, requestsOf } from "./api/calls.ts";
import { type Generator, type Job, type Load, startGenerator } from "./api/generator.ts";
import { type Server, startMoto, startNothing, startOurs } from "./api/servers.ts";
import type { BenchAlone } from "./context.ts";
import { type Figure, median } from "./figures.ts";
import { takeTurns } from "./rounds.ts";

/** Times moto's requests a second. */
const goals: Record<Operation, number> = { DescribeCluster: 10, ListClusters: 10, ListSteps: 10, AddJobFlowSteps: 3, RunJobFlow: 3 };
/** There are as many clusters, each with as many steps: more than a page of both lists. */
const clusters = 60;
const stepsOfEach = 60;
/** Of what makes nothing, how long a round is; of what does, how much it makes, so that both servers go on holding the same. */
const reading = { warmUp: 1, round: 3 };
const making = { AddJobFlowSteps: { warmUp: 100, round: 1000 }, RunJobFlow: { warmUp: 30, round: 150 } };

export const api: BenchAlone = {
  name: "api",
  about: "requests a second and their times, beside moto's server: five operations, 1 and 16 at once",
  always: true,
  async run({ rounds, smoke, say }) {
    const folder = mkdtempSync(join(homedir(), ".howdah-bench-api-"));
    const generator = startGenerator();
    const started: Server[] = [];
    try {
      const [ours, moto] = [await startOurs(folder), await startMoto()];
      started.push(ours, moto);
      const [ourIds, motoIds] = [await fill(generator, ours, smoke), await fill(generator, moto, smoke)];
      const figures: Figure[] = [];
      for (const [operation, times] of Object.entries(goals) as [Operation, number][])
        for (const connections of [1, 16]) {
          const job = { operation, connections, smoke, generator };
          const loads: { ours: Load[]; moto: Load[] } = { ours: [], moto: [] };
          const ourTurn = () => turn(job, ours, ourIds, loads.ours);
          const motosTurn = () => turn(job, moto, motoIds, loads.moto);
          say(`${operation}, ${connections} at once`);
          const measured = await takeTurns(rounds, ourTurn, motosTurn, say);
          figures.push({
            bench: "api",
            what: `${operation}, ${connections} at once`,
            unit: "/s",
            ours: measured.ours,
            times: timesOf(loads.ours),
            floor: { what: `moto ${moto.version}`, value: measured.floor, times: timesOf(loads.moto) },
            goal: { atLeast: times },
            rounds,
          });
        }
      return [...figures, await ceiling(generator, started, smoke)];
    } finally {
      generator.stop();
      for (const server of started) await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Medians of the rounds, in milliseconds. */
const timesOf = (loads: Load[]) => ({ p50: median(loads.map(({ p50 }) => p50)), p99: median(loads.map(({ p99 }) => p99)) });

/** The ids of its clusters. */
async function fill(generator: Generator, server: Server, smoke: boolean): Promise<string[]> {
  const [count, steps] = smoke ? [3, 2] : [clusters, stepsOfEach];
  const drive = (requests: string[], number: number) =>
    generator.drive({ port: server.port, requests, connections: 1, end: { count: number, keep: true } });
  const { answers } = await drive(requestsOf("RunJobFlow", server, []), count);
  const ids = answers.map((text) => (JSON.parse(text) as { JobFlowId: string }).JobFlowId);
  await drive(requestsOf("AddJobFlowSteps", server, ids), count * steps);
  return ids;
}

interface Measuring {
  operation: Operation;
  connections: number;
  smoke: boolean;
  generator: Generator;
}

/** Warmed up, then measured, once the machine is idle again. Requests a second. */
async function turn(
  { operation, connections, smoke, generator }: Measuring,
  server: Server,
  ids: string[],
  loads: Load[],
): Promise<number> {
  const job = { port: server.port, requests: requestsOf(operation, server, ids), connections };
  const end = (part: "warmUp" | "round"): Job["end"] => {
    if (operation === "AddJobFlowSteps" || operation === "RunJobFlow") return { count: smoke ? connections : making[operation][part] };
    return { seconds: smoke ? 0.1 : reading[part] };
  };
  await generator.drive({ ...job, end: end("warmUp") });
  await idle(server);
  const load = await generator.drive({ ...job, end: end("round") });
  loads.push(load);
  // What is left to do (ours begins clusters and their steps now) is not the other one's burden.
  await idle(server);
  return load.perSecond;
}

/** Resolves when the server takes less than a tenth of a core. */
async function idle({ pid }: Server): Promise<void> {
  const ticks = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return Number(fields[11]) + Number(fields[12]);
  };
  for (let before = ticks(); ;) {
    await sleep(200);
    const now = ticks();
    if (now - before <= 2) return;
    before = now;
  }
}

/** What the generator does with a server that does nothing. */
async function ceiling(generator: Generator, started: Server[], smoke: boolean): Promise<Figure> {
  const nothing = await startNothing();
  started.push(nothing);
  const job = { port: nothing.port, requests: requestsOf("DescribeCluster", nothing, ["j-0"]), connections: 16 };
  await generator.drive({ ...job, end: { seconds: smoke ? 0.1 : reading.warmUp } });
  const load = await generator.drive({ ...job, end: { seconds: smoke ? 0.1 : reading.round } });
  return { bench: "api", what: "the client's own limit, 16 at once", unit: "/s", ours: load.perSecond, times: timesOf([load]), rounds: 1 };
}
