import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { AgentContext } from "../../src/agent/context.ts";
import { createCredentials } from "../../src/agent/credentials.ts";
import { credentialsPort, nodeLayout } from "../../src/agent/layout.ts";
import { createMetadata, type MetadataHttpTokens } from "../../src/agent/metadata.ts";

const metadata = { "meta-data/instance-id": "i-1", "meta-data/placement/region": "eu-west-1", "dynamic/instance-identity/document": "{}" };
let now = 0;
const answer = createMetadata(() => now);
const ask = (method: string, path: string, headers = {}, tokens: MetadataHttpTokens = "optional") =>
  answer(metadata, tokens, { method, path, headers });
const get = (path: string) => ask("GET", path);
const id = "/latest/meta-data/instance-id";
const tokenFor = (ttl: number) => ask("PUT", "/latest/api/token", { "x-aws-ec2-metadata-token-ttl-seconds": String(ttl) });

test("values, and lists of what begins with a path", () => {
  assert.deepEqual(get(id), { status: 200, text: "i-1" });
  assert.deepEqual(get("/latest/meta-data/"), { status: 200, text: "instance-id\nplacement/" });
  assert.deepEqual(get("/latest/meta-data/placement"), { status: 200, text: "region" });
  assert.deepEqual(get("/latest/dynamic/instance-identity/document/"), { status: 200, text: "{}" });
});

test("nothing but a token can be put; what is not there is not found", () => {
  assert.equal(ask("PUT", id).status, 405);
  assert.equal(ask("POST", "/latest/api/token").status, 405);
  assert.equal(get("/latest/meta-data/iam/security-credentials/").status, 404);
  assert.equal(get("/latest/constructor").status, 404);
});

test("a token has a life of 1 to 21600 seconds, and is for whoever is no proxy", () => {
  for (const ttl of [1, 21_600]) {
    const { status, headers } = tokenFor(ttl);
    assert.deepEqual([status, headers], [200, { "x-aws-ec2-metadata-token-ttl-seconds": String(ttl) }]);
  }
  for (const ttl of [0, 21_601, -1, 1.5, NaN]) assert.equal(tokenFor(ttl).status, 400, String(ttl));
  assert.equal(ask("PUT", "/latest/api/token").status, 400);
  const forwarded = { "x-aws-ec2-metadata-token-ttl-seconds": "60", "x-forwarded-for": "192.0.2.1" };
  assert.equal(ask("PUT", "/latest/api/token", forwarded).status, 403);
});

test("where a token is required, nothing is told without one that is good", () => {
  const { text: token } = tokenFor(60);
  const asked = (token?: string, tokens: MetadataHttpTokens = "required") =>
    ask("GET", id, token === undefined ? {} : { "x-aws-ec2-metadata-token": token }, tokens).status;
  assert.equal(asked(), 401);
  assert.equal(asked(undefined, "optional"), 200);
  assert.equal(asked(token), 200);
  const later = `${Number(token.split(".")[0]) + 1_000_000}.${token.split(".")[1]}`;
  for (const wrong of ["", "x", ".", `${token}x`, `x${token}`, later, "NaN.x"]) {
    assert.equal(asked(wrong), 401, wrong);
    // EC2 does not take a wrong token for none.
    assert.equal(asked(wrong, "optional"), 401, wrong);
  }
  now += 59_000;
  assert.equal(asked(token), 200);
  now += 1_001;
  assert.equal(asked(token), 401);
  const [own, others] = [token, createMetadata(() => now)];
  assert.equal(others(metadata, "required", { method: "GET", path: id, headers: { "x-aws-ec2-metadata-token": own } }).status, 401);
});

test("an agent answers so over HTTP, by the manifest of now", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-metadata-"));
  const address = "127.64.251.7";
  mkdirSync(nodeLayout(folder).run, { recursive: true });
  const context = { layout: nodeLayout(folder), record: { address }, log: () => {} } as unknown as AgentContext;
  let tokens: MetadataHttpTokens = "optional";
  const server = await createCredentials(context).serve(() => ({ paths: metadata, tokens }));
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const url = (path: string) => `http://${address}:${credentialsPort}${path}`;
  assert.equal(await (await fetch(url(id))).text(), "i-1");
  tokens = "required";
  assert.equal((await fetch(url(id))).status, 401);
  const given = await fetch(url("/latest/api/token"), { method: "PUT", headers: { "X-aws-ec2-metadata-token-ttl-seconds": "21600" } });
  assert.equal(given.headers.get("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  const told = await fetch(url(id), { headers: { "X-aws-ec2-metadata-token": await given.text() } });
  assert.deepEqual([told.status, await told.text()], [200, "i-1"]);
});
