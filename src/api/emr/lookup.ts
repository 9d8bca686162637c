/** Finding what a request names, in its own account and region only. */
import { invalidRequest, validationException } from "../../aws/errors.ts";
import { type ClusterRow, findCluster, isEnding } from "../../store/clusters.ts";
import type { Db } from "../../store/store.ts";

interface Caller {
  accountId: string;
  region: string;
}

type Owned = Pick<ClusterRow, "account_id" | "region">;

/** For operations that name clusters. */
export async function theCluster(db: Db, caller: Caller, id: string | undefined): Promise<ClusterRow> {
  return ofCaller(await found(db, id), caller) ?? noSuchCluster(id);
}

/** The same of one that has been looked for, with whatever else was wanted of it. */
export const callersOwn = <Found extends Owned>(cluster: Found | undefined, caller: Caller, id: string | undefined): Found =>
  ofCaller(cluster, caller) ?? noSuchCluster(id);

function noSuchCluster(id = ""): never {
  throw invalidRequest(`Cluster id '${id}' is not valid.`, "NoSuchCluster");
}

/** For the older operations, which name job flows and have an error of their own. */
export async function theJobFlow(db: Db, caller: Caller, id: string | undefined): Promise<ClusterRow> {
  const cluster = ofCaller(await found(db, id), caller);
  if (!cluster) throw validationException(`Specified job flow ID does not exist. There is no cluster '${id ?? ""}' in ${caller.region}.`);
  return cluster;
}

/** For changes: a cluster that ends or has ended takes none. */
export async function theLivingCluster(db: Db, caller: Caller, id: string | undefined, find = theCluster): Promise<ClusterRow> {
  const cluster = await find(db, caller, id);
  if (isEnding(cluster)) throw validationException("A job flow that is shutting down, terminated, or finished may not be modified.");
  return cluster;
}

const found = async (db: Db, id: string | undefined) => (id ? findCluster(db, id) : undefined);

const ofCaller = <Found extends Owned>(cluster: Found | undefined, { accountId, region }: Caller): Found | undefined =>
  cluster?.account_id === accountId && cluster.region === region ? cluster : undefined;
