/** A PostgreSQL of the machine's own program, for a test: in a folder of its own, on 127.0.0.1. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { until } from "./howdah.ts";

export interface Postgres {
  port: number;
  /** Standard output of psql, unaligned and without headers. */
  query(database: string, sql: string): Promise<string>;
  stop(): Promise<void>;
}

const debian = "/usr/lib/postgresql";
const folders = [
  ...(process.env.PATH ?? "").split(delimiter),
  ...(existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : []),
];

/** Folder of its programs; undefined where the machine has none. */
export const postgresPrograms = folders.find((folder) => ["initdb", "postgres", "psql"].every((name) => existsSync(join(folder, name))));

/** It does not run as root: there it is the user `postgres`, whom its package brings. */
const asRoot = process.getuid?.() === 0;
const idOf = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));

/** With the superuser hive. */
export async function startPostgres(): Promise<Postgres> {
  const root = mkdtempSync(join(tmpdir(), "howdah-postgres-"));
  const identity = asRoot ? { uid: idOf("-u"), gid: idOf("-g") } : {};
  if (identity.uid !== undefined) chownSync(root, identity.uid, identity.gid);
  const program = (name: string) => join(postgresPrograms!, name);
  const data = join(root, "data");
  await promisify(execFile)(program("initdb"), ["-D", data, "-A", "trust", "-U", "hive", "-N"], {
    cwd: root,
    ...identity,
    timeout: 120_000,
  });
  const port = await freePort();
  const server = spawn(program("postgres"), ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", root], {
    cwd: root,
    stdio: "ignore",
    ...identity,
  });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const query = async (database: string, sql: string) => {
    const argv = ["-h", "127.0.0.1", "-p", String(port), "-U", "hive", "-At", "-c", sql, database];
    return (await promisify(execFile)(program("psql"), argv, { timeout: 60_000 })).stdout;
  };
  await until("PostgreSQL to answer", () => query("postgres", "SELECT 1").catch(() => undefined), 60_000);
  return {
    port,
    query,
    async stop() {
      server.kill("SIGQUIT");
      await ended;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
