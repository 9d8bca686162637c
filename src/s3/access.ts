/** May this request go on to the S3 server? Decided once per request, by the policies of who asks and of the bucket. */
import type { BucketFacts } from "../access/bucket-facts.ts";
import { type Circumstances, globalKeys } from "../access/global-keys.ts";
import { contextOf } from "../access/policy/context.ts";
import { decide, type Decision, denialMessage } from "../access/policy/decide.ts";
import type { Grants, PolicySource, Principal } from "../access/principal.ts";
import { AwsError } from "../aws/errors.ts";
import { isBuiltIn } from "./emr-bucket.ts";
import type { S3Asked } from "./request.ts";

/** Everybody whom an account knows may read the built-in bucket, unless a policy of theirs forbids it. */
const builtInPolicy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: "*",
      Action: ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"],
      Resource: "arn:aws:s3:::*",
      Condition: { StringNotEquals: { "aws:PrincipalType": "Anonymous" } },
    },
  ],
});

/** One request's access; its policies are read once. */
export interface Access {
  /** Throws AccessDenied where one of these is not allowed. */
  check(asked: readonly S3Asked[]): void;
  isAllowed(asked: S3Asked): boolean;
}

/** `keys`: of the signature. `principal` is undefined for a request without one. */
export function accessOf(
  principal: Principal | undefined,
  request: Circumstances,
  keys: S3Asked["keys"],
  policies: PolicySource,
  buckets: BucketFacts,
): Access {
  const grants: Grants = principal ? policies.grantsOf(principal) : { identity: [], boundary: undefined, session: [] };
  const global = contextOf([...globalKeys(principal, request), ...keys]);

  function ownerOf(bucket: string | undefined): { accountId: string; text: string | undefined } {
    const own = principal?.accountId ?? "";
    if (bucket === undefined) return { accountId: own, text: undefined };
    if (isBuiltIn(bucket)) return { accountId: own, text: builtInPolicy };
    const { accountId, policy } = buckets.find(bucket);
    return { accountId, text: policy };
  }

  function look({ action, resource, bucket, keys: own }: S3Asked) {
    const of = ownerOf(bucket);
    const owner: S3Asked["keys"] = [
      ["s3:ResourceAccount", of.accountId],
      ["aws:ResourceAccount", of.accountId],
    ];
    const ask = { action, resource, context: contextOf([...own, ...owner], global) };
    const isOwners = principal?.accountId === of.accountId;
    // The owner's root can always mend a policy that shuts everybody out.
    if (principal?.type === "Root" && isOwners && /^s3:(Get|Put|Delete)BucketPolicy$/.test(action))
      return { ask, isOwners, decision: { allowed: true } as Decision };
    return { ask, isOwners, decision: decide(principal, grants, ask, of) };
  }

  return {
    isAllowed: (asked) => look(asked).decision.allowed,
    check(list) {
      for (const asked of list) {
        const { ask, isOwners, decision } = look(asked);
        if (decision.allowed) continue;
        // As S3 does, the reason is told within the bucket's own account only.
        if (!principal || !isOwners) throw accessDenied();
        throw accessDenied(denialMessage(principal.arn, { ...ask, resource: `"${ask.resource}"` }, decision));
      }
    },
  };
}

export const accessDenied = (message = "Access Denied") => new AwsError("AccessDenied", message, 403);
