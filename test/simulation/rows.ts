/** What the store holds, by a connection of the simulation's own. */
import type { ClusterPhase, InstanceStatus, StepState } from "../../src/store/schema.ts";
import type { StateChangeEvent } from "../../src/store/state-change-events.ts";
import type { Base } from "./base.ts";

export interface Rows {
  clusters: {
    id: string;
    phase: ClusterPhase;
    created_at: number;
    ready_at: number | null;
    ended_at: number | null;
    terminate_requested_at: number | null;
    keep_alive: number;
    step_concurrency_level: number;
    ending_code: string | null;
    network: string | null;
  }[];
  groups: {
    id: string;
    cluster_id: string;
    role: string;
    market: string;
    requested_count: number;
    resize: number;
    shrink_policy: string | null;
    /** Of a fleet: its targets, and what timeouts have made of them. null in a group. */
    on_demand: number | null;
    spot: number | null;
    shift: { resize: number; onDemand: number; spot: number } | null;
  }[];
  instances: {
    id: string;
    cluster_id: string;
    group_id: string;
    market: string;
    weight: number;
    status: InstanceStatus;
    wanted: number;
    created_at: number;
    launched_at: number | null;
    first_ready_at: number | null;
    ended_at: number | null;
    terminate_requested_at: number | null;
    removal_requested: number;
    resize: number;
    leaving: string | null;
    interrupted_at: number | null;
    end_code: string | null;
    end_message: string | null;
    observed_seq: number;
    nodePhase: string | null;
  }[];
  steps: {
    id: string;
    cluster_id: string;
    seq: number;
    state: StepState;
    created_at: number;
    started_at: number | null;
    ended_at: number | null;
    cancel_requested_at: number | null;
    ends_cluster: number;
  }[];
}

export function readRows({ read }: Base): Rows {
  return {
    clusters: read(
      `SELECT id, phase, created_at, ready_at, ended_at, terminate_requested_at, keep_alive, step_concurrency_level, ending ->> 'code' AS ending_code, network
         FROM clusters ORDER BY rowid`,
    ) as Rows["clusters"],
    groups: read(
      `SELECT id, cluster_id, role, market, requested_count, resize, shrink_policy, fleet ->> 'onDemand' AS on_demand, fleet ->> 'spot' AS spot, shift
         FROM instance_groups ORDER BY rowid`,
    ).map((group) => ({ ...group, shift: JSON.parse(String(group["shift"])) as unknown })) as Rows["groups"],
    instances: read(
      `SELECT id, cluster_id, group_id, market, weight, status, wanted, created_at, launched_at, first_ready_at, ended_at, terminate_requested_at,
         removal_requested, resize, leaving, interrupted_at, end_code, end_message, observed_seq,
         observed ->> 'phase' AS nodePhase FROM instances ORDER BY rowid`,
    ) as Rows["instances"],
    steps: read(
      "SELECT id, cluster_id, seq, state, created_at, started_at, ended_at, cancel_requested_at, ends_cluster FROM steps ORDER BY cluster_id, seq",
    ) as Rows["steps"],
  };
}

export interface Wake {
  kind: string;
  id: string;
  failures: number;
}

export const readWakes = ({ read }: Base) => read("SELECT kind, id, failures FROM wakes ORDER BY kind, id") as unknown as Wake[];

/** Those after number `after`, in their order. */
export function readChanges({ read }: Base, after: number): { number: number; event: StateChangeEvent }[] {
  const rows = read("SELECT number, event FROM state_changes WHERE number > ? ORDER BY number", after) as {
    number: number;
    event: string;
  }[];
  return rows.map(({ number, event }) => ({ number, event: JSON.parse(event) as StateChangeEvent }));
}
