/** Ours and the floor take turns: a machine's speed drifts, and a ratio of two neighbours does not. */
import { median } from "./figures.ts";

export type Measured = { ours: number; floor: number; rounds: number };

/** Medians of `rounds` rounds, in what the two functions give. `say` is told of each round. */
export async function takeTurns(
  rounds: number,
  ours: (round: number) => Promise<number>,
  floor: (round: number) => Promise<number>,
  say: (text: string) => void = () => {},
): Promise<Measured> {
  const [us, them]: [number[], number[]] = [[], []];
  for (let round = 1; round <= rounds; round++) {
    // Who is first changes with every round: it finds the machine as the other has left it.
    if (round % 2 === 1) us.push(await ours(round));
    them.push(await floor(round));
    if (round % 2 === 0) us.push(await ours(round));
    say(`round ${round} of ${rounds}: ${us.at(-1)!.toFixed(2)} against ${them.at(-1)!.toFixed(2)}`);
  }
  return { ours: median(us), floor: median(them), rounds };
}

/** Seconds that it took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}
