/**
 * The volumes that EMR gives a node. Source: EMR Management Guide, "Instance storage options and behavior" and "Customizing the Amazon EBS
 * root device volume". What they are on this machine: docs/volumes.md.
 */
import { createHash } from "node:crypto";
import type { Cluster, EbsBlockDevice, EbsConfiguration, VolumeSpecification } from "@aws-sdk/client-emr";
import { instanceType } from "./instance-types.ts";

export const rootDevice = "/dev/xvda";

/** The same as long as the node is there. */
export const volumeId = (instanceId: string, device: string): string =>
  `vol-${createHash("sha256").update(`vol ${instanceId} ${device}`).digest("hex").slice(0, 17)}`;

export function rootVolume(
  shown: Pick<Cluster, "EbsRootVolumeSize" | "EbsRootVolumeIops" | "EbsRootVolumeThroughput">,
): VolumeSpecification {
  return {
    VolumeType: "gp3",
    SizeInGB: shown.EbsRootVolumeSize ?? 15,
    Iops: shown.EbsRootVolumeIops ?? 3000,
    Throughput: shown.EbsRootVolumeThroughput ?? 125,
  };
}

/** Beside the root volume, one device for each, named as EMR names them: /dev/sdb, /dev/sdc, … */
export function storageDevices(asked: EbsConfiguration | null, typeName: string): EbsBlockDevice[] {
  const configs = asked?.EbsBlockDeviceConfigs ?? defaultConfigs(typeName);
  const volumes = configs.flatMap(({ VolumeSpecification, VolumesPerInstance = 1 }) =>
    Array.from({ length: VolumesPerInstance }, () => VolumeSpecification),
  );
  const first = "b".charCodeAt(0);
  return volumes.map((VolumeSpecification, index) => ({ VolumeSpecification, Device: `/dev/sd${String.fromCharCode(first + index)}` }));
}

const [GB, GiB] = [1e9, 2 ** 30];

/**
 * Bytes of each volume that HDFS and YARN use, the one at /mnt first: the type's instance stores, then EBS. EMR's documentation does not say in which order it
 * mounts them. A node that has neither keeps its data on its root volume.
 */
export function dataVolumes(asked: EbsConfiguration | null, typeName: string, root: VolumeSpecification): number[] {
  const { disks = 0, storageGb = 0 } = instanceType(typeName) ?? {};
  const stores = storageGb > 0 ? Array.from({ length: disks }, () => Math.round(storageGb / disks) * GB) : [];
  const ebs = storageDevices(asked, typeName).map(({ VolumeSpecification }) => (VolumeSpecification?.SizeInGB ?? 0) * GiB);
  const all = [...stores, ...ebs];
  return all.length > 0 ? all : [(root.SizeInGB ?? 0) * GiB];
}

/** Types without disks of their own get 64 GiB for each `xlarge` of their size (`large`: half of one), in up to four volumes. */
function defaultConfigs(typeName: string): NonNullable<EbsConfiguration["EbsBlockDeviceConfigs"]> {
  if (!instanceType(typeName)?.ebsOnly) return [];
  const size = typeName.split(".")[1] ?? "";
  const xlarges = size === "xlarge" ? 1 : Number(/^(\d+)xlarge$/.exec(size)?.[1] ?? 0.5);
  const count = Math.min(4, Math.max(1, 2 * xlarges));
  return [{ VolumeSpecification: { VolumeType: "gp3", SizeInGB: Math.max(32, (64 * xlarges) / count) }, VolumesPerInstance: count }];
}
