/** AddInstanceFleet and ModifyInstanceFleet: the wish for another fleet or other capacities, and the wake of whoever carries it out (src/reconcile/resize.ts). */
import type { AddInstanceFleetInput, InstanceFleetModifyConfig, ModifyInstanceFleetInput } from "@aws-sdk/client-emr";
import { invalidRequest, validationException } from "../../aws/errors.ts";
import { mergeConfigurations } from "../../engines/configurations.ts";
import { replicationOf } from "../../engines/hadoop/roles.ts";
import type { ClusterRow } from "../../store/clusters.ts";
import { addEvent, addWarnings } from "../../store/events.ts";
import type { Fleet } from "../../store/fleets.ts";
import { changeFleet, type FleetRow, groupsOf, insertGroup, type InstanceRow, instancesOf, isFleet, stays } from "../../store/instances.ts";
import { missingOf, surplusOf } from "../../store/sizes.ts";
import type { Tx } from "../../store/store.ts";
import { clusterArn } from "./cluster-shapes.ts";
import { ebsWarning } from "./ebs-input.ts";
import { mustBeInUse, mustHaveFleets } from "./collections.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { checkTargets, checkTypeCount, readFleet, readResize, readTypes, settingsOf, withConfigurations } from "./fleets-input.ts";
import { sortOutFleetChange } from "./fleet-parameters.ts";
import { mostInstances, spotWarnings } from "./instance-groups-input.ts";
import { readAddedConfigurations } from "./job-flow-input.ts";
import { theCluster } from "./lookup.ts";

const at = "InstanceFleet.";

export async function AddInstanceFleet({ store, ids }: EmrContext, input: AddInstanceFleetInput, request: EmrRequest) {
  if (!input.InstanceFleet) throw validationException("InstanceFleet is required.");
  const added = readFleet(input.InstanceFleet, at);
  return store.transaction(async (tx) => {
    const cluster = await theCluster(tx.db, request, input.ClusterId);
    mustHaveFleets(cluster, "AddInstanceFleet", "AddInstanceGroups");
    mustBeInUse(cluster, "An instance fleet may only be added");
    const fleets = (await groupsOf(tx.db, cluster.id)).filter(isFleet);
    if (added.role !== "TASK") throw validationException(`${at}InstanceFleetType: only a TASK fleet can be added to a running cluster.`);
    if (fleets.some(({ role }) => role === "TASK"))
      throw validationException(`${at}InstanceFleetType: the cluster has a TASK fleet already, and may have one: use ModifyInstanceFleet.`);
    if (!fleets.some(({ role }) => role === "CORE"))
      throw validationException("InstanceFleet: Clusters with task nodes must also define core nodes.");
    checkTypeCount(added.fleet, [...fleets.map(({ fleet }) => fleet), added.fleet], at);
    checkSize((await living(tx, cluster)).length + added.count);
    const warnings = [...added.warnings];
    const configurations = readAddedConfigurations(added.settings, cluster.spec, warnings);
    const id = ids.instanceFleet();
    await insertGroup(tx, { id, cluster_id: cluster.id, ...added.columns(configurations, false) });
    await addEvent(tx, cluster.id, "cluster", `${id} is added: ${capacityText(added.fleet)}, by ${request.principal.arn}`);
    if (added.hasEbs) warnings.push(ebsWarning(cluster.spec.loopVolumes));
    await addWarnings(tx, cluster.id, warnings);
    await tx.wake("cluster", cluster.id);
    return { ClusterId: cluster.id, InstanceFleetId: id, ClusterArn: clusterArn(cluster) };
  });
}

export async function ModifyInstanceFleet({ store }: EmrContext, input: ModifyInstanceFleetInput, request: EmrRequest) {
  const change = input.InstanceFleet;
  if (!change) throw validationException("InstanceFleet is required.");
  const warnings = sortOutFleetChange(change);
  return store.transaction(async (tx) => {
    const cluster = await theCluster(tx.db, request, input.ClusterId);
    mustHaveFleets(cluster, "ModifyInstanceFleet", "ModifyInstanceGroups");
    mustBeInUse(cluster, "An instance fleet may only be modified");
    const fleets = (await groupsOf(tx.db, cluster.id)).filter(isFleet);
    const group = fleets.find(({ id }) => id === change.InstanceFleetId);
    if (!group) throw invalidRequest(`Instance fleet id '${change.InstanceFleetId ?? ""}' is not valid.`);
    if (group.role === "MASTER") throw validationException(`${at}InstanceFleetId: the MASTER fleet cannot be changed: it is one instance.`);
    const fleet = changed(cluster, group, change, warnings);
    checkTypeCount(
      fleet,
      fleets.map((one) => (one === group ? fleet : one.fleet)),
      at,
    );
    const isResize = [change.TargetOnDemandCapacity, change.TargetSpotCapacity, change.InstanceTypeConfigs].some(
      (one) => one !== undefined,
    );
    const wished: FleetRow = { ...group, fleet, resize: group.resize + Number(isResize) };
    await checkResult(tx, cluster, group, wished);
    await changeFleet(tx, wished);
    await addEvent(tx, cluster.id, "cluster", `${group.id} is to have ${capacityText(fleet)}, by ${request.principal.arn}`);
    await addWarnings(tx, cluster.id, warnings);
    await tx.wake("cluster", cluster.id);
    return {};
  });
}

/** What is not named stays. Instances keep the types that they are of: new ones have those of the change. */
function changed(cluster: ClusterRow, { fleet, role }: FleetRow, change: InstanceFleetModifyConfig, warnings: string[]): Fleet {
  const { TargetOnDemandCapacity: onDemand = fleet.onDemand, TargetSpotCapacity: spot = fleet.spot, InstanceTypeConfigs: configs } = change;
  if ([change.TargetOnDemandCapacity, change.TargetSpotCapacity, change.ResizeSpecifications, configs].every((one) => one === undefined))
    throw validationException(`InstanceFleet: a target capacity, ${at}ResizeSpecifications or ${at}InstanceTypeConfigs is required.`);
  checkTargets(role, onDemand, spot, at);
  warnings.push(...spotWarnings(role, spot > fleet.spot));
  const next = { ...fleet, onDemand, spot, context: change.Context ?? fleet.context };
  if (change.ResizeSpecifications) next.resize = readResize(change.ResizeSpecifications, `${at}ResizeSpecifications`);
  if (!configs) return next;
  const configurations = readAddedConfigurations(settingsOf(configs, at), cluster.spec, warnings);
  const types = [...fleet.types];
  next.offered = withConfigurations(readTypes(configs, role, at), configurations).map((type) => {
    const known = types.findIndex((one) => JSON.stringify(one) === JSON.stringify(type));
    return known === -1 ? types.push(type) - 1 : known;
  });
  return { ...next, types };
}

const living = async (tx: Tx, { id }: ClusterRow): Promise<InstanceRow[]> =>
  (await instancesOf(tx.db, id)).filter(({ status }) => status !== "terminated");

/** HDFS must keep its copies of each block on as many core nodes, and each node has an address. */
async function checkResult(tx: Tx, cluster: ClusterRow, group: FleetRow, wished: FleetRow): Promise<void> {
  const all = await living(tx, cluster);
  const staying = all.filter((one) => one.group_id === group.id && stays(one));
  const missing = missingOf(wished, staying).length;
  checkSize(all.length + missing);
  if (group.role !== "CORE") return;
  const count = staying.length - surplusOf(wished, staying, staying.toReversed()).length + missing;
  const copies = Math.max(
    ...group.fleet.types.map(({ configurations }) =>
      replicationOf(mergeConfigurations(cluster.spec.configurations, configurations), group.founding_count),
    ),
  );
  if (count < copies && count < staying.length)
    throw validationException(
      `InstanceFleet: ${count} core nodes, which these capacities come to, cannot hold the ${copies} copies that HDFS keeps of each block (dfs.replication); at least ${copies}.`,
    );
}

function checkSize(instances: number): void {
  if (instances > mostInstances)
    throw validationException(
      `InstanceFleet: ${instances} instances do not fit one host's network; at most ${mostInstances} in a cluster.`,
    );
}

const capacityText = ({ onDemand, spot }: Fleet): string => `${onDemand} units on demand and ${spot} of spot`;
