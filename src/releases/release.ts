/** A release label and what is locked for it. */
import { release as emr7130 } from "./emr-7.13.0.ts";

/** A file of Maven's, exactly as it was when the lock was made. */
export interface MavenEntry {
  group: string;
  artifact: string;
  version: string;
  classifier?: string;
  /** Hex. */
  sha256: string;
  /** Bytes. */
  size: number;
}

/** A distribution of PyPI: `requirement` as pip understands it, `file` as pip names it, with its hash and size. */
export interface PipEntry {
  requirement: string;
  file: string;
  sha256: string;
  size: number;
}

export interface Release {
  label: string;
  /** Applications[] of a cluster and the version that DescribeCluster shows for each. */
  applications: Record<string, string>;
  hadoop: { version: string; jars: MavenEntry[]; webapps: MavenEntry };
  spark: { version: string; distribution: PipEntry; jars: MavenEntry[]; replaces: string[] };
  s3proxy: MavenEntry;
}

const releases: Record<string, Release> = { [emr7130.label]: emr7130 };

/** Labels whose exact engines are locked, newest first. */
export function releaseLabels(): string[] {
  return Object.keys(releases);
}

/** undefined: the label is not locked here. */
export function findRelease(label: string): Release | undefined {
  return Object.hasOwn(releases, label) ? releases[label] : undefined;
}
