/** Who counts in a group, by the store's rows. */
import type { Rows } from "./rows.ts";

type Instance = Rows["instances"][number];

/** Was never in use, and never will be. */
export const hasFailed = ({ first_ready_at: ready, nodePhase, end_code: code }: Instance): boolean =>
  ready === null && (nodePhase === "failed" || code === "INTERNAL_ERROR" || code === "INSTANCE_FAILURE");

/** Is there, or is coming, and is to stay. */
export const stays = (instance: Instance): boolean =>
  instance.wanted === 1 &&
  instance.leaving === null &&
  instance.removal_requested === 0 &&
  instance.status !== "terminated" &&
  !hasFailed(instance);

/** It was lost, and is not ended for good yet: nobody may take its place. */
export const isBeingFenced = ({ status, wanted }: Instance): boolean => status === "lost" && wanted === 0;

/** Its last resize has had its tries since one of them was ready. */
export function isSuspended(group: Rows["groups"][number], mine: readonly Instance[]): boolean {
  const tried = mine.slice(mine.findLastIndex(({ first_ready_at: ready }) => ready !== null) + 1);
  return tried.filter((instance) => instance.resize === group.resize && hasFailed(instance)).length >= 3;
}
