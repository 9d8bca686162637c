/** save.ts as the agent runs it, against a small WebHDFS of this test's own: what is copied, what is left out, and what goes again. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { historyPlace } from "../../src/engines/history/job-files.ts";
import { hdfsPath } from "../../src/engines/history/saves.ts";
import { factsOf } from "./engine-facts.ts";

const script = join(import.meta.dirname, "../../src/engines/history/save.ts");
const folder = mkdtempSync(join(tmpdir(), "howdah-save-"));
const to = join(folder, "saved");
/** Path → content, and when it was written (ms). */
let hdfs = new Map<string, [content: string, at: number]>();
let reads: string[] = [];
/** Files that are renamed in the moment that they are read. */
const moves = new Map<string, string>();
/** How many of the next calls are refused. */
let refusals = 0;

const server = createServer((request, response) => {
  if (refusals-- > 0) return response.writeHead(503).end("busy");
  const url = new URL(request.url!, "http://x");
  const path = decodeURIComponent(url.pathname).replace("/webhdfs/v1", "");
  if (url.searchParams.get("op") === "OPEN") {
    reads.push(path);
    const moved = moves.get(path);
    if (moved) {
      hdfs.set(moved, hdfs.get(path)!);
      hdfs.delete(path);
      moves.delete(path);
    }
    if (!hdfs.has(path)) return response.writeHead(404).end();
    return response.end(hdfs.get(path)?.[0]);
  }
  const children = new Map<string, object>();
  for (const [file, [content, at]] of hdfs) {
    if (!file.startsWith(`${path}/`)) continue;
    const [name = "", ...deeper] = file.slice(path.length + 1).split("/");
    children.set(name, { pathSuffix: name, type: deeper.length > 0 ? "DIRECTORY" : "FILE", length: content.length, modificationTime: at });
  }
  if (children.size === 0) return response.writeHead(404).end();
  response.end(JSON.stringify({ FileStatuses: { FileStatus: [...children.values()] } }));
});
before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  rmSync(to, { recursive: true, force: true });
  hdfs = new Map();
});

/** Exit code and stderr. */
function save(kind: string, from: string[], options: { most?: number; last?: boolean } = {}): Promise<{ code: number; stderr: string }> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = [script, kind, url, to, String(options.most ?? 1e6), ...from, ...(options.last ? ["last"] : [])];
  reads = [];
  return new Promise((resolve) =>
    execFile(process.execPath, args, (error, _, stderr) => resolve({ code: error ? Number(error.code) : 0, stderr })),
  );
}
const saved = (): string[] =>
  readdirSync(to, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(to.length + 1))
    .toSorted();

test("logs are copied once, a log that is renamed has its new name, and open ones wait for the last time", async () => {
  hdfs.set("/apps/a 1", ["one", 1000]);
  hdfs.set("/apps/eventlog_v2_b/events_1", ["two", 2000]);
  hdfs.set("/apps/c.inprogress", ["thr", 3000]);
  assert.deepEqual(await save("as-is", ["/apps"]), { code: 0, stderr: "" });
  assert.deepEqual(saved(), ["a 1", "eventlog_v2_b/events_1"]);
  assert.equal(readFileSync(join(to, "a 1"), "utf8"), "one");
  hdfs.set("/apps/a 1", ["ONE", 4000]);
  await save("as-is", ["/apps"], { last: true });
  assert.deepEqual(reads.toSorted(), ["/apps/a 1", "/apps/c.inprogress"]);
  assert.deepEqual(saved(), ["a 1", "c.inprogress", "eventlog_v2_b/events_1"]);
  hdfs.delete("/apps/c.inprogress");
  hdfs.set("/apps/c", ["three", 5000]);
  await save("as-is", ["/apps"]);
  assert.deepEqual(saved(), ["a 1", "c", "eventlog_v2_b/events_1"]);
});

test("a folder that is not there is no failure, HDFS that is not there is one", async () => {
  assert.equal((await save("as-is", ["/none"])).code, 0);
  hdfs.set("/apps/a", ["one", 1000]);
  await save("as-is", ["/apps"]);
  const dead = [script, "as-is", "http://127.0.0.1:1", to, "1000", "/apps"];
  const code = await new Promise((resolve) => execFile(process.execPath, dead, (error) => resolve(error?.code)));
  assert.equal(code, 1);
  assert.ok(existsSync(join(to, "a")), "what was saved stays");
});

test("a call that is refused is made again", async () => {
  hdfs.set("/apps/a", ["one", 1000]);
  refusals = 2;
  assert.deepEqual(await save("as-is", ["/apps"], { last: true }), { code: 0, stderr: "" });
  assert.deepEqual(saved(), ["a"]);
  refusals = 100;
  const { code, stderr } = await save("as-is", ["/apps"], { last: true });
  refusals = 0;
  assert.equal(code, 1);
  assert.match(stderr, /HDFS answered 503 to LISTSTATUS \/apps: busy/);
  assert.deepEqual(saved(), ["a"]);
});

test("what does not fit is left out, the oldest first, and named", async () => {
  for (const [name, at] of Object.entries({ old: 1000, new: 3000, middle: 2000 })) hdfs.set(`/apps/${name}`, ["12345", at]);
  const { code, stderr } = await save("as-is", ["/apps"], { most: 10 });
  assert.equal(code, 1);
  assert.match(stderr, /^1 files were left out.*old/);
  assert.deepEqual(saved(), ["middle", "new"]);
});

test("MapReduce's files go by the day of the job's end, before and after the history server has moved them", async () => {
  const history = "job_1700000000000_1234-1700000001000-hadoop-word%2Dcount-1700000060000-1-1-SUCCEEDED-default-1700000002000.jhist";
  const day = new Date(1_700_000_060_000);
  const place = `2023/11/${String(day.getDate()).padStart(2, "0")}/000001`;
  const conf = "job_1700000000000_1234_conf.xml";
  hdfs.set(`/h/done_intermediate/hadoop/${history}`, ["history", 1000]);
  hdfs.set(`/h/done_intermediate/hadoop/${conf}`, ["conf", 1000]);
  hdfs.set("/h/done_intermediate/hadoop/job_1700000000000_1234.summary", ["summary", 1000]);
  await save("jobs", ["/h/done_intermediate", "/h/done"]);
  assert.deepEqual(saved(), [`${place}/${history}`, `${place}/${conf}`]);
  hdfs.clear();
  hdfs.set(`/h/done/${place}/${history}`, ["history", 1000]);
  hdfs.set(`/h/done/${place}/${conf}`, ["conf", 1000]);
  await save("jobs", ["/h/done_intermediate", "/h/done"]);
  assert.deepEqual(saved(), [`${place}/${history}`, `${place}/${conf}`]);
  assert.deepEqual(reads, []);
  assert.equal(historyPlace("_SUCCESS", []), undefined);
  assert.equal(historyPlace(conf, []), undefined);
});

test("what is renamed while it is read is read at its new place", async () => {
  const history = "job_1700000000000_0001-1700000001000-hadoop-pi-1700000060000-1-1-SUCCEEDED-default-1700000002000.jhist";
  hdfs.set(`/h/done_intermediate/hadoop/${history}`, ["history", 1000]);
  moves.set(`/h/done_intermediate/hadoop/${history}`, `/h/done/2023/11/14/000000/${history}`);
  assert.deepEqual(await save("jobs", ["/h/done_intermediate", "/h/done"], { last: true }), { code: 0, stderr: "" });
  assert.equal(saved().length, 1);
  assert.equal(reads.length, 2);
});

test("locations of configurations: the cluster's own HDFS in every spelling, and nothing else", () => {
  const facts = factsOf(["MASTER"], 0);
  for (const location of ["/a/b", "hdfs:///a/b", "hdfs://127.77.9.1:8020/a/b", "hdfs://ip-127-77-9-1/a/b", "hdfs://127.77.9.1/a/b"])
    assert.equal(hdfsPath(facts, location), "/a/b", location);
  for (const location of ["s3://a/b", "file:///a/b", "hdfs://other:8020/a/b"]) assert.equal(hdfsPath(facts, location), undefined, location);
});
