/** The front door without an S3 server behind it: what it hands to the control plane, and what it lets clients do to it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { originHeader, readOrigin, writeOrigin } from "../../src/aws/origin.ts";
import { type Front, startFront } from "../../src/s3/front.ts";
import { openStore } from "../../src/store/store.ts";

describe("front door", () => {
  const root = mkdtempSync(join(tmpdir(), "howdah-front-"));
  const controlSocket = join(root, "control.sock");
  let answer: RequestListener = (_req, res) => res.end();
  const behind = createServer((req, res) => answer(req, res));
  let front: Front;

  before(async () => {
    const databasePath = join(root, "howdah.db");
    await (await openStore(databasePath, Date.now)).close();
    await once(behind.listen(controlSocket), "listening");
    front = await startFront({
      host: "127.0.0.1",
      port: 0,
      databasePath,
      controlSocket,
      s3: { endpoint: "http://127.0.0.1:9", accessKeyId: "a", secretAccessKey: "s", region: "us-east-1" },
    });
  });
  after(async () => {
    await front.close();
    behind.closeAllConnections();
    behind.close();
    rmSync(root, { recursive: true });
  });

  const arrived = () =>
    new Promise<IncomingMessage>((resolve) => {
      answer = (req, res) => {
        resolve(req);
        res.end();
      };
    });

  test("says where a request comes from, whatever its client says", async () => {
    const spoofs = {
      [originHeader]: "guess 10.0.0.1",
      "X-Howdah-Origin": ["guess 10.0.0.2", "guess 10.0.0.3"],
      "x-forwarded-for": "10.0.0.4",
    };
    for (const headers of [{}, ...Object.entries(spoofs).map(([name, value]) => ({ [name]: value }))]) {
      const coming = arrived();
      const sent = request({ port: front.port, localAddress: "127.9.8.7", path: "/_howdah/x", headers }).end();
      const req = await coming;
      await once(sent, "response");
      assert.deepEqual(front.originOf(req.headers), { sourceIp: "127.9.8.7", secure: false });
      assert.ok(!JSON.stringify(req.rawHeaders).includes("guess"));
    }
  });

  test("what did not come through the door has no origin", () => {
    assert.equal(front.originOf({}), undefined);
    assert.equal(front.originOf({ [originHeader]: "guess 10.0.0.1" }), undefined);
  });
});

test("an origin is the same behind the door", () => {
  const origins = [
    { sourceIp: "10.0.0.1", secure: false },
    { sourceIp: "fe80::1", secure: true, tls: { version: "TLSv1.3", cipherSuite: "TLS_AES_128_GCM_SHA256" } },
  ];
  for (const origin of origins) assert.deepEqual(readOrigin("s", { [originHeader]: writeOrigin("s", origin) }), origin);
});
