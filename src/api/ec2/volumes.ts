/** DescribeVolumes: those of nodes. They come and go with their nodes; what is on one is in the node's folder on the host. */
import type { DescribeVolumesRequest, Volume } from "@aws-sdk/client-ec2";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { launchTime } from "./instance-shape.ts";
import { select } from "./listing.ts";
import { allNodes, type NodeFacts, type NodeVolume } from "./nodes.ts";

interface Attached {
  node: NodeFacts;
  volume: NodeVolume;
}

const shape = ({ node, volume }: Attached): Volume => {
  const { VolumeType, SizeInGB, Iops, Throughput } = volume.specification;
  return {
    VolumeId: volume.id,
    State: "in-use",
    Size: SizeInGB,
    VolumeType: VolumeType as Volume["VolumeType"],
    // gp2 has three for each GiB, at least a hundred.
    Iops: Iops ?? (VolumeType === "gp3" ? 3000 : VolumeType === "gp2" ? Math.max(100, 3 * (SizeInGB ?? 0)) : undefined),
    Throughput: Throughput ?? (VolumeType === "gp3" ? 125 : undefined),
    AvailabilityZone: node.zone,
    CreateTime: launchTime(node),
    Encrypted: false,
    MultiAttachEnabled: false,
    SnapshotId: "",
    Attachments: [
      {
        VolumeId: volume.id,
        InstanceId: node.instance.id,
        Device: volume.device,
        State: "attached",
        AttachTime: launchTime(node),
        DeleteOnTermination: true,
      },
    ],
    Tags: volume.tags,
  };
};

export async function DescribeVolumes({ store }: Ec2Context, input: DescribeVolumesRequest, request: Ec2Request) {
  const all = (await allNodes(store, request)).flatMap((node) => node.volumes.map((volume) => ({ node, volume })));
  const { items, NextToken } = select<Attached>(
    all,
    { ...input, ids: input.VolumeIds },
    {
      thing: "volume",
      id: ({ volume }) => volume.id,
      tags: ({ volume }) => volume.tags,
      position: ({ node: { cluster, instance }, volume }) => [cluster.created_at, cluster.id, instance.ordinal, volume.device],
      idsOrPages: true,
      filters: {
        "attachment.attach-time": ({ node }) => launchTime(node).toISOString(),
        "attachment.delete-on-termination": () => true,
        "attachment.device": ({ volume }) => volume.device,
        "attachment.instance-id": ({ node }) => node.instance.id,
        "attachment.status": () => "attached",
        "availability-zone": ({ node }) => node.zone,
        "create-time": ({ node }) => launchTime(node).toISOString(),
        encrypted: () => false,
        size: ({ volume }) => volume.specification.SizeInGB,
        "snapshot-id": () => undefined,
        status: () => "in-use",
        "volume-id": ({ volume }) => volume.id,
        "volume-type": ({ volume }) => volume.specification.VolumeType,
      },
    },
  );
  return { Volumes: items.map(shape), NextToken };
}
