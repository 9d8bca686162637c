import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CreateBucketCommand, ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { endProcess, isAlive } from "../../src/process/known.ts";
import { ensureS3Proxy, type RunningS3Proxy, stopS3Proxy, superviseS3Proxy } from "../../src/s3/s3proxy.ts";
import { s3ProxyOptions } from "./s3-harness.ts";

let root: string;
const options = () => s3ProxyOptions(root);

before(() => {
  root = mkdtempSync(join(tmpdir(), "howdah-s3-"));
});
after(async () => {
  await stopS3Proxy(options().data);
  rmSync(root, { recursive: true, force: true });
});

async function buckets(server: RunningS3Proxy): Promise<(string | undefined)[]> {
  const client = new S3Client({ ...server, forcePathStyle: true, maxAttempts: 1, credentials: { ...server } });
  return (await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name) ?? [];
}

test("is started once, found again, started again where it died, and ended", async () => {
  const first = await ensureS3Proxy(options());
  const { data } = options();
  for (const name of ["s3proxy.json", "s3proxy.properties"]) assert.equal(statSync(join(data.run, name)).mode & 0o777, 0o600, name);
  const client = new S3Client({ ...first, forcePathStyle: true, maxAttempts: 1, credentials: { ...first } });
  await client.send(new CreateBucketCommand({ Bucket: "kept" }));
  assert.deepEqual(await ensureS3Proxy(options()), first);

  // A control plane that was killed before it wrote the process down.
  rmSync(join(data.run, "s3proxy.json"));
  const second = await ensureS3Proxy(options());
  assert.ok(!isAlive(first.known), "one server for a folder, and its secret was lost");
  assert.deepEqual(await buckets(second), ["kept"]);

  const changed = Promise.withResolvers<RunningS3Proxy>();
  const watched = await superviseS3Proxy(options(), { changed: changed.resolve, failed: changed.reject }, 50);
  assert.deepEqual(watched.known, second.known);
  await endProcess(second.known, { graceMs: 0 });
  const third = await changed.promise;
  await watched.stop();
  assert.equal(third.endpoint, second.endpoint);
  assert.deepEqual(await buckets(third), ["kept"]);

  await stopS3Proxy(data);
  assert.ok(!isAlive(third.known));
  await stopS3Proxy(data);
});
