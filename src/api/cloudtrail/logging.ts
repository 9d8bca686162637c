/** StartLogging, StopLogging, GetTrailStatus. */
import { closeSpan, openSpan, setTrailWish, spansOf, type TrailRow } from "../../store/trails.ts";
import { type CloudTrailContext, type CloudTrailRequest, positionOf } from "./context.ts";
import { theTrail, theTrailAtHome } from "./lookup.ts";
import { rulesOf } from "./trails.ts";

/** From the events after this call on. A trail that logs goes on. */
export async function StartLogging(context: CloudTrailContext, input: { Name: string }, request: CloudTrailRequest) {
  return context.store.transaction(async (tx) => {
    const trail = await theTrailAtHome(tx.db, request, input.Name);
    const isLogging = (await spansOf(tx.db, trail.arn)).some(({ to }) => to === null);
    if (isLogging) return {};
    await openSpan(tx, trail.arn, rulesOf(trail), positionOf(context));
    await setTrailWish(tx, trail.arn, { logging_started_at: tx.now });
    await tx.wake("trail", trail.arn);
    return {};
  });
}

/** What was before is still delivered. */
export async function StopLogging(context: CloudTrailContext, input: { Name: string }, request: CloudTrailRequest) {
  return context.store.transaction(async (tx) => {
    const { arn } = await theTrailAtHome(tx.db, request, input.Name);
    if (!(await closeSpan(tx, arn, positionOf(context)))) return {};
    await setTrailWish(tx, arn, { logging_stopped_at: tx.now });
    await tx.wake("trail", arn);
    return {};
  });
}

export async function GetTrailStatus({ store }: CloudTrailContext, input: { Name: string }, request: CloudTrailRequest) {
  const trail = await theTrail(store.db, request, input.Name);
  const spans = await spansOf(store.db, trail.arn);
  return statusShape(
    trail,
    spans.some(({ to }) => to === null),
  );
}

const date = (time: number | null) => (time === null ? undefined : new Date(time));
const text = (time: number | null) => (time === null ? "" : new Date(time).toISOString().replace(/\.\d{3}Z$/, "Z"));

function statusShape(trail: TrailRow, isLogging: boolean) {
  return {
    IsLogging: isLogging,
    LatestDeliveryError: trail.attempt_error ?? undefined,
    LatestDeliveryTime: date(trail.delivered_at),
    StartLoggingTime: date(trail.logging_started_at),
    StopLoggingTime: date(trail.logging_stopped_at),
    LatestDeliveryAttemptTime: text(trail.attempted_at),
    LatestNotificationAttemptTime: "",
    LatestNotificationAttemptSucceeded: "",
    LatestDeliveryAttemptSucceeded: text(trail.attempt_error === null ? trail.attempted_at : trail.delivered_at),
    TimeLoggingStarted: text(trail.logging_started_at),
    TimeLoggingStopped: text(trail.logging_stopped_at),
  };
}
