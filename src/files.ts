/** Small files that must be whole at any moment: written beside, synced, then renamed into place. */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** `mode` as for chmod; 0o600 unless said otherwise. */
export function writeWhole(path: string, content: string, mode = 0o600): void {
  const temporary = `${path}.${process.pid}.new`;
  try {
    const file = openSync(temporary, "w", mode);
    try {
      writeFileSync(file, content); // All of it, unlike writeSync.
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** As writeWhole, where the file is not so already: no write, no fsync, for what nearly always is. */
export function writeChanged(path: string, content: string, mode?: number): void {
  if (!existsSync(path) || readFileSync(path, "utf8") !== content) writeWhole(path, content, mode);
}

/** undefined where there is no such file. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** As mkdir -p. Node's own recursive mkdir never ends where the kernel makes no folders, as below /proc. `mode`: of all that are made. */
export function makeFolders(path: string, mode = 0o700): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolders(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return; // Another process was there first.
    throw new Error(`${path} cannot be made (${message}): choose another folder`, { cause: error });
  }
}
