/** Makes files what the manifest says, each whole at any moment. */
import { chmod, cp, lstat, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { ManifestFile } from "./manifest.ts";

/** Throws with the path in the message. */
export async function writeFiles(files: ManifestFile[]): Promise<void> {
  for (const file of files) {
    await writeOne(file).catch((error: Error) => {
      throw new Error(`${file.path} could not be written: ${error.message}`, { cause: error });
    });
  }
}

async function writeOne({ path, mode, content, copyFrom, once }: ManifestFile): Promise<void> {
  if (once && (await exists(path))) return;
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.howdah-new`;
  if (copyFrom !== undefined) {
    // A folder too: the NameNode's first image is one. What is there already is replaced, never mixed.
    await rm(fresh, { recursive: true, force: true });
    await cp(copyFrom, fresh, { recursive: true });
    if (mode !== undefined) await chmod(fresh, mode);
    if ((await lstat(fresh)).isDirectory()) await rm(path, { recursive: true, force: true });
    await rename(fresh, path);
    return;
  }
  const wanted = content ?? "";
  const same = (await readFile(path, "utf8").catch(() => undefined)) === wanted;
  if (!same) {
    await writeFile(fresh, wanted);
    await chmod(fresh, mode ?? 0o644);
    await rename(fresh, path);
  } else if (mode !== undefined) {
    await chmod(path, mode);
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
