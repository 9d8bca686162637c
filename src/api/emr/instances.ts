/** ListInstances, ListInstanceGroups, ListInstanceFleets, ListBootstrapActions. */
import type { ListBootstrapActionsInput, ListInstanceFleetsInput, ListInstanceGroupsInput, ListInstancesInput } from "@aws-sdk/client-emr";
import { invalidRequest } from "../../aws/errors.ts";
import { groupsOf, instancesOf, instanceState } from "../../store/instances.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { theCluster } from "./lookup.ts";
import { onlyPage, openList } from "./paging.ts";
import { instanceGroupShape, instanceShape } from "./instance-shapes.ts";

const pageSize = 2000;
/** Instances that ended longer ago are not told of any more. */
const rememberedMs = 30 * 24 * 3600_000;

/** The master first, then in the order in which they came to the cluster. */
export async function ListInstances({ store }: EmrContext, input: ListInstancesInput, request: EmrRequest) {
  const { Marker: marker, ...filters } = input;
  const cluster = await theCluster(store.db, request, filters.ClusterId);
  if (filters.InstanceFleetId || filters.InstanceFleetType)
    throw noFleets("The parameters InstanceFleetId and InstanceFleetType are for clusters that use instance fleets.");
  const groups = new Map((await groupsOf(store.db, cluster.id)).map((group) => [group.id, group]));
  const { InstanceGroupId: groupId, InstanceGroupTypes: types = [], InstanceStates: states = [] } = filters;
  if (groupId && !groups.has(groupId)) throw invalidRequest(`Instance group id '${groupId}' is not valid.`);
  if (groupId && types.length > 0) throw invalidRequest("Cannot specify both InstanceGroupId and InstanceGroupTypes.");
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

/** At most 50 groups a cluster, so one page. */
export async function ListInstanceGroups({ store }: EmrContext, input: ListInstanceGroupsInput, request: EmrRequest) {
  const cluster = await theCluster(store.db, request, input.ClusterId);
  onlyPage(input.Marker);
  const instances = await instancesOf(store.db, cluster.id);
  const groups = await groupsOf(store.db, cluster.id);
  return { InstanceGroups: groups.map((group) => instanceGroupShape(group, cluster, instances)) };
}

/** Every cluster here has groups, so this is EMR's answer for such a cluster. */
export async function ListInstanceFleets({ store }: EmrContext, input: ListInstanceFleetsInput, request: EmrRequest): Promise<object> {
  await theCluster(store.db, request, input.ClusterId);
  throw noFleets(
    "The ListInstanceFleets operation does not support clusters that use instance groups. Use the ListInstanceGroups operation instead.",
  );
}

const noFleets = (hint: string) =>
  invalidRequest(
    `Instance groups and instance fleets are mutually exclusive. The EMR cluster specified in the request uses instance groups. ${hint}`,
    "API_DOES_NOT_SUPPORT_INSTANCE_GROUP_CLUSTERS",
  );

/** At most 16 actions a cluster, so one page. */
export async function ListBootstrapActions({ store }: EmrContext, input: ListBootstrapActionsInput, request: EmrRequest) {
  const cluster = await theCluster(store.db, request, input.ClusterId);
  onlyPage(input.Marker);
  return { BootstrapActions: cluster.spec.bootstrapActions.map(({ name, path, args }) => ({ Name: name, ScriptPath: path, Args: args })) };
}
