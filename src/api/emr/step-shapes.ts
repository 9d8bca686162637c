/** Steps as EMR's Step and StepSummary. Pure functions; docs/api-fields.md says which fields are never there. */
import type { Step, StepStateChangeReason, StepSummary } from "@aws-sdk/client-emr";
import { type StepRow, stepState } from "../../store/steps.ts";
import { date } from "./dates.ts";

export function stepSummary(step: StepRow): StepSummary {
  const { spec } = step;
  return {
    Id: step.id,
    Name: spec.name,
    Config: { Jar: spec.jar, Properties: spec.properties, MainClass: spec.mainClass ?? undefined, Args: spec.args },
    ActionOnFailure: spec.actionOnFailure,
    Status: {
      State: stepState(step),
      StateChangeReason: stepReason(step),
      ...(step.failure ? { FailureDetails: step.failure } : {}),
      Timeline: { CreationDateTime: new Date(step.created_at), StartDateTime: date(step.started_at), EndDateTime: date(step.ended_at) },
    },
  };
}

export const stepShape = (step: StepRow): Step => ({
  ...stepSummary(step),
  ...(step.spec.executionRole ? { ExecutionRoleArn: step.spec.executionRole.arn } : {}),
});

/** EMR has one code, NONE, and a message where a step did not end by itself. Why it failed is in FailureDetails. */
function stepReason({ state, cancel_requested_at: cancelledAt }: StepRow): StepStateChangeReason {
  if (state !== "CANCELLED" && state !== "INTERRUPTED") return {};
  return { Code: "NONE", Message: cancelledAt === null ? "Job terminated" : "Cancelled by user request" };
}
