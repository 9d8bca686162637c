/** CloudTrail's operations that are built. All others of the model answer that they are not there yet (src/api/pipeline.ts). */
import type { Handlers } from "../../aws/operations.ts";
import type { cloudtrail } from "../../aws/services/cloudtrail.ts";
import { bindQuery, type Operations } from "../bind.ts";
import type { CloudTrailContext } from "./context.ts";
import { GetEventSelectors, GetInsightSelectors, PutEventSelectors } from "./event-selectors.ts";
import { GetTrailStatus, StartLogging, StopLogging } from "./logging.ts";
import { LookupEvents } from "./lookup-events.ts";
import { AddTags, ListTags, RemoveTags } from "./tags.ts";
import { CreateTrail, DeleteTrail, DescribeTrails, GetTrail, ListTrails, UpdateTrail } from "./trails.ts";

const operations: Operations<typeof cloudtrail, CloudTrailContext> = {
  LookupEvents,
  CreateTrail,
  UpdateTrail,
  DeleteTrail,
  DescribeTrails,
  GetTrail,
  ListTrails,
  StartLogging,
  StopLogging,
  GetTrailStatus,
  PutEventSelectors,
  GetEventSelectors,
  GetInsightSelectors,
  AddTags,
  RemoveTags,
  ListTags,
};

export const cloudTrailHandlers = (context: CloudTrailContext): Handlers<typeof cloudtrail> =>
  bindQuery<typeof cloudtrail, CloudTrailContext>(context, operations, undefined, "ValidationException");
