/** The metastores of a data folder's accounts: each started by the first who wants it, watched from then on, found again by the next control plane. */
import type { Logger } from "pino";
import type { DataFolder } from "../data-folder.ts";
import type { EnginesState } from "../engine-installer.ts";
import type { Installation } from "../engines/installation.ts";
import { readJson } from "../files.ts";
import { superviseServer } from "../process/kept-server.ts";
import { type Catalogs, hiveCatalog, MetastoreError, NotReady } from "./metastore.ts";
import { type CatalogBook, catalogServer, connectionOf, identityOf, metastoreAt } from "./server.ts";

export interface LocalCatalogs extends Catalogs {
  /** For a cluster that waits for it: started where it does not run. */
  state(accountId: string): EnginesState;
  /** Of an account whose metastore has been started; throws where it never was. */
  connection(accountId: string): ReturnType<typeof connectionOf>;
  /** Ends the watch, not the metastores. */
  stop(): Promise<void>;
}

interface Watched {
  book: CatalogBook;
  stop(): Promise<void>;
}

export interface CatalogsOptions {
  data: DataFolder;
  /** Whether Hive is on this machine; begins to bring it where it is not. */
  hive: () => EnginesState;
  installation: () => Installation;
  log: Logger;
}

/** As Hive makes it where there is none, but for the address: each cluster's own HDFS. */
const defaultDatabase = {
  name: "default",
  description: "Default Hive database",
  locationUri: "hdfs:///user/hive/warehouse",
  parameters: {},
  ownerName: "public",
  ownerType: "ROLE",
  catalogName: hiveCatalog,
};

/** `accounts`: those whose clusters need theirs now. */
export function createCatalogs({ data, hive, installation, log }: CatalogsOptions, accounts: readonly string[]): LocalCatalogs {
  const watched = new Map<string, Promise<Watched>>();
  const ready = new Map<string, Watched>();
  let isStopped = false;
  const failures = new Map<string, string>();
  const turns = new Map<string, Promise<unknown>>();

  function watch(accountId: string): Promise<Watched> {
    const found = watched.get(accountId);
    if (found) return found;
    const kind = catalogServer(data, accountId, installation);
    const starting = superviseServer(kind, {
      changed(next) {
        log.warn({ account: accountId }, "an account's metastore had ended and was started again");
        void starting.then((one) => Object.assign(one.book, next));
      },
      failed: (error) => log.error({ err: error, account: accountId }, "an account's metastore cannot be started, will be tried again"),
    }).then(async ({ stop, ...book }): Promise<Watched> => {
      const one = { book, stop };
      try {
        if (!isStopped) await ensureDefault(one);
      } catch (error) {
        await stop();
        throw error;
      }
      if (isStopped) await stop();
      ready.set(accountId, one);
      return one;
    });
    watched.set(accountId, starting);
    starting.catch((error: Error) => {
      watched.delete(accountId);
      failures.set(accountId, error.message);
    });
    return starting;
  }

  for (const accountId of accounts)
    if (hive() === "there") watch(accountId).catch((error: Error) => log.error({ err: error }, "an account's metastore"));

  return {
    async of(accountId) {
      // Not looked for again and again: it is many files.
      const state = watched.has(accountId) ? "there" : hive();
      if (state !== "there") throw new NotReady("coming" in state ? state.coming : state.failed);
      const one = await watch(accountId);
      return metastoreAt(() => one.book);
    },
    inTurn(accountId, work) {
      const turn = (turns.get(accountId) ?? Promise.resolve()).then(work, work);
      turns.set(accountId, turn);
      return turn;
    },
    state(accountId) {
      if (ready.has(accountId)) return "there";
      const state = hive();
      if (state !== "there") return state;
      const failure = failures.get(accountId);
      if (failure !== undefined) {
        failures.delete(accountId); // The next who asks tries again.
        return { failed: failure };
      }
      watch(accountId).catch(() => {});
      return { coming: "the account's metastore starts" };
    },
    connection(accountId) {
      const book = readJson<CatalogBook>(identityOf(data, accountId).record);
      if (!book) throw new Error(`the metastore of account ${accountId} was never started`);
      return connectionOf(book);
    },
    async stop() {
      // One that is being started is left to the next control plane.
      isStopped = true;
      await Promise.all([...ready.values()].map(({ stop }) => stop()));
    },
  };
}

async function ensureDefault({ book }: Watched): Promise<void> {
  const metastore = metastoreAt(() => book);
  const isThere = await metastore.call(["getDatabase", hiveCatalog, defaultDatabase.name]).catch((error: unknown) => {
    if (error instanceof MetastoreError && error.exception === "NoSuchObjectException") return undefined;
    throw error;
  });
  if (!isThere) await metastore.call(["createDatabase", defaultDatabase]);
}
