import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeFolders, writeWhole } from "../../src/files.ts";

test("a data folder below /proc is refused, not tried for ever", () => {
  assert.throws(() => makeFolders("/proc/howdah/data"), /\/proc\/howdah cannot be made .*: choose another folder/);
});

test("folders are made private, however deep; those that are there stay as they are", (t) => {
  const root = mkdtempSync(join(tmpdir(), "howdah-files-"));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "a"), { mode: 0o755 });
  makeFolders(join(root, "a", "b", "c"));
  assert.deepEqual(
    ["a", "a/b", "a/b/c"].map((name) => statSync(join(root, name)).mode & 0o777),
    [0o755, 0o700, 0o700],
  );
  makeFolders(join(root, "a", "b", "c"));
});

test("a file that cannot be put in its place leaves nothing beside it", (t) => {
  const root = mkdtempSync(join(tmpdir(), "howdah-files-"));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "taken"));
  assert.throws(() => writeWhole(join(root, "taken"), "text"));
  assert.deepEqual(readdirSync(root), ["taken"]);
});
