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

/** Its last resize has had its tries. */
export const isSuspended = (group: Rows["groups"][number], mine: readonly Instance[]): boolean =>
  mine.filter((instance) => instance.resize === group.resize && hasFailed(instance)).length >= 3;
