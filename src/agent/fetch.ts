/** Scripts and jars of users: from s3://, http(s)://, or the node's own files. */
import { chmod, copyFile, mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { download } from "./http.ts";
import { isFinalStatus, NoSuchObject, type S3 } from "./s3.ts";

const attempts = 5;
const mostRedirects = 5;
const timeoutMs = 20_000;

/**
 * Copies `uri` (s3://, http(s)://, file:// or an absolute path) to `to`, executable. Tries again where its server is not there, not where the
 * file is not. `name` is what messages call it.
 */
export async function fetchFile(s3: S3, uri: string, to: string, name = uri): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const part = `${to}.part`;
  for (let attempt = 1; ; attempt++) {
    try {
      await fetchOnce(s3, uri, part);
      break;
    } catch (error) {
      const isFinal = error instanceof NoSuchObject || !/^(s3[an]?|https?):/.test(uri) || attempt === attempts;
      if (isFinal) throw new Error(`${name} could not be fetched: ${(error as Error).message}`, { cause: error });
      await sleep(250 * 2 ** attempt);
    }
  }
  await chmod(part, 0o755);
  await rename(part, to);
}

async function fetchOnce(s3: S3, uri: string, to: string): Promise<void> {
  if (/^s3[an]?:\/\//.test(uri)) await s3.get(uri, to);
  else if (/^https?:\/\//.test(uri)) await getFromWeb(uri, to);
  else if (uri.startsWith("hdfs:")) throw new NoSuchObject("it is not in this cluster's own HDFS, which is hdfs:///");
  else if (/^[a-z][a-z0-9+.-]*:/i.test(uri) && !uri.startsWith("file:")) throw new NoSuchObject("only s3, hdfs, http, https and file can");
  else await copyFile(uri.startsWith("file:") ? fileURLToPath(uri) : uri, to);
}

async function getFromWeb(uri: string, to: string): Promise<void> {
  let url = new URL(uri);
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const { status, text, location } = await download(url, { timeoutMs }, to);
    if (status === 200) return;
    if (status >= 300 && status < 400 && location !== undefined) {
      url = new URL(location, url);
      continue;
    }
    const message = `${url.host} answered ${status} ${text.slice(0, 200)}`.trim();
    throw isFinalStatus(status) ? new NoSuchObject(message) : new Error(message);
  }
  throw new NoSuchObject(`${uri} leads from one address to the next, more than ${mostRedirects} times`);
}
