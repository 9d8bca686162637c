/** Torn and garbled files of a store, made for real: what opens holds what was committed up to some point, and what would lose more is refused. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { sql } from "kysely";
import { pino } from "pino";
import { stores } from "../../src/cli/findings.ts";
import { startControlPlane } from "../../src/control-plane.ts";
import { type DataFolder, dataFolder } from "../../src/data-folder.ts";
import { writeWhole } from "../../src/files.ts";
import { noDisk } from "../../src/store/durability.ts";
import { addEvent, eventsOf } from "../../src/store/events.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { walDamage } from "../../src/store/wal-damage.ts";
import { checkStore, StoreDamaged } from "../../src/store/whole.ts";
import { fillStore } from "./full-store.ts";

async function inFolder(work: (data: DataFolder) => Promise<void>): Promise<void> {
  const data = dataFolder(mkdtempSync(join(tmpdir(), "howdah-damage-")));
  try {
    await work(data);
  } finally {
    rmSync(data.root, { recursive: true });
  }
}

const hasRunHere = { hasRun: true, isSameBoot: true };
const afterPowerCut = { hasRun: true, isSameBoot: false };

const write = (store: Store, number: number, fails = false) =>
  store.transaction(async (tx) => {
    for (let n = 0; n < 2; n++) await addEvent(tx, "j-1", "cluster", `${number} ${"x".repeat((number % 7) * 700)}`);
    if (fails) throw new Error("no");
  });

/** How many of the commits 0, 1, 2, … are there. Fails where one is missing before another, or is there by half. */
async function commitsIn(path: string): Promise<number> {
  const store = await openStore(path, { disk: noDisk });
  try {
    const numbers = (await eventsOf(store.db, "j-1")).map(({ message }) => Number.parseInt(message, 10));
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index >> 1),
    );
    assert.equal(numbers.length % 2, 0);
    return numbers.length / 2;
  } finally {
    await store.close();
  }
}

/** A store whose -wal has its last `commits`, as a control plane leaves it that is killed. */
async function killedStore(folder: string, commits: number) {
  const path = join(folder, "howdah.db");
  const store = await openStore(path, { disk: noDisk });
  await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(store.db);
  const ends = [0];
  for (let number = 0; number < commits; number++) {
    await write(store, number);
    ends.push(readFileSync(`${path}-wal`).length);
  }
  const files = { file: readFileSync(path), wal: readFileSync(`${path}-wal`) };
  await store.close();
  return { ...files, ends };
}

let made = 0;
function put(folder: string, file: Buffer, wal: Buffer): string {
  const path = join(folder, `put-${made++}.db`);
  writeFileSync(path, file);
  writeFileSync(`${path}-wal`, wal);
  return path;
}

test("a -wal that is cut at any byte opens to the commits that are whole in it", async () => {
  await inFolder(async ({ root }) => {
    const { file, wal, ends } = await killedStore(root, 30);
    const check = async (length: number) => {
      const path = put(root, file, wal.subarray(0, length));
      assert.deepEqual(checkStore(path, hasRunHere), []);
      assert.equal(
        await commitsIn(path),
        ends.findLastIndex((end) => end <= length),
        `${length} bytes`,
      );
    };
    for (const end of ends.filter((_, n) => n % 6 === 0))
      for (const length of [end - 1, end, end + 1, end + 25]) if (length >= 0 && length <= wal.length) await check(length);
    await fc.assert(fc.asyncProperty(fc.nat({ max: wal.length }), check), { numRuns: 30 });
  });
});

test("a byte that is garbled in the -wal is told of, or has taken the last commit at most", async () => {
  await inFolder(async ({ root }) => {
    const { file, wal, ends } = await killedStore(root, 30);
    const check = async (at: number, by: number) => {
      const garbled = Buffer.from(wal);
      garbled[at]! ^= by;
      const path = put(root, file, garbled);
      let refused: unknown;
      try {
        checkStore(path, hasRunHere);
      } catch (error) {
        refused = error;
      }
      const last = wal.length - 4096 - 24;
      if (at < last) {
        assert.ok(refused instanceof StoreDamaged, `byte ${at} of ${last}`);
        assert.match(refused.message, new RegExp(`^${path} is damaged: frame \\d+ of ${path}-wal is not whole`));
        assert.ok(readFileSync(`${path}-wal`).equals(garbled), "nothing of it was changed");
        // A power cut leaves later frames without earlier ones, of commits that nobody was answered for.
        const warnings = checkStore(path, afterPowerCut);
        assert.match(warnings.join(), /left out/);
      } else assert.equal(refused, undefined);
      assert.ok((await commitsIn(path)) <= ends.findLastIndex((end) => end <= at));
    };
    for (const at of [0, 8, 16, 24, 32, 40, 48, 56, ends[3]! + 4, ends[3]! + 20]) await check(at, 0x41);
    await fc.assert(fc.asyncProperty(fc.nat({ max: wal.length - 1 }), fc.integer({ min: 1, max: 255 }), check), { numRuns: 40 });
  });
});

test("what was left out after a power cut is not met again", async () => {
  await inFolder(async ({ root }) => {
    const { file, wal, ends } = await killedStore(root, 12);
    const garbled = Buffer.from(wal);
    garbled[ends[4]! + 100]! ^= 1;
    const path = put(root, file, garbled);
    assert.equal(checkStore(path, afterPowerCut).length, 1);
    const store = await openStore(path, { disk: noDisk });
    await write(store, 4);
    const killed = put(root, readFileSync(path), readFileSync(`${path}-wal`));
    await store.close();
    assert.deepEqual(checkStore(killed, hasRunHere), []);
    assert.equal(await commitsIn(killed), 5);
  });
});

test("no store is taken for damaged that a kill, a rollback or a checkpoint has left", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 5, maxLength: 30 }), fc.boolean(), async (fates, smallLog) =>
      inFolder(async ({ root }) => {
        const path = join(root, "howdah.db");
        const store = await openStore(path, { disk: noDisk });
        // Pages of transactions that do not come to their end are written to the -wal, too.
        await sql`PRAGMA cache_size=5`.execute(store.db);
        await sql.raw(`PRAGMA wal_autocheckpoint=${smallLog ? 12 : 1000}`).execute(store.db);
        let done = 0;
        for (const fails of fates) {
          if (fails)
            await assert.rejects(
              store.transaction(async (tx) => {
                for (let n = 0; n < 40; n++) await addEvent(tx, `j-${n}`, "cluster", "y".repeat(3000));
                throw new Error("no");
              }),
            );
          else await write(store, done++);
          const killed = put(root, readFileSync(path), existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : Buffer.alloc(0));
          assert.equal(walDamage(killed), undefined);
          // Another process goes on where this one was killed, and is killed, too.
          const next = await openStore(killed, { disk: noDisk });
          await write(next, done);
          const again = put(root, readFileSync(killed), readFileSync(`${killed}-wal`));
          await next.close();
          assert.deepEqual(checkStore(again, hasRunHere), []);
          assert.equal(await commitsIn(again), done + 1);
        }
        await store.close();
      }),
    ),
    { numRuns: 5 },
  );
});

const digestOf = (folder: string) =>
  readdirSync(folder)
    .filter((name) => /^howdah\.db(-wal)?$/.test(name) && statSync(join(folder, name)).size > 0)
    .map(
      (name) =>
        `${name} ${createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex")}`,
    )
    .toSorted();

/** As `howdah up` and `howdah doctor` have it. */
async function refused(data: DataFolder, why: RegExp): Promise<void> {
  const before = digestOf(data.root);
  await assert.rejects(startControlPlane({ data, log: pino({ level: "silent" }) }), (error: Error) => {
    assert.match(error.message, why);
    assert.ok(error.message.startsWith(`${data.database} is damaged: `), error.message);
    assert.match(error.message, /changed nothing of it\. Put a backup in its place/);
    return true;
  });
  assert.deepEqual(digestOf(data.root), before);
}

/** The doctor says the same, but of what only an earlier start tells. */
const sick = (data: DataFolder) => stores(data).filter(({ level, text }) => level === "bad" && text.includes(data.database)).length;

test("a main file that is empty, gone, no database, cut off or garbled is refused at the start, named, and left as it is", async () => {
  await inFolder(async (data) => {
    const whole = join(data.root, "whole.db");
    const store = await openStore(whole, { disk: noDisk });
    await fillStore(store, { clusters: 20, steps: 60, instances: 60, living: 5 });
    await store.close();
    assert.deepEqual(checkStore(whole, hasRunHere), []);
    const size = readFileSync(whole).length;
    const damage = async (why: RegExp, change: (path: string) => void) => {
      for (const name of ["howdah.db", "howdah.db-wal", "howdah.db-shm"]) rmSync(join(data.root, name), { force: true });
      copyFileSync(whole, data.database);
      change(data.database);
      await refused(data, why);
    };
    const fill = (from: number, to: number) => (path: string) => {
      const bytes = readFileSync(path);
      bytes.fill(0xa5, from, to);
      writeFileSync(path, bytes);
    };
    await damage(/not a database/, (path) => writeFileSync(path, "a letter to my aunt\n".repeat(1000)));
    await damage(/not a database/, fill(0, 16));
    await damage(/malformed|database/i, (path) => truncateSync(path, size - 10 * 4096));
    assert.equal(sick(data), 1);
    for (let page = 1; page < size / 4096; page += 7) await damage(/malformed|Tree|[Pp]age|database/, fill(page * 4096, (page + 1) * 4096));
    assert.equal(sick(data), 1);
    // Only whoever has run in a folder misses its store.
    writeWhole(data.endpoint, "http://127.0.0.1:1");
    await damage(/it is empty, or not there/, (path) => truncateSync(path, 0));
    await damage(/it is empty, or not there/, (path) => rmSync(path));
    // All that is left of it: SQLite would remove it on sight.
    await damage(/it is empty, or not there/, (path) => {
      truncateSync(path, 0);
      writeFileSync(`${path}-wal`, Buffer.alloc(5000, 1));
    });
    await assert.rejects(openStore(put(data.root, Buffer.from("no database".repeat(500)), Buffer.alloc(0))), StoreDamaged);
  });
});

test("an audit trail that is no database is named, and what to do with it", async () => {
  await inFolder(async (data) => {
    const store = await openStore(data.database);
    await store.close();
    assert.deepEqual(
      stores(data).map(({ level }) => level),
      ["ok"],
    );
    writeFileSync(data.audit, "nothing of the kind".repeat(400));
    assert.deepEqual(
      stores(data).map(({ level, text }) => [level, text.split(":")[0]]),
      [
        ["ok", `${data.database} is whole`],
        ["bad", `${data.audit} is damaged`],
      ],
    );
  });
});
