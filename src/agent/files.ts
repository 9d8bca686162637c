/** Makes files what the manifest says, each whole at any moment, and each again only when the manifest's words for it have changed. */
import { createHash } from "node:crypto";
import { chmod, cp, lstat, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { readJson, writeWhole } from "../files.ts";
import type { BaseFile, ManifestFile } from "./manifest.ts";

/**
 * `recordFile` keeps what was written over restarts of the agent: a manifest comes with every step, and a script that has edited
 * /etc/hadoop/conf must find its edit there after any of them.
 */
export function createFiles(recordFile: string) {
  const written = new Map(Object.entries(readJson<Record<string, string>>(recordFile) ?? {}));

  return {
    /** `failed` gets each that cannot be written, its path in the message; without it the first one is thrown. */
    async write(files: (ManifestFile | BaseFile)[], failed?: (error: Error) => void): Promise<void> {
      const changed = files
        .map((file) => ({ file, digest: digestOf(file) }))
        .filter(({ file, digest }) => written.get(file.path) !== digest);
      if (changed.length === 0) return;
      try {
        for (const { file, digest } of changed) {
          try {
            await writeOne(file);
            written.set(file.path, digest);
          } catch (error) {
            const told = new Error(`${file.path} could not be written: ${(error as Error).message}`, { cause: error });
            if (!failed) throw told;
            failed(told);
          }
        }
      } finally {
        writeWhole(recordFile, JSON.stringify(Object.fromEntries(written)));
      }
    },
  };
}

const digestOf = (file: ManifestFile): string => createHash("sha256").update(JSON.stringify(file)).digest("hex").slice(0, 16);

async function writeOne({ path, mode, content, copyFrom, once, linkTo }: BaseFile): Promise<void> {
  if (once && (await exists(path))) return;
  const fresh = `${path}.howdah-new`;
  // A node has a hundred links: the usual case, that nothing is there yet, is one call.
  if (linkTo !== undefined && (await isMade(path, linkTo))) return;
  await mkdir(dirname(path), { recursive: true });
  if (linkTo !== undefined) {
    await rm(fresh, { force: true });
    await symlink(linkTo, fresh);
    if (await isFolder(path)) await rm(path, { recursive: true, force: true });
    await rename(fresh, path);
    return;
  }
  if (copyFrom !== undefined) {
    // A folder too: the NameNode's first image is one. What is there already is replaced, never mixed.
    await rm(fresh, { recursive: true, force: true });
    await cp(copyFrom, fresh, { recursive: true });
    if (mode !== undefined) await chmod(fresh, mode);
    if (await isFolder(fresh)) await rm(path, { recursive: true, force: true });
    await rename(fresh, path);
    return;
  }
  const wanted = content ?? "";
  // A link is replaced, never written through: it may lead to a file of the host.
  const same = !(await isLink(path)) && (await readFile(path, "utf8").catch(() => undefined)) === wanted;
  if (!same) {
    await writeFile(fresh, wanted);
    await chmod(fresh, mode ?? 0o644);
    await rename(fresh, path);
  } else if (mode !== undefined) {
    await chmod(path, mode);
  }
}

const isMade = (path: string, linkTo: string) =>
  symlink(linkTo, path).then(
    () => true,
    () => false,
  );
const look = (path: string) => lstat(path).catch(() => undefined);
const exists = async (path: string): Promise<boolean> => (await look(path)) !== undefined;
const isFolder = async (path: string): Promise<boolean> => (await look(path))?.isDirectory() ?? false;
const isLink = async (path: string): Promise<boolean> => (await look(path))?.isSymbolicLink() ?? false;
