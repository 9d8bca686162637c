/** The Principal element. Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal". */
import type { Principal } from "../principal.ts";
import { PolicyError } from "./policy-error.ts";

export interface PrincipalElement {
  everyone: boolean;
  /** ARNs, ids of accounts and unique ids, as they are written. */
  aws: ReadonlySet<string>;
  services: ReadonlySet<string>;
}

/**
 * How nearly a principal is named, from not at all to itself. `account` delegates to its administrators: it allows only what an identity-based
 * policy allows too. `role` names the role of a session, whose boundary and session policies still narrow it.
 */
export type Named = "not" | "account" | "role" | "itself";

const accountForm = /^(?:arn:aws[\w-]*:iam::)?(\d{12})(?::root)?$/;
const arnForm = /^arn:aws[\w-]*:(iam::\d{12}:(user|role)\/[\w+=,.@/-]+|sts::\d{12}:(assumed-role|federated-user)\/[\w+=,.@/-]+)$/;
const idForm = /^A[A-Z0-9]{15,}$/;

/** Throws PolicyError for what names nobody. */
export function parsePrincipal(element: unknown): PrincipalElement {
  if (element === "*") return { everyone: true, aws: new Set(), services: new Set() };
  if (typeof element !== "object" || element === null || Array.isArray(element))
    throw new PolicyError("principal", JSON.stringify(element));
  const aws = new Set<string>();
  const services = new Set<string>();
  let everyone = false;
  for (const [kind, value] of Object.entries(element)) {
    for (const name of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const invalid = new PolicyError("principal", `"${kind}":${JSON.stringify(name)}`);
      if (typeof name !== "string") throw invalid;
      if (kind === "AWS" && name === "*") everyone = true;
      else if (kind === "AWS") {
        if (!accountForm.test(name) && !arnForm.test(name) && !idForm.test(name)) throw invalid;
        aws.add(accountForm.exec(name)?.[1] ?? name);
      } else if (kind === "Service") services.add(name);
      // Nobody comes to Howdah by a federation or by S3's canonical ids: such a name is kept and is nobody's.
      else if (kind !== "Federated" && kind !== "CanonicalUser") throw invalid;
    }
  }
  return { everyone, aws, services };
}

/** `undefined` is somebody who does not say who it is. */
export function howNamed(element: PrincipalElement, principal: Principal | undefined): Named {
  if (!principal) return element.everyone ? "itself" : "not";
  if (principal.type === "AWSService") return element.services.has(principal.arn) ? "itself" : "not";
  const { aws } = element;
  if (principal.type === "Root") return element.everyone || aws.has(principal.accountId) ? "itself" : "not";
  if (aws.has(principal.arn) || aws.has(principal.id)) return "itself";
  if (element.everyone) return principal.type === "AssumedRole" ? "role" : "itself";
  if (principal.role && (aws.has(principal.role.arn) || aws.has(principal.role.id))) return "role";
  return aws.has(principal.accountId) ? "account" : "not";
}

/**
 * Is the principal left out by a NotPrincipal? For a Deny, AWS wants it named with its role and its account: one that is not named is denied.
 * For an Allow, one name is enough.
 */
export function isLeftOut(element: PrincipalElement, principal: Principal | undefined, effect: "Allow" | "Deny"): boolean {
  if (effect === "Allow" || !principal || principal.type === "Root" || principal.type === "AWSService")
    return howNamed(element, principal) !== "not";
  if (element.everyone) return true;
  const { aws } = element;
  const itself = aws.has(principal.arn) || aws.has(principal.id);
  const role = !principal.role || aws.has(principal.role.arn) || aws.has(principal.role.id);
  return itself && role && aws.has(principal.accountId);
}
