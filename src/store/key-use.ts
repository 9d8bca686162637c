/** When keys and roles were last used: GetAccessKeyLastUsed, RoleLastUsed. Told after the answer, at most once in a while for each key. */
import { rarely, usedAgainMs } from "../access/rarely.ts";
import type { Store, Tx } from "./store.ts";

export interface KeyUse {
  accessKeyId: string;
  /** Signing name. */
  service: string;
  region: string;
}

/** `failed` is told why a use could not be written down; nobody waits for it. */
export function createKeyUse(store: Store, failed: (error: unknown) => void): (use: KeyUse) => void {
  const isNews = rarely(usedAgainMs, store.steady);
  return (use) => {
    if (isNews(use.accessKeyId)) store.transaction((tx) => recordKeyUse(tx, use)).catch(failed);
  };
}

export async function recordKeyUse(tx: Tx, { accessKeyId, service, region }: KeyUse): Promise<void> {
  const key = tx.db.updateTable("access_keys").where("access_key_id", "=", accessKeyId);
  const { owner_id } = (await key
    .set({ last_used_at: tx.now, last_used_service: service, last_used_region: region })
    .returning("owner_id")
    .executeTakeFirst()) ?? { owner_id: null };
  await tx.db
    .updateTable("iam_entities")
    .set({ last_used_at: tx.now, last_used_region: region })
    .where("id", "=", owner_id)
    .where("kind", "=", "role")
    .execute();
}
