/** ListInstances, ListInstanceGroups, ListInstanceFleets, ListBootstrapActions. */
import type { ListBootstrapActionsInput, ListInstanceFleetsInput, ListInstanceGroupsInput, ListInstancesInput } from "@aws-sdk/client-emr";
import { invalidRequest } from "../../aws/errors.ts";
import type { ClusterRow } from "../../store/clusters.ts";
import { groupsOf, instancesOf, instanceState, isFleet, isUniform } from "../../store/instances.ts";
import { mustHaveFleets, mustHaveGroups, usesFleets, usesGroups } from "./collections.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { theCluster } from "./lookup.ts";
import { onlyPage, openList } from "./paging.ts";
import { instanceFleetShape, instanceGroupShape, instanceShape } from "./instance-shapes.ts";

const pageSize = 2000;
/** Instances that ended longer ago are not told of any more. */
const rememberedMs = 30 * 24 * 3600_000;

/** The master first, then in the order in which they came to the cluster. */
export async function ListInstances({ store }: EmrContext, input: ListInstancesInput, request: EmrRequest) {
  const { Marker: marker, ...filters } = input;
  const cluster = await theCluster(store.db, request, filters.ClusterId);
  const groups = new Map((await groupsOf(store.db, cluster.id)).map((group) => [group.id, group]));
  const { groupId, types } = chosenGroups(filters, cluster, groups);
  const { InstanceStates: states = [] } = filters;
  const list = openList("ListInstances", request, filters, ["number"], marker);
  const [after = 0] = list.after ?? [];
  const found = (await instancesOf(store.db, cluster.id)).flatMap((instance) => {
    const group = groups.get(instance.group_id);
    const isWanted =
      group !== undefined &&
      instance.ordinal > after &&
      (instance.ended_at ?? Infinity) >= store.now() - rememberedMs &&
      (!groupId || group.id === groupId) &&
      (types.length === 0 || types.includes(group.role)) &&
      (states.length === 0 || states.includes(instanceState(instance)));
    return isWanted ? [{ instance, group }] : [];
  });
  const { items, Marker } = list.page(found, pageSize, ({ instance }) => [instance.ordinal]);
  return { Instances: items.map(({ instance, group }) => instanceShape(instance, group)), Marker };
}

/** By id or by role, of groups or of fleets: of what the cluster has. */
function chosenGroups(filters: ListInstancesInput, cluster: ClusterRow, groups: ReadonlyMap<string, unknown>) {
  const { InstanceGroupId: groupId, InstanceGroupTypes: types = [], InstanceFleetId: fleetId, InstanceFleetType: fleetType } = filters;
  if (cluster.spec.hasFleets) {
    if (groupId || types.length > 0)
      throw usesFleets("The parameters InstanceGroupId and InstanceGroupTypes are for clusters that use instance groups.");
    if (fleetId && !groups.has(fleetId)) throw invalidRequest(`Instance fleet id '${fleetId}' is not valid.`);
    if (fleetId && fleetType) throw invalidRequest("Cannot specify both InstanceFleetId and InstanceFleetType.");
    return { groupId: fleetId, types: fleetType ? [fleetType] : [] };
  }
  if (fleetId || fleetType)
    throw usesGroups("The parameters InstanceFleetId and InstanceFleetType are for clusters that use instance fleets.");
  if (groupId && !groups.has(groupId)) throw invalidRequest(`Instance group id '${groupId}' is not valid.`);
  if (groupId && types.length > 0) throw invalidRequest("Cannot specify both InstanceGroupId and InstanceGroupTypes.");
  return { groupId, types };
}

/** At most 50 groups a cluster, so one page. */
export async function ListInstanceGroups({ store }: EmrContext, input: ListInstanceGroupsInput, request: EmrRequest) {
  const cluster = await theCluster(store.db, request, input.ClusterId);
  mustHaveGroups(cluster, "ListInstanceGroups", "ListInstanceFleets");
  onlyPage(input.Marker);
  const instances = await instancesOf(store.db, cluster.id);
  const groups = (await groupsOf(store.db, cluster.id)).filter(isUniform);
  return { InstanceGroups: groups.map((group) => instanceGroupShape(group, cluster, instances)) };
}

/** Three fleets a cluster, so one page. */
export async function ListInstanceFleets({ store }: EmrContext, input: ListInstanceFleetsInput, request: EmrRequest) {
  const cluster = await theCluster(store.db, request, input.ClusterId);
  mustHaveFleets(cluster, "ListInstanceFleets", "ListInstanceGroups");
  onlyPage(input.Marker);
  const instances = await instancesOf(store.db, cluster.id);
  const fleets = (await groupsOf(store.db, cluster.id)).filter(isFleet);
  return { InstanceFleets: fleets.map((fleet) => instanceFleetShape(fleet, cluster, instances)) };
}

/** At most 16 actions a cluster, so one page. */
export async function ListBootstrapActions({ store }: EmrContext, input: ListBootstrapActionsInput, request: EmrRequest) {
  const cluster = await theCluster(store.db, request, input.ClusterId);
  onlyPage(input.Marker);
  return { BootstrapActions: cluster.spec.bootstrapActions.map(({ name, path, args }) => ({ Name: name, ScriptPath: path, Args: args })) };
}
