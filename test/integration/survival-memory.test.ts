/**
 * A machine without memory, on the real thing: all of Howdah is in a memory cgroup that is too small for a greedy job, and the kernel's own
 * out-of-memory killer decides. Needs root, for the cgroup.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startHowdah, until } from "./howdah.ts";
import { agentsOf, command, commandOf, createDriver, processesOf } from "./survival-harness.ts";

const inside = process.env.HOWDAH_TEST_CGROUP;
const limit = 4 * 2 ** 30;
/** The second and the first version of cgroups: where they are, the file that limits, the file that counts kills. */
const kinds = [
  { root: "/sys/fs/cgroup", has: "/sys/fs/cgroup/memory.stat", limit: "memory.max", swap: "memory.swap.max", kills: "memory.events" },
  {
    root: "/sys/fs/cgroup/memory",
    has: "/sys/fs/cgroup/memory/memory.stat",
    limit: "memory.limit_in_bytes",
    swap: "memory.memsw.limit_in_bytes",
    kills: "memory.oom_control",
  },
];
const kind = kinds.find(({ has }) => existsSync(has));
const kills = () => Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(inside!, kind!.kills), "utf8"))?.[1]);

if (inside) test("a cluster", withoutMemory);
else
  test("where memory runs out, greedy tasks and steps end, and say so; daemons and the cluster go on", async (t) => {
    const folder = join(kind?.root ?? "", `howdah-test-${process.pid}`);
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, kind!.limit), String(limit));
    } catch (error) {
      return t.skip(`no memory cgroup can be made here: ${(error as Error).message}`);
    }
    if (existsSync(join(folder, kind!.swap)))
      writeFileSync(join(folder, kind!.swap), kind!.swap === "memory.swap.max" ? "0" : String(limit));
    try {
      const script = 'echo $$ >"$1/cgroup.procs" && exec "$2" --disable-warning=ExperimentalWarning --test-reporter=spec "$3"';
      const env = { ...process.env, HOWDAH_TEST_CGROUP: folder, NODE_TEST_CONTEXT: undefined };
      const argv = ["-c", script, "bash", folder, process.execPath, import.meta.filename];
      const { status, stdout, stderr } = spawnSync("bash", argv, { env, encoding: "utf8", timeout: 900_000 });
      assert.equal(status, 0, `${stdout}\n${stderr}`);
      assert.match(stdout, /pass 1\n/);
    } finally {
      // The test's own helpers end behind it, and are in the cgroup until then.
      await until("an empty cgroup", async () => readFileSync(join(folder, "cgroup.procs"), "utf8") === "", 30_000);
      rmdirSync(folder);
    }
  });

async function withoutMemory(): Promise<void> {
  const howdah = await startHowdah();
  const on = createDriver(howdah);
  try {
    await howdah.aws("s3", "mb", "s3://work");
    const id = await on.create(1, "--applications", "Name=Spark");
    await on.reaches(id, "WAITING");
    const [node] = await on.instancesOf(id);
    const programs = ["NameNode", "DataNode", "ResourceManager", "NodeManager", "JobHistoryServer", "HistoryServer"];
    /** Process ids by what runs; those of the history servers come a moment after the cluster is ready. */
    const daemons = () => {
      const found = processesOf(node!.id).map(({ pid }) => [pid, commandOf(pid)] as const);
      return [
        agentsOf(node!.id).map(({ pid }) => pid),
        ...programs.map((name) => found.filter(([, words]) => new RegExp(`^\\S*java .*\\.${name} *$`).test(words)).map(([pid]) => pid)),
      ];
    };
    const before = await until("all daemons", async () => daemons().every((pids) => pids.length === 1) && daemons());

    const greedy = "python3 -c 'a=[]\nwhile True: a.append(bytearray(b\"x\" * (64 << 20)))'";
    const words = "echo one | hadoop fs -put -f - in";
    const job = `hadoop-streaming -D mapreduce.map.maxattempts=2 -D mapreduce.job.reduces=0 -mapper "${greedy.replaceAll('"', '\\"')}" -input in -output out`;
    for (const [name, script] of [
      ["a task", `${words} && ${job}`],
      ["a step", greedy],
    ] as const) {
      const killed = kills();
      const step = await on.addStep(id, command(name, "bash", "-c", script));
      const { State, FailureDetails } = await on.stepEnd(id, step);
      assert.equal(State, "FAILED", name);
      assert.ok(kills() > killed, `${name}: the kernel has ended something`);
      assert.match(`${FailureDetails.Reason} ${await on.stepOutput(step, "stderr")}`, /\b137\b/, `${name}: SIGKILL is told of`);
    }
    const well = await on.addStep(id, command("well", "hadoop", "fs", "-cat", "in"));
    assert.equal((await on.stepEnd(id, well)).State, "COMPLETED");
    assert.deepEqual(daemons(), before, "no daemon was ended");
    assert.equal(await on.stateOf(id), "WAITING");
  } finally {
    await howdah.stop();
  }
}
