/** The condition keys that every request has. Source: IAM User Guide, "AWS global condition context keys". */
import type { ContextValue } from "./policy/context.ts";
import type { Principal } from "./principal.ts";

/** What of a request is not its operation: where it comes from, and when. */
export interface Circumstances {
  sourceIp: string;
  secure: boolean;
  userAgent: string;
  now: Date;
  /** Empty where the request names none. */
  region: string;
}

const types = { Root: "Account", IAMUser: "User", AssumedRole: "AssumedRole", AWSService: "Service" } as const;

/** `principal` is undefined for a request without a signature. */
export function globalKeys(principal: Principal | undefined, request: Circumstances): [string, ContextValue | undefined][] {
  const { sourceIp, secure, userAgent, now, region } = request;
  return [
    ["aws:SourceIp", sourceIp || undefined],
    ["aws:SecureTransport", String(secure)],
    ["aws:UserAgent", userAgent || undefined],
    ["aws:CurrentTime", isoTime(now)],
    ["aws:EpochTime", String(Math.floor(now.getTime() / 1000))],
    ["aws:RequestedRegion", region || undefined],
    ["aws:ViaAWSService", "false"],
    ["aws:PrincipalIsAWSService", String(principal?.type === "AWSService")],
    ...(principal
      ? principalKeys(principal)
      : ([
          ["aws:PrincipalType", "Anonymous"],
          ["aws:userid", "anonymous"],
        ] as [string, string][])),
  ];
}

function principalKeys(principal: Principal): [string, ContextValue | undefined][] {
  const { type, arn, role, accountId, id, userName, sessionIssuedAt, sourceIdentity, tags } = principal;
  const temporary = sessionIssuedAt !== undefined;
  return [
    ["aws:PrincipalType", types[type]],
    // Of a session, its role's.
    ["aws:PrincipalArn", role?.arn ?? arn],
    ["aws:PrincipalAccount", accountId || undefined],
    ["aws:userid", id],
    ["aws:username", userName],
    ["aws:TokenIssueTime", temporary ? isoTime(new Date(sessionIssuedAt)) : undefined],
    // Long-term keys do not have it; Howdah has no second factor, so a session is always without.
    ["aws:MultiFactorAuthPresent", temporary ? "false" : undefined],
    ["aws:SourceIdentity", sourceIdentity],
    ...Object.entries(tags).map(([key, value]): [string, string] => [`aws:PrincipalTag/${key}`, value]),
  ];
}

const isoTime = (time: Date) => time.toISOString().replace(/\.\d{3}Z$/, "Z");
