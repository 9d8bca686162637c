/** Finding what a request names, in its own account and region only. */
import { invalidRequest, validationException } from "../../aws/errors.ts";
import { type ClusterRow, findCluster, isEnding } from "../../store/clusters.ts";
import type { Db } from "../../store/store.ts";

interface Caller {
  accountId: string;
  region: string;
}

export async function theCluster(db: Db, caller: Caller, id: string | undefined): Promise<ClusterRow> {
  const cluster = id ? await findCluster(db, id) : undefined;
  if (!cluster || cluster.account_id !== caller.accountId || cluster.region !== caller.region)
    throw invalidRequest(`Cluster id '${id ?? ""}' is not valid.`, "NoSuchCluster");
  return cluster;
}

/** For changes: a cluster that ends or has ended takes none. */
export async function theLivingCluster(db: Db, caller: Caller, id: string | undefined): Promise<ClusterRow> {
  const cluster = await theCluster(db, caller, id);
  if (isEnding(cluster)) throw validationException("A job flow that is shutting down, terminated, or finished may not be modified.");
  return cluster;
}
