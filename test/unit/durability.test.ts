/** What was answered is on the disk: against power cuts, kills, and a disk that is slow or fails. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { DescribeClusterCommand, EMRClient, ListClustersCommand } from "@aws-sdk/client-emr";
import fc from "fast-check";
import { sql } from "kysely";
import { overHttp } from "../../src/api/http.ts";
import { createPipeline } from "../../src/api/pipeline.ts";
import { invalidRequest } from "../../src/aws/errors.ts";
import { emrService } from "../../src/aws/services/emr.ts";
import { durably } from "../../src/providers/durably.ts";
import { type Disk, groupCommits } from "../../src/store/durability.ts";
import { addEvent, eventsOf } from "../../src/store/events.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { PassiveProvider } from "./control-plane-harness.ts";
import { adminKey, authorise } from "./keys.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "howdah-durability-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Each number twice, or there is half a transaction. */
async function numbersIn(store: Store): Promise<Set<number>> {
  const check = await sql<{ integrity_check: string }>`PRAGMA integrity_check`.execute(store.db);
  assert.deepEqual(
    check.rows.map((row) => row.integrity_check),
    ["ok"],
  );
  const counts = Map.groupBy(await eventsOf(store.db, "j-1"), ({ message }) => Number(message));
  for (const [number, rows] of counts) assert.equal(rows.length, 2, `${number} is there by half`);
  return new Set(counts.keys());
}

const twice = (store: Store, number: number, fails = false) =>
  store.transaction(async (tx) => {
    for (let n = 0; n < 2; n++) await addEvent(tx, "j-1", "cluster", `${number}`);
    if (fails) throw new Error("no");
  });

interface Files {
  file: Buffer;
  wal: Buffer;
}
const filesAt = (path: string): Files => ({
  file: readFileSync(path),
  wal: existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : Buffer.alloc(0),
});

test("a power cut at any moment loses nothing that was answered, and no half of anything is left", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 }),
      fc.infiniteStream(fc.nat({ max: 4 })),
      fc.infiniteStream(fc.nat()),
      fc.boolean(),
      async (clients, slowness, garbage, smallLog) =>
        inFolder(async (folder) => {
          const path = join(folder, "howdah.db");
          let kept: Files = { file: Buffer.alloc(0), wal: Buffer.alloc(0) };
          /** Only what was written when a sync began is certain to be on the disk, and that when the sync has ended. */
          const disk: Disk = {
            async sync() {
              const written = filesAt(path);
              for (let n = slowness.next().value; n > 0; n--) await turn();
              kept = written;
            },
            close: async () => {},
          };
          const store = await openStore(path, { disk });
          // With checkpoints among the writes, and without.
          await sql.raw(`PRAGMA wal_autocheckpoint=${smallLog ? 8 : 1000}`).execute(store.db);
          const answered: number[] = [];
          const failed: number[] = [];
          const cuts: { answered: number[]; files: Files }[] = [];
          let next = 0;
          const client = async (fates: boolean[]) => {
            for (const fails of fates) {
              const number = next++;
              await twice(store, number, fails).then(
                () => answered.push(number),
                () => failed.push(number),
              );
              if (garbage.next().value % 4 === 0) cuts.push({ answered: [...answered], files: torn(kept, filesAt(path), garbage) });
            }
          };
          await Promise.all(clients.map(client));
          cuts.push({ answered: [...answered], files: kept });
          await store.close();
          for (const [index, cut] of cuts.entries()) {
            const at = join(folder, `cut-${index}.db`);
            writeFileSync(at, cut.files.file);
            writeFileSync(`${at}-wal`, cut.files.wal);
            const after = await openStore(at);
            const there = await numbersIn(after);
            await after.close();
            for (const number of cut.answered) assert.ok(there.has(number), `${number} was answered and is lost`);
            for (const number of failed) assert.ok(!there.has(number), `${number} failed and is there`);
          }
        }),
    ),
    { numRuns: 25 },
  );
});

/** After what is certain, any part of what was written since, and whatever else the disk may hold. */
function torn(kept: Files, now: Files, random: Iterator<number>): Files {
  const any = () => random.next().value as number;
  const isSameLog = now.wal.subarray(0, kept.wal.length).equals(kept.wal) && now.file.equals(kept.file);
  const since = isSameLog ? Buffer.from(now.wal.subarray(kept.wal.length)) : Buffer.alloc(64);
  const cut = since.subarray(0, since.length === 0 ? 0 : any() % (since.length + 1));
  if (cut.length > 0 && any() % 2 === 0) cut[any() % cut.length]! ^= 1 + (any() % 255);
  return { file: kept.file, wal: Buffer.concat([kept.wal, cut]) };
}

test("kill -9 at any moment loses nothing that was answered", async () => {
  for (const enough of [1, 20, 300])
    await inFolder(async (folder) => {
      const path = join(folder, "howdah.db");
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "store-writer.ts"), path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(child, "exit");
      const answered: number[] = [];
      for await (const line of createInterface(child.stdout)) {
        answered.push(Number(line));
        if (answered.length === enough) child.kill("SIGKILL");
      }
      assert.deepEqual(await ended, [null, "SIGKILL"]);
      const store = await openStore(path);
      const there = await numbersIn(store);
      await store.close();
      assert.ok(answered.length >= enough);
      for (const number of answered) assert.ok(there.has(number), `${number} was answered and is lost`);
    });
});

/** A disk whose syncs end when the test says so. */
function heldDisk() {
  const held: PromiseWithResolvers<void>[] = [];
  const disk: Disk = {
    sync() {
      const sync = Promise.withResolvers<void>();
      held.push(sync);
      return sync.promise;
    },
    close: async () => {},
  };
  return { disk, held };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await turn();
}

test("what is committed while the disk syncs shares the next sync; nobody is answered before, and nobody else waits", async () => {
  await inFolder(async (folder) => {
    const { disk, held } = heldDisk();
    const store = await openStore(join(folder, "howdah.db"), { disk });
    const answered: number[] = [];
    const write = (number: number) => twice(store, number).then(() => answered.push(number));
    const writes = [write(0)];
    await until(() => held.length === 1);
    for (let n = 1; n <= 20; n++) writes.push(write(n));
    // A read goes on meanwhile, and sees what is committed; what it tells has to wait.
    await until(async () => (await eventsOf(store.db, "j-1")).length === 42);
    let told = false;
    const telling = store.durable().then(() => (told = true));
    await turn();
    assert.deepEqual([answered, told, held.length], [[], false, 1]);
    held[0]!.resolve();
    await until(() => held.length === 2);
    assert.deepEqual([answered, told], [[0], false]);
    held[1]!.resolve();
    await Promise.all([...writes, telling]);
    assert.equal(held.length, 2, "twenty writes shared a sync");
    await store.durable();
    await store.snapshot((db) => eventsOf(db, "j-1"));
    await store.transaction((tx) => eventsOf(tx.db, "j-1"));
    assert.equal(held.length, 2, "what writes nothing syncs nothing");
    await store.close();
  });
});

test("a provider is told nothing before what it rests on is on the disk", async () => {
  await inFolder(async (folder) => {
    const { disk, held } = heldDisk();
    const store = await openStore(join(folder, "howdah.db"), { disk });
    const write = twice(store, 1);
    await until(() => held.length === 1);
    const real = new PassiveProvider();
    const provider = durably(real, store.durable);
    const claim = provider.claimNetwork("j-1", undefined);
    await turn();
    assert.equal(real.networks.size, 0);
    assert.equal(await provider.observe("i-1"), "absent", "to look is free");
    held[0]!.resolve();
    await Promise.all([write, claim]);
    assert.equal(real.networks.size, 1);
    await store.close();
  });
});

test("an answer and a refusal of the API wait for what they rest on; where the disk has failed, neither is told", async () => {
  const { disk, held } = heldDisk();
  const durability = groupCommits(() => 1, disk);
  const handlers = {
    ListClusters: () => ({ Clusters: [{ Id: "j-READ" }] }),
    DescribeCluster: () => {
      throw invalidRequest("it was read that there is none");
    },
  };
  const pipeline = overHttp(
    createPipeline({
      services: { elasticmapreduce: async () => ({ service: emrService, handlers }) },
      keys: () => adminKey,
      authorise,
      now: () => new Date(),
      durable: durability.durable,
      log: () => {},
    }),
  );
  const server = createServer(pipeline).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { accessKeyId, secretAccessKey } = adminKey;
  const client = new EMRClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: "us-east-1",
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
  });
  const ask = async () => {
    const told: string[] = [];
    const list = client.send(new ListClustersCommand({})).then(
      ({ Clusters }) => told.push(`${Clusters?.[0]?.Id}`),
      (error: Error) => told.push(error.message),
    );
    const describe = client.send(new DescribeClusterCommand({ ClusterId: "j-NONE" })).catch((error: Error) => told.push(error.message));
    return { told, all: Promise.all([list, describe]) };
  };
  try {
    const first = await ask();
    await until(() => held.length === 1);
    assert.deepEqual(first.told, []);
    held[0]!.reject(new Error("EIO"));
    await first.all;
    assert.equal(first.told.length, 2);
    for (const message of first.told) assert.doesNotMatch(message, /read/i);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("once a sync has failed, nothing is answered any more by this process", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "howdah.db");
    let fails = true;
    const disk: Disk = {
      sync: async () => (fails ? Promise.reject(new Error("EIO: i/o error, fdatasync")) : undefined),
      close: async () => {},
    };
    const store = await openStore(path, { disk });
    const message = /the disk did not take what was written to the store \(EIO.*Start Howdah again/;
    await assert.rejects(twice(store, 1), message);
    // The kernel would say that the next one is fine.
    fails = false;
    await assert.rejects(twice(store, 2), message);
    await assert.rejects(store.durable(), message);
    await store.close();
  });
});
