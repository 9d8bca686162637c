import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { daemonReason } from "../../src/agent/text.ts";

test("why a daemon ended: its own log before what it printed, and the port that was taken", (t) => {
  const root = mkdtempSync(join(tmpdir(), "howdah-reason-"));
  t.after(() => rmSync(root, { recursive: true }));
  const [out, log] = [join(root, "rm.out"), join(root, "rm.log")];
  writeFileSync(out, "Error: Could not find or load main class X\n");
  assert.deepEqual(daemonReason(out), { message: "Error: Could not find or load main class X", logFile: out });
  writeFileSync(log, "2026-01-01 INFO starting\njava.io.IOException: no space\n\tat A.b(A.java:1)\n2026-01-01 INFO SHUTDOWN_MSG\n");
  assert.deepEqual(daemonReason(out), { message: "java.io.IOException: no space", logFile: log });
  const trace = [
    "java.net.BindException: Port in use: 127.64.1.1:8088",
    "\tat H.constructBindException(H.java:1478)",
    "Caused by: java.net.BindException: in use",
  ];
  writeFileSync(log, `${trace.join("\n")}\n`);
  assert.equal(daemonReason(out).message, "java.net.BindException: Port in use: 127.64.1.1:8088");
});
