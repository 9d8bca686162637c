/**
 * A data folder that is a copy of another. What the original runs is not the copy's: not its control plane, not its S3 server, not its nodes, whose
 * records a copy has, too. So whoever gets the lock of a data folder asks here first, and forgets them.
 */
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { nodeLayout } from "./agent/layout.ts";
import { type DataFolder, ownerVariable } from "./data-folder.ts";
import { readJson, writeWhole } from "./files.ts";
import { bootId, findByEnvironment, identify, type KnownProcess } from "./process/known.ts";
import { holderPath, recordPath } from "./running.ts";

/** Who has had the data folder last, and which folder it was then. */
export interface Holder extends KnownProcess {
  /** Of before there was such a thing: the folder itself, as far as anybody knows. */
  root?: string;
  inode?: string;
  /** What it is a copy of, until its store knows. */
  copyOf?: Original;
}

export interface Original {
  root: string;
  /** When `howdah backup` made the copy, ISO 8601; undefined for one that somebody made by other means. */
  at?: string;
}

/** In a folder that `howdah backup` has made, until it is started: Original. */
export const backupRecord = (root: string): string => join(root, "backup.json");

const inodeOf = (data: DataFolder): string => String(statSync(data.root, { bigint: true }).ino);

export const readHolder = (data: DataFolder): Holder | undefined => readJson<Holder>(holderPath(data));

/** With the lock of the data folder: it is this process's now. */
export function hold(data: DataFolder, copyOf?: Original): void {
  const holder: Holder = { ...identify(process.pid)!, root: data.root, inode: inodeOf(data), ...(copyOf ? { copyOf } : {}) };
  writeWhole(holderPath(data), JSON.stringify(holder));
}

/** The folder that this one is a copy of; undefined where it is none. Throws where it was moved away from under its nodes. */
export function originalOf(data: DataFolder): Original | undefined {
  const backup = readJson<Original>(backupRecord(data.root));
  if (backup) return backup;
  const last = readHolder(data);
  if (last?.copyOf) return last.copyOf;
  if (last?.root === undefined) return undefined;
  const isSameFolder = last.inode === inodeOf(data);
  // Another file system may number the same folder anew after a boot; then nothing of before runs any more.
  if (last.root === data.root && (isSameFolder || last.bootId !== bootId())) return undefined;
  if (!isSameFolder) return { root: last.root };
  const left = findByEnvironment(ownerVariable, last.root).length;
  if (left > 0)
    throw new Error(
      `${data.root} was moved here from ${last.root} while ${left} of its processes run. Move it back, run: howdah down --keep --data ${last.root}, then move it`,
    );
  return undefined;
}

/** A copy that was made by other means while a control plane wrote: its store may be of two moments, which nobody can tell by looking at it. */
export function refuseTornCopy(data: DataFolder, { root, at }: Original): void {
  if (at !== undefined || !existsSync(recordPath(data))) return;
  throw new Error(
    `${data.root} is a copy of ${root}, made while a control plane ran there, or one that was killed: its files may be of different moments. Make one by: howdah backup --data ${root} FOLDER, or copy it after howdah down. Where this copy is all there is, remove ${recordPath(data)} and start again: what can be checked of the store will be`,
  );
}

/** The original's processes and its port: its nodes would take a control plane on that port for their own. */
export function forgetOriginal(data: DataFolder): void {
  const nodes = existsSync(data.nodes) ? readdirSync(data.nodes) : [];
  const inits = nodes.map((id) => join(nodeLayout(data.node(id)).run, "init.json"));
  const records = readdirSync(data.run).map((name) => join(data.run, name));
  for (const path of [...inits, ...records.filter((one) => one !== holderPath(data)), data.endpoint]) rmSync(path, { force: true });
}
