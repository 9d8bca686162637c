/** Policy documents: checked when they come, percent-encoded when they go out, as IAM does (RFC 3986). */
import { checkIdentityPolicy, checkTrustPolicy } from "../../access/policy/checks.ts";
import { type Policy, readPolicy } from "../../access/policy/document.ts";
import { iamMessage, PolicyError } from "../../access/policy/policy-error.ts";
import { findEntityByArn } from "../../store/iam-entities.ts";
import type { Db } from "../../store/store.ts";
import { limitExceeded, malformedPolicy } from "./errors.ts";

export const encodeDocument = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function checked(check: (text: string) => Policy, text: string): Policy {
  try {
    return check(text);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const message = iamMessage(error.problem, error.detail);
    throw malformedPolicy(message.includes(error.detail) ? message : `${message} (${error.detail})`);
  }
}

/** Any policy at all. Throws MalformedPolicyDocument. */
export const checkedPolicy = (text: string): Policy => checked(readPolicy, text);

/** A policy of a user, group, role or session, or a boundary. Throws MalformedPolicyDocument. */
export const readIdentityPolicy = (text: string): Policy => checked(checkIdentityPolicy, text);

/** A role's trust policy. Users and roles of Howdah's own accounts that it names must be there. Throws MalformedPolicyDocument. */
export async function readTrustPolicy(db: Db, text: string): Promise<Policy> {
  const policy = checked(checkTrustPolicy, text);
  const named = policy.statements.flatMap(({ principal }) => [...(principal?.element.aws ?? [])]);
  for (const arn of named) {
    const account = /^arn:aws:iam::(\d{12}):/.exec(arn)?.[1];
    const isHere = account && (await db.selectFrom("accounts").select("id").where("id", "=", account).executeTakeFirst());
    if (isHere && !(await findEntityByArn(db, arn))) throw malformedPolicy(`Invalid principal in policy: "AWS":"${arn}"`);
  }
  return policy;
}

/** IAM's sizes do not count white space. */
export const sizeOf = (text: string): number => text.replace(/\s/g, "").length;

/** Throws LimitExceeded with IAM's name of the quota. */
export function checkQuota(size: number, quota: string, most: number): void {
  if (size > most) throw limitExceeded(`Cannot exceed quota for ${quota}: ${most}`);
}
