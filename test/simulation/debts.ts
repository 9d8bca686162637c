/** Crash-only, as an invariant: whatever is still to be done has a wake in the store, so that no end of the process can make it forgotten. */
import type { Rows, Wake } from "./rows.ts";
import { isBeingFenced, isMore, isShort, isSuspended, sizeText, stays } from "./sizes.ts";
import { must } from "./violation.ts";

const owed = "What is to be done has a wake";

/** After every event, whatever is up or down. */
export function checkDebts(rows: Rows, wakes: readonly Wake[]): void {
  const woken = new Set(wakes.map(({ kind, id }) => `${kind}/${id}`));
  const debt = (kind: Wake["kind"], id: string, isOwed: boolean, what: string) =>
    must(!isOwed || woken.has(`${kind}/${id}`), owed, () => `${kind} ${id}: ${what}, and nobody will look`);

  for (const { id, status, wanted, terminate_requested_at: asked, interrupted_at: interrupted } of rows.instances) {
    debt("instance", id, wanted === 1 && status === "provisioning", "it is to be launched");
    debt("watch", "instances", wanted === 1 && status === "launched", `${id} is to be watched`);
    debt("instance", id, wanted === 1 && status === "launched" && interrupted !== null, "it is to be taken back");
    debt("instance", id, wanted === 0 && status !== "terminated", "it is to be removed");
    debt("instance", id, asked !== null && (status === "provisioning" || status === "launched"), "it is to be terminated");
  }
  const stepsOf = Map.groupBy(rows.steps, (step) => step.cluster_id);
  const instancesOf = Map.groupBy(rows.instances, (instance) => instance.cluster_id);
  for (const { id, phase, network, terminate_requested_at: asked, keep_alive: keepAlive, step_concurrency_level: level } of rows.clusters) {
    const steps = stepsOf.get(id) ?? [];
    const instances = instancesOf.get(id) ?? [];
    const isEnding = phase === "ending" || phase === "ended";
    const running = steps.filter(({ state }) => state === "RUNNING").length;
    const waiting = steps.filter(({ state }) => state === "PENDING").length;
    const fatal = steps.some((step) => step.ends_cluster === 1);
    debt("cluster", id, network === null && !isEnding, "it has no place");
    debt("cluster", id, asked !== null && !isEnding, "it is to be terminated");
    debt("cluster", id, phase === "ending" && instances.every(({ status }) => status === "terminated"), "its last instance has ended");
    debt("cluster", id, phase === "ready" && fatal, "a step has failed that ends it");
    debt("cluster", id, phase === "ready" && keepAlive === 0 && running + waiting === 0, "it has no step any more");
    debt("cluster", id, !isEnding && instances.some(({ status, wanted }) => status === "lost" && wanted === 1), "it has lost an instance");
    debt(
      "cluster",
      id,
      phase === "ready" && instances.some(({ leaving }) => leaving === "gone"),
      "HDFS is to copy what one had that is gone",
    );
    debt(
      "steps",
      id,
      steps.some((step) => step.state === "PENDING" && step.cancel_requested_at !== null),
      "a step that waits is cancelled",
    );
    debt("steps", id, phase === "ready" && asked === null && !fatal && waiting > 0 && running < level, "a step may begin");
    debt("steps", id, phase === "ended" && running + waiting > 0, "it has ended, and its steps have not");
    if (isEnding) continue;
    const waits = phase !== "ready" && instances.length > 0;
    const lacks = () =>
      rows.groups.some(
        (group) =>
          group.cluster_id === id &&
          isShort(
            group,
            instances.filter((one) => one.group_id === group.id),
          ),
      );
    debt("cluster", id, waits && lacks(), "it lacks spot capacity");
    debt("cluster", id, waits && instances.every(({ nodePhase }) => nodePhase === "ready"), "its nodes are ready");
    if (phase !== "ready") continue;
    for (const group of rows.groups.filter((one) => one.cluster_id === id && one.role !== "MASTER")) {
      const mine = instances.filter((instance) => instance.group_id === group.id);
      const staying = mine.filter(stays);
      // One that comes wakes its cluster when it is ready.
      const isLarger = isMore(group, staying) && staying.every(({ nodePhase }) => nodePhase === "ready");
      const isOther = isShort(group, [...staying, ...mine.filter(isBeingFenced)]) || isLarger;
      const isOwed = asked === null && isOther && !isSuspended(group, mine);
      debt("cluster", id, isOwed, `${group.id} is to have ${sizeText(group)}, and ${staying.length} stay`);
      debt(
        "cluster",
        id,
        mine.some((one) => one.removal_requested === 1 && one.wanted === 1),
        "one is to end at once",
      );
    }
  }
}
