/** The runtime role of steps: ExecutionRoleArn of AddJobFlowSteps, StepExecutionRoleArn of RunJobFlow. */
import { validationException } from "../../aws/errors.ts";
import { type OfCluster, assumableRole } from "../../store/runtime-roles.ts";
import type { StepSpec } from "../../store/steps.ts";
import type { Db } from "../../store/store.ts";
import type { EmrRequest } from "./context.ts";

/** `name`: of the parameter. Throws ValidationException where the cluster has no runtime roles, or cannot take this one. */
export async function readExecutionRole(
  db: Db,
  cluster: OfCluster,
  arn: string | undefined,
  name: string,
  request: EmrRequest,
): Promise<Pick<StepSpec, "executionRole">> {
  if (arn === undefined || arn === "") return {};
  const { runtimeRoles } = cluster.spec;
  if (!runtimeRoles)
    throw validationException(
      `${name}: runtime roles are not enabled on ${cluster.id}. It needs a security configuration with AuthorizationConfiguration.IAMConfiguration.EnableApplicationScopedIAMRole.`,
    );
  const sourceIdentity = (runtimeRoles.propagateSourceIdentity && request.principal.sourceIdentity) || null;
  const role = await assumableRole(db, cluster, arn, sourceIdentity);
  if ("problem" in role) throw validationException(`${name}: ${role.problem}.`);
  return { executionRole: { arn, sourceIdentity } };
}
