/** What the clients' suites share: one Howdah, one bucket, one long-running cluster. Every client is unmodified and reaches Howdah by its environment. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Howdah, releaseLabel, startHowdah } from "../integration/howdah.ts";

export const bucket = "clients";
/** More nodes than a host of 80 GiB can hold: such a cluster is read, shown, refused for want of memory, and starts no process. */
export const tooMany = 250;

export interface World {
  howdah: Howdah;
  /** The client's whole environment, with nothing of this user's own. */
  env: Record<string, string>;
  /** Folder for files that clients read and write. */
  files: string;
  /** The long-running cluster; the first client creates it, the last one terminates it. */
  clusterId: string;
  stop(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const howdah = await startHowdah();
  const files = mkdtempSync(join(tmpdir(), "howdah-clients-test-"));
  const env = { PATH: process.env.PATH ?? "", HOME: files, AWS_PAGER: "", AWS_EC2_METADATA_DISABLED: "true", ...howdah.clientEnv };
  return {
    howdah,
    env,
    files,
    clusterId: "",
    async stop() {
      await howdah.stop();
      rmSync(files, { recursive: true, force: true });
    },
  };
}

/** Writes a file for clients. Its path. */
export function file(world: World, name: string, content: string): string {
  const path = join(world.files, name);
  writeFileSync(path, content);
  return path;
}

export interface Ran {
  status: number | null;
  out: string;
  err: string;
}

/** Runs a client to its end; what it says is for the test to judge. The limit is there so that a test ends at all. */
export function ran(argv: string[], env: Record<string, string>, limitMs = 900_000, cwd?: string): Promise<Ran> {
  const [command = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: limitMs, killSignal: "SIGKILL" });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.on("error", reject).on("close", (status) => resolve({ status, out, err }));
  });
}

/** Runs one of this folder's Python programs, which asserts for itself. */
export async function python(world: World, interpreter: string, program: string, env: Record<string, string> = {}): Promise<string> {
  const { status, out, err } = await ran([interpreter, join(import.meta.dirname, program)], {
    ...world.env,
    BUCKET: bucket,
    RELEASE_LABEL: releaseLabel,
    CLUSTER_ID: world.clusterId,
    ...env,
  });
  assert.equal(status, 0, `${out}\n${err}`);
  return out;
}
