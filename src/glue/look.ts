/** What runs of accounts' catalogs, for people who look. */
import { existsSync, readdirSync } from "node:fs";
import type { DataFolder } from "../data-folder.ts";
import { readJson } from "../files.ts";
import { runningServer } from "../process/kept-server.ts";
import { type CatalogBook, doesAnswer, identityOf } from "./server.ts";

/** An account that has a catalog. */
export interface CatalogState {
  accountId: string;
  /** Of its metastore; null where none runs: the first who asks starts it. */
  pid: number | null;
  answers: boolean;
}

export async function lookAtCatalogs(data: DataFolder): Promise<CatalogState[]> {
  const accounts = existsSync(data.glue) ? readdirSync(data.glue) : [];
  return Promise.all(
    accounts.map(async (accountId) => {
      const identity = identityOf(data, accountId);
      const known = runningServer(identity);
      return {
        accountId,
        pid: known?.pid ?? null,
        answers: known !== undefined && (await doesAnswer(readJson<CatalogBook>(identity.record)!)),
      };
    }),
  );
}
