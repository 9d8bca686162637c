/** Finding what a request names, in its own account and region only. */
import { invalidRequest, validationException } from "../../aws/errors.ts";
import { type ClusterRow, findCluster, isEnding } from "../../store/clusters.ts";
import type { Db } from "../../store/store.ts";

interface Caller {
  accountId: string;
  region: string;
}

/** For operations that name clusters. */
export async function theCluster(db: Db, caller: Caller, id: string | undefined): Promise<ClusterRow> {
  const cluster = await ofCaller(db, caller, id);
  if (!cluster) throw invalidRequest(`Cluster id '${id ?? ""}' is not valid.`, "NoSuchCluster");
  return cluster;
}

/** For the older operations, which name job flows and have an error of their own. */
export async function theJobFlow(db: Db, caller: Caller, id: string | undefined): Promise<ClusterRow> {
  const cluster = await ofCaller(db, caller, id);
  if (!cluster) throw validationException(`Specified job flow ID does not exist. There is no cluster '${id ?? ""}' in ${caller.region}.`);
  return cluster;
}

/** For changes: a cluster that ends or has ended takes none. */
export async function theLivingCluster(db: Db, caller: Caller, id: string | undefined, find = theCluster): Promise<ClusterRow> {
  const cluster = await find(db, caller, id);
  if (isEnding(cluster)) throw validationException("A job flow that is shutting down, terminated, or finished may not be modified.");
  return cluster;
}

async function ofCaller(db: Db, caller: Caller, id: string | undefined): Promise<ClusterRow | undefined> {
  const cluster = id ? await findCluster(db, id) : undefined;
  return cluster?.account_id === caller.accountId && cluster.region === caller.region ? cluster : undefined;
}
