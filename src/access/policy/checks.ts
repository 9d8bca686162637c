/** What a policy must have to be stored, by what it is attached to. Each throws PolicyError. */
import { type Policy, readPolicy } from "./document.ts";
import { PolicyError } from "./policy-error.ts";

/** Managed and inline policies of users, groups and roles, boundaries and session policies. */
export function checkIdentityPolicy(text: string): Policy {
  const policy = readPolicy(text);
  if (policy.version !== "2012-10-17") throw new PolicyError("old-version");
  checkSids(policy, /^[0-9A-Za-z]*$/);
  for (const { principal, resources } of policy.statements) {
    if (principal) throw new PolicyError("principal-forbidden");
    if (!resources) throw new PolicyError("resource-missing");
  }
  return policy;
}

/** A role's trust policy: who may assume it. */
export function checkTrustPolicy(text: string): Policy {
  const policy = readPolicy(text);
  checkSids(policy, /^[0-9A-Za-z]*$/);
  for (const { principal, resources, actions } of policy.statements) {
    if (resources) throw new PolicyError("resource-forbidden");
    if (!principal) throw new PolicyError("principal-missing");
    for (const action of actions.texts) if (!/^(sts:.*|\*)$/i.test(action)) throw new PolicyError("trust-action", action);
  }
  return policy;
}

/** A bucket's policy; `bucket` is its name. */
export function checkBucketPolicy(text: string, bucket: string): Policy {
  if (!text.startsWith("{")) throw new PolicyError("json");
  const policy = readPolicy(text);
  checkSids(policy, /^/);
  const arn = `arn:aws:s3:::${bucket}`;
  for (const { principal, resources, actions } of policy.statements) {
    if (!principal) throw new PolicyError("principal-missing");
    if (!resources) throw new PolicyError("resource-missing");
    for (const { text: resource } of resources.patterns) {
      // Of this bucket or of nothing: the bucket's name may end in a wildcard, never begin with one.
      const ofBucket =
        resource === arn || resource.startsWith(`${arn}/`) || (resource.startsWith(arn) && /^[*?]/.test(resource.slice(arn.length)));
      if (!ofBucket && !resources.negated) throw new PolicyError("resource", resource);
    }
    for (const action of actions.texts) if (!/^(s3:.*|\*)$/i.test(action)) throw new PolicyError("action", action);
  }
  return policy;
}

function checkSids({ statements }: Policy, form: RegExp): void {
  if (statements.length === 0) throw new PolicyError("syntax", "Statement");
  const seen = new Set<string>();
  for (const { sid } of statements) {
    if (sid === undefined || sid === "") continue;
    if (!form.test(sid)) throw new PolicyError("sid", sid);
    if (seen.has(sid)) throw new PolicyError("same-sid", sid);
    seen.add(sid);
  }
}
