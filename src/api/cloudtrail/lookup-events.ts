/** LookupEvents: the event history of the last 90 days, of one account and region. */
import type { LookupEventsRequest } from "@aws-sdk/client-cloudtrail";
import { createHash } from "node:crypto";
import { AwsError } from "../../aws/errors.ts";
import { type LookupKey, type Position, historyMs, type StoredEvent } from "../../observe/audit.ts";
import type { CloudTrailContext, CloudTrailRequest } from "./context.ts";

const pageSize = 50;

interface Token extends Position {
  /** Of the request that it was given for. */
  digest: string;
}

/** Newest first. Pages do not change by what is recorded meanwhile: newer events come before the first one. */
export function LookupEvents({ audits }: CloudTrailContext, input: LookupEventsRequest, request: CloudTrailRequest) {
  const attributes = input.LookupAttributes ?? [];
  if (attributes.length > 1)
    throw new AwsError("InvalidLookupAttributesException", "LookupAttributes: only one attribute can be specified in a request.");
  const now = request.now.getTime();
  const from = Math.max(input.StartTime?.getTime() ?? 0, now - historyMs);
  const to = input.EndTime?.getTime() ?? now;
  if (input.StartTime && input.EndTime && input.StartTime > input.EndTime)
    throw new AwsError("InvalidTimeRangeException", "StartTime is after EndTime.");
  // Unusual activity is not looked for: there is none to tell of.
  if (input.EventCategory === "insight") return { Events: [] };
  const attribute = attributes[0] && { key: attributes[0].AttributeKey as LookupKey, value: attributes[0].AttributeValue ?? "" };
  const digest = digestOf([request.accountId, request.region, attribute, input.StartTime, input.EndTime]);
  const after = readToken(input.NextToken, digest);
  const limit = input.MaxResults ?? pageSize;
  // A second has many events, and EndTime is inclusive, though it has no fraction.
  const query = { accountId: request.accountId, region: request.region, from, to: to % 1000 === 0 ? to + 999 : to, attribute, after };
  const events = audits.event.lookUp({ ...query, limit: limit + 1 });
  const page = events.slice(0, limit);
  const last = page.at(-1);
  return {
    Events: page.map(eventShape),
    ...(events.length > limit && last && { NextToken: writeToken({ time: last.time, id: last.id, digest }) }),
  };
}

const eventShape = (event: StoredEvent) => ({
  EventId: event.eventId,
  EventName: event.name,
  ReadOnly: String(event.readOnly),
  AccessKeyId: event.accessKeyId,
  EventTime: new Date(Math.floor(event.time / 1000) * 1000),
  EventSource: event.source,
  Username: event.userName,
  Resources: event.resources.map(({ type, name }) => ({ ResourceType: type, ResourceName: name })),
  CloudTrailEvent: event.record,
});

const digestOf = (parts: unknown) => createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 16);

const writeToken = (token: Token) => Buffer.from(JSON.stringify(token)).toString("base64url");

function readToken(text: string | undefined, digest: string): Position | undefined {
  if (text === undefined) return undefined;
  try {
    const token = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Token;
    if (token.digest === digest && Number.isSafeInteger(token.time) && Number.isSafeInteger(token.id)) return token;
  } catch {
    // Refused below.
  }
  throw new AwsError(
    "InvalidNextTokenException",
    "NextToken is not valid, or was given for a request with other parameters. Leave it out to begin anew.",
  );
}
