/** Whether a volume takes a write: on a folder that does, one that does not, and by a program that hangs. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createTrial } from "../../src/agent/volumes-watch.ts";

const folder = mkdtempSync(join(tmpdir(), "howdah-volumes-"));
after(() => rmSync(folder, { recursive: true }));

test("a byte is written, and what keeps it from being written is said in the system's own words", async () => {
  const file = join(folder, "byte");
  assert.equal(await createTrial(file).write(), undefined);
  assert.deepEqual([...readFileSync(file)], [0]);
  assert.equal(await createTrial(join(folder, "gone", "byte")).write(), "No such file or directory");
});

test("a write that hangs is told of, is not begun a second time, and is forgotten when it has ended", async () => {
  const program = join(folder, "hangs");
  writeFileSync(program, `#!/bin/sh\necho begun >>${folder}/begun\nwhile [ ! -e ${folder}/answer ]; do sleep 0.05; done\n`);
  chmodSync(program, 0o755);
  const { write } = createTrial(join(folder, "byte"), program, 100);
  assert.equal(await write(), "one has taken more than 0.1 s");
  assert.equal(await write(), "one has taken more than 0.1 s");
  writeFileSync(join(folder, "answer"), "");
  while ((await write()) !== undefined) await sleep(20);
  assert.ok(readFileSync(join(folder, "begun"), "utf8").split("\n").length <= 3, "the one that hung, and at most one more that was well");
});
