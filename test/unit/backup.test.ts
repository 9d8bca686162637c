/** Copies of a data folder: consistent while it is written, and never a danger to what the original runs. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { sql } from "kysely";
import { backUp } from "../../src/backup.ts";
import { backupRecord, forgetOriginal, hold, originalOf, refuseTornCopy } from "../../src/copies.ts";
import { type DataFolder, dataFolder, nodeVariable, ownerVariable } from "../../src/data-folder.ts";
import { endProcess, identify, isAlive, type KnownProcess, spawnDetached } from "../../src/process/known.ts";
import { createLocalProvider } from "../../src/providers/local/provider.ts";
import { recordPath, runningControlPlane } from "../../src/running.ts";
import { openAudit } from "../../src/observe/audit.ts";
import { keepAllClusters } from "../../src/store/clusters.ts";
import { leaveNodes } from "../../src/store/copies.ts";
import { eventsOf } from "../../src/store/events.ts";
import { instancesOf } from "../../src/store/instances.ts";
import { openStore } from "../../src/store/store.ts";
import { takeDown } from "../../src/take-down.ts";
import { create, harness, makeReady, state, step, stepStates } from "./control-plane-harness.ts";

const at = "2026-11-26T12:00:00.000Z";

function folders(t: TestContext): { root: string; data: DataFolder; to: string } {
  const root = mkdtempSync(join(tmpdir(), "howdah-backup-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const data = dataFolder(join(root, "data"));
  for (const folder of [data.root, data.run, data.nodes, data.link, data.s3]) mkdirSync(folder, { mode: 0o700 });
  return { root, data, to: join(root, "copy") };
}

/** A process that goes on until the test ends. */
function sleeper(t: TestContext, root: string, env: Record<string, string>): KnownProcess {
  const known = spawnDetached(["sleep", "300"], { cwd: "/", env, log: join(root, "log") });
  t.after(() => endProcess(known, { graceMs: 0 }));
  return known;
}

test("a backup of a store that is written at full speed holds all that was answered before it, and no half of anything", async (t) => {
  const { data, to } = folders(t);
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "store-writer.ts"), data.database],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  t.after(() => child.kill("SIGKILL"));
  const answered: number[] = [];
  let told: (() => void) | undefined;
  createInterface(child.stdout).on("line", (line) => {
    answered.push(Number(line));
    told?.();
  });
  const more = async (count: number) => {
    for (const enough = answered.length + count; answered.length < enough;) await new Promise<void>((resolve) => (told = resolve));
  };
  for (let n = 0; n < 4; n++) {
    await more(200);
    const before = [...answered];
    await backUp(data, { to: `${to}${n}`, s3: true, at });
    const during = answered.length - before.length;
    const store = await openStore(join(`${to}${n}`, "howdah.db"));
    const check = await sql<{ integrity_check: string }>`PRAGMA integrity_check`.execute(store.db);
    assert.equal(check.rows[0]!.integrity_check, "ok");
    const counts = Map.groupBy(await eventsOf(store.db, "j-1"), ({ message }) => Number(message));
    await store.close();
    for (const [number, rows] of counts) assert.equal(rows.length, 2, `${number} is there by half`);
    for (const number of before) assert.ok(counts.has(number), `${number} was answered and is not in the copy`);
    // One moment: numbers are given out in the order in which they are written, so there is no gap.
    assert.equal(counts.size, Math.max(...counts.keys()) + 1);
    t.diagnostic(`${counts.size} commits in the copy, ${during} answered while it was made`);
  }
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("a backup has store, trail, configuration, Glue's catalogs and S3, is private, says what it is of, and leaves nothing where it fails", async (t) => {
  const { data, to } = folders(t);
  await assert.rejects(backUp(data, { to, s3: true, at }), /has never run/);
  await (await openStore(data.database)).close();
  const audit = openAudit(data.audit);
  writeFileSync(data.config, "{}");
  writeFileSync(data.provider, "local");
  mkdirSync(join(data.s3, "mine"));
  writeFileSync(join(data.s3, "mine", "object"), "content");
  mkdirSync(join(data.nodes, "i-1"));
  // Of an account whose metastore does not run; of one that does: test/integration/glue.test.ts.
  for (const folder of ["tmp", "metastore_db/seg0"]) mkdirSync(join(data.glue, "123456789012", folder), { recursive: true });
  writeFileSync(join(data.glue, "123456789012", "metastore_db", "seg0", "c1.dat"), "tables");
  await backUp(data, { to, s3: true, at });
  assert.deepEqual(readdirSync(to).toSorted(), ["audit.db", "backup.json", "glue", "howdah.db", "howdah.json", "provider", "s3"]);
  assert.deepEqual(readdirSync(join(to, "glue", "123456789012")), ["metastore_db"]);
  assert.equal(readFileSync(join(to, "glue", "123456789012", "metastore_db", "seg0", "c1.dat"), "utf8"), "tables");
  assert.equal(readFileSync(join(to, "s3", "mine", "object"), "utf8"), "content");
  assert.deepEqual(originalOf(dataFolder(to)), { root: data.root, at });
  await assert.rejects(backUp(data, { to, s3: true, at }), /is there already/);
  await assert.rejects(backUp(data, { to: join(data.root, "inside"), s3: true, at }), /is inside of/);
  await backUp(data, { to: `${to}-small`, s3: false, at });
  assert.ok(!existsSync(join(`${to}-small`, "s3")));

  audit.close();
  truncateSync(data.database, 5 * 4096);
  const failed = `${to}-failed`;
  await assert.rejects(backUp(data, { to: failed, s3: true, at }), (error: Error) => {
    // Where there is something to go back to, it is named.
    assert.match(error.message, new RegExp(`howdah.db is damaged.*the last one, of ${at}, went to ${to}-small`));
    return true;
  });
  assert.deepEqual([existsSync(failed), existsSync(`${failed}.partial`)], [false, false]);
});

test("a folder knows that it is a copy, also at the original's place; one that was moved is itself, unless its nodes run", async (t) => {
  const { root, data, to } = folders(t);
  hold(data);
  assert.equal(originalOf(data), undefined);
  cpSync(data.root, to, { recursive: true });
  const copy = dataFolder(to);
  assert.deepEqual(originalOf(copy), { root: data.root });
  // The original is restored from the copy while the machine runs on.
  renameSync(data.root, join(root, "old"));
  cpSync(to, data.root, { recursive: true });
  assert.deepEqual(originalOf(data), { root: data.root });

  const moved = dataFolder(join(root, "old"));
  assert.equal(originalOf(moved), undefined);
  sleeper(t, root, { [ownerVariable]: data.root });
  assert.throws(() => originalOf(moved), /was moved here from .* while 1 of its processes run.*howdah down --keep --data/);

  hold(copy, { root: data.root });
  assert.deepEqual(originalOf(copy), { root: data.root }, "until its store knows");
  hold(copy);
  assert.equal(originalOf(copy), undefined);
});

test("what a control plane wrote while it was copied is refused; a backup is not", async (t) => {
  const { data, to } = folders(t);
  hold(data);
  await (await openStore(data.database)).close();
  writeFileSync(recordPath(data), "{}");
  cpSync(data.root, to, { recursive: true });
  const copy = dataFolder(to);
  const refusal = (error: Error) => {
    assert.ok(error.message.startsWith(`${to} is a copy of ${data.root}, made while a control plane ran there`));
    assert.match(error.message, /howdah backup --data .*\/data FOLDER/);
    return true;
  };
  assert.throws(() => refuseTornCopy(copy, originalOf(copy)!), refusal);
  await assert.rejects(takeDown(copy), refusal);
  rmSync(recordPath(copy));
  refuseTornCopy(copy, originalOf(copy)!);
  await backUp(data, { to: `${to}-2`, s3: true, at });
  refuseTornCopy(dataFolder(`${to}-2`), originalOf(dataFolder(`${to}-2`))!);
});

test("down of a copy ends nothing of the original: not its control plane, not its nodes", async (t) => {
  const { root, data, to } = folders(t);
  const node = "i-00000000000000c09";
  const own = sleeper(t, root, { [ownerVariable]: data.root, [nodeVariable]: node });
  const layout = join(data.nodes, node);
  mkdirSync(join(layout, "run"), { recursive: true });
  writeFileSync(join(layout, "node.json"), "{}");
  writeFileSync(join(layout, "run", "init.json"), JSON.stringify(own));
  writeFileSync(data.endpoint, "http://127.0.0.1:1");
  hold(data);
  cpSync(data.root, to, { recursive: true });
  const copy = dataFolder(to);
  const record = { ...identify(process.pid)!, root: data.root, endpoint: "http://127.0.0.1:1", region: "us-east-1" };
  for (const folder of [data, copy]) writeFileSync(recordPath(folder), JSON.stringify(record));
  assert.equal(runningControlPlane(data)?.pid, process.pid);
  assert.equal(runningControlPlane(copy), undefined);
  rmSync(recordPath(copy));

  const provider = createLocalProvider({ data: copy, native: undefined, degree: "plain", engines: root, owner: { [ownerVariable]: to } });
  forgetOriginal(copy);
  assert.equal(existsSync(copy.endpoint), false, "its port is the original's, whose nodes would come to it");
  assert.notEqual(await provider.observe(node), "running");
  await provider.terminate(node);
  await takeDown(copy);
  assert.ok(isAlive(own));
  assert.ok(!existsSync(backupRecord(to)));
});

test("in a copy, nodes that ran are lost with the reason, what had no node yet goes on, and no agent of the original is let in", async () => {
  const h = await harness();
  const id = await create(h);
  await makeReady(h, id);
  await h.handlers.AddJobFlowSteps!({ JobFlowId: id, Steps: [step("ran"), step("waits")] } as never, h.request);
  await h.settle();
  h.provider.failLaunches = 3;
  const waiting = await create(h);
  const before = await instancesOf(h.store.db, id);
  const notYet = await instancesOf(h.store.db, waiting);
  assert.deepEqual(new Set(notYet.map(({ status }) => status)), new Set(["provisioning"]));

  // What the copy's control plane meets: the same store, and no nodes.
  h.provider.observations.clear();
  h.provider.launched.clear();
  await h.store.transaction((tx) => leaveNodes(tx, h.ids, { root: "/the/original", hasDisk: () => false }));
  h.advance(60_000);
  await h.settle();
  const tokens = (rows: { agent_token: string }[]) => rows.map(({ agent_token }) => agent_token);
  for (const [rows, clusterId] of [
    [before, id],
    [notYet, waiting],
  ] as const)
    assert.deepEqual(
      tokens(await instancesOf(h.store.db, clusterId)).filter((token) => tokens(rows).includes(token)),
      [],
    );
  const ended = await state(h, id);
  assert.equal(ended?.State, "TERMINATED_WITH_ERRORS");
  assert.match(ended!.StateChangeReason!.Message!, /was lost: this data folder is a copy of \/the\/original, where its node stayed/);
  assert.deepEqual(
    (await stepStates(h, id))!.filter((one) => one === "PENDING" || one === "RUNNING"),
    [],
  );
  assert.deepEqual([...h.provider.launched.keys()].toSorted(), notYet.map((row) => row.id).toSorted());
});

test("a copy of a kept cluster starts with its disks where they were copied, and is lost where they were not", async () => {
  for (const hasDisk of [true, false]) {
    const h = await harness();
    const id = await create(h);
    await makeReady(h, id);
    await keepAllClusters(h.store, "kept");
    h.provider.observations.clear();
    await h.store.transaction((tx) => leaveNodes(tx, h.ids, { root: "/the/original", hasDisk: () => hasDisk }));
    await h.store.transaction((tx) => tx.wake("cluster", id));
    for (const instance of await instancesOf(h.store.db, id)) await h.store.transaction((tx) => tx.wake("instance", instance.id));
    await h.settle();
    assert.equal((await state(h, id))?.State, hasDisk ? "STARTING" : "TERMINATED_WITH_ERRORS");
  }
});
