/**
 * The tables. Times are epoch milliseconds; JSON columns are TEXT, read and written only by the resource's own file.
 * One writer per column: `api` = a request's transaction, `rec` = the resource's reconciler, `agent` = a node's report.
 */
import type { ClusterState, StepCancellationOption } from "@aws-sdk/client-emr";
import type { Generated } from "kysely";
import { accessVersionMigration, type AccessVersionTable } from "./access-version.ts";
import { ec2Migration, type Ec2RegionsTable, type Ec2ResourcesTable, type Ec2TagsTable } from "./ec2-schema.ts";
import type { BucketsTable } from "./buckets.ts";
import {
  type AccessKeysTable,
  type AccountSeedsTable,
  type AccountsTable,
  type IamAttachmentsTable,
  type IamEntitiesTable,
  type IamGroupMembersTable,
  iamMigration,
  type IamInlinePoliciesTable,
  type IamPolicyVersionsTable,
  type IamTagsTable,
} from "./iam-schema.ts";
import { type NotedStatesTable, stateChangesMigration, type StateChangesTable } from "./state-changes.ts";
import { type TrailSpansTable, type TrailTagsTable, trailMigration, type TrailsTable } from "./trail-schema.ts";

export interface Schema {
  buckets: BucketsTable;
  trails: TrailsTable;
  trail_tags: TrailTagsTable;
  trail_spans: TrailSpansTable;
  accounts: AccountsTable;
  account_seeds: AccountSeedsTable;
  iam_entities: IamEntitiesTable;
  iam_group_members: IamGroupMembersTable;
  iam_attachments: IamAttachmentsTable;
  iam_inline_policies: IamInlinePoliciesTable;
  iam_policy_versions: IamPolicyVersionsTable;
  iam_tags: IamTagsTable;
  access_keys: AccessKeysTable;
  access_version: AccessVersionTable;
  clusters: ClustersTable;
  instance_groups: InstanceGroupsTable;
  instances: InstancesTable;
  steps: StepsTable;
  tags: TagsTable;
  events: EventsTable;
  state_changes: StateChangesTable;
  noted_states: NotedStatesTable;
  wakes: WakesTable;
  security_configurations: SecurityConfigurationsTable;
  block_public_access: BlockPublicAccessTable;
  ec2_regions: Ec2RegionsTable;
  ec2_resources: Ec2ResourcesTable;
  ec2_tags: Ec2TagsTable;
}

export interface ClustersTable {
  id: string;
  account_id: string;
  region: string;
  created_at: number;
  /** api, never changed: ClusterSpec as JSON. */
  spec: string;
  /** api */
  termination_protected: number;
  /** api: 1 where it goes on when it has no step any more */
  keep_alive: number;
  /** api: 1 to 256 */
  step_concurrency_level: number;
  /** api */
  visible_to_all_users: number;
  /** api: kept and shown */
  extended_support: number | null;
  /** api: kept and shown */
  unhealthy_node_replacement: number;
  /** api: ManagedScalingPolicy and AutoTerminationPolicy as JSON, kept and shown; null where there is none. */
  managed_scaling_policy: string | null;
  auto_termination_policy: string | null;
  /** api */
  terminate_requested_at: number | null;
  /** rec */
  phase: ClusterPhase;
  /** rec: why it ends (ClusterEnding as JSON); null while nothing but the user's wish ends it. */
  ending: string | null;
  /** rec: set when `phase` became `ending`. */
  ending_at: number | null;
  /** rec: 127.64.3 */
  network: string | null;
  /** rec */
  ready_at: number | null;
  ended_at: number | null;
  /** The visible state that its last event told of (state-changes.ts), for lists to find clusters by; null only in the transaction that makes it. */
  noted_state: ClusterState | null;
  /** `howdah down --keep`: when it last ended the cluster's nodes and left their disks, for the next control plane to launch them again. */
  kept_at: number | null;
  /** Raised in every transaction that changes what the cluster's nodes must be. */
  generation: Generated<number>;
}

export type ClusterPhase = "starting" | "bootstrapping" | "ready" | "ending" | "ended";

/** All but `ended`: said so, an index finds them. */
export const livingPhases: readonly ClusterPhase[] = ["starting", "bootstrapping", "ready", "ending"];

export interface InstanceGroupsTable {
  id: string;
  cluster_id: string;
  /** MASTER, CORE, TASK */
  role: string;
  name: string;
  market: string;
  bid_price: string | null;
  instance_type: string;
  /** api */
  requested_count: number;
  /** api: ShrinkPolicy as JSON, the last one that was given; null where none was. */
  shrink_policy: string | null;
  /** api: how often its size was asked for since it was made; a new number is a new try. */
  resize: Generated<number>;
  /** api: when its size was last asked for */
  resized_at: number | null;
  /** api, never changed: how many instances of it the cluster was created with. Settings that go by a cluster's size go by these. */
  founding_count: number;
  /** api: Configuration[] as JSON */
  configurations: string;
  /** api: EbsConfiguration as JSON */
  ebs: string | null;
  /** api: AutoScalingPolicy as JSON, kept and shown; null where there is none. */
  auto_scaling_policy: string | null;
  /** api: Fleet as JSON; null in a group. A fleet has all of the above that goes by instance type and market in it. */
  fleet: string | null;
  /** cluster reconciler: FleetShift as JSON, what of a fleet's targets has become something else after a timeout. */
  shift: string | null;
  created_at: number;
}

export interface InstancesTable {
  /** i-… */
  id: string;
  /** ci-… */
  cluster_instance_id: string;
  cluster_id: string;
  /** Its group's or fleet's. */
  group_id: string;
  instance_type: string;
  /** ON_DEMAND, SPOT */
  market: string;
  /** Units that it counts in its fleet; 1 in a group. */
  weight: number;
  /** Which of its fleet's types; null in a group. */
  type_config: number | null;
  ordinal: number;
  address: string;
  agent_token: string;
  created_at: number;
  /** cluster reconciler: 1 while the cluster wants it to run */
  wanted: number;
  /** api: the wish that it ends before its cluster does (EC2's TerminateInstances, DetachVolume); never taken back */
  terminate_requested_at: number | null;
  /** api: the volume that was taken from it, which is why */
  detached_volume: string | null;
  /** api: 1 where ModifyInstanceGroups wants it away at once (EC2InstanceIdsToTerminate); never taken back */
  removal_requested: Generated<number>;
  /** cluster reconciler: its group's `resize` that made it */
  resize: Generated<number>;
  /** cluster reconciler: how far it is on its way out of its group; never taken back */
  leaving: InstanceLeaving | null;
  /** cluster reconciler: how long YARN waits for what runs on it when it leaves */
  decommission_seconds: number | null;
  /** cluster reconciler: since when it says that it is unhealthy; null: it does not */
  unhealthy_at: number | null;
  /** the market (src/reconcile/interruption.ts): when it had its interruption notice, and when it is taken back; never changed then. null: it is not */
  interrupted_at: number | null;
  interruption_ends_at: number | null;
  /** rec */
  status: InstanceStatus;
  launched_at: number | null;
  ended_at: number | null;
  end_code: string | null;
  end_message: string | null;
  /** rec: how often its init was started again after it had stopped by itself */
  relaunches: Generated<number>;
  /** rec: launches that failed one after the other */
  launch_failures: Generated<number>;
  /** agent: Report as JSON, and the time it came, of the last one that had news (src/reconcile/reports.ts) */
  observed: string | null;
  observed_seq: Generated<number>;
  observed_at: number | null;
  first_ready_at: number | null;
}

/**
 * `decommissioning`: until nothing that runs or lies there is needed; then `stopping`: until its last logs are shipped. A core node that was lost, or ended at
 * once, is `gone` until HDFS has all copies again that it can have without it, and then `copied`.
 */
export type InstanceLeaving = "decommissioning" | "stopping" | "gone" | "copied";

export type InstanceStatus = "provisioning" | "launched" | "lost" | "terminated";

export interface StepsTable {
  id: string;
  cluster_id: string;
  /** Order of submission within the cluster. */
  seq: number;
  /** api: StepSpec as JSON */
  spec: string;
  created_at: number;
  /** api: the wish that it ends, and how. Never taken back; SEND_INTERRUPT may become TERMINATE_PROCESS. */
  cancel_requested_at: number | null;
  cancel_option: StepCancellationOption | null;
  /** steps reconciler */
  state: StepState;
  started_at: number | null;
  ended_at: number | null;
  /** FailureDetails as JSON */
  failure: string | null;
  /** 1 where it failed and takes its cluster with it: decided when it failed, for what decides may change later */
  ends_cluster: Generated<number>;
}

/** What is stored; users see stepState(). */
export type StepState = "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED" | "INTERRUPTED";

export interface TagsTable {
  cluster_id: string;
  key: string;
  value: string;
}

/** By account, region and name; all columns api, never changed. */
export interface SecurityConfigurationsTable {
  account_id: string;
  region: string;
  name: string;
  /** The JSON text as it was sent. */
  configuration: string;
  created_at: number;
}

/** By account and region, where somebody has put one; all columns api. */
export interface BlockPublicAccessTable {
  account_id: string;
  region: string;
  /** BlockPublicAccessConfiguration as JSON */
  configuration: string;
  created_at: number;
  created_by_arn: string;
}

export interface EventsTable {
  id: Generated<number>;
  at: number;
  cluster_id: string;
  /** cluster, instance, step, warning */
  kind: string;
  /** What happened to whom, for people. */
  message: string;
}

export interface WakesTable {
  kind: string;
  id: string;
  /** By the steady clock of the control plane that runs; the next one makes all due. */
  due_at: number;
  /** Raised by each wake: a reconciler that ran meanwhile does not clear a newer one. */
  version: number;
  failures: number;
}

/** Applied in order, once each; never edited after a release, only added to: test/unit/migrations.json knows them. */
export const migrations: readonly string[] = [
  `CREATE TABLE access_keys (access_key_id TEXT PRIMARY KEY, secret_access_key TEXT NOT NULL, session_token TEXT, account_id TEXT NOT NULL,
     principal_arn TEXT NOT NULL, cluster_id TEXT, created_at INTEGER NOT NULL, disabled_at INTEGER);
   CREATE TABLE clusters (id TEXT PRIMARY KEY, account_id TEXT NOT NULL, region TEXT NOT NULL, created_at INTEGER NOT NULL, spec TEXT NOT NULL,
     termination_protected INTEGER NOT NULL, terminate_requested_at INTEGER, phase TEXT NOT NULL, ending TEXT, ending_at INTEGER, network TEXT,
     ready_at INTEGER, ended_at INTEGER, generation INTEGER NOT NULL DEFAULT 1);
   CREATE INDEX clusters_by_time ON clusters (account_id, region, created_at DESC, id DESC);
   CREATE TABLE instance_groups (id TEXT PRIMARY KEY, cluster_id TEXT NOT NULL REFERENCES clusters (id), role TEXT NOT NULL, name TEXT NOT NULL,
     market TEXT NOT NULL, bid_price TEXT, instance_type TEXT NOT NULL, requested_count INTEGER NOT NULL, configurations TEXT NOT NULL, ebs TEXT,
     created_at INTEGER NOT NULL);
   CREATE INDEX instance_groups_by_cluster ON instance_groups (cluster_id);
   CREATE TABLE instances (id TEXT PRIMARY KEY, cluster_instance_id TEXT NOT NULL, cluster_id TEXT NOT NULL REFERENCES clusters (id),
     group_id TEXT NOT NULL REFERENCES instance_groups (id), ordinal INTEGER NOT NULL, address TEXT NOT NULL, agent_token TEXT NOT NULL,
     created_at INTEGER NOT NULL, wanted INTEGER NOT NULL, status TEXT NOT NULL, launched_at INTEGER, ended_at INTEGER, end_code TEXT, end_message TEXT,
     relaunches INTEGER NOT NULL DEFAULT 0, launch_failures INTEGER NOT NULL DEFAULT 0, observed TEXT, observed_seq INTEGER NOT NULL DEFAULT 0, observed_at INTEGER, first_ready_at INTEGER);
   CREATE INDEX instances_by_cluster ON instances (cluster_id, ordinal);
   CREATE TABLE steps (id TEXT PRIMARY KEY, cluster_id TEXT NOT NULL REFERENCES clusters (id), seq INTEGER NOT NULL, spec TEXT NOT NULL,
     created_at INTEGER NOT NULL, state TEXT NOT NULL, started_at INTEGER, ended_at INTEGER, failure TEXT);
   CREATE UNIQUE INDEX steps_by_cluster ON steps (cluster_id, seq);
   CREATE TABLE tags (cluster_id TEXT NOT NULL REFERENCES clusters (id), key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (cluster_id, key));
   CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, cluster_id TEXT NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL);
   CREATE INDEX events_by_cluster ON events (cluster_id, id);
   CREATE TABLE wakes (kind TEXT NOT NULL, id TEXT NOT NULL, due_at INTEGER NOT NULL, version INTEGER NOT NULL, failures INTEGER NOT NULL,
     PRIMARY KEY (kind, id));`,
  `ALTER TABLE clusters ADD COLUMN keep_alive INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE clusters ADD COLUMN step_concurrency_level INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE clusters ADD COLUMN visible_to_all_users INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE clusters ADD COLUMN extended_support INTEGER;
   UPDATE clusters SET keep_alive = spec ->> 'keepAliveWhenNoSteps', step_concurrency_level = spec ->> 'stepConcurrencyLevel',
     visible_to_all_users = coalesce(spec ->> '$.shown.VisibleToAllUsers', 1);
   ALTER TABLE steps ADD COLUMN cancel_requested_at INTEGER;
   ALTER TABLE steps ADD COLUMN cancel_option TEXT;
   ALTER TABLE steps ADD COLUMN ends_cluster INTEGER NOT NULL DEFAULT 0;
   UPDATE steps SET ends_cluster = 1 WHERE state = 'FAILED' AND spec ->> 'actionOnFailure' IN ('TERMINATE_CLUSTER', 'TERMINATE_JOB_FLOW');`,
  `ALTER TABLE clusters ADD COLUMN kept_at INTEGER;`,
  iamMigration,
  `CREATE TABLE security_configurations (account_id TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, configuration TEXT NOT NULL,
     created_at INTEGER NOT NULL, PRIMARY KEY (account_id, region, name));
   CREATE TABLE block_public_access (account_id TEXT NOT NULL, region TEXT NOT NULL, configuration TEXT NOT NULL, created_at INTEGER NOT NULL,
     created_by_arn TEXT NOT NULL, PRIMARY KEY (account_id, region));
   ALTER TABLE clusters ADD COLUMN unhealthy_node_replacement INTEGER NOT NULL DEFAULT 1;
   UPDATE clusters SET unhealthy_node_replacement = coalesce(spec ->> '$.shown.UnhealthyNodeReplacement', 1);
   ALTER TABLE clusters ADD COLUMN managed_scaling_policy TEXT;
   ALTER TABLE clusters ADD COLUMN auto_termination_policy TEXT;
   ALTER TABLE instance_groups ADD COLUMN auto_scaling_policy TEXT;`,
  `ALTER TABLE clusters ADD COLUMN outcome TEXT GENERATED ALWAYS AS
     (CASE WHEN phase <> 'ended' THEN 'living' WHEN ending ->> 'failed' THEN 'failed' ELSE 'terminated' END) VIRTUAL;
   CREATE INDEX clusters_by_outcome ON clusters (account_id, region, outcome, created_at DESC, id DESC);
   CREATE INDEX steps_by_state ON steps (cluster_id, state, seq);
   CREATE INDEX warnings_by_message ON events (cluster_id, message) WHERE kind = 'warning';`,
  ec2Migration,
  `CREATE TABLE buckets (name TEXT PRIMARY KEY, account_id TEXT NOT NULL, created_at INTEGER NOT NULL, policy TEXT);`,
  trailMigration,
  `ALTER TABLE instances ADD COLUMN terminate_requested_at INTEGER;`,
  stateChangesMigration,
  `ALTER TABLE buckets ADD COLUMN tags TEXT;`,
  `ALTER TABLE clusters ADD COLUMN noted_state TEXT;
   UPDATE clusters SET noted_state = (SELECT state FROM noted_states WHERE noted_states.id = clusters.id);
   DELETE FROM noted_states WHERE id IN (SELECT id FROM clusters);
   DROP INDEX clusters_by_outcome;
   ALTER TABLE clusters DROP COLUMN outcome;
   CREATE INDEX clusters_by_state ON clusters (account_id, region, noted_state, created_at DESC, id DESC);
   CREATE INDEX clusters_by_phase ON clusters (phase, ended_at);
   CREATE INDEX wakes_by_due ON wakes (due_at);`,
  `CREATE INDEX instances_by_status ON instances (status, wanted, id);`,
  `CREATE INDEX instances_by_group ON instances (group_id);
   CREATE INDEX access_keys_by_cluster ON access_keys (cluster_id);`,
  `ALTER TABLE instance_groups ADD COLUMN shrink_policy TEXT;
   ALTER TABLE instance_groups ADD COLUMN resize INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE instance_groups ADD COLUMN resized_at INTEGER;
   ALTER TABLE instance_groups ADD COLUMN founding_count INTEGER NOT NULL DEFAULT 0;
   UPDATE instance_groups SET founding_count = requested_count;
   ALTER TABLE instances ADD COLUMN removal_requested INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE instances ADD COLUMN resize INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE instances ADD COLUMN leaving TEXT;
   ALTER TABLE instances ADD COLUMN decommission_seconds INTEGER;`,
  accessVersionMigration,
  `ALTER TABLE instance_groups ADD COLUMN fleet TEXT;
   ALTER TABLE instance_groups ADD COLUMN shift TEXT;
   ALTER TABLE instances ADD COLUMN instance_type TEXT NOT NULL DEFAULT '';
   ALTER TABLE instances ADD COLUMN market TEXT NOT NULL DEFAULT 'ON_DEMAND';
   ALTER TABLE instances ADD COLUMN weight INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE instances ADD COLUMN type_config INTEGER;
   UPDATE instances SET (instance_type, market) = (SELECT g.instance_type, g.market FROM instance_groups g WHERE g.id = instances.group_id);`,
  `ALTER TABLE instances ADD COLUMN detached_volume TEXT;`,
  `ALTER TABLE instances ADD COLUMN interrupted_at INTEGER;
   ALTER TABLE instances ADD COLUMN interruption_ends_at INTEGER;`,
  `ALTER TABLE instances ADD COLUMN unhealthy_at INTEGER;`,
];
