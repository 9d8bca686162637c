/**
 * An engine is one application of a release (Hadoop, Spark, …): which files, daemons, commands and environment a node of a given
 * role has for it. `plan` is a pure function of facts, so that a manifest can be made again at any time and compared.
 */
import type { BaseFile, Daemon, Decommission, ManifestFile, NodeRole, Save, Task } from "../agent/manifest.ts";
import type { NodeLayout } from "../agent/layout.ts";
import type { EngineSetup } from "./engine-setup.ts";
import type { Installation } from "./installation.ts";
import type { InstanceType } from "../releases/instance-types.ts";

export interface Engine {
  /** As in RunJobFlow's Applications[].Name. */
  readonly name: string;
  /** Classifications it takes, for validation at RunJobFlow and for the configuration of nodes. */
  readonly classifications: readonly ClassificationRule[];
  /** Every port that a daemon of its listens at, by what listens there: another program that has one on all addresses is in the way. */
  readonly ports: Readonly<Record<string, number>>;
  /** Web pages of its daemons on the master. */
  readonly pages: readonly { name: string; port: number }[];
  /** That steps name: on a cluster without the engine they end with a word of it. */
  readonly commands?: readonly string[];
  /** Names of engines that a cluster with this one has, too. */
  readonly needs?: readonly string[];
  /** Names of engines whose homes it uses, without anything else of theirs. */
  readonly homes?: readonly string[];
  /** MiB that its daemons take of the host, idle, on a node of a role: clusters that do not fit are refused. */
  readonly memoryMb?: Partial<Record<NodeRole, number>>;
  /** Hadoop and Spark, which every machine has, have none: src/setup.ts brings them. */
  readonly setup?: EngineSetup;
  /** What of configurations that are each right cannot work together. They are as a node gets them: a group's over the cluster's. */
  warnings?(configurations: readonly Configuration[]): string[];
  plan(node: NodeFacts): EnginePlan;
}

export interface ClassificationRule {
  name: string;
  /** true: the settings are in a nested classification "export" (hadoop-env, spark-env). */
  nestedExport?: boolean;
  /** A recorded warning for a property or an exported variable that is accepted but has no effect here; undefined where it is honoured. */
  warn?: (property: string, value: string) => string | undefined;
}

/** EMR's Configuration, checked. */
export interface Configuration {
  Classification: string;
  Properties: Record<string, string>;
  Configurations: Configuration[];
}

export interface ClusterFacts {
  id: string;
  region: string;
  /** http://127.0.0.1:PORT of Howdah: the S3 endpoint too. */
  endpoint: string;
  applications: string[];
  master: { address: string; hostname: string };
  /** How its metastore reaches the database of its account's catalog, where it uses that. */
  catalog?: { url: string; user: string; password: string };
  /** JVMs of its jobs and commands compile by the first compiler alone. */
  quickJvms?: boolean;
  /** Steps may have roles of their own, which their containers must have too. */
  hasRuntimeRoles?: boolean;
  /** EMRFS takes roles by user, group or prefix. */
  hasEmrfsRoles?: boolean;
  /** Those that it was created with, the master first: settings that go by a cluster's size go by these, for a resize changes no daemon's settings. */
  nodes: { role: NodeRole; instanceType: InstanceType }[];
  /** Those that are to go out of service, and how long what runs on them may take to end. */
  leaving: { instanceId: string; role: NodeRole; address: string; seconds: number }[];
  /** Core nodes that are gone, and whose blocks HDFS may still be copying from others. */
  gone: { instanceId: string; address: string }[];
  /** Addresses of those that leave, and of those that have left or were lost and nobody has taken since. */
  excluded: string[];
  /** Those of them that HDFS empties, or has emptied. */
  emptied: string[];
  /** Roles of the nodes that must be there for it to be ready: those that are in use, and while it starts, all. */
  awaited: NodeRole[];
}

export interface NodeFacts {
  cluster: ClusterFacts;
  instanceId: string;
  role: NodeRole;
  address: string;
  instanceType: InstanceType;
  /** It is to go out of service. */
  isLeaving: boolean;
  /** The cluster's configurations with those of the node's group merged over them. */
  configurations: Configuration[];
  layout: NodeLayout;
  /** Where HDFS and YARN keep their data, EMR's /mnt first. `reservedBytes`: of its disk, what is not for HDFS. */
  volumes: { folder: string; reservedBytes: number }[];
  /** Volumes are filesystems of their own: how full one is has nothing to do with the host's disk. */
  hasOwnDisks?: boolean;
  installation: Installation;
}

export interface EnginePlan {
  base: BaseFile[];
  files: ManifestFile[];
  daemons: Daemon[];
  tasks: Task[];
  saves: Save[];
  decommission?: Decommission;
  env: Record<string, string>;
  /** Folders for PATH, first wins. */
  path: string[];
  /** Log folders to ship, below the cluster's LogUri; see LogShipping.folders. */
  logs: { from: string; to: string }[];
}
