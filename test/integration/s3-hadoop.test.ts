import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CreateBucketCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { cluster, type Harness, installation, startHarness } from "./s3-harness.ts";

let harness: Harness;

before(async () => {
  harness = await startHarness();
});
after(() => harness?.close());

/** Hadoop's configuration of S3A, with a cluster's temporary credentials. */
function coreSite(): string {
  const settings = {
    "fs.s3a.endpoint": harness.endpoint,
    "fs.s3a.endpoint.region": "us-east-1",
    "fs.s3a.path.style.access": "true",
    "fs.s3a.connection.ssl.enabled": "false",
    "fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider",
    "fs.s3a.access.key": cluster.accessKeyId,
    "fs.s3a.secret.key": cluster.secretAccessKey,
    "fs.s3a.session.token": cluster.sessionToken,
    "fs.s3a.attempts.maximum": "1",
    "fs.s3a.retry.limit": "1",
    // S3A buffers there; its default is in /tmp, and stays.
    "hadoop.tmp.dir": join(harness.root, "tmp"),
    "fs.s3a.multipart.size": "5M",
    "fs.s3a.multipart.threshold": "5M",
  };
  const properties = Object.entries(settings).map(([name, value]) => `<property><name>${name}</name><value>${value}</value></property>`);
  return `<configuration>${properties.join("")}</configuration>`;
}

test("Hadoop's S3A writes, renames, lists, reads and deletes", async () => {
  const { javaHome, hadoop } = installation();
  const conf = join(harness.root, "conf");
  mkdirSync(conf);
  writeFileSync(join(conf, "core-site.xml"), coreSite());
  const classPath = [conf, ...hadoop.classPath].join(":");
  const shell = async (...args: string[]): Promise<string> => {
    const argv = ["-XX:TieredStopAtLevel=1", "-cp", classPath, "org.apache.hadoop.fs.FsShell", ...args];
    const child = spawn(join(javaHome, "bin", "java"), argv, { env: {}, stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    const status = await new Promise((resolve) => child.on("close", resolve));
    assert.equal(status, 0, `${args.join(" ")}: ${err}`);
    return out;
  };
  const client = harness.client();
  await client.send(new CreateBucketCommand({ Bucket: "s3a-bucket" }));
  const [source, copy] = [join(harness.root, "source"), join(harness.root, "copy")];
  const data = randomBytes(12 << 20);
  writeFileSync(source, data);

  await shell("-mkdir", "-p", "s3a://s3a-bucket/dir/p=1");
  await shell("-put", source, "s3a://s3a-bucket/dir/p=1/f");
  await shell("-mv", "s3a://s3a-bucket/dir", "s3a://s3a-bucket/moved");
  assert.match(await shell("-ls", "-R", "s3a://s3a-bucket/"), / 12582912 .* s3a:\/\/s3a-bucket\/moved\/p=1\/f\n/);
  await shell("-get", "s3a://s3a-bucket/moved/p=1/f", copy);
  assert.deepEqual(readFileSync(copy), data);
  await shell("-rm", "-r", "-skipTrash", "s3a://s3a-bucket/moved");
  assert.equal((await client.send(new ListObjectsV2Command({ Bucket: "s3a-bucket" }))).KeyCount, 0);
  assert.deepEqual(harness.faults, []);
});
