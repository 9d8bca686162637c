/**
 * Which events a trail wants. Source: CloudTrail User Guide, "Logging management events", "Logging data events" and the API's EventSelector and
 * AdvancedEventSelector. Types of its own, light enough for the front door's thread.
 */

/** EventSelector of the API, filled in. */
export interface BasicSelector {
  ReadWriteType: "All" | "ReadOnly" | "WriteOnly";
  IncludeManagementEvents: boolean;
  DataResources: { Type: string; Values: string[] }[];
  ExcludeManagementEventSources: string[];
}

const operators = ["Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"] as const;
type Operator = (typeof operators)[number];

/** AdvancedEventSelector of the API. */
export interface AdvancedSelector {
  Name?: string;
  FieldSelectors: ({ Field: string } & Partial<Record<Operator, string[]>>)[];
}

export type Selectors = { basic: BasicSelector[] } | { advanced: AdvancedSelector[] };

/** What held for a trail while a span of the audit trail was written. */
export interface SpanRules {
  homeRegion: string;
  multiRegion: boolean;
  /** IAM's events, which are of us-east-1, go to a trail of any region. */
  globalEvents: boolean;
  selectors: Selectors;
}

/** What is asked of an event. `resources`: of S3's objects, with the ARN of a list's prefix for one. */
export interface EventFacts {
  category: "Management" | "Data";
  region: string;
  source: string;
  name: string;
  type: string;
  readOnly: boolean;
  userArn: string;
  resources: { type: string; arn: string }[];
}

export const s3Object = "AWS::S3::Object";

/** All management events, no data events. */
export const defaultSelectors: Selectors = {
  basic: [{ ReadWriteType: "All", IncludeManagementEvents: true, DataResources: [], ExcludeManagementEventSources: [] }],
};

export function isWanted(rules: SpanRules, event: EventFacts): boolean {
  const { homeRegion, multiRegion, globalEvents, selectors } = rules;
  const isGlobal = event.source === "iam.amazonaws.com";
  if (isGlobal ? !globalEvents : !multiRegion && event.region !== homeRegion) return false;
  return "basic" in selectors
    ? selectors.basic.some((selector) => basicMatches(selector, event))
    : selectors.advanced.some((selector) => advancedMatches(selector, event));
}

/** Whether any of S3's object events can be wanted. */
export function wantsData({ selectors }: SpanRules): boolean {
  return "basic" in selectors
    ? selectors.basic.some(({ DataResources }) => DataResources.length > 0)
    : selectors.advanced.some(({ FieldSelectors }) =>
        FieldSelectors.some(({ Field, Equals }) => Field === "eventCategory" && Equals?.includes("Data")),
      );
}

function basicMatches(selector: BasicSelector, event: EventFacts): boolean {
  if (selector.ReadWriteType !== "All" && (selector.ReadWriteType === "ReadOnly") !== event.readOnly) return false;
  if (event.category === "Management")
    return selector.IncludeManagementEvents && !selector.ExcludeManagementEventSources.includes(event.source);
  return selector.DataResources.some(({ Type, Values }) =>
    event.resources.some(({ type, arn }) => type === Type && Values.some((value) => arn.startsWith(value))),
  );
}

function advancedMatches({ FieldSelectors }: AdvancedSelector, event: EventFacts): boolean {
  return FieldSelectors.every((condition) => {
    const values = fieldOf(condition.Field, event, FieldSelectors);
    return values.some((value) => fieldMatches(condition, value));
  });
}

/** One of what is named, and none of what is not. */
function fieldMatches(condition: Partial<Record<Operator, string[]>>, value: string): boolean {
  const { Equals, StartsWith, EndsWith, NotEquals, NotStartsWith, NotEndsWith } = condition;
  const positive = [
    ...(Equals ?? []).map((text) => value === text),
    ...(StartsWith ?? []).map((text) => value.startsWith(text)),
    ...(EndsWith ?? []).map((text) => value.endsWith(text)),
  ];
  return (
    (positive.length === 0 || positive.includes(true)) &&
    !NotEquals?.includes(value) &&
    !NotStartsWith?.some((text) => value.startsWith(text)) &&
    !NotEndsWith?.some((text) => value.endsWith(text))
  );
}

/** resources.ARN is that of the resource whose type the selector names. */
function fieldOf(field: string, event: EventFacts, all: AdvancedSelector["FieldSelectors"]): string[] {
  switch (field) {
    case "eventCategory":
      return [event.category];
    case "eventName":
      return [event.name];
    case "eventSource":
      return [event.source];
    case "eventType":
      return [event.type];
    case "readOnly":
      return [String(event.readOnly)];
    case "userIdentity.arn":
      return [event.userArn];
    case "resources.type":
      return event.resources.map(({ type }) => type);
    case "resources.ARN": {
      const types = all.find(({ Field }) => Field === "resources.type")?.Equals ?? [];
      return event.resources.filter(({ type }) => types.includes(type)).map(({ arn }) => arn);
    }
    default:
      return [];
  }
}

/** Fields that an advanced selector may have, by category. Others are refused (src/api/cloudtrail/selectors-input.ts). */
export const advancedFields = {
  Management: ["eventCategory", "eventName", "eventSource", "eventType", "readOnly", "userIdentity.arn"],
  Data: ["eventCategory", "eventName", "eventSource", "eventType", "readOnly", "userIdentity.arn", "resources.type", "resources.ARN"],
} as const;

export const selectorOperators: readonly Operator[] = operators;

interface CloudTrailRecord {
  eventCategory: "Management" | "Data";
  awsRegion: string;
  eventSource: string;
  eventName: string;
  eventType: string;
  readOnly: boolean;
  userIdentity: { arn?: string; invokedBy?: string };
  resources?: { type: string; ARN?: string; ARNPrefix?: string }[];
}

export function factsOfRecord(text: string): EventFacts {
  const record = JSON.parse(text) as CloudTrailRecord;
  return {
    category: record.eventCategory,
    region: record.awsRegion,
    source: record.eventSource,
    name: record.eventName,
    type: record.eventType,
    readOnly: record.readOnly,
    userArn: record.userIdentity.arn ?? record.userIdentity.invokedBy ?? "",
    resources: (record.resources ?? []).map(({ type, ARN, ARNPrefix }) => ({ type, arn: ARN ?? ARNPrefix ?? "" })),
  };
}
