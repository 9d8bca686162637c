/** A copy of a data folder from which another can go on, made at any time: also while a control plane writes, and S3 is written to. */
import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { backupRecord, type Original } from "./copies.ts";
import { type DataFolder, dataFolder } from "./data-folder.ts";
import { makeFolders, writeWhole } from "./files.ts";
import { lastBackup, orDamaged, problemOf, StoreDamaged } from "./store/whole.ts";

const run = promisify(execFile);
/** What S3 holds may be much; a disk that does not answer is not waited for any longer. */
const copyMs = 24 * 3600_000;
/** All pages in one go: of one moment, and never begun anew because somebody writes. */
const allPages = 2 ** 30;

export interface BackupOptions {
  /** A folder that is not there yet. */
  to: string;
  /** What the embedded S3 server holds, too. */
  s3: boolean;
  /** ISO 8601 */
  at: string;
}

/**
 * The store of one moment, the audit trail and each account's Glue catalog of a later one, the configuration, and S3 object by object. Not the nodes, nor what is on their disks. Throws
 * where there is nothing to copy, where `to` is there, and where what was copied is not whole; then nothing is left at `to`.
 */
export async function backUp(data: DataFolder, { to, s3, at }: BackupOptions): Promise<void> {
  if (!existsSync(data.database)) throw new Error(`Howdah has never run in ${data.root}: there is nothing to copy`);
  if (existsSync(to)) throw new Error(`${to} is there already: name a folder that is not`);
  if (!relative(data.root, to).startsWith("..")) throw new Error(`${to} is inside of ${data.root}: name a folder outside`);
  makeFolders(dirname(to));
  const partial = `${to}.partial`;
  rmSync(partial, { recursive: true, force: true }); // Of one that was cut off.
  mkdirSync(partial, { mode: 0o700 });
  try {
    const copy = dataFolder(partial);
    // Calls are recorded when what they did is in the store: the trail comes after it, so that it has them all.
    for (const path of [data.database, data.audit, data.dataEvents])
      if (existsSync(path)) await copyDatabase(path, join(partial, basename(path)));
    for (const file of ["config", "provider"] as const) if (existsSync(data[file])) copyFileSync(data[file], copy[file]);
    if (existsSync(data.glue)) await (await import("./glue/copy.ts")).copyCatalogs(data, copy.glue);
    if (s3 && existsSync(data.s3)) await copyTree(data.s3, copy.s3);
    const original: Original = { root: data.root, at };
    writeWhole(backupRecord(partial), JSON.stringify(original));
    await run("sync", ["-f", partial], { timeout: copyMs });
    renameSync(partial, to);
    writeWhole(lastBackup(data.database), JSON.stringify({ to, at }));
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

async function copyDatabase(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from, { readOnly: true, timeout: 10_000 });
  try {
    await orDamaged(from, () => backup(source, to, { rate: allPages }));
  } finally {
    source.close();
  }
  chmodSync(to, 0o600);
  const problem = problemOf(to);
  if (problem) throw new StoreDamaged(from, problem);
  for (const left of ["-wal", "-shm"]) rmSync(`${to}${left}`, { force: true }); // Of the look: there was nothing to write.
}

/** With what S3's objects have beside their content (extended attributes), sharing blocks where the file system can. What is deleted meanwhile is not in it. */
async function copyTree(from: string, to: string): Promise<void> {
  mkdirSync(to, { mode: 0o700 });
  for (const entry of readdirSync(from)) {
    const failed = await run("cp", ["-a", "--reflink=auto", join(from, entry), to], {
      timeout: copyMs,
      maxBuffer: 64 << 20,
      env: { PATH: process.env.PATH, LC_ALL: "C" },
    }).then(
      () => [],
      (error: Error & { stderr?: string }) =>
        (error.stderr ?? "")
          .split("\n")
          .filter(Boolean)
          .concat(error.stderr ? [] : [error.message]),
    );
    const faults = failed.filter((line) => !line.endsWith("No such file or directory"));
    if (faults.length > 0) throw new Error(`${from} could not be copied: ${faults.slice(0, 3).join("; ")}`);
  }
}
