/** Clusters' nodes as EC2's instances: what belongs to one and is not in its row. Ids of such things are made of the instance's own, so they stay. */
import { createHash } from "node:crypto";
import type { InstanceState, Tag } from "@aws-sdk/client-ec2";
import type { VolumeSpecification } from "@aws-sdk/client-emr";
import { iamArn } from "../../access/arns.ts";
import { rootDevice, rootVolume, storageDevices, volumeId } from "../../releases/ebs.ts";
import { defaultInstanceProfile } from "../../store/accounts.ts";
import { attributesOf, zoneOf, type Node, nodesOf } from "../../store/ec2-nodes.ts";
import { listResources, type SecurityGroup } from "../../store/ec2-resources.ts";
import { resourceTags } from "../../store/ec2-tags.ts";
import { findEntity } from "../../store/iam-entities.ts";
import { ebsOf } from "../../store/instances.ts";
import type { Db, Store, Tx } from "../../store/store.ts";
import { tagsOf } from "../../store/tags.ts";
import type { Ec2Request } from "./context.ts";

/** How long EC2 tells of an instance that has ended. */
const rememberedMs = 3600_000;

export interface NodeVolume {
  id: string;
  device: string;
  specification: VolumeSpecification;
  isRoot: boolean;
  tags: Tag[];
}

export interface NodeFacts extends Node {
  state: Required<InstanceState>;
  /** EMR's own tags and the cluster's. */
  given: Tag[];
  /** With what was put on the instance itself. */
  tags: Tag[];
  volumes: NodeVolume[];
  subnetId: string | undefined;
  vpcId: string | undefined;
  zone: string;
  groups: SecurityGroup[];
  profile: { Arn: string; Id?: string };
  networkInterfaceId: string;
  reservationId: string;
  imageId: string;
}

/** All nodes of the account in the region, those of an hour ago included; of which cluster, in which order they came. */
export async function allNodes(store: Store | Tx, request: Ec2Request): Promise<NodeFacts[]> {
  const { db } = store;
  const now = typeof store.now === "number" ? store.now : store.now();
  const nodes = await nodesOf(db, request, now - rememberedMs);
  const own = await resourceTags(db, request);
  const groups = new Map((await listResources(db, request, "security-group")).map((group) => [group.id, group]));
  const subnets = new Map((await listResources(db, request, "subnet")).map((subnet) => [subnet.id, subnet]));
  const clusterTags = new Map<string, Tag[]>();
  const profiles = new Map<string, NodeFacts["profile"]>();
  const found: NodeFacts[] = [];
  for (const node of nodes) {
    const { cluster, group, instance } = node;
    if (!clusterTags.has(cluster.id)) clusterTags.set(cluster.id, await tagsOf(db, cluster.id));
    if (!profiles.has(cluster.id)) profiles.set(cluster.id, await profileOf(db, node));
    const attributes = attributesOf(cluster);
    const isMaster = group.role === "MASTER";
    const groupIds = isMaster
      ? [attributes.EmrManagedMasterSecurityGroup, ...(attributes.AdditionalMasterSecurityGroups ?? [])]
      : [attributes.EmrManagedSlaveSecurityGroup, ...(attributes.AdditionalSlaveSecurityGroups ?? [])];
    // EMR puts its tags and the cluster's on volumes, too.
    const given = [...emrTags(node), ...(clusterTags.get(cluster.id) ?? [])];
    const tagsOfId = (id: string) => merge(given, own.get(id) ?? []);
    found.push({
      ...node,
      state: stateOf(node),
      given,
      tags: tagsOfId(instance.id),
      volumes: stateOf(node).Name === "terminated" ? [] : volumesOf(node).map((volume) => ({ ...volume, tags: tagsOfId(volume.id) })),
      subnetId: attributes.Ec2SubnetId,
      vpcId: subnets.get(attributes.Ec2SubnetId ?? "")?.vpcId ?? undefined,
      zone: zoneOf(cluster),
      groups: groupIds.flatMap((id) => groups.get(id ?? "") ?? []),
      profile: profiles.get(cluster.id)!,
      networkInterfaceId: derivedId("eni", instance.id),
      reservationId: derivedId("r", group.id),
      imageId: imageOf(cluster.region, cluster.spec.releaseLabel),
    });
  }
  return found;
}

export const derivedId = (prefix: string, ...from: string[]): string =>
  `${prefix}-${createHash("sha256").update(from.join(" ")).digest("hex").slice(0, 17)}`;

/** Stands for the host's own system, of which nodes are made, under a release. */
export const imageOf = (region: string, releaseLabel: string): string => derivedId("ami", region, releaseLabel);

export const hostArchitecture = process.arch === "arm64" ? "arm64" : "x86_64";

function stateOf({ instance }: Node): Required<InstanceState> {
  if (instance.status === "terminated" || instance.status === "lost") return { Code: 48, Name: "terminated" };
  if (instance.wanted === 0 || instance.terminate_requested_at !== null) return { Code: 32, Name: "shutting-down" };
  return instance.status === "provisioning" ? { Code: 0, Name: "pending" } : { Code: 16, Name: "running" };
}

const emrTags = ({ cluster, group }: Node): Tag[] => [
  { Key: "aws:elasticmapreduce:instance-group-role", Value: group.role },
  { Key: "aws:elasticmapreduce:job-flow-id", Value: cluster.id },
];

/** Later lists win. By key. */
function merge(...lists: Tag[][]): Tag[] {
  const tags = new Map(lists.flat().map(({ Key = "", Value = "" }) => [Key, Value]));
  return [...tags].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([Key, Value]) => ({ Key, Value }));
}

function volumesOf({ cluster, group, instance }: Node): Omit<NodeVolume, "tags">[] {
  const storage = storageDevices(ebsOf(group, instance), instance.instance_type).map(({ Device = "", VolumeSpecification }) => ({
    device: Device,
    specification: VolumeSpecification!,
    isRoot: false,
  }));
  const root = { device: rootDevice, specification: rootVolume(cluster.spec.shown), isRoot: true };
  return [root, ...storage].map((volume) => ({ ...volume, id: volumeId(instance.id, volume.device) }));
}

/** A name, or an ARN that ends with it. One that is gone is still told of. */
async function profileOf(db: Db, { cluster }: Node): Promise<NodeFacts["profile"]> {
  const name = attributesOf(cluster).IamInstanceProfile?.split("/").at(-1) ?? defaultInstanceProfile;
  const found = await findEntity(db, cluster.account_id, "instance-profile", name);
  if (found) return { Arn: iamArn(found), Id: found.id };
  return { Arn: iamArn({ account_id: cluster.account_id, kind: "instance-profile", path: "/", name }) };
}
