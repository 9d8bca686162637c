/** Scripts and jars of users, from s3:// or the node's own files. */
import { chmod, copyFile, mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { NoSuchObject, type S3 } from "./s3.ts";

const attempts = 5;

/** Copies `uri` (s3://, file:// or an absolute path) to `to`, executable. Tries again where S3 is not there, not where the object is not. */
export async function fetchFile(s3: S3, uri: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const part = `${to}.part`;
  for (let attempt = 1; ; attempt++) {
    try {
      if (/^s3[an]?:\/\//.test(uri)) await s3.get(uri, part);
      else if (/^[a-z][a-z0-9+.-]*:/i.test(uri) && !uri.startsWith("file:"))
        throw new NoSuchObject(`${uri} cannot be fetched: only s3:// and file:// can`);
      else await copyFile(uri.startsWith("file:") ? fileURLToPath(uri) : uri, part);
      break;
    } catch (error) {
      const isFinal = error instanceof NoSuchObject || !/^s3[an]?:/.test(uri) || attempt === attempts;
      if (isFinal) throw new Error(`${uri} could not be fetched: ${(error as Error).message}`, { cause: error });
      await sleep(250 * 2 ** attempt);
    }
  }
  await chmod(part, 0o755);
  await rename(part, to);
}
