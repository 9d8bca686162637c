/** CloudTrail. Source: Service Authorization Reference, "AWS CloudTrail". */
import { type Asked, type Caller, type Input, requestTags, resourceTags, text, textsOf } from "./asked.ts";

/** Of a trail: by name or ARN. */
const trailMembers = ["TrailName", "Name"] as const;
/** Of the others: by id or ARN. */
const members = [
  ["EventDataStore", "eventdatastore"],
  ["Channel", "channel"],
  ["DashboardId", "dashboard"],
] as const;
/** What these name is a filter, or what is to be made has no ARN yet. */
const ofAccount =
  /^(DescribeTrails|LookupEvents|List(Trails|Channels|Dashboards|EventDataStores|Imports?|ImportFailures|PublicKeys)|StartImport|GetImport|StopImport)$/;

export function cloudtrailActions(operation: string, input: Input, { principal: { accountId }, region, facts }: Caller): Asked[] {
  const action = `cloudtrail:${operation}`;
  const keys = requestTags(input.TagsList ?? input.Tags);
  const arn = (kind: string, name: string) =>
    name.startsWith("arn:") ? name : `arn:aws:cloudtrail:${region}:${accountId}:${kind}/${name}`;
  const ask = (resource: string): Asked => ({ action, resource, keys: [...keys, ...resourceTags(facts.trailTags(resource))] });
  if (ofAccount.test(operation)) return [ask("*")];
  const named = [text(input.ResourceId), text(input.ResourceArn), ...textsOf(input.ResourceIdList)].filter((id) => id !== undefined);
  for (const [member, kind] of members) {
    const id = text(input[member]);
    if (id !== undefined) named.push(arn(kind, id));
  }
  if (named.length > 0) return named.map((id) => ask(arn("trail", id)));
  const made = /^Create(Channel|Dashboard|EventDataStore)$/.exec(operation)?.[1];
  if (made !== undefined) return [ask(arn(made.toLowerCase(), made === "EventDataStore" ? "*" : (text(input.Name) ?? "*")))];
  const trail = trailMembers.map((member) => text(input[member])).find((name) => name !== undefined);
  return [ask(trail === undefined ? "*" : arn("trail", trail))];
}
