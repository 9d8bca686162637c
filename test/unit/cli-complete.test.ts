/** What Tab offers where nothing but the commands themselves is known. The rest needs a store: test/integration/cli.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates } from "../../src/cli/complete.ts";
import { howdahProgram } from "../../src/cli/program.ts";

const offered = async (...words: string[]) => (await candidates(howdahProgram([]), words)).map(({ value }) => value);

test("commands, but not those that only shells call", async () => {
  assert.deepEqual(await offered("e"), ["events", "env", "engines"]);
  assert.ok(!(await offered("")).includes("__complete"));
});

test("options that are not there yet, and what may be their values", async () => {
  assert.deepEqual(await offered("up", "--"), ["--data", "--port", "--isolation", "--provider", "--pace", "--rules", "--detach"]);
  assert.deepEqual(await offered("up", "--isolation", "view", "--i"), []);
  assert.deepEqual(await offered("up", "--isolation", "p"), ["plain"]);
  assert.deepEqual(await offered("completion", ""), ["bash", "zsh", "fish"]);
  assert.deepEqual(await offered("engines", "--json", "i"), ["install"]);
});

test("nothing for a command of the node, for a wrong command, and where no store is", async () => {
  assert.deepEqual(await offered("ssh", "j-A", "--", "l"), []);
  assert.deepEqual(await offered("nonsense", ""), []);
  assert.deepEqual(await offered("status", "--data", "/nonexistent/howdah", ""), []);
  assert.deepEqual(await offered("status", "--data", ""), []);
});
