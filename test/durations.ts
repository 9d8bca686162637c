/** A reporter for node's test runner: how long each file took, the longest first, so that who looks at CI's time sees where it goes. */
import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";

/** Shorter ones are told of together. */
const shortMs = 5_000;

export default async function* durations(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files: [name: string, ms: number][] = [];
  for await (const { type, data } of events) {
    if (type === "test:summary" && data.file) files.push([relative(process.cwd(), data.file), data.duration_ms]);
  }
  const lines = files
    .filter(([, ms]) => ms >= shortMs)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, ms]) => line(ms, name));
  const short = files.filter(([, ms]) => ms < shortMs);
  const rest = short.reduce((sum, [, ms]) => sum + ms, 0);
  yield `\n${[...lines, line(rest, `${short.length} other files`)].join("\n")}\n`;
}

const line = (ms: number, what: string) => `${(ms / 1000).toFixed(0).padStart(6)} s  ${what}`;
