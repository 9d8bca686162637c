import assert from "node:assert/strict";
import { test } from "node:test";
import { answerMetadata } from "../../src/agent/metadata.ts";

const metadata = { "meta-data/instance-id": "i-1", "meta-data/placement/region": "eu-west-1", "dynamic/instance-identity/document": "{}" };
const get = (path: string) => answerMetadata(metadata, "GET", path);

test("values, and lists of what begins with a path", () => {
  assert.deepEqual(get("/latest/meta-data/instance-id"), { status: 200, text: "i-1" });
  assert.deepEqual(get("/latest/meta-data/"), { status: 200, text: "instance-id\nplacement/" });
  assert.deepEqual(get("/latest/meta-data/placement"), { status: 200, text: "region" });
  assert.deepEqual(get("/latest/dynamic/instance-identity/document/"), { status: 200, text: "{}" });
});

test("a token for whoever asks; nothing else can be put; what is not there is not found", () => {
  assert.equal(answerMetadata(metadata, "PUT", "/latest/api/token").status, 200);
  assert.equal(answerMetadata(metadata, "PUT", "/latest/meta-data/instance-id").status, 405);
  assert.equal(get("/latest/meta-data/iam/security-credentials/").status, 404);
  assert.equal(get("/latest/constructor").status, 404);
});
