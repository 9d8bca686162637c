/** A store that was copied from another data folder: the nodes that it tells of are not there. */
import { addEvent } from "./events.ts";
import type { Ids } from "./ids.ts";
import type { Tx } from "./store.ts";

export interface CopiedFrom {
  /** Of the data folder. */
  root: string;
  /** Whether an instance that is to be started again has its disk here. */
  hasDisk: (instanceId: string) => boolean;
}

/** Instances that ran are lost, and those that would start again without what was on their disks; all others get tokens that the original does not know. */
export async function leaveNodes(tx: Tx, ids: Ids, { root, hasDisk }: CopiedFrom): Promise<void> {
  const rows = await tx.db
    .selectFrom("instances")
    .select(["id", "cluster_id", "status", "first_ready_at"])
    .where("status", "in", ["provisioning", "launched"])
    .execute();
  for (const { id, cluster_id, status, first_ready_at } of rows) {
    const set = tx.db.updateTable("instances").where("id", "=", id);
    await set.set({ agent_token: ids.token() }).execute();
    if (status === "provisioning" && (first_ready_at === null || hasDisk(id))) continue;
    const end_message = `this data folder is a copy of ${root}, where its node stayed`;
    await set.set({ status: "lost", end_code: "INSTANCE_FAILURE", end_message }).execute();
    await addEvent(tx, cluster_id, "instance", `${id} is lost: ${end_message}`);
    await tx.wake("instance", id);
    await tx.wake("cluster", cluster_id);
  }
}
