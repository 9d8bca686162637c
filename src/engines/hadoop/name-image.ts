/**
 * A NameNode's state as a copy of the image that set-up formatted: the image is the same for every cluster, VERSION is the
 * cluster's own, so that a DataNode of another cluster is never taken in.
 */
import { join } from "node:path";
import type { ManifestFile } from "../../agent/manifest.ts";

/** Copied as they are. */
export const imageFiles = ["fsimage_0000000000000000000", "fsimage_0000000000000000000.md5", "seen_txid"] as const;

/** Fixed parts of VERSION. The layout is that of Hadoop 3.3 and 3.4; ids and times only have to be the same on all nodes. */
const layoutVersion = -67;
const namespaceId = 1_200_419_077;

/** Files of dfs.namenode.name.dir, each written once: afterwards they are the NameNode's. */
export function nameImage(options: { template: string; folder: string; clusterId: string; address: string }): ManifestFile[] {
  const current = join(options.folder, "current");
  const version = [
    `namespaceID=${namespaceId}`,
    `clusterID=CID-${options.clusterId}`,
    `cTime=1577836800000`,
    `storageType=NAME_NODE`,
    `blockpoolID=BP-${blockPoolNumber(options.clusterId)}-${options.address}-1577836800000`,
    `layoutVersion=${layoutVersion}`,
  ];
  return [
    ...imageFiles.map((name) => ({ path: join(current, name), copyFrom: join(options.template, name), once: true })),
    { path: join(current, "VERSION"), content: `${version.join("\n")}\n`, once: true },
  ];
}

/** A number below 2³¹ that follows from the cluster's id: block pools of two clusters have different names. */
function blockPoolNumber(clusterId: string): number {
  let number = 0;
  for (const character of clusterId) number = (number * 31 + character.charCodeAt(0)) % 2_147_483_647;
  return number;
}
