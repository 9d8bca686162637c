/** May this principal do this? The one place that decides for every service but S3, whose requests the front door decides about. */
import { AwsError } from "../aws/errors.ts";
import type { Protocol } from "../aws/operations.ts";
import { actionsOf } from "./actions/index.ts";
import type { Input } from "./actions/asked.ts";
import { type Circumstances, globalKeys } from "./global-keys.ts";
import { contextOf } from "./policy/context.ts";
import { decide, type Decision, denialMessage } from "./policy/decide.ts";
import type { PolicySource, Principal } from "./principal.ts";
import type { ResourceFacts } from "./resource-facts.ts";

export interface Authoriser {
  /** Throws the service's own access denied error where one action that the operation asks for is not allowed. */
  (
    principal: Principal,
    service: { signingName: string; protocol: Protocol },
    operation: string,
    input: unknown,
    request: Circumstances,
  ): void;
}

export function createAuthoriser(policies: PolicySource, facts: ResourceFacts): Authoriser {
  return (principal, service, operation, input, request) => {
    const actions = Object.hasOwn(actionsOf, service.signingName) ? actionsOf[service.signingName] : undefined;
    // What nobody has said the actions of is nobody's to do.
    if (!actions) throw accessDenied(service.protocol, `${service.signingName}:${operation} is not authorised by anything`);
    const asked = actions(operation, input as Input, { principal, region: request.region, facts });
    if (asked.length === 0) return;
    const global = contextOf(globalKeys(principal, request));
    const grants = policies.grantsOf(principal);
    for (const { action, resource, keys, policy } of asked) {
      const account = policy?.accountId ?? accountOf(resource) ?? principal.accountId;
      const ask = { action, resource, context: contextOf([...keys, ["aws:ResourceAccount", account]], global) };
      const decision = decide(principal, grants, ask, policy);
      if (!decision.allowed) throw accessDenied(service.protocol, reason(principal, ask, decision, policy?.trust ?? false));
    }
  };
}

/** Of a role's trust policy nothing is said, as in AWS: neither what it holds nor whether there is such a role. */
function reason(principal: Principal, ask: Parameters<typeof denialMessage>[1], decision: Decision, trust: boolean): string {
  if (decision.allowed) return "";
  const message = denialMessage(principal.arn, ask, decision);
  return trust ? message.replace(/ (because no|with an explicit deny) .*$/, "") : message;
}

const accountOf = (arn: string): string | undefined => /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(arn)?.[1];

function accessDenied(protocol: Protocol, message: string): AwsError {
  if (protocol === "awsQuery") return new AwsError("AccessDenied", message, 403);
  if (protocol === "ec2Query")
    return new AwsError("UnauthorizedOperation", `You are not authorized to perform this operation. ${message}`, 403);
  return new AwsError("AccessDeniedException", message);
}
