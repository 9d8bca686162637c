/** Roles that are linked to a service, which alone may change them: EMR's for the clean-up of clusters whose service role is gone. */
import { iamArn } from "../../access/arns.ts";
import { deleteEntity, findEntity } from "../../store/iam-entities.ts";
import { liveClusters } from "../../store/clusters.ts";
import { ensureServiceLinkedRole, linkedRoles } from "../../store/service-linked-roles.ts";
import { detachPolicy } from "../../store/iam-policies.ts";
import type { IamContext, IamRequest, In } from "./context.ts";
import { invalidInput, noSuchEntity } from "./errors.ts";
import { the } from "./lookup.ts";
import { roleSummary } from "./shapes.ts";

async function CreateServiceLinkedRole({ store, ids }: IamContext, input: In<"CreateServiceLinkedRole">, request: IamRequest) {
  const { AWSServiceName: service, CustomSuffix, Description } = input;
  const linked = Object.hasOwn(linkedRoles, service) ? linkedRoles[service] : undefined;
  if (!linked)
    throw invalidInput(
      `Service role operations for the service ${service} are not there in Howdah: it has ${Object.keys(linkedRoles).join(", ")}.`,
    );
  if (CustomSuffix !== undefined) throw invalidInput(`Custom suffix is not allowed for ${service}`);
  return store.transaction(async (tx) => {
    if (await findEntity(tx.db, request.accountId, "role", linked.name))
      throw invalidInput(`Service role name ${linked.name} has been taken in this account, please try a different suffix.`);
    const role = await ensureServiceLinkedRole(tx, ids, request.accountId, service, Description);
    return { Role: roleSummary(role) };
  });
}

/** AWS answers with a task, and deletes later; here the task is done, or has failed, when it is answered. */
async function DeleteServiceLinkedRole({ store, ids }: IamContext, input: In<"DeleteServiceLinkedRole">, request: IamRequest) {
  return store.transaction(async (tx) => {
    const role = await the(tx.db, request, "role", input.RoleName);
    if (role.linked_service === null) throw invalidInput(`The role ${role.name} is not a service-linked role.`);
    const linked = linkedRoles[role.linked_service]!;
    const path = `task/aws-service-role/${role.linked_service}/${role.name}`;
    const clusters = (await liveClusters(tx.db)).filter(({ account_id }) => account_id === request.accountId);
    if (clusters.length > 0) return { DeletionTaskId: `${path}/used-${ids.uuid()}` };
    await detachPolicy(tx, role.id, linked.policyArn);
    await deleteEntity(tx, role.id);
    return { DeletionTaskId: `${path}/${ids.uuid()}` };
  });
}

async function GetServiceLinkedRoleDeletionStatus(
  { store }: IamContext,
  input: In<"GetServiceLinkedRoleDeletionStatus">,
  request: IamRequest,
) {
  const task = /^task\/aws-service-role\/([\w.-]+)\/(\w+)\/(used-)?[0-9a-f-]{36}$/.exec(input.DeletionTaskId);
  if (!task) throw noSuchEntity(`The deletion task ${input.DeletionTaskId} cannot be found.`);
  const [, , name = "", used] = task;
  if (used === undefined) return { Status: "SUCCEEDED" as const };
  const role = await findEntity(store.db, request.accountId, "role", name);
  const clusters = (await liveClusters(store.db)).filter(({ account_id }) => account_id === request.accountId);
  const byRegion = new Map<string, string[]>();
  for (const { id, region, account_id } of clusters)
    byRegion.set(region, [...(byRegion.get(region) ?? []), `arn:aws:elasticmapreduce:${region}:${account_id}:cluster/${id}`]);
  return {
    Status: "FAILED" as const,
    Reason: {
      Reason: `${role ? iamArn(role) : name} cannot be deleted while clusters run.`,
      RoleUsageList: [...byRegion].map(([Region, Resources]) => ({ Region, Resources })),
    },
  };
}

export const serviceLinkedRoleOperations = { CreateServiceLinkedRole, DeleteServiceLinkedRole, GetServiceLinkedRoleDeletionStatus };
