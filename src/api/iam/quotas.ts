/** How much an account and its parts may have. Source: IAM User Guide, "IAM and AWS STS quotas" (defaults). */
import { countEntities } from "../../store/iam-entities.ts";
import type { IamKind } from "../../store/iam-schema.ts";
import type { Db } from "../../store/store.ts";
import type { IamRequest } from "./context.ts";
import { checkQuota } from "./documents.ts";

export const quotas = {
  AccessKeysPerUser: 2,
  AssumeRolePolicySize: 2048,
  AttachedPoliciesPerGroup: 10,
  AttachedPoliciesPerRole: 10,
  AttachedPoliciesPerUser: 10,
  GroupPolicySize: 5120,
  Groups: 300,
  GroupsPerUser: 10,
  InstanceProfiles: 1000,
  Policies: 1500,
  PolicySize: 6144,
  RolePolicySize: 10_240,
  Roles: 1000,
  UserPolicySize: 2048,
  Users: 5000,
  VersionsPerPolicy: 5,
} as const;

const ofAccount: Record<IamKind, "Users" | "Groups" | "Roles" | "InstanceProfiles" | "Policies"> = {
  user: "Users",
  group: "Groups",
  role: "Roles",
  "instance-profile": "InstanceProfiles",
  policy: "Policies",
};

/** Throws LimitExceeded where the account has as many of this kind as it may. */
export async function checkRoom(db: Db, request: IamRequest, kind: IamKind): Promise<void> {
  const name = ofAccount[kind];
  checkQuota((await countEntities(db, request.accountId))[kind] + 1, `${name}PerAccount`, quotas[name]);
}
