/** Finding what a request names, in its own account and region only. */
import { AwsError } from "../../aws/errors.ts";
import { findResource, type Kind, listInVpc, type Resource, type SecurityGroup } from "../../store/ec2-resources.ts";
import { defaultVpc } from "../../store/ec2-vpcs.ts";
import type { Db } from "../../store/store.ts";
import type { Ec2Request } from "./context.ts";
import { checkForm, missing, notFound } from "./errors.ts";

/** Throws EC2's error for a kind of thing that has nothing with this id. */
export async function theResource<K extends Kind>(db: Db, request: Ec2Request, kind: K, id = ""): Promise<Resource<K>> {
  checkForm(kind, id);
  const resource = await findResource(db, request, kind, id);
  if (!resource) throw notFound(kind, [id]);
  return resource;
}

/** By id; or by name, which is looked for in the default VPC only, as in EC2. */
export async function theGroup(db: Db, request: Ec2Request, asked: { GroupId?: string; GroupName?: string }): Promise<SecurityGroup> {
  const { GroupId, GroupName } = asked;
  if (GroupId !== undefined) return theResource(db, request, "security-group", GroupId);
  if (GroupName === undefined) throw missing("groupId");
  const vpc = await defaultVpc(db, request);
  const group = vpc && (await listInVpc(db, request, "security-group", vpc.id)).find(({ spec }) => spec.name === GroupName);
  if (!group)
    throw new AwsError("InvalidGroup.NotFound", `The security group '${GroupName}' does not exist in default VPC '${vpc?.id ?? "none"}'`);
  return group;
}
