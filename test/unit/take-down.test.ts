import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { holderPath, lockDataFolder } from "../../src/running.ts";
import { dataFolder } from "../../src/data-folder.ts";
import { isAlive, spawnDetached } from "../../src/process/known.ts";
import { takeDown } from "../../src/take-down.ts";

test("down ends a control plane that is only starting, and keeps another from starting meanwhile", async (t) => {
  const data = dataFolder(mkdtempSync(join(tmpdir(), "howdah-down-")));
  t.after(() => rmSync(data.root, { recursive: true, force: true }));
  mkdirSync(data.run);
  const source = (name: string) => JSON.stringify(new URL(`../../src/${name}`, import.meta.url).href);
  const starting = `
    import { holderPath, lockDataFolder } from ${source("running.ts")};
    import { dataFolder } from ${source("data-folder.ts")};
    import { writeWhole } from ${source("files.ts")};
    import { identify } from ${source("process/known.ts")};
    const data = dataFolder(${JSON.stringify(data.root)});
    await lockDataFolder(data);
    writeWhole(holderPath(data), JSON.stringify(identify(process.pid)));
    setInterval(() => {}, 1000);`;
  const child = spawnDetached([process.execPath, "--input-type=module", "--eval", starting], {
    cwd: "/",
    env: {},
    log: join(data.root, "log"),
  });
  while (isAlive(child) && !existsSync(holderPath(data))) await sleep(20);
  assert.ok(isAlive(child));
  await assert.rejects(lockDataFolder(data), /already runs/);
  assert.deepEqual(await takeDown(data), { instances: 0, clusters: 0, kept: 0 });
  assert.ok(!isAlive(child));
});
