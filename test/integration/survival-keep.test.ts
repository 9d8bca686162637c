/** `howdah down --keep` and a machine that is started again: what was kept comes back with its data, what was not is lost and says so. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { ownerVariable } from "../../src/data-folder.ts";
import { findByEnvironment, signal } from "../../src/process/known.ts";
import { command, createDriver, processesOf } from "./survival-harness.ts";
import { type Howdah, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let on: ReturnType<typeof createDriver>;
const neighbours: Server[] = [];
before(async () => {
  howdah = await startHowdah();
  on = createDriver(howdah);
  await howdah.aws("s3", "mb", "s3://work");
});
after(async () => {
  for (const neighbour of neighbours) neighbour.close();
  await howdah?.stop();
});

/** All that says on disk in which boot of the machine it was written: as another boot finds it. */
function restartMachine(): void {
  const nodes = readdirSync(howdah.data.nodes).map((id) => howdah.data.node(id));
  const files = (folder: string, fits: RegExp) =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, encoding: "utf8" })
          .filter((name) => fits.test(name))
          .map((name) => join(folder, name))
      : [];
  const all = [
    ...files(howdah.data.run, /\.json$/),
    ...nodes.flatMap((node) => [...files(join(node, "run"), /\.json$/), ...files(join(node, "steps"), /^[^/]+\/process$/)]),
  ];
  for (const file of all)
    writeFileSync(file, readFileSync(file, "utf8").replace(/("bootId":")[^"]+/, "$1d3adb007-0000-4000-8000-000000000000"));
}

/** Another Howdah of this machine takes a network, unless one has it already. */
const takeNetwork = (network: string) =>
  new Promise<void>((resolve) => {
    const server = createServer().once("error", () => resolve());
    neighbours.push(server);
    server.listen(`\0howdah-net/${network}`, resolve);
  });

const down = (...more: string[]) =>
  promisify(execFile)(process.execPath, [join(import.meta.dirname, "../../src/cli/main.ts"), "down", "--data", howdah.data.root, ...more]);

let id = "";

test("down --keep: on another boot, and in another network, HDFS and steps that wait are there; what ran has failed and ran once", async () => {
  id = await on.create(2);
  const put = await on.addStep(id, command("put", "bash", "-c", "date +%s%N | tee kept.txt | hdfs dfs -put - kept.txt && cat kept.txt"));
  assert.equal((await on.stepEnd(id, put)).State, "COMPLETED");
  const content = await on.stepOutput(put);
  const cut = await on.addStep(id, command("cut", "bash", "-c", "echo begun; exec sleep 3600"));
  const waiting = await on.addStep(id, command("waits", "hdfs", "dfs", "-cat", "kept.txt"));
  await until(
    "the step to run",
    async () => (await on.stepStatus(id, cut)).State === "RUNNING" && (await on.stepOutput(cut).catch(() => "")),
  );
  const before = await on.instancesOf(id);

  const { stdout } = await down("--keep");
  assert.match(stdout, /0 clusters and 2 instances ended[\s\S]*1 cluster kept/);
  assert.deepEqual(findByEnvironment(ownerVariable, howdah.data.root), []);
  restartMachine();
  await takeNetwork(before[0]!.address.replace(/\.\d+$/, ""));
  await howdah.up();

  const { FailureDetails, State } = await on.stepEnd(id, cut);
  assert.deepEqual([State, FailureDetails.Reason], ["FAILED", "howdah down --keep ended its node while it ran; it is not run again."]);
  assert.equal(await on.stepOutput(cut), "begun\n");
  assert.equal((await on.stepEnd(id, waiting)).State, "COMPLETED");
  assert.equal(await on.stepOutput(waiting), content);
  await on.reaches(id, "WAITING");
  const now = await on.instancesOf(id);
  assert.deepEqual(
    now.map((instance) => [instance.id, instance.state]),
    before.map((instance) => [instance.id, "RUNNING"]),
  );
  assert.notEqual(now[0]!.address, before[0]!.address);
});

test("a machine that is started again without --keep: instances are lost, and their cluster says so", async () => {
  const instances = await on.instancesOf(id);
  for (const known of findByEnvironment(ownerVariable, howdah.data.root)) signal(known, "SIGKILL");
  await until("the end of all", async () => findByEnvironment(ownerVariable, howdah.data.root).length === 0);
  restartMachine();
  await howdah.up();
  await on.reaches(id, "TERMINATED_WITH_ERRORS");
  const { Code, Message } = (await on.describe(id)).Status.StateChangeReason;
  assert.equal(Code, "INSTANCE_FAILURE");
  assert.match(Message, /i-[0-9a-f]{17} was lost: its host was started again since/);
  for (const instance of instances) {
    assert.deepEqual(processesOf(instance.id), []);
    await until("its folder's end", async () => readdirSync(howdah.data.node(instance.id)).join() === "logs");
  }
});
