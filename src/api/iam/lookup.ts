/** Finding what a request names, in its own account only. */
import { awsManagedPolicy } from "../../access/aws-managed-policies.ts";
import { AwsError } from "../../aws/errors.ts";
import { findEntity, findEntityByArn, type IamEntity } from "../../store/iam-entities.ts";
import type { IamKind } from "../../store/iam-schema.ts";
import type { Db } from "../../store/store.ts";
import type { IamRequest } from "./context.ts";
import { noSuchEntity, unmodifiable, validationError } from "./errors.ts";

const nouns: Record<IamKind, string> = {
  user: "The user with name",
  group: "The group with name",
  role: "The role with name",
  "instance-profile": "Instance Profile",
  policy: "The policy with name",
};

/** Throws NoSuchEntity. */
export async function the(db: Db, request: IamRequest, kind: IamKind, name: string): Promise<IamEntity> {
  const found = await findEntity(db, request.accountId, kind, name);
  if (!found) throw noSuchEntity(`${nouns[kind]} ${name} cannot be found.`);
  return found;
}

/** For changes: a role that is linked to a service is that service's alone. */
export async function theOwnRole(db: Db, request: IamRequest, name: string): Promise<IamEntity> {
  const role = await the(db, request, "role", name);
  if (role.linked_service !== null)
    throw unmodifiable(`Cannot perform the operation on the protected role '${role.name}' - this role is only modifiable by AWS`);
  return role;
}

/** Where an operation's user is optional, it is whoever signs. */
export async function theUserOrSelf(db: Db, request: IamRequest, name: string | undefined): Promise<IamEntity> {
  const self = request.principal.type === "IAMUser" ? request.principal.userName : undefined;
  const user = name ?? self;
  if (user === undefined) throw validationError("Must specify userName when calling with non-User credentials");
  return the(db, request, "user", user);
}

/** A customer managed policy of the account. Throws for one of AWS's, which nobody changes, and for one that is not there. */
export async function theOwnPolicy(db: Db, request: IamRequest, arn: string): Promise<IamEntity> {
  if (awsManagedPolicy(arn)) throw new AwsError("AccessDenied", `${arn} is AWS's own policy: it cannot be changed.`, 403);
  const policy = await findEntityByArn(db, arn);
  if (policy?.kind !== "policy" || policy.account_id !== request.accountId) throw noSuchEntity(`Policy ${arn} was not found.`);
  return policy;
}

/** Whether the account can attach this policy: its own, or one of AWS's. */
export async function isAttachable(db: Db, request: IamRequest, arn: string): Promise<boolean> {
  if (awsManagedPolicy(arn)) return true;
  const policy = await findEntityByArn(db, arn);
  return policy?.kind === "policy" && policy.account_id === request.accountId;
}
