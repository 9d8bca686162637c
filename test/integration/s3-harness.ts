/** A front door over a real s3proxy and a stand-in for the control plane, for the tests of S3. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import type { AccessKey } from "../../src/access/keys.ts";
import { plainSession } from "../../src/access/session.ts";
import { dataFolder, ownerVariable } from "../../src/data-folder.ts";
import { releaseLabels } from "../../src/releases/release.ts";
import { type Front, startFront } from "../../src/s3/front.ts";
import { type RunningS3Proxy, ensureS3Proxy, stopS3Proxy, type S3ProxyOptions } from "../../src/s3/s3proxy.ts";
import { readInstallation } from "../../src/setup.ts";
import { changeBucket } from "../../src/store/buckets.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { migrations } from "../../src/store/schema.ts";
import { answerOver } from "../unit/answer-over.ts";
import { adminKey, nodeKey } from "../unit/keys.ts";

export const admin: AccessKey = { ...adminKey, secretAccessKey: "admin/secret" };
export const cluster: AccessKey = { ...nodeKey, secretAccessKey: "cs", sessionToken: "cluster/token+=" };

/** What set-up made: `npm test` runs it first. */
export function installation() {
  const found = readInstallation(releaseLabels()[0] ?? "");
  if ("missing" in found) throw new Error(`run npm test once, which sets up: ${found.missing.join(", ")}`);
  return found;
}

export function s3ProxyOptions(root: string): S3ProxyOptions {
  const { javaHome, s3proxy } = installation();
  const data = dataFolder(root);
  return { data, jar: s3proxy.jar, javaHome, ownerEnv: { [ownerVariable]: data.root } };
}

/** A store that holds these keys, with their users and roles, and the policies that Howdah gives to its admin and its default roles. */
export function writeKeys(path: string, keys: AccessKey[]): void {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = WAL; ${migrations.join(";")}; PRAGMA user_version = ${migrations.length}`);
  const entity = database.prepare("INSERT INTO iam_entities (id, account_id, kind, name, path, created_at) VALUES (?, ?, ?, ?, '/', 0)");
  const attachment = database.prepare("INSERT INTO iam_attachments VALUES (?, ?, 0)");
  const key = database.prepare(
    `INSERT INTO access_keys (access_key_id, secret_access_key, session_token, account_id, owner_id, session, cluster_id, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, 0)`,
  );
  const account = database.prepare("INSERT OR IGNORE INTO accounts (id, name, created_at) VALUES (?1, ?1, 0)");
  for (const { accessKeyId, secretAccessKey, sessionToken, principal } of keys) {
    const { accountId, role, userName, sessionName, clusterId } = principal;
    const owner = role?.id ?? principal.id;
    account.run(accountId);
    entity.run(owner, accountId, role ? "role" : "user", role?.name ?? userName ?? "");
    attachment.run(owner, `arn:aws:iam::aws:policy/${role ? "service-role/AmazonElasticMapReduceforEC2Role" : "AdministratorAccess"}`);
    const session = role ? JSON.stringify(plainSession(sessionName ?? "", { path: "/", name: role.name }, 0)) : null;
    key.run(accessKeyId, secretAccessKey, sessionToken, accountId, owner, session, clusterId);
  }
  database.close();
}

export interface Harness {
  root: string;
  store: Store;
  endpoint: string;
  front: Front;
  server: RunningS3Proxy;
  faults: string[];
  /** Answers what reaches the control plane; set by each test. */
  control: { answer: RequestListener };
  client(key?: AccessKey, options?: S3ClientConfig): S3Client;
  /** Environment of the aws CLI and boto3, with nothing of this user's own. */
  env(key?: AccessKey): Record<string, string>;
  close(): Promise<void>;
}

/** `keys`: of users that are there beside the admin. */
export async function startHarness(keys: AccessKey[] = []): Promise<Harness> {
  const root = mkdtempSync(join(tmpdir(), "howdah-s3-"));
  const data = dataFolder(root);
  mkdirSync(data.run, { recursive: true });
  writeKeys(data.database, [admin, cluster, ...keys]);
  const store = await openStore(data.database);
  const server = await ensureS3Proxy(s3ProxyOptions(root));
  const control = { answer: ((_req, res) => res.end("control")) as RequestListener };
  const socket = join(root, "control.sock");
  const behind = createServer((req, res) => control.answer(req, res)).listen(socket);
  const faults: string[] = [];
  const { endpoint: upstream, accessKeyId, secretAccessKey, region } = server;
  const front = await startFront({
    host: "127.0.0.1",
    port: 0,
    databasePath: data.database,
    linkSocket: socket,
    answer: answerOver(socket),
    s3: { endpoint: upstream, accessKeyId, secretAccessKey, region },
    changeBucket: (change) => store.transaction((tx) => changeBucket(tx, change)),
    log: (fault) => faults.push(fault.message),
  }).catch(async (error: unknown) => {
    behind.close();
    await stopS3Proxy(data);
    throw error;
  });
  const endpoint = `http://127.0.0.1:${front.port}`;
  return {
    root,
    store,
    endpoint,
    front,
    server,
    faults,
    control,
    client: (key = admin, options = {}) =>
      new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, maxAttempts: 1, credentials: credentials(key), ...options }),
    env: (key = admin) => ({
      PATH: process.env.PATH ?? "",
      HOME: root,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      ...(key.sessionToken ? { AWS_SESSION_TOKEN: key.sessionToken } : {}),
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_PAGER: "",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_MAX_ATTEMPTS: "1",
    }),
    async close() {
      await front.close();
      await store.close();
      behind.closeAllConnections();
      behind.close();
      await stopS3Proxy(data);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export function credentials(key: AccessKey) {
  const { accessKeyId, secretAccessKey, sessionToken } = key;
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

/** Runs a program of set-up's tools (`aws`, `python3`); never throws for what it says. */
export function runTool(
  name: string,
  args: string[],
  env: Record<string, string>,
): Promise<{ status: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(installation().toolsBin, name), args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.on("error", reject).on("close", (status) => resolve({ status, out, err }));
  });
}
