/** The process of an account's metastore: howdah.hive.Catalog in a JVM of its own over DATA/glue/ACCOUNT, which outlives clusters and control planes. */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type DataFolder, ownerVariable } from "../data-folder.ts";
import type { Installation } from "../engines/installation.ts";
import { log4j2Properties } from "../engines/hive/log4j2.ts";
import { hiveJars, templateFolder } from "../engines/hive/places.ts";
import { daemonArgv } from "../engines/jvm.ts";
import { writeChanged } from "../files.ts";
import type { ServerKind } from "../process/kept-server.ts";
import { spawnDetached } from "../process/known.ts";
import { type Call, type Metastore, MetastoreError } from "./metastore.ts";

/** Of DATA/run/glue-ACCOUNT.json, which the process reads, too. */
export interface CatalogBook {
  /** Of what the control plane asks. */
  port: number;
  /** Of the database, for clusters' metastores. */
  databasePort: number;
  secret: string;
}

/** In its environment: the folder that its database is in. */
const folderVariable = "HOWDAH_GLUE_FOLDER";
const heapMb = 256;
/** Longer than any request of Glue's takes; a client that waits has given up by then. */
const answerMs = 60_000;
const lookMs = 5_000;
/** How long one that died is awaited: clients wait for a minute. */
const backMs = 40_000;
const lookAgainMs = 200;

const folderOf = (data: DataFolder, accountId: string): string => join(data.glue, accountId);

export const identityOf = (data: DataFolder, accountId: string) => ({
  record: join(data.run, `glue-${accountId}.json`),
  mark: [folderVariable, folderOf(data, accountId)] as const,
});

export function catalogServer(data: DataFolder, accountId: string, installation: () => Installation): ServerKind<CatalogBook> {
  const identity = identityOf(data, accountId);
  const log = join(data.logs, `glue-${accountId}.out`);
  return {
    ...identity,
    name: `the metastore of account ${accountId}`,
    log,
    first: () => ({ port: 0, databasePort: 0, secret: randomBytes(24).toString("hex") }),
    ports: ["port", "databasePort"],
    start() {
      const folder = folderOf(data, accountId);
      const tmp = join(folder, "tmp");
      mkdirSync(tmp, { recursive: true, mode: 0o700 });
      const log4j2 = join(folder, "log4j2.properties");
      writeChanged(log4j2, log4j2Properties({ "property.hive.log.level": "WARN" }));
      const current = installation();
      const { home, classPath, archive } = current.engines.Hive!;
      const argv = daemonArgv(
        { installation: current, layout: { tmp } },
        {
          mainClass: "howdah.hive.Catalog",
          jars: hiveJars(home, classPath, current.hadoop.classPath),
          folders: [],
          archive,
          heapMb,
          options: [
            `-Dhive.log.dir=${data.logs}`,
            `-Dhive.log.file=glue-${accountId}.log`,
            `-Dlog4j2.configurationFile=${log4j2}`,
            `-Dderby.stream.error.file=${join(folder, "derby.log")}`,
          ],
        },
      );
      const env = { [ownerVariable]: data.root, [folderVariable]: folder, LC_ALL: "C.UTF-8", PATH: "/usr/bin:/bin" };
      const [database, template] = [join(folder, databaseName), join(home, templateFolder)];
      return spawnDetached([...argv, database, template, identity.record], { cwd: folder, env, log });
    },
    answers: doesAnswer,
  };
}

/** To a request with its secret. */
export const doesAnswer = (book: CatalogBook): Promise<boolean> =>
  ask(book, [], lookMs).then(
    () => true,
    () => false,
  );

/** In the account's folder. */
export const databaseName = "metastore_db";

/** What a cluster's metastore connects with. */
export const connectionOf = ({ databasePort, secret }: CatalogBook) => ({
  url: `jdbc:derby://127.0.0.1:${databasePort}/${databaseName}`,
  user: "APP",
  password: secret,
});

/** `book`: as it is now: one that has died is started again, and nothing was asked of it where nobody listens. */
export const metastoreAt = (book: () => CatalogBook): Metastore => ({
  async call(...calls) {
    for (const giveUpAt = performance.now() + backMs; ; await sleep(lookAgainMs))
      try {
        return await ask(book(), calls, answerMs);
      } catch (error) {
        const { code } = ((error as Error).cause ?? {}) as { code?: string };
        if (code !== "ECONNREFUSED" || performance.now() > giveUpAt) throw error;
      }
  },
});

async function ask({ port, secret }: CatalogBook, calls: readonly Call[], timeoutMs: number): Promise<unknown[]> {
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, connection: "close" },
    body: JSON.stringify(calls),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status === 200) return (await response.json()) as unknown[];
  if (response.status !== 400) throw new Error(`the metastore answered ${response.status}`);
  const { error, message } = (await response.json()) as { error: string; message: string };
  throw new MetastoreError(error, message);
}
