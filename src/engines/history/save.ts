/**
 * Brings the history of applications from HDFS into a folder of the node, which outlives the cluster. By WebHDFS: no JVM. What is there already as it
 * is in HDFS is not copied again, and what HDFS no longer has goes, for a log is renamed when its application ends.
 *
 * Usage: node save.ts as-is|jobs http://MASTER:9870 TO MOST_BYTES FROM … [last]
 *
 * as-is: files below FROM keep their places (Spark's event logs). jobs: MapReduce's history files go where its history server looks for them, by the
 * day of the job's end, wherever below FROM they are now. Logs of applications that still run are only taken the last time.
 */
import { closeSync, createWriteStream, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { setPriority } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { historyPlace } from "./job-files.ts";

/** Of WebHDFS, op=LISTSTATUS. `modificationTime` in ms. */
interface FileStatus {
  pathSuffix: string;
  type: "FILE" | "DIRECTORY";
  length: number;
  modificationTime: number;
}

interface Found extends FileStatus {
  /** In HDFS. */
  path: string;
  /** Below TO. */
  to: string;
}

const args = process.argv.slice(2);
const isLast = args.at(-1) === "last";
if (isLast) args.pop();
const [kind, url, folder, mostBytes, ...from] = args;
if (!kind || !url || !folder || !mostBytes || from.length === 0)
  throw new Error("usage: save.ts as-is|jobs URL TO MOST_BYTES FROM … [last]");
// Steps go first: nothing waits for this, unless the cluster ends.
if (!isLast) setPriority(10);
/** Beside TO, which is shipped at any moment. */
const fresh = `${folder}.new`;
/** Files move while they are read, seldom more than once; and an HDFS that is busy may refuse a call, which is no reason to lose all that it has. */
const mostPasses = 5;
const pauseMs = 200;

function webHdfs(path: string, op: string): Promise<Response> {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return fetch(`${url}/webhdfs/v1${encoded}?${new URLSearchParams({ "user.name": "hadoop", op })}`, {
    signal: AbortSignal.timeout(60_000),
  });
}

async function list(path: string): Promise<FileStatus[]> {
  const answer = await webHdfs(path, "LISTSTATUS");
  if (answer.status === 404) return []; // No application has been here, or a folder went since.
  if (!answer.ok) throw new Error(`HDFS answered ${answer.status} to LISTSTATUS ${path}: ${await answer.text()}`);
  return ((await answer.json()) as { FileStatuses: { FileStatus: FileStatus[] } }).FileStatuses.FileStatus;
}

async function filesBelow(root: string, below = ""): Promise<Found[]> {
  const found: Found[] = [];
  for (const status of await list(join(root, below))) {
    const relative = join(below, status.pathSuffix);
    if (status.type === "DIRECTORY") found.push(...(await filesBelow(root, relative)));
    else found.push({ ...status, path: join(root, relative), to: relative });
  }
  return found;
}

const isOpen = ({ path }: Found) => path.endsWith(".inprogress");

/** true where the copy is of this very file: a copy has the time of what it was made of. An open file's length is not known. */
function isSaved(file: Found): boolean {
  const copy = statSync(join(folder!, file.to), { throwIfNoEntry: false });
  return !isOpen(file) && copy?.size === file.length && Math.floor(copy.mtimeMs) === file.modificationTime;
}

/** false where it has been renamed since it was listed. */
async function copy(file: Found): Promise<boolean> {
  const target = join(folder!, file.to);
  const answer = await webHdfs(file.path, "OPEN");
  if (answer.status === 404) return false;
  if (!answer.ok) throw new Error(`HDFS answered ${answer.status} to OPEN ${file.path}: ${await answer.text()}`);
  if (answer.body) await pipeline(Readable.fromWeb(answer.body), createWriteStream(fresh));
  else closeSync(openSync(fresh, "w"));
  utimesSync(fresh, file.modificationTime / 1000, file.modificationTime / 1000);
  mkdirSync(dirname(target), { recursive: true });
  renameSync(fresh, target);
  return true;
}

/** What HDFS has now, by its place below TO. */
async function look(): Promise<Map<string, Found>> {
  // In the order of the arguments: where files move from one folder to the next (the history server's), they are seen in one of them.
  const found: Found[] = [];
  for (const root of from) {
    for (const file of await filesBelow(root)) if (isLast || !isOpen(file)) found.push(file);
  }
  const names = found.map(({ pathSuffix }) => pathSuffix);
  const wanted = new Map<string, Found>();
  for (const file of found) {
    const to = kind === "jobs" ? historyPlace(file.pathSuffix, names) : file.to;
    if (to !== undefined) wanted.set(to, { ...file, to });
  }
  return wanted;
}

/** Names of what does not fit; undefined where a file was renamed meanwhile, and all of it has to be looked at again. */
async function pass(): Promise<string[] | undefined> {
  const wanted = await look();
  // The newest first: where not all fits, the last runs are what people look for.
  let left = Number(mostBytes);
  let isWhole = true;
  const tooMuch: string[] = [];
  for (const file of [...wanted.values()].toSorted((a, b) => b.modificationTime - a.modificationTime)) {
    if (file.length > left) {
      tooMuch.push(file.pathSuffix);
      continue;
    }
    left -= file.length;
    if (!isSaved(file) && !(await copy(file))) isWhole = false;
  }
  if (!isWhole) return undefined;
  for (const entry of readdirSync(folder!, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !wanted.has(path.slice(folder!.length + 1))) rmSync(path);
  }
  return tooMuch;
}

mkdirSync(folder, { recursive: true });
let tooMuch: string[] | undefined;
let failure: unknown;
for (let n = 0; n < mostPasses && !tooMuch; n++) {
  await sleep(n * pauseMs);
  try {
    tooMuch = await pass();
    failure = undefined;
  } catch (error) {
    failure = error;
  }
}
rmSync(fresh, { force: true });
if (failure) throw failure;
if (!tooMuch) throw new Error(`files in ${from.join(" and ")} were renamed each time that they were read`);
if (tooMuch.length > 0) {
  const [most, names] = [`${Math.round(Number(mostBytes) / 2 ** 20)} MB`, tooMuch.slice(0, 5).join(", ")];
  console.error(`${tooMuch.length} files were left out, since at most ${most} are kept: ${names}${tooMuch.length > 5 ? ", …" : ""}`);
  process.exitCode = 1;
}
