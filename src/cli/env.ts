import { existsSync } from "node:fs";
import { plainSession } from "../access/session.ts";
import { type DataFolder, dataFolder } from "../data-folder.ts";
import { runningControlPlane } from "../running.ts";
import { insertSession } from "../store/access-keys.ts";
import { adminKey } from "../store/accounts.ts";
import { makeIds } from "../store/ids.ts";
import { openStore, type Store } from "../store/store.ts";
import { chooseAccount } from "./accounts.ts";
import { printJson } from "./terminal.ts";

/** How long the account's root stays root. */
const rootMs = 3_600_000;

export interface Who {
  /** Id, name or alias; the first account where none is named. */
  account?: string;
  /** The account's root in place of its admin. */
  root?: boolean;
}

/**
 * What AWS clients need to reach this Howdah as an account's admin, or for an hour as its root: whoever may read the data folder owns the account.
 * Throws where none runs.
 */
export async function clientEnvironment(data: DataFolder, who: Who = {}): Promise<Record<string, string>> {
  const running = runningControlPlane(data);
  if (!running || !existsSync(data.database)) throw new Error(`no control plane runs for ${data.root}. Run: howdah up --detach`);
  const store = await openStore(data.database, { forward: "never" });
  try {
    const { id, name } = await chooseAccount(store.db, who.account);
    const key = who.root ? await rootKey(store, id) : await adminKey(store.db, id);
    if (!key)
      throw new Error(
        `the user admin of the account ${id} (${name}) has no active key. The account's root can make one: howdah env --root --account ${id}`,
      );
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
export async function env(options: Who & { data?: string; json?: boolean }): Promise<void> {
  const variables = await clientEnvironment(dataFolder(options.data), options);
  if (options.json) return printJson(variables);
  for (const [name, value] of Object.entries(variables)) console.log(`export ${name}='${value}'`);
  console.log(`unset ${"AWS_SESSION_TOKEN" in variables ? "" : "AWS_SESSION_TOKEN "}AWS_PROFILE`);
}
