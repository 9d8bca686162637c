/** Carries out what users ask for: a request, and what they may count on from then on. */
import type { CancelStepsOutput, RunJobFlowOutput, StepConfig } from "@aws-sdk/client-emr";
import type { Answer } from "./control-plane.ts";
import { type Entry, mostClusters, ofAll, type PlannedStep } from "./plan.ts";
import type { Promises } from "./promises.ts";
import type { Rows } from "./rows.ts";
import { must } from "./violation.ts";

export interface Request {
  operation: string;
  input: object;
  /** The clusters that it is about. */
  clusters: string[];
  /** Called with its answer. */
  answered(answer: Answer): void;
}

const stepConfigs = (steps: readonly PlannedStep[], level: number): StepConfig[] =>
  steps.map(({ ms, exitCode, action }) => ({
    Name: `${ms}ms${exitCode === 0 ? "" : `-exit-${exitCode}`}`,
    ActionOnFailure: level > 1 ? "CONTINUE" : action,
    HadoopJarStep: { Jar: "command-runner.jar", Args: [String(ms), String(exitCode)] },
  }));

const spot = { Market: "SPOT", BidPrice: "0.1" };

const nth = <T>(list: readonly T[], n: number): T | undefined => (list.length === 0 ? undefined : list[n % list.length]);

/** undefined where there is nothing that the entry could be about. */
export function requestOf(entry: Entry, rows: Rows, promises: Promises): Request | undefined {
  const living = rows.clusters.filter(({ phase }) => phase !== "ended");
  // Most of what users ask is about what is there.
  const clusterOf = (n: number) => nth(n >= ofAll ? rows.clusters : living, n)?.id;
  const output = <T>(answer: Answer) => (answer.kind === "answer" ? (answer.output as T) : undefined);
  /** Of one cluster. */
  const simple = (
    n: number,
    operation: string,
    input: (id: string) => object,
    then: (id: string, answer: Answer) => void,
  ): Request | undefined => {
    const id = clusterOf(n);
    return id === undefined ? undefined : { operation, input: input(id), clusters: [id], answered: (answer) => then(id, answer) };
  };
  switch (entry.what) {
    case "run":
      return living.length < mostClusters ? runRequest(entry, promises) : undefined;
    case "addSteps":
      return simple(
        entry.cluster,
        "AddJobFlowSteps",
        (JobFlowId) => ({ JobFlowId, Steps: stepConfigs(entry.steps, promises.of(JobFlowId).level ?? 1) }),
        (_id, answer) => {
          for (const id of output<{ StepIds: string[] }>(answer)?.StepIds ?? []) promises.steps.add(id);
        },
      );
    case "cancel": {
      const id = clusterOf(entry.cluster);
      const steps = rows.steps.filter((step) => step.cluster_id === id);
      // The newer ones, which may not have ended.
      const asked = entry.steps.flatMap((n) => nth(steps.toReversed(), n)?.id ?? []);
      if (id === undefined || asked.length === 0) return undefined;
      const input = { ClusterId: id, StepIds: asked, StepCancellationOption: entry.kill ? "TERMINATE_PROCESS" : "SEND_INTERRUPT" };
      const answered = (answer: Answer) => {
        for (const { StepId = "", Status } of output<CancelStepsOutput>(answer)?.CancelStepsInfoList ?? [])
          if (Status === "SUBMITTED") promises.cancelled.add(StepId);
      };
      return { operation: "CancelSteps", input, clusters: [id], answered };
    }
    case "tag":
      return simple(
        entry.cluster,
        "AddTags",
        (ResourceId) => ({ ResourceId, Tags: [{ Key: entry.key, Value: entry.value }] }),
        (id, answer) => promises.tagged(id, entry.key, entry.value, answer),
      );
    case "untag":
      return simple(
        entry.cluster,
        "RemoveTags",
        (ResourceId) => ({ ResourceId, TagKeys: [entry.key] }),
        (id, answer) => promises.tagged(id, entry.key, null, answer),
      );
    case "keepAlive":
      return simple(
        entry.cluster,
        "SetKeepJobFlowAliveWhenNoSteps",
        (id) => ({ JobFlowIds: [id], KeepJobFlowAliveWhenNoSteps: entry.on }),
        (id, answer) => promises.answered([id], { keepAlive: entry.on }, answer),
      );
    case "level":
      return simple(
        entry.cluster,
        "ModifyCluster",
        (ClusterId) => ({ ClusterId, StepConcurrencyLevel: entry.level }),
        (id, answer) => promises.answered([id], { level: entry.level }, answer),
      );
    case "protect":
    case "terminate": {
      const ids = [...new Set(entry.clusters.flatMap((n) => clusterOf(n) ?? []))];
      if (ids.length === 0) return undefined;
      return entry.what === "terminate" ? terminateRequest(ids, rows, promises) : protectRequest(ids, entry.on, promises);
    }
    case "terminateInstance": {
      const node = nth(
        rows.instances.filter(({ status }) => status !== "terminated"),
        entry.node,
      );
      return (
        node && { operation: "TerminateInstances", input: { InstanceIds: [node.id] }, clusters: [node.cluster_id], answered: () => {} }
      );
    }
    case "resize":
      return resizeRequest(entry, rows, clusterOf(entry.cluster), promises);
    case "addGroup":
      if (hasFleets(rows, clusterOf(entry.cluster)))
        return simple(
          entry.cluster,
          "AddInstanceFleet",
          (ClusterId) => ({ ClusterId, InstanceFleet: fleetConfig("TASK", entry.count, entry.count % 2) }),
          (_id, answer) => {
            const id = output<{ InstanceFleetId: string }>(answer)?.InstanceFleetId;
            if (id) promises.sizes.set(id, `${entry.count} + ${entry.count % 2}`);
          },
        );
      return simple(
        entry.cluster,
        "AddInstanceGroups",
        (JobFlowId) => ({
          JobFlowId,
          InstanceGroups: [{ InstanceRole: "TASK", InstanceType: "m5.xlarge", InstanceCount: entry.count, ...spot }],
        }),
        (_id, answer) => {
          for (const id of output<{ InstanceGroupIds: string[] }>(answer)?.InstanceGroupIds ?? [])
            promises.sizes.set(id, String(entry.count));
        },
      );
    default:
      throw new Error(`${entry.what} is nothing that users ask for`);
  }
}

const hasFleets = (rows: Rows, clusterId: string | undefined): boolean =>
  rows.groups.some((group) => group.cluster_id === clusterId && group.on_demand !== null);

/** Units; the master is one. Its timeouts are EMR's shortest. */
const fleetConfig = (InstanceFleetType: string, TargetOnDemandCapacity: number, TargetSpotCapacity: number) => ({
  InstanceFleetType,
  TargetOnDemandCapacity,
  TargetSpotCapacity,
  InstanceTypeConfigs: [
    { InstanceType: "m5.xlarge", BidPrice: "0.1" },
    ...(InstanceFleetType === "MASTER" ? [] : [{ InstanceType: "m5.2xlarge", WeightedCapacity: 3 }]),
  ],
  LaunchSpecifications: {
    SpotSpecification: {
      TimeoutDurationMinutes: 5,
      TimeoutAction: TargetOnDemandCapacity > 1 ? "TERMINATE_CLUSTER" : "SWITCH_TO_ON_DEMAND",
    },
  },
  ResizeSpecifications: {
    OnDemandResizeSpecification: { TimeoutDurationMinutes: 5 },
    SpotResizeSpecification: { TimeoutDurationMinutes: 6 },
  },
});

function runRequest(entry: Extract<Entry, { what: "run" }>, promises: Promises): Request {
  const { level, keepAlive, isProtected } = entry;
  const group = (InstanceRole: string, InstanceCount: number) =>
    InstanceCount === 0
      ? []
      : [
          {
            InstanceRole,
            InstanceCount,
            InstanceType: "m5.xlarge",
            Name: InstanceRole,
            // All of a cluster, sometimes, else what can be done without.
            ...(InstanceRole === "TASK" || entry.core % 3 === 0 ? spot : {}),
          },
        ];
  const fleets = [
    fleetConfig("MASTER", 1, 0),
    ...(entry.core > 0 ? [fleetConfig("CORE", entry.core, entry.task)] : []),
    ...(entry.core > 1 ? [fleetConfig("TASK", 0, entry.task)] : []),
  ];
  const groups = [...group("MASTER", 1), ...group("CORE", entry.core), ...group("TASK", entry.core === 0 ? 0 : entry.task)];
  const input = {
    Name: "simulated",
    ReleaseLabel: "emr-7.13.0",
    ServiceRole: "EMR_DefaultRole",
    JobFlowRole: "EMR_EC2_DefaultRole",
    StepConcurrencyLevel: level,
    Instances: {
      ...(entry.hasFleets ? { InstanceFleets: fleets } : { InstanceGroups: groups }),
      KeepJobFlowAliveWhenNoSteps: keepAlive,
      TerminationProtected: isProtected,
    },
    Steps: stepConfigs(entry.steps, level),
    BootstrapActions: entry.bootstrap.map(({ ms, exitCode }, n) => ({
      Name: `action ${n}`,
      ScriptBootstrapAction: { Path: "s3://b/action", Args: [String(ms), String(exitCode)] },
    })),
  };
  return {
    operation: "RunJobFlow",
    input,
    clusters: [],
    answered(answer) {
      const id = answer.kind === "answer" && (answer.output as RunJobFlowOutput).JobFlowId;
      if (id) promises.answered([id], { keepAlive, isProtected, level }, answer);
    },
  };
}

function resizeRequest(
  entry: Extract<Entry, { what: "resize" }>,
  rows: Rows,
  ClusterId: string | undefined,
  promises: Promises,
): Request | undefined {
  const groups = rows.groups.filter((group) => group.cluster_id === ClusterId && group.role !== "MASTER");
  const group = nth(groups, entry.group);
  if (ClusterId === undefined || !group) return undefined;
  if (group.on_demand !== null) {
    const InstanceFleet = { InstanceFleetId: group.id, TargetOnDemandCapacity: entry.count, TargetSpotCapacity: entry.spot };
    return {
      operation: "ModifyInstanceFleet",
      input: { ClusterId, InstanceFleet },
      clusters: [ClusterId],
      answered(answer) {
        if (answer.kind !== "refused")
          promises.sizes.set(group.id, answer.kind === "answer" ? `${entry.count} + ${entry.spot}` : undefined);
      },
    };
  }
  const mine = rows.instances.filter(({ group_id: of, status }) => of === group.id && status !== "terminated").map(({ id }) => id);
  const some = (numbers: readonly number[]) => [...new Set(numbers.flatMap((n) => nth(mine, n) ?? []))];
  const [ending, leaving] = [some(entry.atOnce), some(entry.leave)];
  const isAtOnce = ending.length > 0;
  const change = isAtOnce
    ? { EC2InstanceIdsToTerminate: ending }
    : {
        InstanceCount: entry.count,
        ShrinkPolicy: {
          DecommissionTimeout: entry.seconds,
          InstanceResizePolicy: {
            InstancesToTerminate: leaving,
            InstancesToProtect: some(entry.protect).filter((id) => !leaving.includes(id)),
          },
        },
      };
  return {
    operation: "ModifyInstanceGroups",
    input: { ClusterId, InstanceGroups: [{ InstanceGroupId: group.id, ...change }] },
    clusters: [ClusterId],
    answered(answer) {
      if (answer.kind === "refused") return;
      // How many of those that end at once were counted, its answer does not say.
      promises.sizes.set(group.id, answer.kind === "answer" && !isAtOnce ? String(entry.count) : undefined);
      if (answer.kind === "answer") for (const id of ending) promises.ending.add(id);
    },
  };
}

export function protectRequest(ids: string[], on: boolean, promises: Promises): Request {
  return {
    operation: "SetTerminationProtection",
    input: { JobFlowIds: ids, TerminationProtected: on },
    clusters: ids,
    answered: (answer) => promises.answered(ids, { isProtected: on }, answer),
  };
}

export function terminateRequest(ids: string[], rows: Rows, promises: Promises): Request {
  const living = rows.clusters.filter(
    ({ id, phase, terminate_requested_at: asked }) => ids.includes(id) && phase !== "ending" && phase !== "ended" && asked === null,
  );
  const safe = living.filter(({ id }) => promises.of(id).isProtected === true);
  return {
    operation: "TerminateJobFlows",
    input: { JobFlowIds: ids },
    clusters: ids,
    answered(answer) {
      // Other requests of the same moment may have taken it off.
      const isSafe = safe.some(({ id }) => promises.of(id).isProtected === true);
      must(answer.kind !== "answer" || !isSafe, "Protection protects", () => `${ids.join(", ")} could be terminated`);
      promises.answered(ids, { isTerminated: true }, answer);
    },
  };
}
