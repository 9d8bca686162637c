/** Set-up with the user's real Maven and pip. What is in the user's cache is used; damage is only done in a cache of its own. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findRelease } from "../../src/releases/release.ts";
import { ensureSetup, readInstallation } from "../../src/setup.ts";
import { makeFolder, objectPath, withCacheLock } from "../../src/setup/cache.ts";
import { ensureObjects, missingObjects } from "../../src/setup/jars.ts";

const cache = mkdtempSync(join(tmpdir(), "howdah-cache-"));
after(() => rmSync(cache, { recursive: true }));
const entries = findRelease("emr-7.13.0")!.hadoop.jars.filter(({ artifact }) => artifact === "aopalliance" || artifact === "commons-cli");

test("a release is there after set-up, and asking again only looks", async () => {
  const installation = await ensureSetup({ releaseLabel: "emr-7.13.0" });
  // With the engines that other clusters have brought to this machine.
  assert.deepEqual(readInstallation("emr-7.13.0", Object.keys(installation.engines)), installation);
  const tasks: string[] = [];
  await ensureSetup({ releaseLabel: "emr-7.13.0", onProgress: ({ task }) => tasks.push(task) });
  assert.deepEqual(tasks, []);
});

test("a release that is not locked is refused, and those that are get named", async () => {
  await assert.rejects(ensureSetup({ releaseLabel: "emr-9.9.9" }), /emr-9\.9\.9 is not locked\. Locked: emr-7\.13\.0/);
});

test("a jar that was touched in the cache is noticed and fetched again", async () => {
  await ensureObjects(cache, entries, () => {});
  assert.equal(missingObjects(cache, entries).length, 0);
  const [first] = entries;
  writeFileSync(objectPath(cache, first!.sha256), Buffer.alloc(first!.size));
  assert.deepEqual(missingObjects(cache, entries), [first]);
  await ensureObjects(cache, entries, () => {});
  assert.equal(missingObjects(cache, entries).length, 0);
});

test("a jar that is not what was locked is refused", async () => {
  const wrong = { ...entries[0]!, sha256: "0".repeat(64) };
  await assert.rejects(
    ensureObjects(cache, [wrong], () => {}),
    /not what the lock says: aopalliance/,
  );
});

test("a folder is made as a whole or not at all", async () => {
  const target = join(cache, "made");
  await makeFolder(cache, target, async (folder) => writeFileSync(join(folder, "a"), ""));
  const cutOff = makeFolder(cache, target, async (folder) => {
    writeFileSync(join(folder, "b"), "");
    throw new Error("cut off");
  });
  await assert.rejects(cutOff, /cut off/);
  assert.deepEqual(readdirSync(target), ["a"]);
});

test("two set-ups do not work at the same time", async () => {
  const order: string[] = [];
  const [begun, first] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const one = withCacheLock(
    cache,
    () => {},
    async () => {
      order.push("one begins");
      begun.resolve();
      await first.promise;
      order.push("one ends");
    },
  );
  await begun.promise;
  const waits = () => first.resolve();
  await withCacheLock(cache, waits, async () => void order.push("two"));
  await one;
  assert.deepEqual(order, ["one begins", "one ends", "two"]);
});
