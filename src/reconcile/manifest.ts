/** Makes a node's manifest from the store: a pure function of what is there now, so it can be made again after any crash. */
import type { Manifest } from "../agent/manifest.ts";
import { nodeLayout, volumeFolder } from "../agent/layout.ts";
import { hostnameOf } from "../agent/node-record.ts";
import { orSayWhatIsMissing } from "../engines/absent.ts";
import { mergeConfigurations } from "../engines/configurations.ts";
import type { Installation } from "../engines/installation.ts";
import type { ClusterFacts, NodeFacts } from "../engines/engine.ts";
import { engineNames } from "../engines/glue/settings.ts";
import { planNode } from "../engines/plan-node.ts";
import { stepOrder } from "../engines/step-command.ts";
import { nodeInfo, nodeMetadata } from "./node-info.ts";
import { type HostDisk, reservedOf, volumesFor } from "./node-volumes.ts";
import { bootstrapOrders, nodeWish } from "./node-wish.ts";
import { instanceType, type InstanceType } from "../releases/instance-types.ts";
import { logFolder } from "../store/clusters.ts";
import { configurationsOf, foundingTypes, hasSaved } from "../store/instances.ts";
import type { StepRow } from "../store/steps.ts";
import type { Db } from "../store/store.ts";

export interface ManifestSources {
  /** http://127.0.0.1:PORT */
  endpoint: string;
  nodeFolder(instanceId: string): string;
  hostDisk: HostDisk;
  installation(releaseLabel: string, applications: readonly string[]): Installation;
  /** How the database of an account's catalog is reached; throws where it never was. */
  catalog(accountId: string): NonNullable<ClusterFacts["catalog"]>;
}

/** undefined where the instance is not wanted (any more). */
export async function manifestFor(db: Db, instanceId: string, clusterId: string, sources: ManifestSources): Promise<Manifest | undefined> {
  const wish = await nodeWish(db, instanceId, clusterId);
  if (!wish) return undefined;
  const { cluster, instances, leaving, gone, excluded, emptied, instance, master, groups, running } = wish;
  const groupOf = (groupId: string) => {
    const group = groups.find(({ id }) => id === groupId);
    if (!group) throw new Error(`instance group ${groupId} of ${clusterId} is not in the store`);
    return group;
  };
  const applications = engineNames(cluster.spec);
  const clusterFacts: ClusterFacts = {
    id: clusterId,
    region: cluster.region,
    endpoint: sources.endpoint,
    applications,
    master: { address: master.address, hostname: hostnameOf(master.address) },
    ...(cluster.spec.usesCatalog && { catalog: sources.catalog(cluster.account_id) }),
    ...(cluster.spec.quickJvms && { quickJvms: true }),
    hasRuntimeRoles: cluster.spec.runtimeRoles !== undefined,
    hasEmrfsRoles: cluster.spec.emrfsRoles !== undefined,
    nodes: groups.flatMap((group) => foundingTypes(group).map((type) => ({ role: group.role, instanceType: typeNamed(type) }))),
    leaving: leaving.map(({ id, group_id, address, decommission_seconds: seconds }) => ({
      instanceId: id,
      role: groupOf(group_id).role,
      address,
      seconds: seconds ?? 0,
    })),
    gone: gone.map(({ id, address }) => ({ instanceId: id, address })),
    excluded,
    emptied,
    awaited: instances
      .filter((one) => one.leaving === null && one.status !== "lost" && (cluster.ready_at === null || one.first_ready_at !== null))
      .map((one) => groupOf(one.group_id).role),
  };
  const group = groupOf(instance.group_id);
  const layout = nodeLayout(sources.nodeFolder(instanceId));
  const facts: NodeFacts = {
    cluster: clusterFacts,
    instanceId,
    role: group.role,
    address: instance.address,
    instanceType: typeNamed(instance.instance_type),
    isLeaving: instance.leaving !== null,
    configurations: mergeConfigurations(cluster.spec.configurations, configurationsOf(group, instance)),
    layout,
    volumes: volumesFor(cluster, group, instance).map((bytes, index) => ({
      folder: volumeFolder(layout, index),
      reservedBytes: cluster.spec.loopVolumes ? 0 : reservedOf(bytes, sources.hostDisk),
    })),
    hasOwnDisks: cluster.spec.loopVolumes === true,
    installation: sources.installation(cluster.spec.releaseLabel, applications),
  };
  const plan = planNode(facts);
  const logUri = logFolder(cluster);
  return {
    generation: cluster.generation,
    clusterId,
    instanceId,
    role: group.role,
    address: instance.address,
    region: cluster.region,
    metadata: nodeMetadata(cluster, instance),
    metadataHttpTokens: cluster.spec.needsMetadataToken ? "required" : "optional",
    env: { ...plan.env, PATH: plan.path.join(":") },
    base: [...plan.base, ...nodeInfo(cluster, groups, instances, instance, plan.daemons, facts.layout)],
    files: plan.files,
    bootstrapActions: bootstrapOrders(cluster),
    daemons: plan.daemons,
    tasks: plan.tasks,
    saves: plan.saves,
    ...(plan.decommission ? { decommission: plan.decommission } : {}),
    steps: instance === master ? running.map((step) => orderOf(step, facts)) : [],
    roleSteps: running.filter(({ spec }) => spec.executionRole).map(({ id }) => id),
    logs: logUri === null ? null : { uri: logUri, folders: plan.logs },
    stopping: instance.leaving === "stopping" || (cluster.phase === "ending" && (instance === master || hasSaved(master))),
  };
}

function typeNamed(name: string): InstanceType {
  const type = instanceType(name);
  if (!type) throw new Error(`instance type ${name} is in the store, but this version of Howdah does not know it`);
  return type;
}

const orderOf = (step: StepRow, facts: NodeFacts) => {
  const { name, jar, mainClass, args, properties, executionRole } = step.spec;
  const hasRole = executionRole !== undefined;
  const order = stepOrder({ step: { id: step.id, name, jar, mainClass: mainClass ?? undefined, args, properties, hasRole }, facts });
  const argv = orSayWhatIsMissing(order.argv, facts.cluster.applications);
  return { ...order, argv, ...(step.cancel_option === null ? {} : { cancel: step.cancel_option }) };
};
