/** Instance groups, instance fleets and their instances. */
import type {
  AutoScalingPolicy,
  EbsConfiguration,
  InstanceFleetState,
  InstanceGroupState,
  InstanceState,
  MarketType,
  ShrinkPolicy,
} from "@aws-sdk/client-emr";
import { type Insertable, type Selectable, sql } from "kysely";
import type { NodeRole, Report } from "../agent/manifest.ts";
import type { Configuration } from "../engines/engine.ts";
import { type ClusterRow, isEnding } from "./clusters.ts";
import { compiled, compiledByNames } from "./compiled.ts";
import type { Fleet, FleetShift, Hardware } from "./fleets.ts";
import { parsed } from "./json.ts";
import { type InstanceGroupsTable, type InstanceStatus, type InstancesTable, livingPhases } from "./schema.ts";
import type { Db, Tx } from "./store.ts";
import { isOfItsSize, missingOf } from "./sizes.ts";
import { notBefore } from "./timelines.ts";

type Collection = Pick<
  Selectable<InstanceGroupsTable>,
  "id" | "cluster_id" | "name" | "resize" | "resized_at" | "founding_count" | "created_at"
> & {
  role: NodeRole;
};
/** Its instances are all of a kind. */
export type UniformGroup = Collection &
  Pick<Selectable<InstanceGroupsTable>, "market" | "bid_price" | "instance_type" | "requested_count"> & {
    fleet: null;
    configurations: Configuration[];
    ebs: EbsConfiguration | null;
    auto_scaling_policy: AutoScalingPolicy | null;
    shrink_policy: ShrinkPolicy | null;
  };
/** Its instances are of the types that it names, on demand and spot. */
export type FleetRow = Collection & { fleet: Fleet; shift: FleetShift | null };
/** A cluster has either the one or the other. */
export type GroupRow = UniformGroup | FleetRow;
export type InstanceRow = Omit<Selectable<InstancesTable>, "observed" | "market"> & { market: MarketType; observed: Report | null };

function groupFromRow(row: Selectable<InstanceGroupsTable>): GroupRow {
  const parse = <T>(text: string | null): T | null => (text === null ? null : (JSON.parse(text) as T));
  const common = { ...row, role: row.role as NodeRole };
  const fleet = parse<Fleet>(row.fleet);
  if (fleet) return { ...common, fleet, shift: parse<FleetShift>(row.shift) };
  return {
    ...common,
    fleet: null,
    configurations: JSON.parse(row.configurations) as Configuration[],
    ebs: parse(row.ebs),
    auto_scaling_policy: parse(row.auto_scaling_policy),
    shrink_policy: parse(row.shrink_policy),
  };
}

const instanceFromRow = (row: Selectable<InstancesTable>): InstanceRow => ({
  ...row,
  market: row.market as MarketType,
  observed: row.observed === null ? null : parsed<Report>(row.observed),
});

const addGroup = compiledByNames<Insertable<InstanceGroupsTable>>((db, given) =>
  db.insertInto("instance_groups").values(given as Insertable<InstanceGroupsTable>),
);

type New<Row extends GroupRow> = Omit<Row, "created_at" | "auto_scaling_policy" | "shrink_policy" | "resize" | "resized_at" | "shift">;
export type NewGroup = New<UniformGroup> | New<FleetRow>;

export async function insertGroup(tx: Tx, group: NewGroup): Promise<void> {
  const row = group.fleet
    ? { market: "", instance_type: "", requested_count: 0, ...group, configurations: "[]", fleet: JSON.stringify(group.fleet) }
    : { ...group, configurations: JSON.stringify(group.configurations), ebs: group.ebs && JSON.stringify(group.ebs) };
  await addGroup(tx.db, { ...row, created_at: tx.now });
}

/** A column that requests own. */
export async function setAutoScalingPolicy(tx: Tx, groupId: string, policy: AutoScalingPolicy | null): Promise<void> {
  await tx.db
    .updateTable("instance_groups")
    .set({ auto_scaling_policy: policy && JSON.stringify(policy) })
    .where("id", "=", groupId)
    .execute();
}

export const isFleet = (group: GroupRow): group is FleetRow => group.fleet !== null;
export const isUniform = (group: GroupRow): group is UniformGroup => group.fleet === null;

/** Settings of the node: those of its group, or of its type in its fleet. */
export const configurationsOf = (group: GroupRow, { type_config: index }: Pick<InstanceRow, "type_config">): Configuration[] =>
  group.fleet ? group.fleet.types[index!]!.configurations : group.configurations;

/** As it was asked for, of its group or of its type in its fleet. */
export const ebsOf = (group: GroupRow, { type_config: index }: Pick<InstanceRow, "type_config">): EbsConfiguration | null =>
  group.fleet ? group.fleet.types[index!]!.ebs : group.ebs;

/** Instance types of those that the cluster was created with. */
export const foundingTypes = (group: GroupRow): string[] =>
  group.fleet ? group.fleet.founding : Array.from({ length: group.founding_count }, () => group.instance_type);

/** Columns that requests own: its size is asked for anew. */
export async function resizeGroup(
  tx: Tx,
  groupId: string,
  { requested_count, shrink_policy }: Pick<UniformGroup, "requested_count" | "shrink_policy">,
): Promise<void> {
  await tx.db
    .updateTable("instance_groups")
    .set((e) => ({
      requested_count,
      shrink_policy: shrink_policy && JSON.stringify(shrink_policy),
      resize: e("resize", "+", 1),
      resized_at: tx.now,
    }))
    .where("id", "=", groupId)
    .execute();
}

/** Columns that requests own: what is asked for of it, and how often its size was. */
export async function changeFleet(tx: Tx, { id, fleet, resize }: Pick<FleetRow, "id" | "fleet" | "resize">): Promise<void> {
  await tx.db
    .updateTable("instance_groups")
    .set((e) => ({
      fleet: JSON.stringify(fleet),
      resized_at: e.case().when("resize", "=", resize).then(e.ref("resized_at")).else(tx.now).end(),
      resize,
    }))
    .where("id", "=", id)
    .execute();
}

/** A column of the cluster's reconciler. */
export async function setFleetShift(tx: Tx, id: string, shift: FleetShift): Promise<void> {
  await tx.db
    .updateTable("instance_groups")
    .set({ shift: JSON.stringify(shift) })
    .where("id", "=", id)
    .execute();
}

/** undefined where there is no such group. */
export async function clusterOfGroup(db: Db, groupId: string): Promise<string | undefined> {
  const row = await db.selectFrom("instance_groups").select("cluster_id").where("id", "=", groupId).executeTakeFirst();
  return row?.cluster_id;
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

/** Ids of clusters that have spot instances. */
export async function livingSpot(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom("instances")
    .select("cluster_id")
    .distinct()
    .where("status", "in", ["provisioning", "launched", "lost"] satisfies InstanceStatus[])
    .where("market", "=", "SPOT")
    .orderBy("cluster_id")
    .execute();
  return rows.map(({ cluster_id: id }) => id);
}

/** Ids of those that were launched and are wanted. */
export async function runningInstances(db: Db): Promise<string[]> {
  const rows = await db.selectFrom("instances").select("id").where("status", "=", "launched").where("wanted", "=", 1).execute();
  return rows.map(({ id }) => id);
}

/** Of ready clusters: those that were never ready, and may still be. Their roles, and the names of their clusters' applications. */
export async function comingInstances(db: Db): Promise<{ role: NodeRole; applications: string[] }[]> {
  const rows = await db
    .selectFrom("instances")
    .innerJoin("instance_groups", "instance_groups.id", "instances.group_id")
    .innerJoin("clusters", "clusters.id", "instances.cluster_id")
    .select(["instance_groups.role", "clusters.spec"])
    .where("instances.status", "in", ["provisioning", "launched"] satisfies InstanceStatus[])
    .where("instances.wanted", "=", 1)
    .where("instances.first_ready_at", "is", null)
    .where("clusters.phase", "=", "ready")
    .execute();
  return rows.map(({ role, spec }) => ({
    role: role as NodeRole,
    applications: (JSON.parse(spec) as ClusterRow["spec"]).applications.map(({ Name }) => Name),
  }));
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

type NewInstance = Pick<InstancesTable, "id" | "cluster_instance_id" | "cluster_id" | "group_id" | "ordinal" | "address" | "agent_token"> &
  Hardware & { resize?: number };

const addInstance = compiledByNames<Insertable<InstancesTable>>((db, given) =>
  db.insertInto("instances").values(given as Insertable<InstancesTable>),
);

export async function insertInstance(tx: Tx, instance: NewInstance): Promise<void> {
  await addInstance(tx.db, { ...instance, created_at: tx.now, wanted: 1, status: "provisioning" });
}

/** Columns that requests own. `volume`: its id, where that it was detached is why. */
export async function requestTermination(tx: Tx, id: string, volume: string | null = null): Promise<void> {
  await tx.db
    .updateTable("instances")
    .set((e) => ({
      terminate_requested_at: e.fn.coalesce("terminate_requested_at", e.val(tx.now)),
      detached_volume: e.fn.coalesce("detached_volume", e.val(volume)),
    }))
    .where("id", "=", id)
    .execute();
}

/** A column that requests own. */
export async function requestRemoval(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.db.updateTable("instances").set({ removal_requested: 1 }).where("id", "in", ids).execute();
}

/** Columns of the market. The first notice counts. */
export async function noteInterruption(tx: Tx, id: string, endsAt: number): Promise<void> {
  await tx.db
    .updateTable("instances")
    .set({ interrupted_at: tx.now, interruption_ends_at: endsAt })
    .where("id", "=", id)
    .where("interrupted_at", "is", null)
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
    .where("first_ready_at", "is", null)
    // A report that was long on its way says nothing new of what has ended.
    .where("ended_at", "is", null),
);

/** Columns of the cluster's reconciler: what becomes of one while its cluster goes on. */
export async function setInstanceWish(
  tx: Tx,
  id: string,
  change: Partial<Pick<InstanceRow, "wanted" | "leaving" | "decommission_seconds" | "unhealthy_at">>,
): Promise<void> {
  await tx.db.updateTable("instances").set(change).where("id", "=", id).execute();
}

/** Columns of the agent's reports. A report that is not newer than the one stored changes nothing; false then. */
export async function recordReport(tx: Tx, report: Report): Promise<boolean> {
  const { instanceId: id, seq } = report;
  const kept = await keepReport(tx.db, { id, observed: JSON.stringify(report), seq, now: tx.now });
  if (report.phase === "ready") await firstReady(tx.db, { id, now: tx.now });
  return kept.length > 0;
}

/** Its host has it: a report says so, too, where its launch had an effect, and no answer. */
export const isLaunched = ({ status, observed }: Pick<InstanceRow, "status" | "observed">): boolean =>
  status === "launched" || (status === "provisioning" && observed !== null);

/** Of a cluster that ends: nothing of this instance is to be saved any more. */
export const hasSaved = (instance: Pick<InstanceRow, "status" | "wanted" | "observed">): boolean =>
  !isLaunched(instance) || instance.wanted === 0 || !instance.observed || ["saved", "stopped"].includes(instance.observed.phase);

/** EMR's state of an instance. */
export function instanceState(instance: InstanceRow): InstanceState {
  if (instance.status === "terminated" || instance.status === "lost") return "TERMINATED";
  if (!instance.observed) return "PROVISIONING";
  if (instance.observed.phase === "ready") return "RUNNING";
  // What ends it, and an init that is started again, take nothing back of a node that was in use.
  const goesOn = ["saved", "stopped"].includes(instance.observed.phase) || instance.relaunches > 0;
  return goesOn && instance.first_ready_at !== null ? "RUNNING" : "BOOTSTRAPPING";
}

/** `end_code` of an instance that a smaller group has let go; EMR has no code for it. */
export const removedByResize = "REMOVED_BY_RESIZE";

/** `end_message` of an instance that EC2 has taken back: its state reason there. */
export const spotTermination = "Server.SpotInstanceTermination: Spot instance termination";

/** It is to stay in its group. */
export const stays = ({ wanted, leaving, removal_requested }: InstanceRow): boolean =>
  wanted === 1 && leaving === null && removal_requested === 0;

/** It was never in use: it could not be launched, or its bootstrap actions or daemons failed. */
export const hasFailed = ({ first_ready_at, end_code, observed }: InstanceRow): boolean =>
  first_ready_at === null && (observed?.phase === "failed" || end_code === "INTERNAL_ERROR" || end_code === "INSTANCE_FAILURE");

/** Why a node in use is not fit for its work; undefined where it is. */
export function illness(instance: InstanceRow): string | undefined {
  const { first_ready_at, observed } = instance;
  const ill = observed?.phase === "ready" && isLaunched(instance) ? observed.daemons.find(({ unhealthy }) => unhealthy) : undefined;
  return first_ready_at === null || !ill ? undefined : `${ill.name}: ${ill.unhealthy}`;
}

/** It was in use, and its host is gone. Another takes its place when it has no process any more. */
export const wasLost = ({ first_ready_at, end_code }: InstanceRow): boolean =>
  first_ready_at !== null && (end_code === "INSTANCE_FAILURE" || end_code === "INTERNAL_ERROR");

const mostFailures = 3;

/** Too many have failed since one of them was ready: no more are made until somebody asks for a size again. `mine`: in the order in which they were made. */
export function isSuspended(group: Pick<GroupRow, "resize">, mine: readonly InstanceRow[]): boolean {
  const lastGood = mine.findLastIndex(({ first_ready_at: ready }) => ready !== null);
  return mine.slice(lastGood + 1).filter((instance) => instance.resize === group.resize && hasFailed(instance)).length >= mostFailures;
}

export type GroupState = Extract<InstanceGroupState, InstanceFleetState>;

/** EMR's state of a group or fleet. `all`: its instances, those that have ended, too. */
export function groupState(cluster: ClusterRow, group: GroupRow, all: readonly InstanceRow[]): GroupState {
  if (cluster.phase === "ended") return "TERMINATED";
  if (isEnding(cluster)) return "TERMINATING";
  const mine = all.filter(({ status }) => status !== "terminated");
  // Before its cluster is ready, and of a master, a loss takes nothing back: their cluster ends.
  const hasCome = (instance: InstanceRow) =>
    instanceState(instance) === "RUNNING" || (instance.status === "lost" && instance.first_ready_at !== null);
  if (cluster.phase !== "ready") {
    const lacks = cluster.ready_at === null && missingOf(group, mine).length > 0;
    if (lacks || mine.length === 0 || mine.some((instance) => instanceState(instance) === "PROVISIONING")) return "PROVISIONING";
    return mine.every(hasCome) ? "RUNNING" : "BOOTSTRAPPING";
  }
  const isThere = (instance: InstanceRow) =>
    stays(instance) && hasCome(instance) && (group.role === "MASTER" || instance.status !== "lost");
  if (isOfItsSize(group, mine) && mine.every(isThere)) return "RUNNING";
  if (isSuspended(group, all)) return "SUSPENDED";
  const isNew = group.founding_count === 0 && group.resize === 0 && !all.some(wasLost);
  if (isNew) return all.some(({ observed }) => observed !== null) ? "BOOTSTRAPPING" : "PROVISIONING";
  return "RESIZING";
}
