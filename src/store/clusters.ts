/** Clusters: rows, what was asked for (ClusterSpec), and the state that users see, which is a function of the row and its steps. */
import type {
  AutoTerminationPolicy,
  Cluster,
  ClusterState,
  ClusterStateChangeReason,
  ErrorDetail,
  ManagedScalingPolicy,
} from "@aws-sdk/client-emr";
import { type Insertable, type Selectable, sql } from "kysely";
import type { RoleMapping } from "../access/emrfs-mappings.ts";
import type { Configuration } from "../engines/engine.ts";
import { type ClustersTable, livingPhases } from "./schema.ts";
import { disableClusterKeys } from "./access-keys.ts";
import { compiled, compiledByNames } from "./compiled.ts";
import { addEvent, addWarnings } from "./events.ts";
import { timesOfInstance } from "./instances.ts";
import { parsed } from "./json.ts";
import type { Db, Store, Tx } from "./store.ts";
import { notBefore } from "./timelines.ts";

/** What RunJobFlow asked for and nothing changes later, checked and with its defaults filled in. Everything that DescribeCluster only shows again is in `shown`. */
export interface ClusterSpec {
  name: string;
  releaseLabel: string;
  /** s3://bucket/prefix/ or null: logs stay on the nodes' folders. */
  logUri: string | null;
  applications: { Name: string; Version: string; Args?: string[]; AdditionalInfo?: Record<string, string> }[];
  /** Others were asked for and Hadoop was not: it is there, and DescribeCluster does not name it. */
  hadoopIsImplied?: boolean;
  configurations: Configuration[];
  bootstrapActions: { name: string; path: string; args: string[] }[];
  /** JSON text as it was when the cluster was created: what becomes of the configuration of that name later does not change the cluster. */
  securityConfiguration?: { name: string; text: string } | undefined;
  /** Steps may have runtime roles; `propagateSourceIdentity`: with the source identity of whoever submits them. */
  runtimeRoles?: { propagateSourceIdentity: boolean };
  /** Nodes answer IMDSv2 alone. */
  needsMetadataToken?: true;
  /** Roles that EMRFS takes in place of the instance profile's, in their order. */
  emrfsRoles?: RoleMapping[];
  /** It has instance fleets, not groups. */
  hasFleets?: true;
  /** Hive and Spark find their tables in the account's catalog. */
  usesCatalog?: true;
  /** JVMs of its jobs and commands compile by the first compiler alone. */
  quickJvms?: true;
  /** Its nodes' volumes are filesystems of their own. */
  loopVolumes?: true;
  shown: Partial<Cluster>;
}

/** Why a cluster ends, when it was not (only) its user's wish. `failed`: TERMINATED_WITH_ERRORS. */
export interface ClusterEnding {
  code: NonNullable<ClusterStateChangeReason["Code"]>;
  message: string;
  failed: boolean;
  details: ErrorDetail[];
}

type JsonColumns = {
  spec: ClusterSpec;
  ending: ClusterEnding | null;
  managed_scaling_policy: ManagedScalingPolicy | null;
  auto_termination_policy: AutoTerminationPolicy | null;
};

export type ClusterRow = Omit<Selectable<ClustersTable>, keyof JsonColumns> & JsonColumns;

/** What lists show, and what a cluster's state is a function of. */
export type ListedCluster = Pick<
  ClusterRow,
  "id" | "account_id" | "region" | "created_at" | "phase" | "ending" | "terminate_requested_at" | "kept_at" | "ready_at" | "ended_at"
> & { spec: Pick<ClusterSpec, "name"> & { bootstrapActions: { length: number } } };

const fromJson = <T>(text: string | null): T | null => (text === null ? null : (JSON.parse(text) as T));
const toJson = (value: object | null): string | null => value && JSON.stringify(value);

/** For the files of this folder. */
export const clusterFromRow = (row: Selectable<ClustersTable>): ClusterRow => ({
  ...row,
  spec: parsed<ClusterSpec>(row.spec),
  ending: fromJson(row.ending),
  managed_scaling_policy: fromJson(row.managed_scaling_policy),
  auto_termination_policy: fromJson(row.auto_termination_policy),
});

const byId = compiled<{ id: string }, Selectable<ClustersTable>>((db, value) =>
  db.selectFrom("clusters").selectAll().where("id", "=", value("id")),
);

export async function findCluster(db: Db, id: string): Promise<ClusterRow | undefined> {
  const [row] = await byId(db, { id });
  return row && clusterFromRow(row);
}

const keepAlive = compiled<{ id: string }, { keep_alive: number }>((db, value) =>
  db.selectFrom("clusters").select("keep_alive").where("id", "=", value("id")),
);

/** Whether it goes on when it has no step. */
export async function keepsAlive(db: Db, id: string): Promise<boolean> {
  const [row] = await keepAlive(db, { id });
  return row?.keep_alive === 1;
}

const addCluster = compiledByNames<Insertable<ClustersTable>>((db, given) =>
  db.insertInto("clusters").values(given as Insertable<ClustersTable>),
);

export async function insertCluster(
  tx: Tx,
  cluster: Pick<ClusterRow, "id" | "account_id" | "region" | "spec"> & Omit<ClusterWish, "terminate_requested_at">,
): Promise<void> {
  await addCluster(tx.db, {
    ...cluster,
    ...policyColumns(cluster),
    spec: JSON.stringify(cluster.spec),
    created_at: tx.now,
    phase: "starting",
  });
}

/** Those that have their place and are not ready yet. */
export async function startingClusters(db: Db): Promise<ClusterRow[]> {
  const starting = db.selectFrom("clusters").selectAll().where("phase", "in", ["starting", "bootstrapping"]);
  return (await starting.where("network", "is not", null).execute()).map(clusterFromRow);
}

export async function liveClusters(db: Db): Promise<ClusterRow[]> {
  return (await db.selectFrom("clusters").selectAll().where("phase", "in", livingPhases).orderBy("created_at").execute()).map(
    clusterFromRow,
  );
}

/** Of living clusters that have one. */
export async function networksOfLiving(db: Db): Promise<{ id: string; network: string }[]> {
  const living = db.selectFrom("clusters").select(["id", "network"]).where("phase", "in", livingPhases);
  return (await living.where("network", "is not", null).execute()) as { id: string; network: string }[];
}

/** As `tx.manifestChanged` of each, but that who waits is not told. */
export async function changeManifestsOfLiving(tx: Tx): Promise<void> {
  await tx.db
    .updateTable("clusters")
    .set((e) => ({ generation: e("generation", "+", 1) }))
    .where("phase", "in", livingPhases)
    .execute();
}

type ClusterStatus = Pick<ClusterRow, "phase" | "ending" | "ending_at" | "network" | "ready_at" | "ended_at">;

const changeStatus = compiledByNames<Selectable<ClustersTable>>((db, { id, ready_at, ended_at, ...rest }) =>
  db
    .updateTable("clusters")
    .set({
      ...rest,
      ...(ready_at === undefined ? {} : { ready_at: notBefore(ready_at, "created_at") }),
      ...(ended_at === undefined ? {} : { ended_at: notBefore(ended_at, "created_at", "ready_at") }),
    })
    .where("id", "=", id!),
);

/** The columns that the cluster's reconciler owns. */
export async function setClusterStatus(tx: Tx, id: string, { ending, ...rest }: Partial<ClusterStatus>): Promise<void> {
  await changeStatus(tx.db, { id, ...rest, ending: ending && JSON.stringify(ending) });
}

/**
 * The network that a cluster's rows name has become another one's while none of its nodes lived: its instances have the same places in `network`.
 * What names their old addresses (files, steps that wait) is not found and mended: a warning says so.
 */
export async function moveCluster(tx: Tx, cluster: Pick<ClusterRow, "id" | "network">, network: string): Promise<void> {
  await setClusterStatus(tx, cluster.id, { network });
  const instances = await tx.db.selectFrom("instances").select(["id", "address"]).where("cluster_id", "=", cluster.id).execute();
  for (const { id, address } of instances)
    await tx.db
      .updateTable("instances")
      .set({ address: `${network}${address.slice(address.lastIndexOf("."))}` })
      .where("id", "=", id)
      .execute();
  await addWarnings(tx, cluster.id, [
    `its addresses are ${network}.x now, for another one has taken ${cluster.network}.x: jobs and files that name an old address must be told`,
  ]);
  await tx.manifestChanged(cluster.id);
}

/** The columns that requests own. */
export type ClusterWish = Pick<
  ClusterRow,
  | "termination_protected"
  | "keep_alive"
  | "step_concurrency_level"
  | "visible_to_all_users"
  | "extended_support"
  | "unhealthy_node_replacement"
  | "managed_scaling_policy"
  | "auto_termination_policy"
  | "terminate_requested_at"
>;

export async function setClusterWish(tx: Tx, id: string, change: Partial<ClusterWish>): Promise<void> {
  await tx.db
    .updateTable("clusters")
    .set({ ...change, ...policyColumns(change) })
    .where("id", "=", id)
    .execute();
}

function policyColumns({ managed_scaling_policy: scaling, auto_termination_policy: termination }: Partial<ClusterWish>) {
  return {
    ...(scaling === undefined ? {} : { managed_scaling_policy: toJson(scaling) }),
    ...(termination === undefined ? {} : { auto_termination_policy: toJson(termination) }),
  } as { managed_scaling_policy: string | null; auto_termination_policy: string | null };
}

/** true once it is certain to end: nothing may be begun or changed on it any more. */
export const isEnding = (cluster: Pick<ClusterRow, "phase" | "terminate_requested_at">): boolean =>
  cluster.phase === "ended" || cluster.phase === "ending" || cluster.terminate_requested_at !== null;

/** s3://bucket/prefix/j-…: where the cluster's logs go; null where they stay on its nodes. */
export const logFolder = (cluster: ClusterRow): string | null => cluster.spec.logUri && `${cluster.spec.logUri}${cluster.id}`;

/** EMR's state: a user's TerminateJobFlows shows at once, whatever the reconciler has done of it. */
export function clusterState(
  cluster: Pick<ClusterRow, "phase" | "ending" | "terminate_requested_at">,
  hasActiveSteps: boolean,
): ClusterState {
  if (cluster.phase === "ended") return cluster.ending?.failed ? "TERMINATED_WITH_ERRORS" : "TERMINATED";
  if (isEnding(cluster)) return "TERMINATING";
  if (cluster.phase === "ready") return hasActiveSteps ? "RUNNING" : "WAITING";
  return cluster.phase === "bootstrapping" ? "BOOTSTRAPPING" : "STARTING";
}

/** In EMR's words. `hasHadSteps`: there has been a step. */
export function stateChangeReason(cluster: ListedCluster, state: ClusterState, hasHadSteps: boolean): ClusterStateChangeReason {
  if (cluster.ending) return { Code: cluster.ending.code, Message: cluster.ending.message };
  if (cluster.terminate_requested_at !== null) return { Code: "USER_REQUEST", Message: "Terminated by user request" };
  if (state === "WAITING") return { Message: hasHadSteps ? "Cluster ready after last step completed." : "Cluster ready to run steps." };
  if (state === "RUNNING") return { Message: "Running step" };
  if (cluster.kept_at !== null) return { Message: "Starts again after howdah down --keep." };
  if (state === "BOOTSTRAPPING")
    return { Message: cluster.spec.bootstrapActions.length > 0 ? "Running bootstrap actions" : "Configuring cluster software" };
  return {};
}

/** `howdah down`, which holds the data folder's lock: every living cluster has ended. How many. */
export async function endAllClusters(store: Store, message: string): Promise<number> {
  return store.transaction(async (tx) => {
    const living = await liveClusters(tx.db);
    for (const cluster of living) await endCluster(tx, cluster, message);
    await tx.db.deleteFrom("wakes").execute();
    return living.length;
  });
}

/**
 * `howdah down --keep`: living clusters are as if their nodes had only been asked for, so that the next control plane launches them, on the
 * disks that they have, whatever boot of the machine that is in. A cluster that was ending has ended.
 */
export async function keepAllClusters(store: Store, message: string): Promise<{ kept: ClusterRow[]; ended: number }> {
  return store.transaction(async (tx) => {
    const living = await liveClusters(tx.db);
    const kept = living.filter((cluster) => !isEnding(cluster));
    for (const cluster of living) {
      if (!kept.includes(cluster)) {
        await endCluster(tx, cluster, message);
        continue;
      }
      await tx.db.updateTable("clusters").set({ phase: "starting", kept_at: tx.now }).where("id", "=", cluster.id).execute();
      // Reports begin anew: their numbers are those of one boot.
      await tx.db
        .updateTable("instances")
        .set({ status: "provisioning", relaunches: 0, launch_failures: 0, observed: null, observed_seq: 0, observed_at: null })
        // Who keeps an instance keeps it, whatever the market has said.
        .set({ interrupted_at: null, interruption_ends_at: null })
        .where("cluster_id", "=", cluster.id)
        .where("status", "=", "launched")
        .execute();
      await addEvent(tx, cluster.id, "cluster", "its nodes are ended by howdah down --keep; their disks stay");
    }
    return { kept, ended: living.length - kept.length };
  });
}

async function endCluster(tx: Tx, cluster: ClusterRow, message: string): Promise<void> {
  const ending = cluster.ending ?? { code: "USER_REQUEST" as const, message, failed: false, details: [] };
  await setClusterStatus(tx, cluster.id, { phase: "ended", ending, ended_at: tx.now });
  await disableClusterKeys(tx, cluster.id);
  await tx.db
    .updateTable("instances")
    .set({
      status: "terminated",
      wanted: 0,
      ended_at: notBefore(tx.now, ...timesOfInstance),
      end_code: "CLUSTER_TERMINATED",
      end_message: message,
    })
    .where("cluster_id", "=", cluster.id)
    .where("status", "!=", "terminated")
    .execute();
  await tx.db
    .updateTable("steps")
    .set({ state: "CANCELLED", ended_at: notBefore(tx.now, "created_at") })
    .where("cluster_id", "=", cluster.id)
    .where("state", "=", "PENDING")
    .execute();
  await tx.db
    .updateTable("steps")
    .set({
      state: sql`iif(cancel_requested_at IS NULL, 'INTERRUPTED', 'CANCELLED')`,
      ended_at: notBefore(tx.now, "created_at", "started_at"),
    })
    .where("cluster_id", "=", cluster.id)
    .where("state", "=", "RUNNING")
    .execute();
}
