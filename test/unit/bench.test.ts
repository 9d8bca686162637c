/** The parts of the bench that need no cluster: test/integration/bench.test.ts runs one bench for real. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Figure, isReached, median, table } from "../../bench/figures.ts";
import { kindOf } from "../../bench/idle.ts";
import { takeTurns } from "../../bench/rounds.ts";

test("the median of rounds", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test("ours and the floor take turns, and who is first changes", async () => {
  const order: string[] = [];
  const ours = async (round: number) => (order.push(`ours ${round}`), round);
  const floor = async (round: number) => (order.push(`floor ${round}`), 10 * round);
  assert.deepEqual(await takeTurns(3, ours, floor), { ours: 2, floor: 20, rounds: 3 });
  assert.deepEqual(order, ["ours 1", "floor 1", "floor 2", "ours 2", "ours 3", "floor 3"]);
});

test("a goal is a multiple of the floor or a difference to it; without a floor there is none", () => {
  const figure: Figure = { bench: "b", what: "w", unit: "s", ours: 3, floor: { what: "bare", value: 2 }, rounds: 1 };
  assert.equal(isReached({ ...figure, goal: { times: 1.5 } }), true);
  assert.equal(isReached({ ...figure, goal: { times: 1.4 } }), false);
  assert.equal(isReached({ ...figure, goal: { more: 1 } }), true);
  assert.equal(isReached({ ...figure, goal: { more: 0.9 } }), false);
  assert.equal(isReached(figure), undefined);
});

test("a goal of a speed is at least so many times the floor", () => {
  const figure: Figure = { bench: "b", what: "w", unit: "/s", ours: 20, floor: { what: "theirs", value: 2 }, rounds: 1 };
  assert.equal(isReached({ ...figure, goal: { atLeast: 10 } }), true);
  assert.equal(isReached({ ...figure, goal: { atLeast: 10.1 } }), false);
});

test("the table has each figure beside its floor, with ratio and verdict", () => {
  const figures: Figure[] = [
    { bench: "start", what: "to WAITING", unit: "s", ours: 6, floor: { what: "bare", value: 5 }, goal: { times: 1.3 }, rounds: 3 },
    { bench: "idle", what: "memory", unit: "MB", ours: 80.4, rounds: 1 },
  ];
  assert.deepEqual(table(figures).split("\n"), [
    "| bench | figure     | ours   | beside       | ratio               | goal                   |",
    "|-------|------------|--------|--------------|---------------------|------------------------|",
    "| start | to WAITING | 6.00 s | bare: 5.00 s | 1.20 times, +1.00 s | at most 1.3 times: yes |",
    "| idle  | memory     | 80 MB  |              |                     |                        |",
  ]);
});

test("a speed is shown with the times of single requests", () => {
  const [ours, theirs] = [
    { p50: 0.2, p99: 1.25 },
    { p50: 2, p99: 8.04 },
  ];
  const figure: Figure = { bench: "api", what: "w", unit: "/s", ours: 4000.4, times: ours, rounds: 3 };
  const beside = { ...figure, floor: { what: "moto", value: 400, times: theirs }, goal: { atLeast: 10 } };
  const row = table([beside]).split("\n")[2];
  assert.equal(
    row,
    "| api   | w      | 4000/s (p50 0.2, p99 1.3 ms) | moto: 400/s (p50 2.0, p99 8.0 ms) | 10.0 times | at least 10 times: yes |",
  );
});

test("processes are told apart by their command lines", () => {
  const line = (...words: string[]) => `${words.join("\0")}\0`;
  assert.equal(kindOf(line("/j/bin/java", "-Xmx1g", "-Dproc_hadoop-hdfs-namenode", "-cp", "x", "NameNode")), "hadoop-hdfs-namenode");
  assert.equal(kindOf(line("/j/bin/java", "-jar", "/c/s3proxy-4.1.0.jar")), "s3proxy");
  assert.equal(kindOf(line("/n/node", "--flag", "/h/src/cli/main.ts", "up", "--data", "/d")), "control plane");
  assert.equal(kindOf(line("/n/node", "/d/nodes/i-1/agent/agent/main.js", "/d/nodes/i-1")), "agents");
  assert.equal(kindOf(line("/c/howdah-init", "/d/nodes/i-1", "127.64.0.1", "--", "/n/node", "/d/main.js", "/d")), "inits");
});
