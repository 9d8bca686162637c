/** A node's volumes: how large they are, and what of a disk HDFS may not take for them. */
import { dataVolumes, rootVolume } from "../releases/ebs.ts";
import type { ClusterRow } from "../store/clusters.ts";
import { ebsOf, type GroupRow, type InstanceRow } from "../store/instances.ts";

/** The disk of the data folder. */
export interface HostDisk {
  bytes: number;
  /** What its filesystem keeps for root. */
  keptBytes: number;
}

/** Bytes of each, EMR's /mnt first. */
export const volumesFor = ({ spec }: ClusterRow, group: GroupRow, instance: InstanceRow): number[] =>
  dataVolumes(ebsOf(group, instance), instance.instance_type, rootVolume(spec.shown));

const leastReserved = 2 ** 30;

/**
 * `dfs.datanode.du.reserved` of a volume that is a folder of the host's disk. A DataNode takes a disk's capacity less this for its own, and asks besides that
 * what is free for it, which is without the part for root, is no less: so that part is not reserved once more.
 */
export const reservedOf = (bytes: number, disk: HostDisk): number => Math.max(leastReserved, disk.bytes - disk.keptBytes - bytes);
