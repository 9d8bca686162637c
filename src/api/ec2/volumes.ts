/** DescribeVolumes, DetachVolume: of those of nodes. They come and go with their nodes. */
import type { DescribeVolumesRequest, DetachVolumeRequest, Volume, VolumeAttachment } from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import { addEvent } from "../../store/events.ts";
import { requestTermination } from "../../store/instances.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { launchTime } from "./instance-shape.ts";
import { named, select } from "./listing.ts";
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
    Attachments: [attachment({ node, volume }, "attached")],
    Tags: volume.tags,
  };
};

const attachment = ({ node, volume }: Attached, State: VolumeAttachment["State"]): VolumeAttachment => ({
  VolumeId: volume.id,
  InstanceId: node.instance.id,
  Device: volume.device,
  State,
  AttachTime: launchTime(node),
  DeleteOnTermination: true,
});

const volumesOf = (nodes: readonly NodeFacts[]): Attached[] => nodes.flatMap((node) => node.volumes.map((volume) => ({ node, volume })));

export async function DescribeVolumes({ store }: Ec2Context, input: DescribeVolumesRequest, request: Ec2Request) {
  const all = volumesOf(await allNodes(store, request));
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

/** A node that a volume is taken from has failed, as on EMR: it is ended and, where it is not the master, replaced. All of its volumes go with it. */
export async function DetachVolume({ store }: Ec2Context, input: DetachVolumeRequest, request: Ec2Request) {
  const { VolumeId = "", InstanceId, Device } = input;
  return store.transaction(async (tx) => {
    const [found] = named(volumesOf(await allNodes(tx, request)), [VolumeId], { thing: "volume", id: ({ volume }) => volume.id });
    const { node, volume } = found!;
    const { instance, cluster } = node;
    if ((InstanceId ?? instance.id) !== instance.id || (Device ?? volume.device) !== volume.device)
      throw new AwsError(
        "InvalidAttachment.NotFound",
        `Volume '${VolumeId}' is attached to instance '${instance.id}' as '${volume.device}', and not as the request says.`,
      );
    if (volume.isRoot)
      throw new AwsError("OperationNotPermitted", `Unable to detach root volume '${volume.device}' from instance '${instance.id}'`);
    if (node.state.Name === "pending" || node.state.Name === "running") {
      await requestTermination(tx, instance.id, volume.id);
      await addEvent(tx, cluster.id, "instance", `${instance.id}: DetachVolume of ${volume.id} by ${request.principal.arn}`);
      await tx.wake("instance", instance.id);
    }
    return attachment(found!, "detaching");
  });
}
