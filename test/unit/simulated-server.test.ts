/** The server for unit tests, as the JavaScript SDK sees it: states in their order, paces, S3, one provider for a data folder, and a kill -9. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { TerminateJobFlowsCommand } from "@aws-sdk/client-emr";
import { HeadBucketCommand, ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { dataFolder } from "../../src/data-folder.ts";
import { takeDown } from "../../src/take-down.ts";
import { type Server, startServer } from "./simulated-server.ts";

const run = promisify(execFile);
const main = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "../../src/cli/main.ts")];
const howdah = (...args: string[]) => run(process.execPath, [...main, ...args]);

describe("at once", () => {
  let server: Server;
  before(async () => {
    server = await startServer();
  });
  after(() => server?.stop());

  test("a transient cluster goes through all its states, and each step through its own", async () => {
    const id = await server.run(["one", "two"], { keepAlive: false, actions: ["install"] });
    const status = await server.reaches(id, "TERMINATED");
    assert.equal(status.StateChangeReason?.Code, "ALL_STEPS_COMPLETED");
    assert.deepEqual(await server.states(id), ["STARTING", "BOOTSTRAPPING", "RUNNING", "TERMINATING", "TERMINATED"]);
    for (const name of ["one", "two"]) assert.deepEqual(await server.states(id, name), ["PENDING", "RUNNING", "COMPLETED"]);
  });

  test("a long-running one waits, runs what is added, and ends when it is told to", async () => {
    const id = await server.run([]);
    await server.reaches(id, "WAITING");
    await server.add(id, ["later"]);
    await server.stepReaches(id, "later", "COMPLETED");
    await server.reaches(id, "WAITING");
    await server.client.send(new TerminateJobFlowsCommand({ JobFlowIds: [id] }));
    const status = await server.reaches(id, "TERMINATED");
    assert.equal(status.StateChangeReason?.Code, "USER_REQUEST");
  });

  test("clusters larger than any host are started, and a LogUri is told to stay empty", async () => {
    const id = await server.run([], { LogUri: "s3://logs/emr/" });
    await server.reaches(id, "WAITING");
    const { stdout } = await howdah("status", id, "--data", server.data.root);
    assert.match(stdout, /the nodes are simulated: nothing is written below LogUri/);
    assert.doesNotMatch(stdout, /127\.64\.\d+\.\d+:8088|howdah ssh/);
  });

  test("S3 requests are refused in S3's shape, with what to do", async () => {
    const s3 = new S3Client({ ...(await server.credentials()), forcePathStyle: true });
    await assert.rejects(s3.send(new ListBucketsCommand()), (error: { name: string; message: string }) => {
      assert.equal(error.name, "NotImplemented");
      assert.match(error.message, /no S3 server behind this Howdah.*AWS_ENDPOINT_URL_S3.*howdah\.json/s);
      return true;
    });
    s3.destroy();
  });

  test("what only real nodes have is said not to be there", async () => {
    const [id, root] = [await server.run([]), server.data.root];
    for (const args of [
      ["ssh", id],
      ["history", id],
      ["logs", id],
    ])
      await assert.rejects(howdah(...args, "--data", root), /are simulated: they have no/, args.join(" "));
    const { stdout } = await howdah("events", id, "--data", root);
    assert.match(stdout, /cluster/);
  });

  test("its data folder is not for real nodes; options of the one are refused for the other", async () => {
    const up = (...args: string[]) => howdah("up", "--detach", "--data", server.data.root, ...args);
    await assert.rejects(up(), /are simulated: start it by howdah up --provider simulated/);
    await assert.rejects(up("--pace", "real"), /--pace is for simulated nodes/);
    await assert.rejects(up("--provider", "simulated", "--isolation", "plain"), /--isolation keeps real nodes apart/);
  });

  test("what an `up` asks of a server that runs already is said to have no effect", async () => {
    const up = async (...args: string[]) =>
      (await howdah("up", "--provider", "simulated", "--detach", "--data", server.data.root, ...args)).stdout;
    assert.match(await up("--pace", "real", "--port", "1"), /is up already.*--port, --pace: of no effect on one that runs/);
    const port = new URL((await server.credentials()).endpoint).port;
    assert.doesNotMatch(await up("--port", port), /no effect/);
  });

  test("down --keep: what ran is cut off, and the cluster is ready again; down: it has ended, and no node is left", async () => {
    const id = await server.run([]);
    await server.reaches(id, "WAITING");
    assert.ok((await takeDown(server.data, undefined, { keep: true })).kept > 0);
    await server.up();
    await server.reaches(id, "WAITING");
    assert.ok((await takeDown(server.data)).instances >= 3);
    await server.up();
    assert.equal((await server.cluster(id)).Status?.State, "TERMINATED");
    assert.equal((await takeDown(server.data)).instances, 0);
    await server.up();
  });
});

test("what has no effect with simulated nodes is refused by its name in howdah.json", async () => {
  const s3 = { endpoint: "http://127.0.0.1:9", accessKeyId: "me", secretAccessKey: "mine" };
  const settings = { isolation: "plain", cloudTrail: { deliverEverySeconds: 5 }, limits: { s3Requests: 7, apiRequests: 9 } };
  await assert.rejects(startServer({}, settings), (error: Error) => {
    assert.match(error.message, /howdah\.json says what has no effect with simulated nodes.*\nisolation: /);
    assert.match(error.message, /\ncloudTrail\.deliverEverySeconds: .*\nlimits\.s3Requests: /);
    return true;
  });
  const { isolation, ...others } = settings;
  await assert.rejects(startServer({}, { isolation, s3, ...others }), /\nisolation: [^\n]*\s*$/);
  await (await startServer({}, { s3, ...others })).stop();
});

test("it needs no other program, and nothing of the cache", async () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-alone-"));
  const data = join(folder, "data");
  const options = { env: { PATH: "", HOME: folder, HOWDAH_CACHE: join(folder, "cache") } };
  try {
    await run(process.execPath, [...main, "up", "--provider", "simulated", "--detach", "--data", data], options);
    const { stdout } = await run(process.execPath, [...main, "status", "--json", "--data", data], options);
    assert.match(JSON.parse(stdout).up.endpoint, /^http:/);
  } finally {
    await takeDown(dataFolder(data));
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a cluster that has run many steps still runs each once", async () => {
  const server = await startServer();
  try {
    const id = await server.run([]);
    for (let n = 0; n < 3; n++)
      await server.add(
        id,
        Array.from({ length: 40 }, (_, m) => `step ${n}-${m}`),
      );
    await server.stepReaches(id, "step 2-39", "COMPLETED");
    for (const name of ["step 0-0", "step 1-20", "step 2-39"])
      assert.deepEqual(await server.states(id, name), ["PENDING", "RUNNING", "COMPLETED"]);
  } finally {
    await server.stop();
  }
});

test("at EMR's pace a cluster stays STARTING; a kill -9 changes nothing of it", async () => {
  const server = await startServer({ pace: "real" });
  try {
    const id = await server.run(["one"]);
    await server.kill();
    await server.up();
    const { Status } = await server.cluster(id);
    assert.equal(Status?.State, "STARTING");
    assert.deepEqual(
      (await server.steps(id)).map(({ state }) => state),
      ["PENDING"],
    );
  } finally {
    await server.stop();
  }
});

test("an S3 server of one's own is named in howdah.json, and gets the requests", async () => {
  const asked: string[] = [];
  const own = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(200).end();
  });
  await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(own.address() as AddressInfo).port}`;
  const server = await startServer({}, { s3: { endpoint, accessKeyId: "me", secretAccessKey: "mine" } });
  try {
    const s3 = new S3Client({ ...(await server.credentials()), forcePathStyle: true });
    await s3.send(new HeadBucketCommand({ Bucket: "jobs" }));
    s3.destroy();
    assert.deepEqual(asked, ["HEAD /jobs/"]);
  } finally {
    await server.stop();
    own.close();
  }
});
