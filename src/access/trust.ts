/** Whom a role trusts: the services that take it on themselves, as EMR takes a service role and EC2 the role of an instance profile. */
import type { IamEntity } from "../store/iam-entities.ts";
import { iamArn } from "./arns.ts";
import { contextOf } from "./policy/context.ts";
import { decide } from "./policy/decide.ts";
import type { Principal } from "./principal.ts";

export const servicePrincipal = (name: string, accountId: string): Principal => ({
  type: "AWSService",
  arn: name,
  accountId,
  id: name,
  tags: {},
  sessionPolicies: [],
  clusterId: null,
});

/** May the service assume the role? `source`: the ARN of what it does so for; policies against confused deputies ask for it and its account. */
export function trustsService(role: IamEntity, service: string, source?: string): boolean {
  const context = contextOf([
    ["aws:SourceAccount", role.account_id],
    ["aws:SourceArn", source],
  ]);
  const ask = { action: "sts:AssumeRole", resource: iamArn(role), context };
  const policy = { text: role.trust ?? undefined, accountId: role.account_id, trust: true };
  const nothing = { identity: [], boundary: undefined, session: [] };
  return decide(servicePrincipal(service, role.account_id), nothing, ask, policy).allowed;
}
