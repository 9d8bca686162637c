/** The embedded S3 server, s3proxy over a folder, reachable from this machine only and only with a secret of its own. Clients come through the front door. */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { get } from "../node-http.ts";
import { sha256Hex, signRequest } from "../aws/sigv4.ts";
import type { DataFolder } from "../data-folder.ts";
import { writeWhole } from "../files.ts";
import { ensureServer, type Running, type ServerKind, stopServer, superviseServer, type Told } from "../process/kept-server.ts";
import { type KnownProcess, spawnDetached } from "../process/known.ts";
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

/** Of s3proxy.json. */
interface Book {
  port: number;
  accessKeyId: string;
  secretAccessKey: string;
}

/** The folder it serves. */
const folderVariable = "HOWDAH_S3_FOLDER";
const region = "us-east-1";
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

const identityOf = (data: DataFolder) => ({ record: join(data.run, "s3proxy.json"), mark: [folderVariable, data.s3] as const });

const kindOf = (options: S3ProxyOptions): ServerKind<Book> => ({
  ...identityOf(options.data),
  name: "the embedded S3 server",
  log: logOf(options.data),
  first: () => ({ port: 0, accessKeyId: "howdah", secretAccessKey: randomBytes(24).toString("hex") }),
  ports: ["port"],
  start: (book) => start(options, book),
  answers,
});

const logOf = (data: DataFolder): string => join(data.logs, "s3proxy.log");

/** ensureServer of src/process/kept-server.ts. */
export async function ensureS3Proxy(options: S3ProxyOptions, cut?: AbortSignal): Promise<RunningS3Proxy> {
  return serverOf(await ensureServer(kindOf(options), cut));
}

/** Ends the server of this data folder, recorded or not. Resolves when it is gone. */
export const stopS3Proxy = (data: DataFolder): Promise<void> => stopServer(identityOf(data));

/** superviseServer of src/process/kept-server.ts. */
export async function superviseS3Proxy(
  options: S3ProxyOptions,
  told: { changed?: (server: RunningS3Proxy) => void; failed?: Told<Book>["failed"] } = {},
  periodMs = 1000,
): Promise<RunningS3Proxy & { stop(): Promise<void> }> {
  const { changed, failed } = told;
  const within: Told<Book> = { ...(changed && { changed: (next) => changed(serverOf(next)) }), ...(failed && { failed }) };
  const first = await superviseServer(kindOf(options), within, periodMs);
  return { ...serverOf(first), stop: first.stop };
}

const serverOf = ({ port, accessKeyId, secretAccessKey, known }: Running<Book>): RunningS3Proxy => ({
  endpoint: `http://127.0.0.1:${port}`,
  accessKeyId,
  secretAccessKey,
  region,
  known,
});

function start(options: S3ProxyOptions, book: Book): KnownProcess {
  const { data, jar, javaHome, ownerEnv } = options;
  mkdirSync(data.s3, { recursive: true, mode: 0o700 });
  const properties = join(data.run, "s3proxy.properties");
  const settings = {
    "s3proxy.endpoint": `http://127.0.0.1:${book.port}`,
    "s3proxy.authorization": "aws-v4",
    "s3proxy.identity": book.accessKeyId,
    "s3proxy.credential": book.secretAccessKey,
    "jclouds.provider": "filesystem-nio2",
    "jclouds.filesystem.basedir": data.s3,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value.replaceAll("\\", "\\\\")}\n`);
  writeWhole(properties, lines.join(""));
  const argv = [join(javaHome, "bin", "java"), ...jvmFlags, "-jar", jar, "--properties", properties];
  return spawnDetached(argv, { cwd: data.run, env: { ...ownerEnv, LC_ALL: "C.UTF-8", [folderVariable]: data.s3 }, log: logOf(data) });
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
