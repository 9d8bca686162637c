/** STS. Source: Service Authorization Reference, "AWS Security Token Service", and the API reference of each operation. */
import { type Asked, type Caller, type Input, requestTags, resourceTags, text, textsOf } from "./asked.ts";

/** "No permissions are required": who asks has shown its key, and no policy can take these away. */
const free = new Set(["GetCallerIdentity", "GetSessionToken"]);

export function stsActions(operation: string, input: Input, caller: Caller): Asked[] {
  if (free.has(operation)) return [];
  const action = `sts:${operation}`;
  const tags = requestTags(input.Tags);
  const keys: Asked["keys"] = [
    ...tags,
    ["sts:RoleSessionName", text(input.RoleSessionName)],
    ["sts:ExternalId", text(input.ExternalId)],
    ["sts:SourceIdentity", text(input.SourceIdentity)],
    ["sts:DurationSeconds", typeof input.DurationSeconds === "number" ? String(input.DurationSeconds) : undefined],
  ];
  const transitive = textsOf(input.TransitiveTagKeys);
  if (transitive.length > 0) keys.push(["sts:TransitiveTagKeys", transitive]);
  const role = text(input.RoleArn);
  if (role === undefined) return [{ action, resource: resourceOf(operation, input, caller), keys }];

  const accountId = role.split(":")[4] ?? "";
  const found = caller.facts.role(role);
  const asked = (action: string): Asked => ({
    action,
    resource: role,
    keys: [...keys, ...resourceTags(found?.tags, "iam")],
    policy: { text: found?.trust ?? undefined, accountId, trust: true },
  });
  const actions = [action];
  // Session tags and a source identity are permissions of their own.
  if (tags.length > 0) actions.push("sts:TagSession");
  if (text(input.SourceIdentity) !== undefined) actions.push("sts:SetSourceIdentity");
  return actions.map(asked);
}

function resourceOf(operation: string, input: Input, { principal: { accountId } }: Caller): string {
  if (operation === "GetFederationToken") return `arn:aws:sts::${accountId}:federated-user/${text(input.Name) ?? ""}`;
  if (operation === "AssumeRoot") return `arn:aws:iam::${/\d{12}/.exec(text(input.TargetPrincipal) ?? "")?.[0] ?? accountId}:root`;
  return "*";
}
