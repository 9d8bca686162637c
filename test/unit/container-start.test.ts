/** What bash does before a YARN container's program begins, with the host's memory as a file that the test writes. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const source = readFileSync(new URL("../../src/engines/hadoop/container-start.sh", import.meta.url), "utf8");

function container(root: string, env: Record<string, string> = {}) {
  mkdirSync(join(root, "warnings"), { recursive: true });
  writeFileSync(join(root, "start.sh"), source.replaceAll("@WARNINGS@", join(root, "warnings")));
  writeFileSync(join(root, "launch_container.sh"), "cat /proc/self/oom_score_adj; bash -c 'echo user'");
  const child = spawn("bash", [join(root, "launch_container.sh")], {
    env: { PATH: process.env.PATH!, BASH_ENV: join(root, "start.sh"), HOWDAH_MEMINFO: join(root, "meminfo"), ...env },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { ended: once(child, "close").then(([code]) => ({ code: code as number, text })), isOver: () => child.exitCode !== null };
}

const meminfo = (root: string, available: number) =>
  writeFileSync(join(root, "meminfo"), `MemTotal:       100000 kB\nMemFree:        50 kB\nMemAvailable:   ${available} kB\n`);

test("a container begins at once where the host has memory, and is the first to be ended where it has none any more", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "howdah-container-"));
  t.after(() => rmSync(root, { recursive: true }));
  meminfo(root, 4_000);
  assert.deepEqual(await container(root).ended, { code: 0, text: "900\nuser\n" });
  assert.ok(!existsSync(join(root, "warnings", "memory")));
});

test("a container waits while the host is short of memory, with a warning, and begins when it has more", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "howdah-container-"));
  t.after(() => rmSync(root, { recursive: true }));
  meminfo(root, 3_999);
  const waiting = container(root);
  while (!existsSync(join(root, "warnings", "memory")) && !waiting.isOver()) await sleep(20);
  assert.ok(!waiting.isOver());
  meminfo(root, 90_000);
  assert.deepEqual(await waiting.ended, { code: 0, text: "900\nuser\n" });
  assert.match(readFileSync(join(root, "warnings", "memory"), "utf8"), /less than 4 % of its memory free/);
});

test("a container that has waited too long is not started, and says why", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "howdah-container-"));
  t.after(() => rmSync(root, { recursive: true }));
  meminfo(root, 10);
  const { code, text } = await container(root, { HOWDAH_MEMORY_PATIENCE: "1" }).ended;
  assert.equal(code, 1);
  assert.match(text, /^Not started: .*memory/);
});

test("a container of a step with a runtime role asks for that role's credentials, and no other container does", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "howdah-container-"));
  t.after(() => rmSync(root, { recursive: true }));
  const role = readFileSync(new URL("../../src/engines/hadoop/container-role.sh", import.meta.url), "utf8");
  writeFileSync(join(root, "start.sh"), role.replaceAll("@URL@", "http://n/credentials").replaceAll("@TOKENS@", "/tokens"));
  // As YARN writes it: variables of its own keep what they have.
  const launch = (step: string) => `export HOWDAH_STEP_ROLE="${step}"
export AWS_CONTAINER_CREDENTIALS_FULL_URI=\${AWS_CONTAINER_CREDENTIALS_FULL_URI:-"http://n/credentials"}
export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=\${AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE:-"/token"}
bash -c 'echo $AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'`;
  const said = async (step: string) => {
    writeFileSync(join(root, "launch_container.sh"), launch(step));
    const child = spawn("bash", [join(root, "launch_container.sh")], {
      env: { PATH: process.env.PATH!, BASH_ENV: join(root, "start.sh") },
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(child, "close");
    return text.trim();
  };
  assert.equal(await said("s-ABC123"), "http://n/credentials/s-ABC123 /tokens/s-ABC123");
  assert.equal(await said(""), "http://n/credentials /token");
});
