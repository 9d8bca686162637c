/** How long the agent keeps credentials that the control plane has given it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { AgentContext } from "../../src/agent/context.ts";
import { createCredentials } from "../../src/agent/credentials.ts";
import { nodeLayout } from "../../src/agent/layout.ts";

test("credentials are asked for anew when they end soon by the clock, and are used to their end where nobody answers", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-agent-credentials-"));
  let asked = 0;
  let isUp = true;
  let leftMs = 3_600_000;
  const server = createServer((_request, response) => {
    asked += 1;
    const Expiration = new Date(Date.now() + leftMs).toISOString();
    response.writeHead(isUp ? 200 : 500).end(JSON.stringify({ AccessKeyId: `ASIA${asked}`, SecretAccessKey: "s", Token: "t", Expiration }));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  const endpointFile = join(folder, "endpoint");
  writeFileSync(endpointFile, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const record = { address: "127.0.0.1", endpointFile, instanceId: "i-1", agentToken: "t" };
  const { current } = createCredentials({ layout: nodeLayout(folder), record } as unknown as AgentContext);

  assert.equal((await current()).AccessKeyId, "ASIA1");
  assert.equal((await current()).AccessKeyId, "ASIA1");
  // The laptop sleeps for most of the hour: the steady clock stands still.
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 50 * 60_000 });
  assert.equal((await current()).AccessKeyId, "ASIA2");
  isUp = false;
  t.mock.timers.setTime(Date.now() + 50 * 60_000);
  assert.equal((await current()).AccessKeyId, "ASIA2");
  t.mock.timers.setTime(Date.now() + 11 * 60_000);
  await assert.rejects(current(), /answered 500/);
  [isUp, leftMs] = [true, 60_000];
  assert.equal((await current("s-1")).AccessKeyId, "ASIA5");
  assert.equal((await current("s-1")).AccessKeyId, "ASIA6");
});
