/**
 * Which visible state may follow which, of clusters, steps, groups and instances. From the EMR Management Guide ("Understanding the cluster lifecycle",
 * "Work with steps") and the API reference. A state may be passed over where two changes come in one transaction.
 */
import type { ClusterState, InstanceGroupState, InstanceState, StepState } from "@aws-sdk/client-emr";

type Table<State extends string> = Partial<Record<State | "", readonly State[]>>;

/** "": before there is one. */
export const clusterTransitions: Table<ClusterState> = {
  "": ["STARTING"],
  STARTING: ["BOOTSTRAPPING", "RUNNING", "WAITING", "TERMINATING"],
  BOOTSTRAPPING: ["RUNNING", "WAITING", "TERMINATING"],
  RUNNING: ["WAITING", "TERMINATING"],
  WAITING: ["RUNNING", "TERMINATING"],
  TERMINATING: ["TERMINATED", "TERMINATED_WITH_ERRORS"],
};

export const stepTransitions: Table<StepState> = {
  "": ["PENDING"],
  PENDING: ["RUNNING", "CANCEL_PENDING", "CANCELLED"],
  RUNNING: ["COMPLETED", "FAILED", "CANCEL_PENDING", "CANCELLED", "INTERRUPTED"],
  // It may have ended by itself before it could be cancelled.
  CANCEL_PENDING: ["COMPLETED", "FAILED", "CANCELLED"],
};

export const groupTransitions: Table<InstanceGroupState> = {
  // One of no instances that is added to a running cluster has all that it is to have.
  "": ["PROVISIONING", "RUNNING"],
  PROVISIONING: ["BOOTSTRAPPING", "RUNNING", "RESIZING", "SUSPENDED", "TERMINATING"],
  BOOTSTRAPPING: ["RUNNING", "RESIZING", "SUSPENDED", "TERMINATING"],
  RUNNING: ["RESIZING", "TERMINATING"],
  RESIZING: ["RUNNING", "SUSPENDED", "TERMINATING"],
  SUSPENDED: ["RUNNING", "RESIZING", "TERMINATING"],
  TERMINATING: ["TERMINATED"],
};

export const instanceTransitions: Table<InstanceState> = {
  "": ["PROVISIONING"],
  PROVISIONING: ["BOOTSTRAPPING", "RUNNING", "TERMINATED"],
  BOOTSTRAPPING: ["RUNNING", "TERMINATED"],
  RUNNING: ["TERMINATED"],
};

export const isLegal = (table: Table<string>, from: string, to: string): boolean => table[from]?.includes(to) ?? false;
