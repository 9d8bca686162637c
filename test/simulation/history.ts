/** What events have told so far, one after the other: that they are of changes, of legal ones only, and that steps begin when they may. */
import type { ShrinkPolicy } from "@aws-sdk/client-emr";
import type { Rows, readChanges } from "./rows.ts";
import { isBeingFenced, isNeededFor, stays } from "./sizes.ts";
import { clusterTransitions, groupTransitions, instanceTransitions, isLegal, stepTransitions } from "./states.ts";
import { must } from "./violation.ts";

type Change = ReturnType<typeof readChanges>[number];

export interface History {
  /** By id: what its last event said. Of instances, which have no events: what ListInstances said last. */
  readonly states: ReadonlyMap<string, string>;
  /** `sick`: instances that have been unhealthy. */
  take(changes: readonly Change[], rows: Rows, sick: ReadonlySet<string>): void;
  takeInstances(states: Iterable<[id: string, state: string]>): void;
}

export function createHistory(): History {
  const states = new Map<string, string>();
  /** Of each cluster: the last step that has begun, how many ran when last looked at, and the step whose failure ends it. */
  const clusters = new Map<string, { lastBegun: number; running: number; fatal: string | undefined }>();
  const seen = new Map<string, number>();
  /** Instances that were seen, and how many their groups were to have then. */
  const known = new Set<string>();
  const groups = new Map<string, Rows["groups"][number]>();
  /** Instances that are on their way out, as far as was seen. */
  const left = new Set<string>();
  const of = (id: string) => {
    const known = clusters.get(id) ?? { lastBegun: 0, running: 0, fatal: undefined };
    clusters.set(id, known);
    return known;
  };

  function begins(clusterId: string, stepId: string, rows: Rows): void {
    const cluster = of(clusterId);
    const step = rows.steps.find(({ id }) => id === stepId)!;
    const state = states.get(clusterId) ?? "";
    must(["RUNNING", "WAITING"].includes(state), "Steps begin when they may", () => `${stepId} began while ${clusterId} was ${state}`);
    must(step.seq > cluster.lastBegun, "Steps begin in their order", () => `${stepId} began after a later one`);
    must(
      cluster.fatal === undefined,
      "Steps begin when they may",
      () => `${stepId} began behind ${cluster.fatal}, whose failure ends ${clusterId}`,
    );
    cluster.lastBegun = step.seq;
  }

  /**
   * Nobody comes to a group that has as many as it is to have, those that were lost and are not ended for good yet among them. One that was ill or interrupted may have left in order, with
   * another in its place, in the moment before it was lost.
   */
  function checkNew(rows: Rows, sick: ReadonlySet<string>): void {
    for (const group of rows.groups) {
      const mine = rows.instances.filter((one) => one.group_id === group.id);
      const fresh = mine.filter(({ id }) => !known.has(id));
      const isGone = (one: Rows["instances"][number]) => isBeingFenced(one) && one.interrupted_at === null && !sick.has(one.id);
      const counted = fresh.length === 0 ? [] : mine.filter((one) => stays(one) || isGone(one));
      // It may have been made smaller since the last look.
      const wishes = [group, groups.get(group.id) ?? group];
      for (const one of fresh.filter((one) => counted.includes(one))) {
        const isNeeded = wishes.some((wish) => isNeededFor(wish, one, counted));
        must(isNeeded, "A lost node is replaced once", () => `${group.id} has ${counted.length} instances, and ${one.id} is one too many`);
      }
      for (const { id } of fresh) known.add(id);
      groups.set(group.id, group);
    }
  }

  return {
    states,
    take(changes, rows, sick) {
      for (const { event } of changes) {
        const { stepId, instanceGroupId, instanceFleetId, clusterId, state } = event.detail;
        const groupId = instanceGroupId ?? instanceFleetId;
        const id = stepId ?? groupId ?? clusterId;
        const table = stepId ? stepTransitions : groupId ? groupTransitions : clusterTransitions;
        const before = states.get(id) ?? "";
        must(before !== state, "One event for each change", () => `${id} is ${state}, and was so before`);
        must(isLegal(table, before, state), "Only legal transitions", () => `${id} went from ${before || "nothing"} to ${state}`);
        states.set(id, state);
        if (stepId && state === "RUNNING") begins(clusterId, stepId, rows);
        if (stepId && state === "FAILED" && rows.steps.some((step) => step.id === stepId && step.ends_cluster === 1))
          of(clusterId).fatal = stepId;
      }
      for (const { id, step_concurrency_level: level } of rows.clusters) {
        const running = rows.steps.filter((step) => step.cluster_id === id && step.state === "RUNNING").length;
        // A lower level lets those that run end by themselves.
        must(running <= Math.max(level, of(id).running), "Steps begin when they may", () => `${running} of ${id} run, and ${level} may`);
        of(id).running = running;
      }
      checkNew(rows, sick);
      for (const { id, group_id: of, leaving, interrupted_at: interrupted } of rows.instances) {
        if ((leaving !== "decommissioning" && leaving !== "stopping") || left.has(id)) continue;
        left.add(id);
        const policy = rows.groups.find((group) => group.id === of)?.shrink_policy;
        const safe = policy ? ((JSON.parse(policy) as ShrinkPolicy).InstanceResizePolicy?.InstancesToProtect ?? []) : [];
        // Protection is from groups that become smaller.
        must(!safe.includes(id) || sick.has(id) || interrupted !== null, "Protected instances stay", () => `${id} is to leave ${of}`);
      }
      for (const { id, observed_seq: seq } of rows.instances) {
        must(seq >= (seen.get(id) ?? 0), "An older report changes nothing", () => `${id} was at report ${seen.get(id)}, and is at ${seq}`);
        seen.set(id, seq);
      }
    },
    takeInstances(found) {
      for (const [id, state] of found) {
        const before = states.get(id) ?? "";
        // A new one may have come further than its first state since the last look.
        const isLegalNow = before === state || before === "" || isLegal(instanceTransitions, before, state);
        must(isLegalNow, "Only legal transitions", () => `instance ${id} went from ${before} to ${state}`);
        states.set(id, state);
      }
    },
  };
}
