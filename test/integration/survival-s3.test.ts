/** S3 that is dead: hanging for longer than anybody waits for it, and killed while a cluster ends. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { type KnownProcess, isAlive, signal } from "../../src/process/known.ts";
import { eventMessages, type Howdah, startHowdah, until } from "./howdah.ts";
import { command, createDriver } from "./survival-harness.ts";

let howdah: Howdah;
let on: ReturnType<typeof createDriver>;
let s3: S3Client;
before(async () => {
  howdah = await startHowdah();
  on = createDriver(howdah);
  const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = howdah.clientEnv;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  await howdah.aws("s3", "mb", "s3://work");
});
after(async () => {
  s3?.destroy();
  await howdah?.stop();
});

const server = () => (JSON.parse(readFileSync(join(howdah.data.run, "s3proxy.json"), "utf8")) as { known: KnownProcess }).known;
const keys = async (Prefix: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: "work", Prefix }))).Contents ?? []).map(({ Key }) => Key!);
const text = async (Key: string) =>
  gunzipSync(await (await s3.send(new GetObjectCommand({ Bucket: "work", Key }))).Body!.transformToByteArray()).toString();

test("S3 that hangs delays no step and no cluster; what was written meanwhile is there when it is back", async () => {
  const id = await on.create(1);
  await on.reaches(id, "WAITING");
  const hanging = server();
  signal(hanging, "SIGSTOP");
  const steps: string[] = [];
  try {
    for (const name of ["first", "second"]) {
      const step = await on.addStep(id, command(name, "bash", "-c", `echo ${name} >> ran; cat ran`));
      assert.equal((await on.stepEnd(id, step)).State, "COMPLETED");
      steps.push(step);
    }
    const missing = await on.addStep(id, command("needs S3", "aws", "--cli-read-timeout", "5", "s3", "ls", "s3://work/"));
    assert.equal((await on.stepEnd(id, missing)).State, "FAILED");
    await until("a warning", async () =>
      eventMessages(howdah, id).some((text) => text.includes(`logs of step ${steps[0]} were not in s3://work/logs/`)),
    );
  } finally {
    signal(hanging, "SIGCONT");
  }
  for (const [index, step] of steps.entries()) {
    await until(`logs of ${step}`, async () => (await keys(`logs/${id}/steps/${step}/`)).some((key) => key.endsWith("/stdout.gz")));
    assert.equal(await text(`logs/${id}/steps/${step}/stdout.gz`), ["first\n", "second\n"][index]);
  }
  await on.terminate(id);
  signal(server(), "SIGKILL");
  await on.reaches(id, "TERMINATED");
  assert.ok(isAlive(server()) || (await until("S3 again", async () => isAlive(server()))));
  const found = await keys(`logs/${id}/`);
  for (const part of [
    /\/node\/i-\w+\/applications\/hadoop-yarn\/.*resourcemanager.*\.log\.gz$/,
    /applications\/hadoop-hdfs\/.*namenode.*\.log\.gz$/,
  ])
    assert.ok(
      found.some((key) => part.test(key)),
      `${part}: ${found.join("\n")}`,
    );
});
