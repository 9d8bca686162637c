/**
 * The embedded S3 server, s3proxy over a folder: started once for a data folder, found again by every control plane after it,
 * reachable from this machine only and only with a secret of its own. Clients come through the front door.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sha256Hex, signRequest } from "../aws/sigv4.ts";
import type { DataFolder } from "../data-folder.ts";
import { readJson, writeWhole } from "../files.ts";
import { endProcess, findByEnvironment, hasInEnvironment, isAlive, type KnownProcess, spawnDetached } from "../process/known.ts";
import type { S3Server } from "./upstream.ts";

export interface S3ProxyOptions {
  data: DataFolder;
  /** s3proxy's jar with its dependencies. */
  jar: string;
  javaHome: string;
  /** Marks the process as the data folder's own. */
  ownerEnv: Record<string, string>;
}

/** `known` is the process, for whoever keeps the books. */
export type RunningS3Proxy = S3Server & { known: KnownProcess };

/** Of s3proxy.json, mode 0600. */
interface Book {
  port: number;
  accessKeyId: string;
  secretAccessKey: string;
  known: KnownProcess | undefined;
}

/** In the process's environment: the folder it serves. Finds one whose record was never written. */
const folderVariable = "HOWDAH_S3_FOLDER";
const region = "us-east-1";
/** A JVM on a busy machine may take many seconds to its first answer. */
const startPatience = 90_000;
const answerPatience = 5000;

/** Compilers and collector for a quick start; bodies are streamed, the heap is for many at once. */
const jvmFlags = [
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Xshare:auto",
  "-Xms64m",
  "-Xmx512m",
  // Keys are file names.
  "-Dfile.encoding=UTF-8",
  "-Dsun.jnu.encoding=UTF-8",
  "-DLOG_LEVEL=warn",
  "-DJETTY_LOG_LEVEL=warn",
];

function files(data: DataFolder) {
  return { record: join(data.run, "s3proxy.json"), properties: join(data.run, "s3proxy.properties"), log: join(data.logs, "s3proxy.log") };
}

/** The server that runs already, or a new one on the same port where that is still free. Throws where it does not come up, with its log's name, and where `cut` is. */
export async function ensureS3Proxy(options: S3ProxyOptions, cut?: AbortSignal): Promise<RunningS3Proxy> {
  const { data } = options;
  for (const folder of [data.run, data.logs, data.s3]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const known = read(data);
  const record = known ?? { port: 0, accessKeyId: "howdah", secretAccessKey: randomBytes(24).toString("hex"), known: undefined };
  const running = runningFor(data, record) ?? findByEnvironment(folderVariable, data.s3)[0];
  if (running) {
    if (record.port !== 0 && (await comesUp(record, running, cut))) return keep(data, { ...record, known: running });
    await endProcess(running, { graceMs: 5000 });
  }
  for (let attempt = 1; ; attempt++) {
    cut?.throwIfAborted();
    record.port = await freePort(attempt === 1 ? record.port : 0);
    // Written first: a process that outlives this one's crash is then found with its port and secret.
    keep(data, { ...record, known: undefined });
    const started = start(options, record);
    if (await comesUp(record, started, cut)) return keep(data, { ...record, known: started });
    await endProcess(started, { graceMs: 5000 });
    if (attempt === 3) throw new Error(`the embedded S3 server did not come up: see ${files(data).log}`);
  }
}

/** Ends the server of this data folder, recorded or not. Resolves when it is gone. */
export async function stopS3Proxy(data: DataFolder): Promise<void> {
  await Promise.all(
    [runningFor(data, read(data)), ...findByEnvironment(folderVariable, data.s3)].map((found) => endProcess(found, { graceMs: 5000 })),
  );
}

/** `changed` is told of each server that takes the place of a dead one, `failed` of each start that failed. */
export interface Told {
  changed?: (server: RunningS3Proxy) => void;
  failed?: (error: unknown) => void;
}

/**
 * ensureS3Proxy, and again whenever the server has died: on the same port where that is still free, so that few need to know.
 * A start that fails is tried again a period later. `stop` ends the watch, not the server: once it resolves, no start is under way.
 */
export async function superviseS3Proxy(
  options: S3ProxyOptions,
  told: Told = {},
  periodMs = 1000,
): Promise<RunningS3Proxy & { stop(): Promise<void> }> {
  const first = await ensureS3Proxy(options);
  let { known } = first;
  let busy: Promise<void> | undefined;
  const stopping = new AbortController();
  const timer = setInterval(() => {
    if (busy || isAlive(known)) return;
    busy = ensureS3Proxy(options, stopping.signal)
      .then((server) => {
        known = server.known;
        told.changed?.(server);
      })
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) told.failed?.(error);
      })
      .finally(() => (busy = undefined));
  }, periodMs);
  timer.unref();
  return {
    ...first,
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await busy;
    },
  };
}

/** A copy of a data folder has the record of the original's server. */
const runningFor = (data: DataFolder, book: Book | undefined): KnownProcess | undefined =>
  book?.known && isAlive(book.known) && hasInEnvironment(book.known.pid, folderVariable, data.s3) ? book.known : undefined;

const read = (data: DataFolder): Book | undefined => readJson<Book>(files(data).record);

function keep(data: DataFolder, record: Book & { known: KnownProcess }): RunningS3Proxy;
function keep(data: DataFolder, record: Book): undefined;
function keep(data: DataFolder, record: Book): RunningS3Proxy | undefined {
  writeWhole(files(data).record, JSON.stringify(record));
  const { port, accessKeyId, secretAccessKey, known } = record;
  return known && { endpoint: `http://127.0.0.1:${port}`, accessKeyId, secretAccessKey, region, known };
}

function start(options: S3ProxyOptions, record: Book): KnownProcess {
  const { data, jar, javaHome, ownerEnv } = options;
  const { properties, log } = files(data);
  const settings = {
    "s3proxy.endpoint": `http://127.0.0.1:${record.port}`,
    "s3proxy.authorization": "aws-v4",
    "s3proxy.identity": record.accessKeyId,
    "s3proxy.credential": record.secretAccessKey,
    "jclouds.provider": "filesystem-nio2",
    "jclouds.filesystem.basedir": data.s3,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value.replaceAll("\\", "\\\\")}\n`);
  writeWhole(properties, lines.join(""));
  const argv = [join(javaHome, "bin", "java"), ...jvmFlags, "-jar", jar, "--properties", properties];
  return spawnDetached(argv, { cwd: data.run, env: { ...ownerEnv, LC_ALL: "C.UTF-8", [folderVariable]: data.s3 }, log });
}

/** The wanted port, else any; 0 wants none. Another program may still take it first: then the start fails and is tried again. */
async function freePort(wanted: number): Promise<number> {
  const probe = createServer();
  try {
    return await new Promise<number>((resolve, reject) => {
      probe.once("error", reject);
      probe.listen(wanted, "127.0.0.1", () => resolve((probe.address() as { port: number }).port));
    });
  } catch {
    return freePort(0);
  } finally {
    probe.close();
  }
}

/** Waits for the first answer to a request signed with our secret: another program on the port would refuse it. */
async function comesUp(record: Book, known: KnownProcess, cut?: AbortSignal): Promise<boolean> {
  const giveUpAt = performance.now() + startPatience;
  while (isAlive(known) && performance.now() < giveUpAt) {
    if (cut?.aborted) return false;
    if (await answers(record)) return true;
    await sleep(50);
  }
  return false;
}

function answers({ port, accessKeyId, secretAccessKey }: Book): Promise<boolean> {
  const url = new URL(`http://127.0.0.1:${port}/`);
  const credentials = { accessKeyId, secretAccessKey };
  const headers = signRequest({
    method: "GET",
    url,
    headers: {},
    payloadHash: sha256Hex(""),
    credentials,
    region,
    service: "s3",
    now: new Date(),
  });
  return new Promise((resolve) => {
    const request = get(url, { headers, agent: false, timeout: answerPatience }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}
