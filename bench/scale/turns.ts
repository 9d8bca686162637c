/** Two servers that are asked in turns, a request at a time: whatever else the machine does hits both alike. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { wholeAnswer } from "../api/whole-answer.ts";
import { median } from "../figures.ts";
import { cpuSeconds } from "./server.ts";

export interface Asked {
  port: number;
  pid: number;
  /** Signed ones, round and round. */
  requests: readonly string[];
}

/** Of one server. */
export interface Side {
  /** Median of the rounds, in milliseconds. */
  p99: number;
  /** CPU of all its threads for one request, in milliseconds. */
  cpuMs: number;
}

export interface Compared {
  ours: Side;
  beside: Side;
  /** Medians of what the rounds gave, ours to the other. */
  p99Ratio: number;
  cpuRatio: number;
  rounds: number;
}

export interface Length {
  /** As many rounds as go into it, but no fewer than that. */
  seconds: number;
  leastRounds: number;
  /** Requests to each, in a round. */
  perRound: number;
}

/** In every other round the second is asked first. */
export async function compare(ours: Asked, beside: Asked, { seconds, leastRounds, perRound }: Length): Promise<Compared> {
  const sides = [ours, beside].map((asked) => ({
    ...asked,
    requests: asked.requests.map((text) => Buffer.from(text)),
    client: createClient(asked.port),
  }));
  const rounds: Side[][] = [];
  const end = performance.now() + 1000 * seconds;
  try {
    for (let round = 0; round <= leastRounds || performance.now() < end; round++) {
      const times: number[][] = [[], []];
      const before = sides.map(({ pid }) => cpuSeconds(pid));
      for (let n = 0; n < perRound; n++)
        for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
          const { client, requests } = sides[which]!;
          times[which]!.push(await client.ask(requests[n % requests.length]!));
        }
      const cpu = sides.map(({ pid }, which) => (1000 * (cpuSeconds(pid) - before[which]!)) / perRound);
      // The first one warms both up.
      if (round > 0) rounds.push(times.map((of, which) => ({ p99: p99(of), cpuMs: cpu[which]! })));
    }
  } finally {
    for (const { client } of sides) client.end();
  }
  const of = (value: (round: Side[]) => number) => median(rounds.map(value));
  const mean = (which: number) => rounds.reduce((sum, round) => sum + round[which]!.cpuMs, 0) / rounds.length;
  const side = (which: number): Side => ({ p99: of((round) => round[which]!.p99), cpuMs: mean(which) });
  return {
    ours: side(0),
    beside: side(1),
    p99Ratio: of(([a, b]) => a!.p99 / b!.p99),
    // The kernel counts CPU in hundredths of a second: of one round they are too coarse.
    cpuRatio: mean(0) / mean(1),
    rounds: rounds.length,
  };
}

const p99 = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(0.99 * times.length)]!;

/** One connection, for as long as the server keeps it open. */
function createClient(port: number) {
  let socket: Socket | undefined;
  return {
    /** Milliseconds until the answer is there to its end. */
    async ask(request: Buffer): Promise<number> {
      const from = performance.now();
      const current = (socket ??= connect({ port, host: "127.0.0.1", noDelay: true }));
      current.write(request);
      let received: Buffer = Buffer.alloc(0);
      for (;;) {
        const [piece] = (await once(current, "data", { signal: AbortSignal.timeout(60_000) })) as [Buffer];
        received = received.length === 0 ? piece : Buffer.concat([received, piece]);
        const answer = wholeAnswer(received);
        if (!answer) continue;
        if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body.toString("utf8").slice(0, 1000)}`);
        if (answer.closes) socket = void current.destroy();
        return performance.now() - from;
      }
    },
    end: () => void socket?.destroy(),
  };
}
