/** What users may count on, from what they were answered. Where an answer was lost, either may be so. */
import type { Cluster } from "@aws-sdk/client-emr";
import type { Answer } from "./control-plane.ts";
import type { Rows } from "./rows.ts";
import { sizeText } from "./sizes.ts";
import { must } from "./violation.ts";

/** undefined: not known. */
interface Promised {
  isProtected: boolean | undefined;
  keepAlive: boolean | undefined;
  level: number | undefined;
  /** By key; null: it is not there. */
  tags: Map<string, string | null | undefined>;
  isTerminated: boolean;
}

export interface Promises {
  steps: Set<string>;
  cancelled: Set<string>;
  /** Of groups and fleets, as sizeText says them; undefined: not known. */
  sizes: Map<string, string | undefined>;
  /** Instances that were to end at once. */
  ending: Set<string>;
  of(clusterId: string): Promised;
  /** `change`: what the request asks for; where it was not answered it may have been done or not. */
  answered(clusterIds: readonly string[], change: Partial<Omit<Promised, "tags">>, answer: Answer): void;
  tagged(clusterId: string, key: string, value: string | null, answer: Answer): void;
  /** All that was answered is so. */
  checkRows(rows: Rows): void;
  checkCluster(cluster: Cluster): void;
}

export function createPromises(): Promises {
  const clusters = new Map<string, Promised>();
  const steps = new Set<string>();
  const cancelled = new Set<string>();
  const sizes = new Map<string, string | undefined>();
  const ending = new Set<string>();
  function of(id: string): Promised {
    const known = clusters.get(id) ?? {
      isProtected: undefined,
      keepAlive: undefined,
      level: undefined,
      tags: new Map(),
      isTerminated: false,
    };
    clusters.set(id, known);
    return known;
  }
  const kept = "What was answered is kept";
  return {
    steps,
    cancelled,
    sizes,
    ending,
    of,
    answered(ids, change, answer) {
      if (answer.kind === "refused") return;
      for (const id of ids)
        for (const [name, value] of Object.entries(change))
          Object.assign(of(id), { [name]: answer.kind === "answer" ? value : name === "isTerminated" ? of(id).isTerminated : undefined });
    },
    tagged(id, key, value, answer) {
      if (answer.kind !== "refused") of(id).tags.set(key, answer.kind === "answer" ? value : undefined);
    },
    checkRows(rows) {
      const clusterIds = new Map(rows.clusters.map((cluster) => [cluster.id, cluster]));
      for (const [id, { isTerminated }] of clusters) {
        const cluster = clusterIds.get(id);
        must(cluster !== undefined, kept, () => `${id} is not there`);
        must(
          !isTerminated || cluster.terminate_requested_at !== null || cluster.phase === "ending" || cluster.phase === "ended",
          kept,
          () => `${id} is not terminated`,
        );
      }
      const groupIds = new Map(rows.groups.map((group) => [group.id, group]));
      for (const [id, size] of sizes) {
        const group = groupIds.get(id);
        const found = group && sizeText(group);
        must(size === undefined || found === size, kept, () => `${id} is to have ${found}, and was answered to have ${size}`);
      }
      const instanceIds = new Map(rows.instances.map((instance) => [instance.id, instance]));
      for (const id of ending) must(instanceIds.get(id)?.removal_requested === 1, kept, () => `${id} is not to end`);
      const stepIds = new Map(rows.steps.map((step) => [step.id, step]));
      for (const id of steps) must(stepIds.has(id), kept, () => `step ${id} is not there`);
      for (const id of cancelled) must(stepIds.get(id)?.cancel_requested_at !== null, kept, () => `the cancellation of ${id} is not there`);
    },
    checkCluster({ Id = "", TerminationProtected, AutoTerminate, StepConcurrencyLevel, Tags }) {
      const promised = of(Id);
      const same = (name: string, wanted: unknown, found: unknown) =>
        must(
          wanted === undefined || wanted === found,
          kept,
          () => `${name} of ${Id} is ${String(found)}, and was answered to be ${String(wanted)}`,
        );
      same("TerminationProtected", promised.isProtected, TerminationProtected);
      same("AutoTerminate", promised.keepAlive === undefined ? undefined : !promised.keepAlive, AutoTerminate);
      same("StepConcurrencyLevel", promised.level, StepConcurrencyLevel);
      for (const [key, value] of promised.tags) same(`tag ${key}`, value, Tags?.find(({ Key }) => Key === key)?.Value ?? null);
    },
  };
}
