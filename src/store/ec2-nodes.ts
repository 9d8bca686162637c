/** Clusters and their nodes as EC2 sees them: by account and region. */
import type { Ec2InstanceAttributes } from "@aws-sdk/client-emr";
import { type ClusterRow, findCluster, liveClusters } from "./clusters.ts";
import type { Scope } from "./ec2-resources.ts";
import { type GroupRow, groupsOf, type InstanceRow, instancesOf } from "./instances.ts";
import type { Db } from "./store.ts";

export interface Node {
  instance: InstanceRow;
  group: GroupRow;
  cluster: ClusterRow;
}

/** Where a cluster is, and with what: subnet, zone, key pair, security groups, instance profile. */
export const attributesOf = (cluster: ClusterRow): Ec2InstanceAttributes => cluster.spec.shown.Ec2InstanceAttributes ?? {};

export const zoneOf = (cluster: ClusterRow): string => attributesOf(cluster).Ec2AvailabilityZone ?? `${cluster.region}a`;

/** Those that have not ended, with or without nodes yet. */
export async function livingClusters(db: Db, { accountId, region }: Scope): Promise<ClusterRow[]> {
  return (await liveClusters(db)).filter((cluster) => cluster.account_id === accountId && cluster.region === region);
}

/** All nodes of clusters that live or ended after `endedAfter`. */
export async function nodesOf(db: Db, { accountId, region }: Scope, endedAfter: number): Promise<Node[]> {
  const rows = await db
    .selectFrom("clusters")
    .select("id")
    .where("account_id", "=", accountId)
    .where("region", "=", region)
    .where((e) => e.or([e("phase", "!=", "ended"), e("ended_at", ">", endedAfter)]))
    .orderBy("created_at")
    .execute();
  const nodes: Node[] = [];
  for (const { id } of rows) {
    const cluster = await findCluster(db, id);
    const groups = new Map((await groupsOf(db, id)).map((group) => [group.id, group]));
    for (const instance of await instancesOf(db, id)) {
      const group = groups.get(instance.group_id);
      if (cluster && group && (instance.ended_at ?? Infinity) > endedAfter) nodes.push({ instance, group, cluster });
    }
  }
  return nodes;
}
