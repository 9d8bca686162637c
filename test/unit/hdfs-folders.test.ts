/** hdfs-folders.ts as the agent runs it, against a small WebHDFS of this test's own. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

const script = join(import.meta.dirname, "../../src/engines/hadoop/hdfs-folders.ts");

interface Folder {
  owner: string;
  group: string;
  permission: string;
}
let hdfs = new Map<string, Folder>();
let writes = 0;

/** What HDFS does: a folder that is made is its maker's and its parent's group's, and one that is there stays as it is. */
const server = createServer((request, response) => {
  const url = new URL(request.url!, "http://x");
  const path = url.pathname.replace("/webhdfs/v1", "");
  const query = Object.fromEntries(url.searchParams) as Record<string, string>;
  const folder = hdfs.get(path);
  if (query.op === "GETFILESTATUS")
    return folder ? response.end(JSON.stringify({ FileStatus: folder })) : response.writeHead(404).end("{}");
  writes++;
  if (query.op === "MKDIRS" && !folder) hdfs.set(path, { owner: "hadoop", group: "hdfsadmingroup", permission: query.permission! });
  if (query.op === "SETPERMISSION" && folder) folder.permission = query.permission!;
  if (query.op === "SETOWNER" && folder) Object.assign(folder, { owner: query.owner, group: query.group });
  response.end("{}");
});
before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
after(() => server.close());

const run = () => promisify(execFile)(process.execPath, [script, `http://127.0.0.1:${(server.address() as AddressInfo).port}`]);

test("folders have EMR's owners and modes, also those that a daemon was faster to make", async () => {
  // As the MapReduce history server makes them on its way to its own.
  hdfs = new Map(["/tmp", "/tmp/hadoop-yarn"].map((path) => [path, { owner: "hadoop", group: "hdfsadmingroup", permission: "770" }]));
  await run();
  assert.deepEqual(hdfs.get("/tmp"), { owner: "hadoop", group: "hadoop", permission: "1777" });
  assert.deepEqual(hdfs.get("/tmp/hadoop-yarn"), { owner: "hadoop", group: "hadoop", permission: "777" });
  assert.deepEqual(hdfs.get("/user/spark/warehouse"), { owner: "spark", group: "hadoop", permission: "1777" });
});

test("what users have made of them since stays", async () => {
  hdfs.get("/tmp")!.permission = "1770";
  writes = 0;
  await run();
  assert.equal(writes, 0);
  assert.equal(hdfs.get("/tmp")!.permission, "1770");
});
