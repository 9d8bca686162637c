import { existsSync } from "node:fs";
import { runningControlPlane } from "../running.ts";
import { type DataFolder, dataFolder } from "../data-folder.ts";
import { adminKey, listAccounts } from "../store/accounts.ts";
import { openStore } from "../store/store.ts";
import { printJson } from "./terminal.ts";

/** What AWS clients need to reach this Howdah as its admin. Throws where none runs. */
export async function clientEnvironment(data: DataFolder): Promise<Record<string, string>> {
  const running = runningControlPlane(data);
  if (!running || !existsSync(data.database)) throw new Error(`no control plane runs for ${data.root}. Run: howdah up --detach`);
  const store = await openStore(data.database, Date.now);
  try {
    const [account] = await listAccounts(store.db);
    const key = account && (await adminKey(store.db, account.id));
    if (!key) throw new Error(`${data.database} holds no active key of the user admin`);
    return {
      AWS_ENDPOINT_URL: running.endpoint,
      AWS_ACCESS_KEY_ID: key.access_key_id,
      AWS_SECRET_ACCESS_KEY: key.secret_access_key,
      AWS_REGION: running.region,
      AWS_DEFAULT_REGION: running.region,
    };
  } finally {
    await store.close();
  }
}

/** `howdah env`: for eval. A session token or profile of the shell would win over the key, so both are unset. */
export async function env(options: { data?: string; json?: boolean }): Promise<void> {
  const variables = await clientEnvironment(dataFolder(options.data));
  if (options.json) return printJson(variables);
  for (const [name, value] of Object.entries(variables)) console.log(`export ${name}='${value}'`);
  console.log("unset AWS_SESSION_TOKEN AWS_PROFILE");
}
