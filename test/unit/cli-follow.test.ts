/** Following files as they grow. */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createFollower } from "../../src/cli/follow.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "howdah-follow-"));
  await work(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
}

function collector() {
  let text = "";
  return {
    write: async (more: string | Uint8Array) => void (text += Buffer.from(more).toString()),
    /** What came since the last call. */
    take: () => {
      const taken = text;
      text = "";
      return taken;
    },
  };
}

test("whole lines with their label as they come; the last one at the end, though it has none", () =>
  inFolder(async (folder) => {
    const { write, take } = collector();
    const follower = createFollower(write);
    const [out, err] = ["out", "err"].map((name) => ({ path: join(folder, name), label: `${name} |` }));
    await follower.look([out!, err!]);
    assert.equal(take(), "", "none is there yet");
    writeFileSync(out!.path, "one\n\ntw");
    await follower.look([out!, err!]);
    assert.equal(take(), "out | one\nout | \n");
    appendFileSync(out!.path, "o\nprogress 1\rprogress 2\nel\u00e9");
    writeFileSync(err!.path, "bad\n");
    await follower.look([out!, err!]);
    assert.equal(take(), "out | two\nout | progress 1\rprogress 2\nerr | bad\n");
    await follower.finish([out!, err!]);
    assert.equal(take(), "out | el\u00e9\n");
  }));

test("over rotation nothing is lost and nothing comes twice", () =>
  inFolder(async (folder) => {
    const { write, take } = collector();
    const follower = createFollower(write);
    const file = { path: join(folder, "log"), label: undefined };
    writeFileSync(file.path, "1\n");
    await follower.look([file]);
    appendFileSync(file.path, "2\n");
    renameSync(file.path, `${file.path}.1`);
    writeFileSync(file.path, "3\n");
    await follower.look([file]);
    assert.equal(take(), "1\n2\n3\n");
    truncateSync(file.path);
    await follower.look([file]);
    appendFileSync(file.path, "4\n");
    await follower.look([file]);
    rmSync(file.path);
    await follower.finish([file]);
    assert.equal(take(), "4\n");
  }));

test("beginning with the last lines", () =>
  inFolder(async (folder) => {
    const path = join(folder, "log");
    const all = Array.from({ length: 30_000 }, (_, i) => `line ${i}\n`);
    writeFileSync(path, all.join(""));
    for (const lines of [0, 1, 3, 20_000, 30_000, 40_000]) {
      const { write, take } = collector();
      await createFollower(write).finish([{ path, label: undefined, lines }]);
      assert.equal(take(), lines === 0 ? "" : all.slice(-lines).join(""), String(lines));
    }
    writeFileSync(path, "a\nb");
    const { write, take } = collector();
    await createFollower(write).finish([{ path, label: undefined, lines: 1 }]);
    assert.equal(take(), "b");
  }));
