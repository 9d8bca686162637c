/** Whom a role trusts: services that take it on themselves, as EMR takes a service role and EC2 the role of an instance profile, and other roles. */
import type { IamEntity } from "../store/iam-entities.ts";
import { iamArn } from "./arns.ts";
import { contextOf } from "./policy/context.ts";
import { decide } from "./policy/decide.ts";
import type { Grants, Principal } from "./principal.ts";

type Trusting = Pick<IamEntity, "account_id" | "kind" | "path" | "name" | "trust">;

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
export function trustsService(role: Trusting, service: string, source?: string): boolean {
  const context = contextOf([
    ["aws:SourceAccount", role.account_id],
    ["aws:SourceArn", source],
  ]);
  const ask = { action: "sts:AssumeRole", resource: iamArn(role), context };
  const policy = trustOf(role);
  const nothing = { identity: [], boundary: undefined, session: [] };
  return decide(servicePrincipal(service, role.account_id), nothing, ask, policy).allowed;
}

/**
 * Why a session of a cluster's own role may not assume `role`; undefined where it may. `sourceIdentity` is handed on to the new session, which needs a
 * permission of its own.
 */
export function assumeProblem(own: Principal, grants: Grants, role: Trusting, sourceIdentity: string | null = null): string | undefined {
  const [from, resource] = [own.role?.arn ?? own.arn, iamArn(role)];
  const context = contextOf([
    ["aws:PrincipalArn", from],
    ["aws:PrincipalAccount", own.accountId],
    ["sts:SourceIdentity", sourceIdentity ?? undefined],
  ]);
  for (const action of ["sts:AssumeRole", ...(sourceIdentity === null ? [] : ["sts:SetSourceIdentity"])])
    if (!decide(own, grants, { action, resource, context }, trustOf(role)).allowed)
      return `the cluster's role ${from} is not allowed ${action} on ${resource}: its trust policy must let that role assume it`;
  return undefined;
}

const trustOf = (role: Trusting) => ({ text: role.trust ?? undefined, accountId: role.account_id, trust: true });
