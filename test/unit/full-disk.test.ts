/**
 * A full disk under the control plane, on the real thing: `howdah up --provider simulated` on a tmpfs of a few MB, in a mount namespace of its own, which
 * needs no root; and the SDK that talks to it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CloudTrailClient, LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import { ListClustersCommand, TerminateJobFlowsCommand } from "@aws-sdk/client-emr";
import { startDetached } from "../../src/cli/up.ts";
import { dataFolder } from "../../src/data-folder.ts";
import { controlPlaneLog, runningControlPlane } from "../../src/running.ts";
import { type Server, startServer } from "./simulated-server.ts";

const inside = process.env.HOWDAH_TEST_DISK;
const canUnshare = spawnSync("unshare", ["-Urm", "true"]).status === 0;

if (inside) describe("a full disk", onTheDisk);
else
  it("a full disk under the control plane", { skip: !canUnshare && "no mount namespaces for users here" }, () => {
    const folder = mkdtempSync(join(tmpdir(), "howdah-full-"));
    try {
      const script = 'mount -t tmpfs -o size=12m howdah "$1" && exec "$2" --disable-warning=ExperimentalWarning --test-reporter=spec "$3"';
      const argv = ["-Urm", "bash", "-c", script, "bash", folder, process.execPath, import.meta.filename];
      const env = { ...process.env, HOWDAH_TEST_DISK: folder, TMPDIR: folder, NODE_TEST_CONTEXT: undefined, NODE_COMPILE_CACHE: undefined };
      const { status, stdout, stderr } = spawnSync("unshare", argv, { env, encoding: "utf8", timeout: 300_000 });
      assert.equal(status, 0, `${stdout}\n${stderr}`);
      assert.match(stdout, /pass 4\n/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

function onTheDisk(): void {
  let server: Server;
  let pid = 0;
  const fillers: string[] = [];
  /** To the last byte; and again, for what was given back meanwhile. */
  function fill(): void {
    const path = join(inside!, `filler-${fillers.length}`);
    fillers.push(path);
    const fd = openSync(path, "w");
    for (let size = 1 << 20; size >= 1;)
      try {
        writeSync(fd, Buffer.alloc(size));
      } catch {
        size >>= 1;
      }
    closeSync(fd);
  }
  const free = () => fillers.splice(0).forEach((path) => rmSync(path));
  const clusters = async () => (await server.client.send(new ListClustersCommand({}))).Clusters!.map(({ Id }) => Id!);
  /** Many, until one is refused: what SQLite still has of its log is used up first. */
  async function runUntilRefused(): Promise<{ made: string[]; error: Error & { $metadata?: { httpStatusCode?: number } } }> {
    const made: string[] = [];
    for (;;)
      try {
        made.push(await server.run([], { keepAlive: false }));
        fill();
      } catch (error) {
        return { made, error: error as Error };
      }
  }

  before(async () => {
    server = await startServer();
    server.client.config.maxAttempts = async () => 1;
    pid = runningControlPlane(server.data)!.pid;
  });
  after(() => {
    free();
    return server?.stop();
  });

  it("refuses what it cannot store, saying what to do; what was answered is there, and is read", async () => {
    const first = await server.run([]);
    await server.reaches(first, "WAITING");
    fill();
    const { made, error } = await runUntilRefused();
    assert.equal(error.name, "ServiceUnavailable");
    assert.equal(error.$metadata?.httpStatusCode, 503);
    assert.match(error.message, /disk of Howdah's data folder.*nothing was changed.*Free some/i);
    for (let n = 0; n < 20; n++) await assert.rejects(server.run([]), { name: "ServiceUnavailable" });
    assert.deepEqual((await clusters()).toSorted(), [first, ...made].toSorted());
    assert.equal((await server.cluster(first)).Status?.State, "WAITING");
    await assert.rejects(server.client.send(new TerminateJobFlowsCommand({ JobFlowIds: [first] })), { name: "ServiceUnavailable" });
  });

  it("another that is to start there says what to do", async () => {
    const other = dataFolder(join(inside!, "another"));
    await assert.rejects(startDetached(other, { provider: "simulated" }), /disk of .*another is full: free some space there/);
  });

  it("goes on by itself when there is room again: clusters that were answered for go through their states, in the same process", async () => {
    const before = await clusters();
    free();
    for (const id of before.slice(0, -1)) await server.reaches(id, "TERMINATED");
    const next = await server.run(["step"], { keepAlive: false });
    await server.reaches(next, "TERMINATED");
    assert.equal(runningControlPlane(server.data)?.pid, pid);
    assert.match(readFileSync(controlPlaneLog(server.data), "utf8"), /full/);
  });

  it("every call that was answered is in the audit trail, also those that were read while it could not be written", async () => {
    const trail = new CloudTrailClient(await server.credentials());
    const count = async (name: string) => {
      let [token, found]: [string | undefined, number] = [undefined, 0];
      do {
        const page: { Events?: unknown[]; NextToken?: string } = await trail.send(
          new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: name }], NextToken: token }),
        );
        found += page.Events!.length;
        token = page.NextToken;
      } while (token);
      return found;
    };
    const before = await count("ListClusters");
    fill();
    await runUntilRefused();
    for (let n = 0; n < 40; n++) await clusters();

    free();
    await server.run([], { keepAlive: false });
    assert.equal(await count("ListClusters"), before + 40);
    trail.destroy();
  });
}
