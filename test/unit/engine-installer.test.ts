/** Engines that a cluster waits for, on a machine that has none and whose cache cannot be made. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withoutParts } from "../../src/cli/progress.ts";
import { dataFolder } from "../../src/data-folder.ts";
import { createEngineInstaller } from "../../src/engine-installer.ts";
import { engineFor } from "../../src/engines/index.ts";
import { findRelease } from "../../src/releases/release.ts";
import { enginesHere } from "../../src/setup.ts";
import { enginePlace } from "../../src/setup/engine-home.ts";
import { places } from "../../src/setup/places.ts";
import { run } from "../../src/setup/run.ts";

/** XDG_CACHE_HOME until the test's end. */
function cacheIn(t: TestContext, folder: string): void {
  const { XDG_CACHE_HOME } = process.env;
  t.after(() => {
    if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
    rmSync(folder, { recursive: true });
  });
  process.env.XDG_CACHE_HOME = folder;
}

test("an engine that this machine has is looked at with Hadoop and Spark, damaged or not", (t) => {
  cacheIn(t, mkdtempSync(join(tmpdir(), "howdah-here-")));
  const label = "emr-7.13.0";
  assert.deepEqual(enginesHere(label), []);
  const release = findRelease(label)!;
  const { cache, hadoop } = places(release);
  mkdirSync(enginePlace(cache, release, engineFor("Tez")!, hadoop)!.home, { recursive: true });
  assert.deepEqual(enginesHere(label), ["Tez"]);
  assert.deepEqual(withoutParts(["Tez (a.jar)", "Tez (commands)", "Class archive of Spark"]), ["Tez", "Class archive of Spark"]);
});

test("what is missing begins to come when it is asked for, fails in words, and is tried again by the next who asks", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-installer-"));
  cacheIn(t, folder);
  writeFileSync(join(folder, "file"), "");
  process.env.XDG_CACHE_HOME = join(folder, "file");
  const data = dataFolder(join(folder, "data"));
  mkdirSync(data.logs, { recursive: true });
  const engines = createEngineInstaller(data);
  for (let time = 0; time < 2; time++) {
    let state = engines("emr-7.13.0", ["ZooKeeper"]);
    assert.ok(state !== "there" && "coming" in state && /ZooKeeper of emr-7\.13\.0/.test(state.coming));
    while (state !== "there" && "coming" in state) {
      await sleep(50);
      state = engines("emr-7.13.0", ["ZooKeeper"]);
    }
    assert.ok(state !== "there" && "failed" in state);
    assert.match(state.failed, /could not be installed\. Run: howdah engines install ZooKeeper\. [^]*ENOTDIR/);
  }
});

test("a program that is not on the machine is told at once, and nothing waits for its limit", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  await assert.rejects(run(["no-such-program"], { timeoutMs: 600_000 }), /no-such-program could not be started/);
  assert.equal(timers(), before);
});
