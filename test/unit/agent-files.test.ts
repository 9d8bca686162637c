import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createFiles } from "../../src/agent/files.ts";

const inFolder = (work: (folder: string) => Promise<void>) => async () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-files-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

test(
  "what a user has made of a file stays, over a restart of the agent too, until the manifest's words for it change",
  inFolder(async (folder) => {
    const path = join(folder, "conf", "site.xml");
    const agent = () => createFiles(join(folder, "files.json"));
    await agent().write([{ path, content: "a" }]);
    writeFileSync(path, "edited");
    await agent().write([{ path, content: "a" }]);
    assert.equal(readFileSync(path, "utf8"), "edited");
    await agent().write([{ path, content: "b" }]);
    assert.equal(readFileSync(path, "utf8"), "b");
  }),
);

test(
  "a link replaces an empty or a foreign folder, and content replaces a link without writing through it",
  inFolder(async (folder) => {
    const files = createFiles(join(folder, "files.json"));
    const [place, behind, python] = [join(folder, "lib"), join(folder, "behind"), join(folder, "python3")];
    mkdirSync(join(place, "foreign"), { recursive: true });
    writeFileSync(behind, "the host's");
    symlinkSync(behind, python);
    await files.write([
      { path: place, linkTo: "/somewhere" },
      { path: python, content: "#!/bin/sh\n", mode: 0o755 },
    ]);
    assert.equal(readlinkSync(place), "/somewhere");
    assert.ok(lstatSync(python).isFile());
    assert.equal(lstatSync(python).mode & 0o777, 0o755);
    assert.equal(readFileSync(behind, "utf8"), "the host's");
  }),
);

test(
  "a file that cannot be written is named, and those before it are not written again",
  inFolder(async (folder) => {
    const [good, bad] = [join(folder, "good"), join(folder, "file", "below")];
    writeFileSync(join(folder, "file"), "");
    const agent = () => createFiles(join(folder, "files.json"));
    await assert.rejects(
      agent().write([
        { path: good, content: "x" },
        { path: bad, content: "y" },
      ]),
      new RegExp(`${bad} could not be written`),
    );
    writeFileSync(good, "edited");
    await assert.rejects(
      agent().write([
        { path: good, content: "x" },
        { path: bad, content: "y" },
      ]),
    );
    assert.equal(readFileSync(good, "utf8"), "edited");
    assert.ok(!existsSync(bad));
  }),
);
