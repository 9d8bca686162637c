/**
 * May somebody do something? Source: IAM User Guide, "Policy evaluation logic": within one account an Allow of either side is enough, across
 * accounts both must allow; boundaries and session policies only narrow; an explicit Deny anywhere is final.
 */
import type { Grants, Principal } from "../principal.ts";
import { isMet } from "./conditions.ts";
import type { Context } from "./context.ts";
import { type Policy, policyOf, type ResourcePattern, type Statement } from "./document.ts";
import { isLike, resolve, splitArn } from "./pattern.ts";
import { howNamed, isLeftOut, type Named } from "./principals.ts";

/** One action on one resource. `resource` is an ARN, or `*` where the action has no resource of its own. */
export interface Ask {
  action: string;
  resource: string;
  context: Context;
}

/** The policy of the resource that is asked for. */
export interface ResourcePolicy {
  /** Undefined where the resource could have one and has none. */
  text: string | undefined;
  /** Whose the resource is. */
  accountId: string;
  /** A role's trust policy: it must allow, whatever an identity-based policy says. */
  trust?: boolean;
}

export type PolicyKind = "identity-based policy" | "permissions boundary" | "session policy" | "resource-based policy";

export type Decision = { allowed: true } | { allowed: false; explicit: boolean; kind: PolicyKind; policy?: string };

const allowed: Decision = { allowed: true };

/**
 * Decides. `principal` is undefined for a request without a signature, which only the policy of a resource can allow. Throws PolicyError where
 * a policy that decides cannot be read: then nothing is allowed, and somebody must look.
 */
export function decide(principal: Principal | undefined, grants: Grants, ask: Ask, resource?: ResourcePolicy): Decision {
  const identity = grants.identity.map(({ name, text }) => ({ name, ...look(policyOf(text), ask) }));
  const boundary = grants.boundary && { name: grants.boundary.name, ...look(policyOf(grants.boundary.text), ask) };
  const session = grants.session.map((text) => look(policyOf(text), ask));
  const ofResource = resource?.text === undefined ? undefined : lookAtResource(policyOf(resource.text), ask, principal);

  const denying = identity.find(({ denies }) => denies);
  if (denying) return denied(true, "identity-based policy", denying.name);
  if (ofResource?.denies) return denied(true, "resource-based policy");
  if (boundary?.denies) return denied(true, "permissions boundary", boundary.name);
  if (session.some(({ denies }) => denies)) return denied(true, "session policy");

  const named = ofResource?.allows ?? "not";
  const sameAccount = !resource || principal?.accountId === resource.accountId;
  if (!principal || principal.type === "AWSService") return named === "not" ? denied(false, "resource-based policy") : allowed;
  if (named === "not" && (resource?.trust || !sameAccount)) return denied(false, "resource-based policy");
  if (sameAccount && named === "itself") return allowed;
  if (principal.type === "Root") return allowed;
  if (!(sameAccount && named === "role") && !identity.some(({ allows }) => allows)) return denied(false, "identity-based policy");
  if (boundary && !boundary.allows) return denied(false, "permissions boundary", boundary.name);
  if (session.length > 0 && !session.some(({ allows }) => allows)) return denied(false, "session policy");
  return allowed;
}

function denied(explicit: boolean, kind: PolicyKind, policy?: string): Decision {
  return { allowed: false, explicit, kind, ...(policy === undefined ? {} : { policy }) };
}

interface Look {
  allows: boolean;
  denies: boolean;
}

function look(policy: Policy, ask: Ask): Look {
  const found: Look = { allows: false, denies: false };
  for (const statement of policy.statements) {
    if (!applies(statement, ask)) continue;
    if (statement.effect === "Deny") found.denies = true;
    else found.allows = true;
  }
  return found;
}

const nearness: readonly Named[] = ["not", "account", "role", "itself"];

function lookAtResource(policy: Policy, ask: Ask, principal: Principal | undefined): { allows: Named; denies: boolean } {
  let [allows, denies]: [Named, boolean] = ["not", false];
  for (const statement of policy.statements) {
    const named = namedBy(statement, principal);
    if (named === "not" || !applies(statement, ask)) continue;
    if (statement.effect === "Deny") denies = true;
    else if (nearness.indexOf(named) > nearness.indexOf(allows)) allows = named;
  }
  return { allows, denies };
}

export function namedBy({ principal: element, effect }: Statement, principal: Principal | undefined): Named {
  if (!element) return "not";
  if (!element.negated) return howNamed(element.element, principal);
  if (isLeftOut(element.element, principal, effect)) return "not";
  // Whoever is not left out is meant as by `*`.
  return principal?.type === "AssumedRole" ? "role" : "itself";
}

export function applies(statement: Statement, ask: Ask): boolean {
  return isAbout(statement, ask) && statement.conditions.every((condition) => isMet(condition, ask.context));
}

/** Whether a statement is about this action and resource, whatever its conditions. */
export function isAbout({ actions, resources }: Statement, ask: Ask): boolean {
  const action = ask.action.toLowerCase();
  if (actions.globs.some((glob) => isLike(glob, action)) === actions.negated) return false;
  return !resources || resources.patterns.some((pattern) => isResource(pattern, ask)) !== resources.negated;
}

function isResource({ everything, fields, globs }: ResourcePattern, { resource, context }: Ask): boolean {
  if (everything) return true;
  const parts = splitArn(resource);
  if (!parts) return false;
  return parts.every((part, i) => {
    const glob = globs[i] ?? resolve(fields[i]!, context);
    return glob !== undefined && isLike(glob, part);
  });
}

/** The sentence of AWS's access denied errors. */
export function denialMessage(who: string, ask: Ask, decision: Exclude<Decision, { allowed: true }>): string {
  const { action, resource } = ask;
  const { explicit, kind } = decision;
  const article = kind === "identity-based policy" ? "an" : "a";
  const why = explicit ? `with an explicit deny in ${article} ${kind}` : `because no ${kind} allows the ${action} action`;
  return `User: ${who} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
}
