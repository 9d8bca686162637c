/** Many seeds, by as many processes as there are processors. */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Size } from "./plan.ts";

export interface Failure {
  seed: number;
  invariant: string;
  message: string;
}

export interface Chunk extends Size {
  from: number;
  to: number;
  /** End with the first failure. */
  untilFailure?: boolean;
}

export interface ChunkDone {
  seeds: number;
  failures: Failure[];
}

export interface Many extends Chunk {
  /** Told as seeds are done: how many, and the failures among the last. */
  progress?: (seeds: number, failures: Failure[]) => void;
}

/** What a worker is given at a time. */
const chunkSize = 20;
const worker = join(import.meta.dirname, "worker.ts");

/** Both ends of the range included. Rejects where a worker ends by a fault of the simulation itself. */
export async function runMany({ from, to, hours, events, untilFailure = false, progress = () => {} }: Many): Promise<ChunkDone> {
  let next = from;
  const total: ChunkDone = { seeds: 0, failures: [] };
  const chunk = (): Chunk | undefined => {
    if (next > to || (untilFailure && total.failures.length > 0)) return undefined;
    const first = next;
    next += chunkSize;
    return { from: first, to: Math.min(to, next - 1), hours, events, untilFailure };
  };
  const count = Math.min(availableParallelism(), Math.ceil((to - from + 1) / chunkSize));
  await Promise.all(Array.from({ length: count }, () => work(chunk, take)));
  total.failures.sort((a, b) => a.seed - b.seed);
  return total;

  function take({ seeds, failures }: ChunkDone): void {
    total.seeds += seeds;
    total.failures.push(...failures);
    progress(total.seeds, failures);
  }
}

/** One process, chunk after chunk. */
function work(chunk: () => Chunk | undefined, take: (done: ChunkDone) => void): Promise<void> {
  const child = fork(worker, { execArgv: ["--disable-warning=ExperimentalWarning"], stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return new Promise((resolve, reject) => {
    const send = () => {
      const more = chunk();
      if (more) child.send(more);
      else child.disconnect();
    };
    child.on("message", (done: ChunkDone) => {
      take(done);
      send();
    });
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a worker of the simulation ended with ${code}`))));
    send();
  });
}
