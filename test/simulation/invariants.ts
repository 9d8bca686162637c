/** What holds after every event, and what once things are at rest. Each has a name, by which a failing seed is cut down. */
import type { Rows, Wake } from "./rows.ts";
import type { Nodes, StepTruth } from "./nodes.ts";
import { isMore, isShort, isSuspended, sizeText, stays } from "./sizes.ts";
import { spotTermination } from "../../src/store/instances.ts";
import { must } from "./violation.ts";

const inOrder = (...times: (number | null)[]) => {
  const known = times.filter((time) => time !== null);
  return known.every((time, index) => index === 0 || known[index - 1]! <= time);
};

/** After every event. */
export function checkAlways(rows: Rows, nodes: Nodes): void {
  const clusters = new Map(rows.clusters.map((cluster) => [cluster.id, cluster]));
  const instances = new Map(rows.instances.map((instance) => [instance.id, instance]));
  for (const { spec, isRunning } of nodes.provider.nodes.values()) {
    const instance = instances.get(spec.instanceId);
    must(instance !== undefined, "No instance without owner", () => `the store does not know ${spec.instanceId}`);
    must(
      !isRunning || clusters.get(spec.clusterId)?.phase !== "ended",
      "Nothing of an ended cluster runs",
      () => `${spec.instanceId} of ${spec.clusterId} does`,
    );
    must(!isRunning || instance.status !== "terminated", "Nothing of a terminated instance runs", () => `${spec.instanceId} does`);
  }
  for (const { id, status, cluster_id: of } of rows.instances)
    must(
      status === "terminated" || clusters.get(of)?.phase !== "ended",
      "An ended cluster has no instance",
      () => `${id} is ${status}, and ${of} has ended`,
    );
  for (const { id, ending_code: code, keep_alive: keepAlive } of rows.clusters)
    must(code !== "ALL_STEPS_COMPLETED" || keepAlive === 0, "A cluster that is to go on without steps does", () => `${id} ends`);
  checkLeaving(rows, nodes);
  // Its agent may have said that it is there up to a minute before it was cut off.
  for (const { id, end_message: why } of rows.instances)
    must(
      !why?.includes("has not answered") || nodes.mutedFor(id) >= 200_000,
      "Who answers is not lost",
      () => `${id} is lost (${why}), and was cut off for ${nodes.mutedFor(id)} ms`,
    );
  for (const { id, end_message: why, interrupted_at: interrupted, market } of rows.instances)
    must(
      why !== spotTermination || (interrupted !== null && market === "SPOT"),
      "Nobody is taken back without a notice",
      () => `${id}, ${market}, has ended: ${why}`,
    );
  checkSteps(rows, nodes.steps);
  for (const { id, created_at: created, started_at: started, ended_at: ended } of rows.steps)
    must(inOrder(created, started, ended), "Timelines are monotonic", () => `step ${id}: ${created}, ${started}, ${ended}`);
  for (const { id, created_at: created, ready_at: ready, ended_at: ended } of rows.clusters)
    must(inOrder(created, ready, ended), "Timelines are monotonic", () => `cluster ${id}: ${created}, ${ready}, ${ended}`);
  for (const { id, created_at: created, launched_at: launched, first_ready_at: ready, ended_at: ended } of rows.instances) {
    // An agent may report before the call that launched it has returned.
    const inTurn = inOrder(created, launched, ended) && inOrder(created, ready, ended);
    must(inTurn, "Timelines are monotonic", () => `instance ${id}: ${created}, ${launched}, ${ready}, ${ended}`);
  }
}

/** Of groups that have become smaller. */
function checkLeaving(rows: Rows, { outOfService }: Nodes): void {
  const groups = new Map(rows.groups.map((group) => [group.id, group]));
  for (const { id, group_id: of, leaving, first_ready_at: ready, removal_requested: atOnce } of rows.instances) {
    const { role } = groups.get(of)!;
    must(leaving === null || role !== "MASTER", "The master stays", () => id);
    must(
      leaving !== "stopping" || role !== "CORE" || ready === null || atOnce === 1 || outOfService.has(id),
      "No core node leaves with blocks",
      () => `${id} leaves, and its master has not said that it is out of service`,
    );
  }
}

/** The store's word for each step against its node's. */
function checkSteps(rows: Rows, truths: ReadonlyMap<string, StepTruth>): void {
  for (const { id, state, started_at: started } of rows.steps) {
    const truth = truths.get(id);
    const begun = truth?.begun ?? 0;
    const isOver = truth?.end?.state === "exited";
    const ranWell = isOver && truth?.end?.exitCode === 0;
    const what = () => `${id} is ${state}, and its node says: begun ${begun} times, ${JSON.stringify(truth?.end)}`;
    must(begun <= 1, "No step runs twice", what);
    must(begun === 0 || state !== "PENDING", "A step that has begun is not PENDING", what);
    must(begun === 0 || started !== null, "A step that has begun has a start", what);
    must(state !== "COMPLETED" || (begun === 1 && ranWell), "A step that is COMPLETED ran to its end, once", what);
    must(state !== "FAILED" || !ranWell, "A step that ran well has not FAILED", what);
  }
}

export interface Settings {
  /** Steps whose cancellation was promised. */
  cancelled: ReadonlySet<string>;
}

const activeStates = ["PENDING", "RUNNING"];

/** Why it is not at rest as its users asked; undefined where it is. Asked only while nothing goes wrong. */
export function unrest(rows: Rows, nodes: Nodes, wakes: readonly Wake[]): string | undefined {
  const active = new Map<string, string>();
  for (const step of rows.steps) if (activeStates.includes(step.state)) active.set(step.cluster_id, step.id);
  for (const { id, phase, terminate_requested_at: asked, keep_alive: keepAlive } of rows.clusters) {
    if (phase === "ended") {
      if (active.has(id)) return `${id} has ended, and its step ${active.get(id)} has not`;
      continue;
    }
    if (phase !== "ready") return `${id} is ${phase}`;
    if (asked !== null) return `${id} is to be terminated`;
    if (active.has(id)) return `${active.get(id)} of ${id} has not ended`;
    if (keepAlive === 0) return `${id} has no step, and has not ended`;
    const mine = rows.instances.filter((instance) => instance.cluster_id === id);
    for (const group of rows.groups.filter((one) => one.cluster_id === id)) {
      const its = mine.filter(({ group_id: of }) => of === group.id);
      const broken = its.find((one) => one.wanted === 1 && nodes.broken.has(one.id));
      if (broken && group.role !== "MASTER" && !isSuspended(group, its)) return `${broken.id} of ${id} has a broken disk, and stays`;
      const here = its.filter(({ status }) => status !== "terminated");
      const ready = here.filter((one) => stays(one) && one.status === "launched" && one.nodePhase === "ready");
      const isFewer = isShort(group, ready) && !isSuspended(group, its);
      if (isFewer || isMore(group, ready) || here.length > ready.length)
        return `${group.id} of ${id} has ${ready.length} instances ready, and ${here.length} in all, and is to have ${sizeText(group)}`;
    }
  }
  const running = new Set(rows.instances.filter(({ status }) => status === "launched").map(({ id }) => id));
  for (const id of running) if (!nodes.provider.nodes.get(id)?.isRunning) return `${id} does not run`;
  for (const { kind, id, failures } of wakes)
    if (failures > 0 || kind !== "watch") return `${kind} ${id} is still to be looked at (${failures} failures)`;
  return undefined;
}

/** Once at rest. */
export function checkRest(rows: Rows, nodes: Nodes, { cancelled }: Settings): void {
  const instances = new Map(rows.instances.map((instance) => [instance.id, instance]));
  for (const id of nodes.provider.nodes.keys())
    must(
      instances.get(id)?.status === "launched",
      "No instance without owner",
      () => `${id} is there, and the store says ${instances.get(id)?.status}`,
    );
  const living = rows.clusters.filter(({ phase }) => phase !== "ended").map(({ id }) => id);
  must(
    living.length === nodes.networks.size && living.every((id) => nodes.networks.has(id)),
    "Networks are those of living clusters",
    () => `${[...nodes.networks].join(", ")}; clusters ${living.join(", ")}`,
  );
  for (const { id, state, cluster_id: of, ends_cluster: endsCluster } of rows.steps) {
    const truth = nodes.steps.get(id);
    const what = () => `${id} is ${state}, and its node says: begun ${truth?.begun ?? 0} times, ${JSON.stringify(truth?.end)}`;
    const ranWell = truth?.end?.state === "exited" && truth.end.exitCode === 0;
    must(!(truth?.wasTold && ranWell) || state === "COMPLETED", "A step whose end was told is not lost", what);
    must(endsCluster === 0 || !living.includes(of), "A step that ends its cluster does", () => `${id} of ${of}`);
    must(!cancelled.has(id) || !activeStates.includes(state), "A cancellation that was answered happens", what);
  }
}
