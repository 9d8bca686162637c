/**
 * Roles in place of that of the cluster's instance profile: of a step, and of EMRFS's mappings. The profile's role assumes them, so their trust policies
 * decide. Source: EMR Management Guide, "Runtime roles for Amazon EMR steps" and "Configure IAM roles for EMRFS requests to Amazon S3".
 */
import { iamArn, sessionArn } from "../access/arns.ts";
import type { Grants, NamedPolicy, Principal } from "../access/principal.ts";
import { assumeProblem } from "../access/trust.ts";
import { defaultInstanceProfile } from "./accounts.ts";
import type { ClusterRow } from "./clusters.ts";
import { findEntity, findEntityByArn, findEntityById, type IamEntity, tagsOfEntity } from "./iam-entities.ts";
import { attachmentsOf, inlinePoliciesOf, versionsOf } from "./iam-policies.ts";
import type { Db } from "./store.ts";

export type OfCluster = Pick<ClusterRow, "id" | "account_id" | "spec">;

/** The role in the cluster's instance profile, as it is now. */
export async function nodeRole(db: Db, cluster: OfCluster): Promise<IamEntity | undefined> {
  // A name, or an ARN that ends with it.
  const name = cluster.spec.shown.Ec2InstanceAttributes?.IamInstanceProfile?.split("/").at(-1) ?? defaultInstanceProfile;
  const profile = await findEntity(db, cluster.account_id, "instance-profile", name);
  return profile?.role_id ? findEntityById(db, profile.role_id) : undefined;
}

/** The role, or why the cluster's nodes may not take it. `sourceIdentity` is handed on to the session, which needs a permission of its own. */
export async function assumableRole(
  db: Db,
  cluster: OfCluster,
  arn: string,
  sourceIdentity: string | null,
): Promise<IamEntity | { problem: string }> {
  const role = await findEntityByArn(db, arn);
  if (role?.kind !== "role") return { problem: `there is no role ${arn}` };
  const own = await nodeRole(db, cluster);
  if (!own) return { problem: "the cluster's instance profile has no role that could assume it" };
  const principal: Principal = {
    type: "AssumedRole",
    arn: sessionArn(own.account_id, own.name, cluster.id),
    accountId: own.account_id,
    id: `${own.id}:${cluster.id}`,
    role: { arn: iamArn(own), name: own.name, id: own.id },
    sessionName: cluster.id,
    tags: Object.fromEntries((await tagsOfEntity(db, own.id)).map(({ Key, Value }) => [Key, Value])),
    sessionPolicies: [],
    clusterId: cluster.id,
  };
  const problem = assumeProblem(principal, await grantsOf(db, own), role, sourceIdentity);
  return problem === undefined ? role : { problem };
}

async function grantsOf(db: Db, role: IamEntity): Promise<Grants> {
  const managed = async (arn: string): Promise<NamedPolicy[]> =>
    (await versionsOf(db, arn)).filter(({ is_default }) => is_default === 1).map(({ document }) => ({ name: arn, text: document }));
  const attached = await Promise.all((await attachmentsOf(db, role.id)).map(managed));
  const inline = (await inlinePoliciesOf(db, role.id)).map(({ name, document }): NamedPolicy => ({ name, text: document }));
  const [boundary] = role.boundary_arn === null ? [] : await managed(role.boundary_arn);
  return { identity: [...attached.flat(), ...inline], boundary, session: [] };
}
