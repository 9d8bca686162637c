/** A data folder that is copied while it is in use, on the real thing: a copy never touches what the original runs, and tells what it lacks. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startDetached } from "../../src/cli/up.ts";
import { type DataFolder, dataFolder, ownerVariable } from "../../src/data-folder.ts";
import { findByEnvironment, isAlive, type KnownProcess, readStat, signal } from "../../src/process/known.ts";
import { runningControlPlane } from "../../src/running.ts";
import { takeDown } from "../../src/take-down.ts";
import { type Howdah, startHowdah, until } from "./howdah.ts";
import { command, commandOf, createDriver } from "./survival-harness.ts";

let howdah: Howdah;
let on: ReturnType<typeof createDriver>;
let id = "";
const copies: DataFolder[] = [];
const run = promisify(execFile);
const cli = (...args: string[]) =>
  run(process.execPath, ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "../../src/cli/main.ts"), ...args]);
const copyPath = (name: string): DataFolder => {
  const copy = dataFolder(`${howdah.data.root}-${name}`);
  copies.push(copy);
  return copy;
};
/**
 * Of the original: its nodes' agents and daemons, its S3 server, its control plane. Other commands of nodes end by themselves; so does what one of these
 * has just forked, which has its parent's command line until it is a program of its own.
 */
const processes = (): KnownProcess[] =>
  findByEnvironment(ownerVariable, howdah.data.root).filter(({ pid }) => {
    const command = commandOf(pid);
    const isOne = /agent\/main|NameNode|DataNode|ResourceManager|NodeManager|HistoryServer|s3proxy|control-plane/i.test(command);
    return isOne && commandOf(readStat(pid)?.parent ?? 0) !== command;
  });
/** By `cp -a`, of a folder in use: files that came, went or were replaced meanwhile may be missing; nothing else may go wrong. */
const copyInUse = async (copy: DataFolder): Promise<void> => {
  const done = run("cp", ["-a", howdah.data.root, copy.root], { env: { ...process.env, LC_ALL: "C" }, maxBuffer: 1 << 26 });
  const said: string = await done.then(
    ({ stderr }) => stderr,
    ({ code, stderr, message }) => (code === 1 ? stderr : assert.fail(message)),
  );
  const others = said.split("\n").filter((line) => line && !/: No such file or directory$|replaced while being copied$/.test(line));
  assert.deepEqual(others, []);
};
const clustersOf = async (copy: DataFolder) => JSON.parse((await cli("status", "--all", "--json", "--data", copy.root)).stdout).clusters;

before(async () => {
  howdah = await startHowdah();
  on = createDriver(howdah);
  await howdah.aws("s3", "mb", "s3://work");
  id = await on.create(1);
  await on.reaches(id, "WAITING");
});
after(async () => {
  for (const copy of copies) {
    await takeDown(copy).catch(() => {});
    rmSync(copy.root, { recursive: true, force: true });
  }
  await howdah?.stop();
});

test("a plain copy that was made while a control plane ran is refused by up and down, which touch nothing of the original", async () => {
  const copy = copyPath("plain");
  await copyInUse(copy);
  const before = processes();
  assert.ok(before.length > 3);
  await assert.rejects(startDetached(copy, { port: 0 }), /is a copy of .*made while a control plane ran there.*howdah backup --data/s);
  await assert.rejects(cli("down", "--data", copy.root), /is a copy of/);
  await assert.rejects(cli("env", "--data", copy.root), /no control plane runs for/);
  assert.deepEqual(
    before.filter((known) => !isAlive(known)),
    [],
  );
  assert.equal(await on.stateOf(id), "WAITING");
});

test("a backup, made while clients write, goes on beside the original: S3 is there, nodes are told as lost, none of the original's is touched", async () => {
  const copy = copyPath("backup");
  await howdah.boto3(`
import boto3
s3 = boto3.client("s3")
s3.put_object(Bucket="work", Key="a/kept", Body=b"content", Metadata={"of": "me"}, ContentType="text/x-mine")`);
  let writes = 0;
  const over = new AbortController();
  const writer = (async () => {
    for (; !over.signal.aborted; writes++) await howdah.aws("emr", "add-tags", "--resource-id", id, "--tags", `n${writes % 5}=${writes}`);
  })();
  await until("a first write", async () => writes > 0);
  const { stdout } = await cli("backup", copy.root, "--data", howdah.data.root);
  over.abort();
  await writer;
  assert.match(stdout, /is a copy of .*Nodes and their disks are not in it/s);

  const before = processes();
  await startDetached(copy, { port: 0 });
  const lost = await until("the end of the cluster in the copy", async () => {
    const [cluster] = await clustersOf(copy);
    return cluster.state.startsWith("TERMINATED") && cluster;
  });
  assert.equal(lost.state, "TERMINATED_WITH_ERRORS");
  assert.match(lost.reason, new RegExp(`this data folder is a copy of ${howdah.data.root}, where its node stayed`));
  const env = JSON.parse((await cli("env", "--json", "--data", copy.root)).stdout);
  const ofCopy = await run(
    join(howdah.installation.toolsBin, "python3"),
    [
      "-c",
      `
import boto3
a = boto3.client("s3").get_object(Bucket="work", Key="a/kept")
print(a["Body"].read().decode(), a["Metadata"]["of"], a["ContentType"])`,
    ],
    { env: { ...env, PATH: process.env.PATH, HOME: "/nonexistent" } },
  );
  assert.equal(ofCopy.stdout, "content me text/x-mine\n");
  assert.deepEqual(
    before.filter((known) => !isAlive(known)),
    [],
  );
  assert.equal(await on.stateOf(id), "WAITING");
  await takeDown(copy);
  assert.deepEqual(findByEnvironment(ownerVariable, copy.root), []);
  assert.deepEqual(
    before.filter((known) => !isAlive(known)),
    [],
  );
  assert.equal((await on.stepEnd(id, await on.addStep(id, command("after", "true")))).State, "COMPLETED");
});

test("while the original's control plane is away, a copy is not its nodes' control plane", async () => {
  const copy = copyPath("quiet");
  const running = runningControlPlane(howdah.data)!;
  signal(running, "SIGTERM");
  await until("its end", async () => !isAlive(running));
  await copyInUse(copy);
  const nodes = processes();
  const endpoint = await startDetached(copy, {});
  assert.notEqual(endpoint, running.endpoint, "the original's nodes would come to it");
  await until("the end of the cluster in the copy", async () => (await clustersOf(copy))[0].state === "TERMINATED_WITH_ERRORS");
  await takeDown(copy);
  assert.deepEqual(
    nodes.filter((known) => !isAlive(known)),
    [],
  );
  await howdah.up();
  assert.equal(await on.stateOf(id), "WAITING");
  assert.equal((await on.stepEnd(id, await on.addStep(id, command("again", "true")))).State, "COMPLETED");
});
