/** ListInstances, ListInstanceGroups, ListInstanceFleets, ListBootstrapActions. */
import type { ListBootstrapActionsInput, ListInstanceFleetsInput, ListInstanceGroupsInput, ListInstancesInput } from "@aws-sdk/client-emr";
import { invalidRequest } from "../../aws/errors.ts";
import { groupsOf, type InstanceRow, instancesOf, instanceState } from "../../store/instances.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { theCluster } from "./lookup.ts";
import { page, readMarker } from "./paging.ts";
import { instanceGroupShape, instanceShape } from "./shapes.ts";

const pageSize = 2000;

export async function ListInstances({ store }: EmrContext, input: ListInstancesInput, request: EmrRequest) {
  const cluster = await theCluster(store.db, request, input.ClusterId);
  if (input.InstanceFleetId || input.InstanceFleetType)
    throw noFleets("The parameters InstanceFleetId and InstanceFleetType are for clusters that use instance fleets.");
  const groups = new Map((await groupsOf(store.db, cluster.id)).map((group) => [group.id, group]));
  if (input.InstanceGroupId && !groups.has(input.InstanceGroupId))
    throw invalidRequest(`Instance group id '${input.InstanceGroupId}' is not valid.`);
  const after = readMarker<{ ordinal: number }>(input.Marker)?.ordinal ?? 0;
  const wanted = (instance: InstanceRow) => {
    const group = groups.get(instance.group_id);
    return (
      instance.ordinal > after &&
      (!input.InstanceGroupId || instance.group_id === input.InstanceGroupId) &&
      (!input.InstanceGroupTypes?.length || (group !== undefined && input.InstanceGroupTypes.includes(group.role))) &&
      (!input.InstanceStates?.length || input.InstanceStates.includes(instanceState(instance)))
    );
  };
  const instances = (await instancesOf(store.db, cluster.id)).filter(wanted);
  const { items, Marker } = page(instances, pageSize, ({ ordinal }) => ({ ordinal }));
  return {
    Instances: items.flatMap((instance) => {
      const group = groups.get(instance.group_id);
      return group ? [instanceShape(instance, group)] : [];
    }),
    Marker,
  };
}

/** At most 50 groups a cluster, so one page. */
export async function ListInstanceGroups({ store }: EmrContext, input: ListInstanceGroupsInput, request: EmrRequest) {
  const cluster = await theCluster(store.db, request, input.ClusterId);
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
    `Instance fleets and instance groups are mutually exclusive. The EMR cluster specified in the request uses instance groups. ${hint}`,
    "API_DOES_NOT_SUPPORT_INSTANCE_GROUP_CLUSTERS",
  );

/** At most 16 actions a cluster, so one page. */
export async function ListBootstrapActions({ store }: EmrContext, input: ListBootstrapActionsInput, request: EmrRequest) {
  const cluster = await theCluster(store.db, request, input.ClusterId);
  return { BootstrapActions: cluster.spec.bootstrapActions.map(({ name, path, args }) => ({ Name: name, ScriptPath: path, Args: args })) };
}
