/** Small files that must be whole at any moment: written beside, synced, then renamed into place. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** `mode` as for chmod; 0o600 unless said otherwise. */
export function writeWhole(path: string, content: string, mode = 0o600): void {
  const temporary = `${path}.${process.pid}.new`;
  const file = openSync(temporary, "w", mode);
  try {
    writeFileSync(file, content); // All of it, unlike writeSync.
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
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
