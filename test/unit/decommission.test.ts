/** What takes nodes out of YARN and HDFS, against daemons that only answer. The real ones: test/integration/resize.test.ts. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import type { Wanted } from "../../src/engines/hadoop/decommission.ts";

const script = join(import.meta.dirname, "../../src/engines/hadoop/decommission.ts");
const [core, task] = ["127.64.1.2", "127.64.1.3"];

async function daemons(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "howdah-decommission-"));
  const calls = join(folder, "calls");
  for (const command of ["yarn", "hdfs"]) {
    writeFileSync(join(folder, command), `#!/bin/sh\necho ${command} "$@" >> ${calls}\n`);
    chmodSync(join(folder, command), 0o755);
  }
  /** What YARN lists, the types of the applications that a node still knows, and what HDFS says of its nodes. */
  const now = { nodes: [] as object[], apps: [] as string[], live: {} as object, dead: {} as object, few: 0, underWay: 0, missing: 0 };
  const server = createServer(({ url = "" }, response) => {
    const app = /^\/ws\/v1\/cluster\/apps\/(\w+)$/.exec(url)?.[1];
    const blocks = { UnderReplicatedBlocks: now.few, PendingReplicationBlocks: now.underWay, MissingBlocks: now.missing };
    const answer = url.startsWith("/jmx")
      ? { beans: [{ LiveNodes: JSON.stringify(now.live), DeadNodes: JSON.stringify(now.dead), ...blocks }] }
      : app
        ? { app: { applicationType: app, finishedTime: 0 } }
        : url.includes("/node/apps")
          ? { apps: { app: now.apps.map((id) => ({ id })) } }
          : { nodes: { node: now.nodes } };
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const page = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const files = { yarn: join(folder, "yarn.exclude.xml"), hdfs: join(folder, "dfs.exclude") };
  const running: ReturnType<typeof spawn>[] = [];
  t.after(() => {
    for (const child of running) child.kill("SIGKILL");
    server.close();
    rmSync(folder, { recursive: true });
  });
  return {
    now,
    files,
    node: (address: string, state: string, numContainers: number) => ({
      id: `ip-${address.replaceAll(".", "-")}.ec2.internal:8041`,
      state,
      numContainers,
      nodeHTTPAddress: page.replace("127.0.0.1", `ip-${address.replaceAll(".", "-")}.ec2.internal`),
    }),
    calls: () => (existsSync(calls) ? readFileSync(calls, "utf8").split("\n").filter(Boolean).toSorted() : []),
    /** `next`: the states, as soon as they are these. */
    start(wanted: Pick<Wanted, "excluded" | "leaving"> & Partial<Wanted>) {
      const json = JSON.stringify({ emptied: wanted.excluded, gone: [], ...wanted, domain: "ec2.internal" } satisfies Wanted);
      const args = ["--disable-warning=ExperimentalWarning", script, `http://${page}`, `http://${page}`, files.yarn, files.hdfs, json];
      const child = spawn(process.execPath, args, {
        env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
        stdio: ["ignore", "pipe", "inherit"],
      });
      running.push(child);
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      return {
        child,
        async next(decommission: object, more = {}) {
          const states = { decommission, ...more };
          for (;;) {
            const { value, done } = await lines.next();
            assert.ok(!done, `it ended, and was to say ${JSON.stringify(states)}`);
            if (value === JSON.stringify(states)) return;
          }
        },
      };
    },
  };
}

const one = (id: string, address: string, hasBlocks: boolean, seconds = 60) => ({ id, address, seconds, hasBlocks });

test("a core node is out when YARN has nothing on it and HDFS says so; a task node without HDFS", async (t) => {
  const { now, node, start, files, calls } = await daemons(t);
  now.nodes = [node(core, "DECOMMISSIONING", 2), node(task, "DECOMMISSIONING", 1), node("127.64.1.9", "RUNNING", 3)];
  now.live = { a: { xferaddr: `${core}:9866`, adminState: "Decommission In Progress" } };
  const run = start({ excluded: [core, task, "127.64.1.7"], leaving: [one("i-c", core, true), one("i-t", task, false, 5)] });
  await run.next({ "i-c": "DECOMMISSIONING", "i-t": "DECOMMISSIONING" });
  assert.deepEqual(calls(), ["hdfs dfsadmin -refreshNodes", "yarn rmadmin -refreshNodes -g -server"]);
  assert.equal(readFileSync(files.hdfs, "utf8"), `${core}\n${task}\n127.64.1.7\n`);
  const yarn = readFileSync(files.yarn, "utf8");
  assert.match(yarn, /<host><name>127\.64\.1\.3,ip-127-64-1-3,ip-127-64-1-3\.ec2\.internal<\/name><timeout>5<\/timeout><\/host>/);
  assert.match(yarn, /127\.64\.1\.7,[^<]*<\/name><timeout>0<\/timeout><\/host>/);
  now.nodes = [node(core, "DECOMMISSIONING", 1), node("127.64.1.9", "RUNNING", 3)];
  await run.next({ "i-c": "DECOMMISSIONING", "i-t": "DECOMMISSIONED" });
  now.live = { a: { xferaddr: `${core}:9866`, adminState: "Decommissioned" } };
  // YARN lists nodes that it has done with, too.
  now.nodes = [node(core, "DECOMMISSIONED", 0), node(task, "LOST", 0)];
  await run.next({ "i-c": "DECOMMISSIONED", "i-t": "DECOMMISSIONED" });
  now.live = {};
  now.dead = { a: { xferaddr: `${core}:9866`, decommissioned: false } };
  await run.next({ "i-c": "DECOMMISSIONING", "i-t": "DECOMMISSIONED" });
  run.child.kill("SIGKILL");
});

test("a node that nothing runs on any more waits for applications that may read its shuffle, and not for Spark's", async (t) => {
  const { now, node, start } = await daemons(t);
  now.nodes = [node(task, "DECOMMISSIONING", 0)];
  now.apps = ["SPARK", "MAPREDUCE"];
  const run = start({ excluded: [task], leaving: [one("i-t", task, false)] });
  await run.next({ "i-t": "DECOMMISSIONING" });
  now.apps = ["SPARK"];
  await run.next({ "i-t": "DECOMMISSIONED" });
});

test("the daemons are told again when what they must know is new, and not when a node has only left", async (t) => {
  const { start, calls } = await daemons(t);
  const first = start({ excluded: [core, task], leaving: [one("i-c", core, false), one("i-t", task, false)] });
  await first.next({ "i-c": "DECOMMISSIONED", "i-t": "DECOMMISSIONED" });
  first.child.kill("SIGKILL");
  const again = start({ excluded: [core, task], leaving: [one("i-t", task, false)] });
  await again.next({ "i-t": "DECOMMISSIONED" });
  again.child.kill("SIGKILL");
  const last = start({ excluded: [core, task], leaving: [] });
  assert.deepEqual(await once(last.child, "exit"), [0, null]);
  assert.equal(calls().length, 2);
  // Another node has the address now.
  const freed = start({ excluded: [core], leaving: [] });
  assert.deepEqual(await once(freed.child, "exit"), [0, null]);
  assert.equal(calls().length, 4);
  const sooner = start({ excluded: [core], leaving: [one("i-c", core, false, 1)] });
  await sooner.next({ "i-c": "DECOMMISSIONED" });
  assert.equal(calls().length, 5, "HDFS has nothing to wait for");
});

test("who has nobody to tell ends", async (t) => {
  const { start } = await daemons(t);
  const run = start({ excluded: [task], leaving: [one("i-t", task, false)] });
  await run.next({ "i-t": "DECOMMISSIONED" });
  run.child.stdout!.destroy();
  assert.deepEqual(await once(run.child, "exit"), [1, null]);
});

test("YARN is not to wait for a node that was lost, and HDFS is not to empty it; its blocks are followed", async (t) => {
  const { now, start, calls, files } = await daemons(t);
  const node = { xferaddr: `${core}:9866`, adminState: "In Service" };
  now.live = { a: node };
  const run = start({ excluded: [core, "127.64.1.7"], emptied: ["127.64.1.7"], leaving: [], gone: [{ id: "i-c", address: core }] });
  await run.next({ "i-c": "DECOMMISSIONING" }, { blocks: { short: 0, missing: 0 } });
  assert.deepEqual(calls(), ["hdfs dfsadmin -refreshNodes", "yarn rmadmin -refreshNodes"]);
  assert.equal(readFileSync(files.hdfs, "utf8"), "127.64.1.7\n");
  Object.assign(now, { live: {}, dead: { a: node }, few: 5, missing: 2, underWay: 1 });
  await run.next({ "i-c": "DECOMMISSIONING" }, { blocks: { short: 3, missing: 2 } });
  now.few = 2;
  await run.next({ "i-c": "DECOMMISSIONING" }, { blocks: { short: 0, missing: 2 } });
  now.underWay = 0;
  await run.next({ "i-c": "DECOMMISSIONED" }, { blocks: { short: 0, missing: 2 } });
  run.child.kill("SIGKILL");
  // Its blocks are no news to the daemons.
  const over = start({ excluded: [core, "127.64.1.7"], emptied: ["127.64.1.7"], leaving: [] });
  assert.deepEqual(await once(over.child, "exit"), [0, null]);
  assert.equal(calls().length, 2);
});
