/** CloudTrail's operations that are built. All others of the model answer that they are not there yet (src/api/pipeline.ts). */
import type { Handlers } from "../../aws/operations.ts";
import type { cloudtrail } from "../../aws/services/cloudtrail.ts";
import type { CloudTrailContext } from "./context.ts";
import { LookupEvents } from "./lookup-events.ts";

export function cloudTrailHandlers(context: CloudTrailContext): Handlers<typeof cloudtrail> {
  return {
    LookupEvents: (input, request) => LookupEvents(context, input, request),
  };
}
