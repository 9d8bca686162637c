/**
 * The roles of a cluster: EMR's service role, and the instance profile whose role its nodes sign with. Both must be there and trust the service that
 * takes them. Source: EMR Management Guide, "Configure IAM service roles for Amazon EMR permissions to AWS services and resources".
 */
import type { RunJobFlowInput } from "@aws-sdk/client-emr";
import { trustsService } from "../../access/trust.ts";
import { validationException } from "../../aws/errors.ts";
import { defaultInstanceProfile, defaultServiceRole } from "../../store/accounts.ts";
import { findEntity, findEntityByArn, findEntityById, type IamEntity } from "../../store/iam-entities.ts";
import { emrServiceName, ensureServiceLinkedRole } from "../../store/service-linked-roles.ts";
import type { Db, Tx } from "../../store/store.ts";
import type { EmrContext, EmrRequest } from "./context.ts";

export interface JobFlowRoles {
  serviceRole: string;
  instanceProfile: string;
  warnings: string[];
}

/**
 * The names, as they were given. EMR requires both; here the account's default roles stand for those that are not named, with a warning.
 * The service-linked role for clean-up is made with an account's first cluster, as EMR makes it. Throws ValidationException.
 */
export async function readRoles(
  tx: Tx,
  { ids }: EmrContext,
  input: RunJobFlowInput,
  request: EmrRequest,
  clusterArn: string,
): Promise<JobFlowRoles> {
  const { ServiceRole: serviceRole = defaultServiceRole, JobFlowRole: instanceProfile = defaultInstanceProfile } = input;
  const role = await find(tx.db, request, "role", serviceRole);
  if (!role && input.ServiceRole === undefined) throw validationException("ServiceRole is required for creating cluster.");
  checkRole(role, serviceRole, "EMR service role", emrServiceName, request, clusterArn);

  const profile = await find(tx.db, request, "instance-profile", instanceProfile);
  if (!profile && input.JobFlowRole === undefined) throw validationException("InstanceProfile is required for creating cluster.");
  const nodeRole = profile?.role_id ? await findEntityById(tx.db, profile.role_id) : undefined;
  if (!nodeRole) throw validationException(`Invalid InstanceProfile: ${instanceProfile}.`);
  checkRole(nodeRole, nodeRole.name, `Invalid InstanceProfile: ${instanceProfile}. Its role`, "ec2.amazonaws.com", request);

  if (input.AutoScalingRole !== undefined) {
    const scaling = await find(tx.db, request, "role", input.AutoScalingRole);
    checkRole(scaling, input.AutoScalingRole, "Auto Scaling role", "application-autoscaling.amazonaws.com", request);
  }
  await ensureServiceLinkedRole(tx, ids, request.accountId, emrServiceName);
  const unnamed = (member: string, taken: string) => `${member} is required by EMR; without it ${taken} is taken`;
  return {
    serviceRole,
    instanceProfile,
    warnings: [
      ...(input.ServiceRole === undefined ? [unnamed("ServiceRole", serviceRole)] : []),
      ...(input.JobFlowRole === undefined ? [unnamed("JobFlowRole", instanceProfile)] : []),
    ],
  };
}

/** By name or ARN, of the caller's account. */
async function find(db: Db, request: EmrRequest, kind: "role" | "instance-profile", name: string): Promise<IamEntity | undefined> {
  if (!name.startsWith("arn:")) return findEntity(db, request.accountId, kind, name);
  const found = await findEntityByArn(db, name);
  return found?.kind === kind && found.account_id === request.accountId ? found : undefined;
}

function checkRole(
  role: IamEntity | undefined,
  name: string,
  what: string,
  service: string,
  request: EmrRequest,
  source?: string,
): asserts role is IamEntity {
  const arn = name.startsWith("arn:") ? name : `arn:aws:iam::${request.accountId}:role/${name}`;
  if (!role) throw validationException(`${what} ${arn} is invalid: there is no such role.`);
  if (!trustsService(role, service, source))
    throw validationException(`${what} ${arn} is invalid: its trust policy does not let ${service} assume it.`);
}
