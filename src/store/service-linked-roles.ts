/** Roles that services make for themselves. Source: EMR Management Guide, "Using service-linked roles for cleanup". */
import { findEntity, type IamEntity, insertEntity } from "./iam-entities.ts";
import { attachPolicy } from "./iam-policies.ts";
import type { Ids } from "./ids.ts";
import type { Tx } from "./store.ts";

export const emrServiceName = "elasticmapreduce.amazonaws.com";

/** By the service's name. */
export const linkedRoles: Record<string, { name: string; policyArn: string; description: string }> = {
  [emrServiceName]: {
    name: "AWSServiceRoleForEMRCleanup",
    policyArn: "arn:aws:iam::aws:policy/aws-service-role/AmazonEMRCleanupPolicy",
    description: "Allows EMR to terminate instances and delete resources from EC2 on your behalf.",
  },
};

/** The role, made where it is not there. */
export async function ensureServiceLinkedRole(
  tx: Tx,
  ids: Ids,
  accountId: string,
  service: string,
  description?: string,
): Promise<IamEntity> {
  const linked = linkedRoles[service]!;
  const found = await findEntity(tx.db, accountId, "role", linked.name);
  if (found) return found;
  const Statement = [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }];
  const role = await insertEntity(tx, ids, {
    account_id: accountId,
    kind: "role",
    name: linked.name,
    path: `/aws-service-role/${service}/`,
    description: description ?? linked.description,
    trust: JSON.stringify({ Version: "2012-10-17", Statement }),
    max_session_seconds: 3600,
    linked_service: service,
  });
  await attachPolicy(tx, role.id, linked.policyArn);
  return role;
}
