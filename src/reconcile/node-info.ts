/** /mnt/var/lib/info of a node: what EMR tells scripts about the node and its cluster (`grep isMaster /mnt/var/lib/info/instance.json`). */
import { join } from "node:path";
import type { NodeLayout } from "../agent/layout.ts";
import type { BaseFile, Daemon } from "../agent/manifest.ts";
import { domainOf, hostnameOf } from "../agent/node-record.ts";
import { findRelease } from "../releases/release.ts";
import type { ClusterRow } from "../store/clusters.ts";
import { zoneOf } from "../store/ec2-nodes.ts";
import { foundingTypes, type GroupRow, type InstanceRow, isUniform } from "../store/instances.ts";
import { ec2Time } from "./interruption.ts";

/**
 * instance.json and job-flow.json have the fields of EMR's developer guide ("JSON configuration files"), extraInstanceData.json those that scripts
 * are known to read. JobTracker and TaskTracker are names of YARN's daemons there.
 */
export function nodeInfo(
  cluster: ClusterRow,
  groups: GroupRow[],
  instances: InstanceRow[],
  instance: InstanceRow,
  daemons: Daemon[],
  layout: Pick<NodeLayout, "info">,
): BaseFile[] {
  const master = instances[0]!;
  const group = groups.find(({ id }) => id === instance.group_id)!;
  const core = groups.find(({ role }) => role === "CORE");
  // Scripts ask for it by this name, whichever of the two it is.
  const ids = { instanceGroupId: group.id, ...(group.fleet && { instanceFleetId: group.id }) };
  const runs = (name: string) => daemons.some((daemon) => daemon.name === name);
  const [resourceManager, nodeManager] = [runs("hadoop-yarn-resourcemanager"), runs("hadoop-yarn-nodemanager")];
  const market = ({ market }: { market: string }) => (market === "SPOT" ? "Spot" : "OnDemand");
  const role = ({ role }: GroupRow) => role[0] + role.slice(1).toLowerCase();
  const put = (name: string, value: object): BaseFile[] => {
    const content = `${JSON.stringify(value, undefined, 2)}\n`;
    return [
      { path: `/mnt/var/lib/info/${name}`, content, view: true },
      { path: join(layout.info, name), content },
    ];
  };
  return [
    ...put("instance.json", {
      ...ids,
      isMaster: group.role === "MASTER",
      isRunningNameNode: runs("hadoop-hdfs-namenode"),
      isRunningDataNode: runs("hadoop-hdfs-datanode"),
      isRunningJobTracker: resourceManager,
      isRunningTaskTracker: nodeManager,
      isRunningResourceManager: resourceManager,
      isRunningNodeManager: nodeManager,
    }),
    ...put("job-flow.json", {
      jobFlowId: cluster.id,
      jobFlowCreationInstant: cluster.created_at,
      instanceCount: instances.length,
      masterInstanceId: master.id,
      masterPrivateDnsName: hostnameOf(master.address),
      masterInstanceType: master.instance_type,
      slaveInstanceType: core && foundingTypes(core)[0],
      hadoopVersion: findRelease(cluster.spec.releaseLabel)?.hadoop.version,
      instanceGroups: groups.filter(isUniform).map((one) => ({
        instanceGroupId: one.id,
        instanceGroupName: one.name,
        instanceRole: role(one),
        marketType: market(one),
        instanceType: one.instance_type,
        requestedInstanceCount: one.requested_count,
      })),
      ...(group.fleet && {
        instanceFleets: groups.map((one) => ({
          instanceFleetId: one.id,
          instanceFleetName: one.name,
          instanceRole: role(one),
          instanceTypes: one.fleet?.types.map(({ instanceType }) => instanceType),
        })),
      }),
    }),
    ...put("extraInstanceData.json", {
      jobFlowId: cluster.id,
      ...ids,
      instanceRole: group.role.toLowerCase(),
      marketType: instance.market.toLowerCase(),
      masterHost: hostnameOf(master.address),
      masterPrivateDnsName: hostnameOf(master.address),
      region: cluster.region,
    }),
  ];
}

/** There from the notice on, as on EC2. */
const interruptionOf = (endsAt: number) => ({
  "spot/instance-action": JSON.stringify({ action: "terminate", time: ec2Time(endsAt) }),
  "spot/termination-time": ec2Time(endsAt),
});

/** What of EC2's instance metadata is known here, and scripts ask for. Credentials are not there: SDKs have them from the container endpoint. */
export function nodeMetadata(cluster: ClusterRow, instance: InstanceRow): Record<string, string> {
  const { id, address } = instance;
  const zone = zoneOf(cluster);
  const name = `${hostnameOf(address)}.${domainOf(cluster.region)}`;
  const document = {
    accountId: cluster.account_id,
    availabilityZone: zone,
    instanceId: id,
    instanceType: instance.instance_type,
    privateIp: address,
    region: cluster.region,
  };
  const meta = {
    hostname: name,
    "instance-id": id,
    "instance-life-cycle": instance.market === "SPOT" ? "spot" : "on-demand",
    "instance-type": instance.instance_type,
    "local-hostname": name,
    "local-ipv4": address,
    "placement/availability-zone": zone,
    "placement/region": cluster.region,
    "public-hostname": name,
    "public-ipv4": address,
    "services/domain": "amazonaws.com",
    ...(instance.interruption_ends_at === null ? {} : interruptionOf(instance.interruption_ends_at)),
  };
  return {
    ...Object.fromEntries(Object.entries(meta).map(([path, text]) => [`meta-data/${path}`, text])),
    "dynamic/instance-identity/document": `${JSON.stringify(document, undefined, 2)}\n`,
  };
}
