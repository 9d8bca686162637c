/** `howdah accounts [list]`, `howdah accounts create NAME`: accounts share the port and the machine, and see nothing of one another. */
import { dataFolder } from "../data-folder.ts";
import { type AccountRow, createAccount, listAccounts } from "../store/accounts.ts";
import { liveClusters } from "../store/clusters.ts";
import { makeIds } from "../store/ids.ts";
import type { Db, Store } from "../store/store.ts";
import { withStore } from "./find.ts";
import { columns, paint, plural, printJson } from "./terminal.ts";

interface Options {
  data?: string;
  json?: boolean;
}

/** `name`: of the account to create. */
export async function accounts(action: "list" | "create", name: string | undefined, options: Options): Promise<void> {
  if (action === "create" && !name) throw new Error("an account needs a name: howdah accounts create NAME");
  if (action === "list" && name) throw new Error(`howdah accounts lists all of them. To make one: howdah accounts create ${name}`);
  await withStore(dataFolder(options.data), (store) =>
    action === "create" ? create(store, name!, options) : list(store.db, options.json),
  );
}

async function create(store: Store, name: string, { data, json }: Options): Promise<void> {
  if (!/^[\w+=,.@-]{1,64}$/.test(name)) throw new Error(`an account's name has up to 64 letters, digits and +=,.@_-, not: ${name}`);
  const account = await store.transaction(async (tx) => {
    const taken = (await listAccounts(tx.db)).find((one) => one.name === name);
    if (taken) throw new Error(`the account ${name} is there already: ${taken.id}`);
    return createAccount(tx, makeIds(), name);
  });
  if (json) return printJson({ id: account.id, name });
  const where = data === undefined ? "" : ` --data ${dataFolder(data).root}`;
  console.log(`${account.id}  ${name}\nFor AWS clients:  eval "$(npx howdah env --account ${account.id}${where})"`);
}

async function list(db: Db, json: boolean | undefined): Promise<void> {
  const [all, living] = [await listAccounts(db), await liveClusters(db)];
  const clusters = (account: AccountRow) => living.filter(({ account_id }) => account_id === account.id).length;
  if (json)
    return printJson(
      all.map((account) => ({
        id: account.id,
        name: account.name,
        alias: account.alias,
        createdAt: new Date(account.created_at).toISOString(),
        clusters: clusters(account),
      })),
    );
  const rows = all.map((account) => [account.id, account.name, paint("dim", plural(clusters(account), "living cluster"))]);
  for (const line of columns(rows)) console.log(line);
}

/** By id, name or alias; the first one where none is named. Throws where there is none. */
export async function chooseAccount(db: Db, text: string | undefined): Promise<AccountRow> {
  const all = await listAccounts(db);
  const found = text === undefined ? all[0] : all.find(({ id, name, alias }) => [id, name, alias].includes(text));
  if (!found) throw new Error(`no account ${text ?? ""}: see howdah accounts`);
  return found;
}
