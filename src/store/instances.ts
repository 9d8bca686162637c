/** Instance groups and instances. */
import type { AutoScalingPolicy, EbsConfiguration, InstanceGroupState, InstanceState } from "@aws-sdk/client-emr";
import { type Insertable, type Selectable, sql } from "kysely";
import type { NodeRole, Report } from "../agent/manifest.ts";
import type { Configuration } from "../engines/engine.ts";
import { type ClusterRow, isEnding } from "./clusters.ts";
import { compiled, compiledByNames } from "./compiled.ts";
import { type InstanceGroupsTable, type InstanceStatus, type InstancesTable, livingPhases } from "./schema.ts";
import type { Db, Tx } from "./store.ts";
import { notBefore } from "./timelines.ts";

export type GroupRow = Omit<Selectable<InstanceGroupsTable>, "configurations" | "role" | "ebs" | "auto_scaling_policy"> & {
  role: NodeRole;
  configurations: Configuration[];
  ebs: EbsConfiguration | null;
  auto_scaling_policy: AutoScalingPolicy | null;
};
export type InstanceRow = Omit<Selectable<InstancesTable>, "observed"> & { observed: Report | null };

const groupFromRow = (row: Selectable<InstanceGroupsTable>): GroupRow => ({
  ...row,
  role: row.role as NodeRole,
  configurations: JSON.parse(row.configurations) as Configuration[],
  ebs: row.ebs === null ? null : (JSON.parse(row.ebs) as EbsConfiguration),
  auto_scaling_policy: row.auto_scaling_policy === null ? null : (JSON.parse(row.auto_scaling_policy) as AutoScalingPolicy),
});

const instanceFromRow = (row: Selectable<InstancesTable>): InstanceRow => ({
  ...row,
  observed: row.observed === null ? null : (JSON.parse(row.observed) as Report),
});

const addGroup = compiledByNames<Insertable<InstanceGroupsTable>>((db, given) =>
  db.insertInto("instance_groups").values(given as Insertable<InstanceGroupsTable>),
);

export async function insertGroup(tx: Tx, group: Omit<GroupRow, "created_at" | "auto_scaling_policy">): Promise<void> {
  const configurations = JSON.stringify(group.configurations);
  await addGroup(tx.db, { ...group, configurations, ebs: group.ebs && JSON.stringify(group.ebs), created_at: tx.now });
}

/** A column that requests own. */
export async function setAutoScalingPolicy(tx: Tx, groupId: string, policy: AutoScalingPolicy | null): Promise<void> {
  await tx.db
    .updateTable("instance_groups")
    .set({ auto_scaling_policy: policy && JSON.stringify(policy) })
    .where("id", "=", groupId)
    .execute();
}

const groupRows = compiled<{ clusterId: string }, Selectable<InstanceGroupsTable>>((db, value) =>
  db
    .selectFrom("instance_groups")
    .selectAll()
    .where("cluster_id", "=", value("clusterId"))
    .orderBy(sql`rowid`),
);

/** Master, core, task: then in the order of the request. */
export async function groupsOf(db: Db, clusterId: string): Promise<GroupRow[]> {
  const rows = await groupRows(db, { clusterId });
  const order = { MASTER: 0, CORE: 1, TASK: 2 } as const;
  return rows.map(groupFromRow).toSorted((a, b) => order[a.role] - order[b.role]);
}

const ofCluster = compiled<{ clusterId: string }, Selectable<InstancesTable>>((db, value) =>
  db.selectFrom("instances").selectAll().where("cluster_id", "=", value("clusterId")).orderBy("ordinal"),
);

/** The master first. */
export async function instancesOf(db: Db, clusterId: string): Promise<InstanceRow[]> {
  return (await ofCluster(db, { clusterId })).map(instanceFromRow);
}

const firstOf = compiled<{ clusterId: string }, Selectable<InstancesTable>>((db, value) =>
  db.selectFrom("instances").selectAll().where("cluster_id", "=", value("clusterId")).orderBy("ordinal").limit(1),
);

/** undefined until the cluster has a place for it. */
export async function findMaster(db: Db, clusterId: string): Promise<InstanceRow | undefined> {
  const [row] = await firstOf(db, { clusterId });
  return row && instanceFromRow(row);
}

const firstAddress = compiled<{ clusterId: string }, Pick<InstancesTable, "address" | "status">>((db, value) =>
  db.selectFrom("instances").select(["address", "status"]).where("cluster_id", "=", value("clusterId")).orderBy("ordinal").limit(1),
);

/** undefined until it has been launched. */
export async function masterAddress(db: Db, clusterId: string): Promise<string | undefined> {
  const [master] = await firstAddress(db, { clusterId });
  return master && master.status !== "provisioning" ? master.address : undefined;
}

const withId = compiled<{ id: string }, Selectable<InstancesTable>>((db, value) =>
  db.selectFrom("instances").selectAll().where("id", "=", value("id")),
);

export async function findInstance(db: Db, id: string): Promise<InstanceRow | undefined> {
  const [row] = await withId(db, { id });
  return row && instanceFromRow(row);
}

/** Ids of those that clusters still have. */
export async function instancesOfLiving(db: Db): Promise<string[]> {
  const living = db.selectFrom("clusters").select("id").where("phase", "in", livingPhases);
  const rows = await db
    .selectFrom("instances")
    .select("id")
    .where("status", "!=", "terminated")
    .where("cluster_id", "in", living)
    .execute();
  return rows.map(({ id }) => id);
}

/** Ids of those that were launched and are wanted. */
export async function runningInstances(db: Db): Promise<string[]> {
  const rows = await db.selectFrom("instances").select("id").where("status", "=", "launched").where("wanted", "=", 1).execute();
  return rows.map(({ id }) => id);
}

/** Ids. */
export async function instancesNotTerminated(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom("instances")
    .select("id")
    .where("status", "in", ["provisioning", "launched", "lost"] satisfies InstanceStatus[])
    .execute();
  return rows.map(({ id }) => id);
}

type NewInstance = Pick<InstancesTable, "id" | "cluster_instance_id" | "cluster_id" | "group_id" | "ordinal" | "address" | "agent_token">;

const addInstance = compiledByNames<Insertable<InstancesTable>>((db, given) =>
  db.insertInto("instances").values(given as Insertable<InstancesTable>),
);

export async function insertInstance(tx: Tx, instance: NewInstance): Promise<void> {
  await addInstance(tx.db, { ...instance, created_at: tx.now, wanted: 1, status: "provisioning" });
}

/** A column that requests own. */
export async function requestTermination(tx: Tx, id: string): Promise<void> {
  await tx.db
    .updateTable("instances")
    .set((e) => ({ terminate_requested_at: e.fn.coalesce("terminate_requested_at", e.val(tx.now)) }))
    .where("id", "=", id)
    .execute();
}

/** Those before its end. */
export const timesOfInstance = ["created_at", "launched_at", "first_ready_at"] as const;

type InstanceStatusColumns = "status" | "launched_at" | "ended_at" | "end_code" | "end_message" | "relaunches" | "launch_failures";

const changeInstance = compiledByNames<Selectable<InstancesTable>>((db, { id, launched_at, ended_at, ...rest }) =>
  db
    .updateTable("instances")
    .set({
      ...rest,
      ...(launched_at === undefined ? {} : { launched_at: notBefore(launched_at, "created_at") }),
      ...(ended_at === undefined ? {} : { ended_at: notBefore(ended_at, ...timesOfInstance) }),
    })
    .where("id", "=", id!),
);

/** Columns of the instance's reconciler. */
export async function setInstanceStatus(tx: Tx, id: string, change: Partial<Pick<InstanceRow, InstanceStatusColumns>>): Promise<void> {
  await changeInstance(tx.db, { id, ...change });
}

/** Columns of the cluster's reconciler. */
export async function setWanted(tx: Tx, clusterId: string, wanted: boolean): Promise<void> {
  await tx.db
    .updateTable("instances")
    .set({ wanted: wanted ? 1 : 0 })
    .where("cluster_id", "=", clusterId)
    .execute();
}

const keepReport = compiled<{ id: string; observed: string; seq: number; now: number }, { id: string }>((db, value) =>
  db
    .updateTable("instances")
    .set({ observed: value("observed"), observed_seq: value("seq"), observed_at: value("now") })
    .where("id", "=", value("id"))
    .where("observed_seq", "<", value("seq"))
    .returning("id"),
);

const firstReady = compiled<{ id: string; now: number }, unknown>((db, value) =>
  db
    .updateTable("instances")
    .set({ first_ready_at: notBefore(value("now"), "created_at") })
    .where("id", "=", value("id"))
    .where("first_ready_at", "is", null),
);

/** Columns of the agent's reports. A report that is not newer than the one stored changes nothing; false then. */
export async function recordReport(tx: Tx, report: Report): Promise<boolean> {
  const { instanceId: id, seq } = report;
  const kept = await keepReport(tx.db, { id, observed: JSON.stringify(report), seq, now: tx.now });
  if (report.phase === "ready") await firstReady(tx.db, { id, now: tx.now });
  return kept.length > 0;
}

/** Of a cluster that ends: nothing of this instance is to be saved any more. */
export const hasSaved = ({ status, wanted, observed }: Pick<InstanceRow, "status" | "wanted" | "observed">): boolean =>
  status !== "launched" || wanted === 0 || !observed || ["saved", "stopped"].includes(observed.phase);

/** EMR's state of an instance. */
export function instanceState(instance: InstanceRow): InstanceState {
  if (instance.status === "terminated" || instance.status === "lost") return "TERMINATED";
  if (!instance.observed) return "PROVISIONING";
  if (instance.observed.phase === "ready") return "RUNNING";
  // What ends it, and an init that is started again, take nothing back of a node that was in use.
  const goesOn = ["saved", "stopped"].includes(instance.observed.phase) || instance.relaunches > 0;
  return goesOn && instance.first_ready_at !== null ? "RUNNING" : "BOOTSTRAPPING";
}

/** EMR's state of a group. `mine`: its instances. */
export function groupState(cluster: ClusterRow, mine: readonly InstanceRow[]): InstanceGroupState {
  if (cluster.phase === "ended") return "TERMINATED";
  if (isEnding(cluster)) return "TERMINATING";
  // A node that is lost later makes the group smaller, not unready: RunningInstanceCount says so.
  if (cluster.phase === "ready") return "RUNNING";
  const states = mine.map(instanceState);
  if (states.length === 0 || states.includes("PROVISIONING")) return "PROVISIONING";
  // One that is lost behind that, before its cluster was ready, takes nothing back.
  const hasCome = (instance: InstanceRow) =>
    instanceState(instance) === "RUNNING" || (instance.status === "lost" && instance.first_ready_at !== null);
  return mine.every(hasCome) ? "RUNNING" : "BOOTSTRAPPING";
}

/** EC2's way of naming a host by its address. */
export const hostnameOf = (address: string): string => `ip-${address.replaceAll(".", "-")}`;
