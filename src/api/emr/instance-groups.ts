/** AddInstanceGroups and ModifyInstanceGroups: the wish for other groups or other sizes, and the wake of whoever carries it out (src/reconcile/resize.ts). */
import type { AddInstanceGroupsInput, InstanceGroupModifyConfig, ModifyInstanceGroupsInput } from "@aws-sdk/client-emr";
import { invalidRequest, validationException } from "../../aws/errors.ts";
import { mergeConfigurations } from "../../engines/configurations.ts";
import { replicationOf } from "../../engines/hadoop/roles.ts";
import type { ClusterRow } from "../../store/clusters.ts";
import { addEvent, addWarnings } from "../../store/events.ts";
import {
  clusterOfGroup,
  groupsOf,
  insertGroup,
  type InstanceRow,
  instancesOf,
  isUniform,
  requestRemoval,
  resizeGroup,
  setAutoScalingPolicy,
  stays,
  type UniformGroup,
} from "../../store/instances.ts";
import type { Tx } from "../../store/store.ts";
import { clusterArn } from "./cluster-shapes.ts";
import { ebsWarning } from "./ebs-input.ts";
import { mustBeInUse, mustHaveGroups } from "./collections.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { mostInstances, mostTaskGroups, readGroup } from "./instance-groups-input.ts";
import { readAddedConfigurations } from "./job-flow-input.ts";
import { theCluster, theJobFlow } from "./lookup.ts";
import { noScaling, sortOutGroupChange } from "./parameters.ts";
import { readAutoScalingPolicy } from "./policies-input.ts";

export async function AddInstanceGroups({ store, ids }: EmrContext, input: AddInstanceGroupsInput, request: EmrRequest) {
  const configs = input.InstanceGroups ?? [];
  if (configs.length === 0) throw validationException("InstanceGroups: at least one instance group is required.");
  const added = configs.map((config, index) => readGroup(config, `InstanceGroups[${index}].`));
  return store.transaction(async (tx) => {
    const cluster = await theJobFlow(tx.db, request, input.JobFlowId);
    mustBeInUse(cluster, "An instance group may only be added");
    mustHaveGroups(cluster, "AddInstanceGroups", "AddInstanceFleet");
    const groups = (await groupsOf(tx.db, cluster.id)).filter(isUniform);
    for (const [index, { role }] of added.entries())
      if (role !== "TASK")
        throw validationException(
          `InstanceGroups[${index}].InstanceRole: only TASK groups can be added to a running cluster: it has its MASTER${role === "CORE" && !groups.some((group) => group.role === "CORE") ? ", which does the work of core nodes, too" : " and CORE groups"}.`,
        );
    if (!groups.some(({ role }) => role === "CORE"))
      throw validationException("InstanceGroups: Clusters with task nodes must also define core nodes.");
    if (groups.filter(({ role }) => role === "TASK").length + added.length > mostTaskGroups)
      throw validationException(`InstanceGroups: at most ${mostTaskGroups} groups may have InstanceRole TASK.`);
    checkSize([...groups, ...added.map(({ count }) => ({ requested_count: count }))]);
    const warnings: string[] = [];
    const groupIds: string[] = [];
    for (const group of added) {
      const configurations = readAddedConfigurations(group.settings, cluster.spec, warnings);
      const id = ids.instanceGroup();
      groupIds.push(id);
      await insertGroup(tx, { id, cluster_id: cluster.id, ...group.columns(configurations, false) });
      await addEvent(tx, cluster.id, "cluster", `${id} is added: ${group.count} × ${group.instanceType}, by ${request.principal.arn}`);
      if (group.hasEbs) warnings.push(ebsWarning(cluster.spec.loopVolumes));
      if (!group.autoScalingPolicy) continue;
      await setAutoScalingPolicy(tx, id, readAutoScalingPolicy(group.autoScalingPolicy, cluster.id, group.role));
      warnings.push(`AutoScalingPolicy of ${id} ${noScaling}`);
    }
    await addWarnings(tx, cluster.id, warnings);
    await tx.wake("cluster", cluster.id);
    return { JobFlowId: cluster.id, InstanceGroupIds: groupIds, ClusterArn: clusterArn(cluster) };
  });
}

/** All of it or nothing. */
export async function ModifyInstanceGroups({ store }: EmrContext, input: ModifyInstanceGroupsInput, request: EmrRequest) {
  const changes = input.InstanceGroups ?? [];
  if (changes.length === 0) throw validationException("InstanceGroups: at least one instance group is required.");
  return store.transaction(async (tx) => {
    const named = input.ClusterId === undefined ? undefined : await theCluster(tx.db, request, input.ClusterId);
    const seen = new Set<string>();
    for (const [index, change] of changes.entries()) {
      const at = `InstanceGroups[${index}].`;
      const id = change.InstanceGroupId ?? "";
      if (seen.has(id)) throw validationException(`${at}InstanceGroupId: ${id} is named twice.`);
      seen.add(id);
      const owner = await clusterOfGroup(tx.db, id);
      // Of another cluster, account or region it is as if it were not there.
      if (owner === undefined || (named && owner !== named.id)) throw noSuchGroup(id);
      const cluster = await theCluster(tx.db, request, owner).catch(() => {
        throw noSuchGroup(id);
      });
      await modify(tx, cluster, change, at, request);
    }
    return {};
  });
}

const noSuchGroup = (id: string) => invalidRequest(`Instance group id '${id}' is not valid.`);

async function modify(tx: Tx, cluster: ClusterRow, change: InstanceGroupModifyConfig, at: string, request: EmrRequest): Promise<void> {
  mustBeInUse(cluster, "An instance group may only be modified");
  mustHaveGroups(cluster, "ModifyInstanceGroups", "ModifyInstanceFleet");
  sortOutGroupChange(change);
  const { InstanceCount: count, EC2InstanceIdsToTerminate: named = [], ShrinkPolicy: policy } = change;
  const groups = (await groupsOf(tx.db, cluster.id)).filter(isUniform);
  const group = groups.find(({ id }) => id === change.InstanceGroupId)!;
  if (count === undefined && named.length === 0 && policy === undefined)
    throw validationException(`${at}InstanceCount, ${at}EC2InstanceIdsToTerminate or ${at}ShrinkPolicy is required.`);
  if (count !== undefined && named.length > 0)
    throw validationException(
      `${at}InstanceCount and ${at}EC2InstanceIdsToTerminate exclude one another: these instances make the group smaller.`,
    );
  if (group.role === "MASTER") throw validationException(`${at}InstanceGroupId: the size of the MASTER group cannot be changed.`);

  const mine = (await instancesOf(tx.db, cluster.id)).filter((one) => one.group_id === group.id && one.status !== "terminated");
  const gone = readInstances(named, mine, `${at}EC2InstanceIdsToTerminate`).filter(stays);
  const wanted = count ?? group.requested_count - gone.length;
  checkCount(cluster, group, wanted, at);
  checkSize(groups.map((one) => (one === group ? { requested_count: wanted } : one)));
  if (policy) checkShrinkPolicy(policy, mine, wanted, `${at}ShrinkPolicy`);
  await resizeGroup(tx, group.id, { requested_count: wanted, shrink_policy: policy ?? group.shrink_policy });
  if (named.length > 0) await requestRemoval(tx, named);
  if (gone.length > 0 && group.role === "CORE")
    await addWarnings(tx, cluster.id, [
      `EC2InstanceIdsToTerminate ends core nodes at once (${named.join(", ")}): blocks of HDFS that only they had are lost`,
    ]);
  const what =
    named.length > 0 ? `ends ${named.join(", ")} at once` : `is to have ${wanted} instances, and had to have ${group.requested_count}`;
  await addEvent(tx, cluster.id, "cluster", `${group.id} ${what}, by ${request.principal.arn}`);
  await tx.wake("cluster", cluster.id);
}

function checkSize(groups: readonly { requested_count: number }[]): void {
  const sum = groups.reduce((total, group) => total + group.requested_count, 0);
  if (sum > mostInstances)
    throw validationException(`InstanceGroups: ${sum} instances do not fit one host's network; at most ${mostInstances} in a cluster.`);
}

/** HDFS must keep its copies of each block on as many core nodes. */
function checkCount(cluster: ClusterRow, group: UniformGroup, count: number, at: string): void {
  if (count < 0) throw validationException(`${at}InstanceCount must be at least 0.`);
  if (group.role !== "CORE") return;
  if (count < 1)
    throw validationException(`${at}InstanceCount: An instance group must have at least one instance: this is the CORE group.`);
  const replication = replicationOf(mergeConfigurations(cluster.spec.configurations, group.configurations), group.founding_count);
  if (count < replication && count < group.requested_count)
    throw validationException(
      `${at}InstanceCount: ${count} core nodes cannot hold the ${replication} copies that HDFS keeps of each block (dfs.replication); at least ${replication}.`,
    );
}

function readInstances(ids: readonly string[], mine: readonly InstanceRow[], at: string): InstanceRow[] {
  return [...new Set(ids)].map((id) => {
    const instance = mine.find((one) => one.id === id);
    if (!instance) throw validationException(`${at}: ${id} is no instance of this group that has not ended.`);
    return instance;
  });
}

type Policy = NonNullable<InstanceGroupModifyConfig["ShrinkPolicy"]>;

function checkShrinkPolicy(policy: Policy, mine: readonly InstanceRow[], count: number, at: string): void {
  const { DecommissionTimeout: timeout = 0, InstanceResizePolicy: resize = {} } = policy;
  const where = `${at}.InstanceResizePolicy`;
  if (timeout < 0) throw validationException(`${at}.DecommissionTimeout must be at least 0 seconds, not ${timeout}.`);
  if ((resize.InstanceTerminationTimeout ?? 0) < 0)
    throw validationException(`${where}.InstanceTerminationTimeout must be at least 0 seconds, not ${resize.InstanceTerminationTimeout}.`);
  const ending = readInstances(resize.InstancesToTerminate ?? [], mine, `${where}.InstancesToTerminate`);
  const safe = readInstances(resize.InstancesToProtect ?? [], mine, `${where}.InstancesToProtect`);
  const late = safe.find((instance) => !stays(instance));
  if (late) throw validationException(`${where}.InstancesToProtect: ${late.id} leaves its group already.`);
  const both = ending.find((instance) => safe.includes(instance));
  if (both) throw validationException(`${where}: ${both.id} is in both InstancesToTerminate and InstancesToProtect.`);
  if (safe.length > count)
    throw validationException(`${where}.InstancesToProtect: ${safe.length} instances are to stay in a group of ${count}.`);
}
