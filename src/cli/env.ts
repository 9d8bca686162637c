import { existsSync } from "node:fs";
import { plainSession } from "../access/session.ts";
import { type DataFolder, dataFolder } from "../data-folder.ts";
import { runningControlPlane } from "../running.ts";
import { insertSession } from "../store/access-keys.ts";
import { adminKey, listAccounts } from "../store/accounts.ts";
import { makeIds } from "../store/ids.ts";
import { openStore, type Store } from "../store/store.ts";
import { printJson } from "./terminal.ts";

/** How long the account's root stays root. */
const rootMs = 3_600_000;

/**
 * What AWS clients need to reach this Howdah as its admin, or for an hour as the account's root: whoever may read the data folder owns the account.
 * Throws where none runs.
 */
export async function clientEnvironment(data: DataFolder, who: "admin" | "root" = "admin"): Promise<Record<string, string>> {
  const running = runningControlPlane(data);
  if (!running || !existsSync(data.database)) throw new Error(`no control plane runs for ${data.root}. Run: howdah up --detach`);
  const store = await openStore(data.database, Date.now);
  try {
    const [account] = await listAccounts(store.db);
    const key = account && (who === "root" ? await rootKey(store, account.id) : await adminKey(store.db, account.id));
    if (!key) throw new Error(`${data.database} holds no active key of the user admin. The account's root can make one: howdah env --root`);
    return {
      AWS_ENDPOINT_URL: running.endpoint,
      AWS_ACCESS_KEY_ID: key.access_key_id,
      AWS_SECRET_ACCESS_KEY: key.secret_access_key,
      ...(key.session_token === null ? {} : { AWS_SESSION_TOKEN: key.session_token }),
      AWS_REGION: running.region,
      AWS_DEFAULT_REGION: running.region,
    };
  } finally {
    await store.close();
  }
}

/** Root has no lasting key, and can undo what no user can: a bucket's policy that denies everybody, the last administrator's mistake. */
export async function rootKey(store: Store, accountId: string) {
  const session = plainSession("", null, store.now());
  return store.transaction((tx) => insertSession(tx, makeIds(), { accountId, ownerId: accountId, session, expiresAt: tx.now + rootMs }));
}

/** `howdah env`: for eval. What the shell has and the key lacks would win over it, so it is unset. */
export async function env(options: { data?: string; json?: boolean; root?: boolean }): Promise<void> {
  const variables = await clientEnvironment(dataFolder(options.data), options.root ? "root" : "admin");
  if (options.json) return printJson(variables);
  for (const [name, value] of Object.entries(variables)) console.log(`export ${name}='${value}'`);
  console.log(`unset ${"AWS_SESSION_TOKEN" in variables ? "" : "AWS_SESSION_TOKEN "}AWS_PROFILE`);
}
