/** Copies of accounts' catalogs, each of one moment: by its database's own backup while its metastore runs, file by file where none does. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { DataFolder } from "../data-folder.ts";
import { readJson } from "../files.ts";
import { runningServer } from "../process/kept-server.ts";
import { findByEnvironment } from "../process/known.ts";
import { type CatalogBook, connectionOf, databaseName, identityOf } from "./server.ts";

const run = promisify(execFile);
/** Of one database; a catalog of a million partitions has some GB. */
const copyMs = 30 * 60_000;
/** A metastore that starts is awaited so long, and one that ends or begins under a copy makes another necessary. */
const patienceMs = 120_000;
const lookAgainMs = 500;

/** Into `to`, which it makes where there is one at all. Throws where one cannot be copied. */
export async function copyCatalogs(data: DataFolder, to: string): Promise<void> {
  for (const accountId of existsSync(data.glue) ? readdirSync(data.glue) : []) {
    const folder = join(to, accountId);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await copyCatalog(data, accountId, folder);
  }
}

async function copyCatalog(data: DataFolder, accountId: string, folder: string): Promise<void> {
  const identity = identityOf(data, accountId);
  const database = join(data.glue, accountId, databaseName);
  /** Changes with each start. */
  const started = () => statSync(identity.record, { throwIfNoEntry: false })?.mtimeMs;
  for (const giveUpAt = performance.now() + patienceMs; ; await sleep(lookAgainMs)) {
    rmSync(join(folder, databaseName), { recursive: true, force: true });
    const before = started();
    const running = runningServer(identity);
    let failure = "its metastore starts, or another takes its place";
    if (running || findByEnvironment(...identity.mark).length === 0)
      try {
        if (running) await byItself(running.pid, readJson<CatalogBook>(identity.record)!, folder);
        else if (existsSync(database)) await run("cp", ["-a", "--reflink=auto", database, folder], { timeout: copyMs });
        if (started() === before) return;
      } catch (error) {
        failure = (error as Error).message;
      }
    if (performance.now() > giveUpAt) throw new Error(`the Glue catalog of account ${accountId} could not be copied: ${failure}`);
  }
}

/** With the Java and the jars that the metastore itself runs with. */
async function byItself(pid: number, book: CatalogBook, folder: string): Promise<void> {
  const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  const jars = words[words.indexOf("-cp") + 1]!.split(":").filter((jar) => /\/derby[^/]*\.jar$/.test(jar));
  const { url, user, password } = connectionOf(book);
  const options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", jars.join(":")];
  await run(words[0]!, [...options, join(import.meta.dirname, "Backup.java"), url, user, folder], {
    timeout: copyMs,
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", HOWDAH_GLUE_SECRET: password },
  });
}
