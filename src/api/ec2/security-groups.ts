/** Security groups. Their rules are kept and shown (security-group-rules.ts); nothing enforces them. */
import type {
  CreateSecurityGroupRequest,
  DeleteSecurityGroupRequest,
  DescribeSecurityGroupsRequest,
  SecurityGroup as GroupShape,
  Tag,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import { attributesOf, livingClusters } from "../../store/ec2-nodes.ts";
import {
  deleteResource,
  insertResource,
  listInVpc,
  listResources,
  type SecurityGroup,
  type SecurityGroupRule,
} from "../../store/ec2-resources.ts";
import { putResourceTags, removeResourceTags, resourceTags } from "../../store/ec2-tags.ts";
import { defaultVpc, everything } from "../../store/ec2-vpcs.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { dependencyViolation, invalidValue, missing, takeOnly } from "./errors.ts";
import type { FilterTable } from "./filters.ts";
import { resourceListing, select } from "./listing.ts";
import { permissionShapes } from "./permissions.ts";
import { theGroup, theResource } from "./lookup.ts";
import { newTags } from "./tags-input.ts";

const longestText = 255;

const groupArn = (id: string, { region, accountId }: { region: string; accountId: string }) =>
  `arn:aws:ec2:${region}:${accountId}:security-group/${id}`;

const groupShape = ({ id, vpcId, spec }: SecurityGroup, request: Ec2Request, Tags: Tag[]): GroupShape => ({
  GroupId: id,
  SecurityGroupArn: groupArn(id, request),
  GroupName: spec.name,
  Description: spec.description,
  OwnerId: request.accountId,
  VpcId: vpcId ?? undefined,
  IpPermissions: permissionShapes(
    spec.rules.filter(({ isEgress }) => !isEgress),
    request,
  ),
  IpPermissionsEgress: permissionShapes(
    spec.rules.filter(({ isEgress }) => isEgress),
    request,
  ),
  Tags,
});

/** A new group lets everything out and nothing in. */
export async function CreateSecurityGroup({ store, ids }: Ec2Context, input: CreateSecurityGroupRequest, request: Ec2Request) {
  takeOnly("CreateSecurityGroup", input, ["GroupName", "Description", "VpcId", "TagSpecifications"]);
  const { GroupName: name = "", Description: description = "" } = input;
  checkText("groupName", name);
  checkText("groupDescription", description);
  if (name === "default") throw new AwsError("InvalidGroup.Reserved", "Cannot use reserved security group name: default");
  if (name.startsWith("sg-"))
    throw invalidValue(`Value (${name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.`);
  const tags = newTags("security-group", input.TagSpecifications);
  return store.transaction(async (tx) => {
    const vpc = input.VpcId === undefined ? await defaultVpc(tx.db, request) : await theResource(tx.db, request, "vpc", input.VpcId);
    if (!vpc) throw new AwsError("VPCIdNotSpecified", "No default VPC for this user. Give a VpcId.");
    if ((await listInVpc(tx.db, request, "security-group", vpc.id)).some(({ spec }) => spec.name === name))
      throw new AwsError("InvalidGroup.Duplicate", `The security group '${name}' already exists for VPC '${vpc.id}'`);
    const spec = { name, description, rules: [everything(ids, true, { cidrIpv4: "0.0.0.0/0" })] };
    const group = await insertResource(tx, request, "security-group", { id: ids.ec2("sg"), vpcId: vpc.id, spec });
    await putResourceTags(tx, request, group.id, tags);
    return { GroupId: group.id, SecurityGroupArn: groupArn(group.id, request), Tags: tags };
  });
}

function checkText(parameter: string, text: string): void {
  if (text === "") throw missing(parameter);
  if (text.length > longestText || !/^[\w .:/()#,@[\]+=&;{}!$*-]+$/.test(text))
    throw invalidValue(
      `Value (${text}) for parameter ${parameter} is invalid. It may have ${longestText} characters of a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*.`,
    );
}

/** Filters over a group's rules of one direction. */
function ruleFilters(prefix: string, isEgress: boolean, groupNames: Map<string, string>, request: Ec2Request): FilterTable<SecurityGroup> {
  const of = (look: (rule: SecurityGroupRule) => string | number | null | undefined) => (group: SecurityGroup) =>
    group.spec.rules.filter((rule) => rule.isEgress === isEgress).map(look);
  return {
    [`${prefix}.cidr`]: of(({ peer }) => ("cidrIpv4" in peer ? peer.cidrIpv4 : undefined)),
    [`${prefix}.ipv6-cidr`]: of(({ peer }) => ("cidrIpv6" in peer ? peer.cidrIpv6 : undefined)),
    [`${prefix}.from-port`]: of(({ fromPort }) => fromPort),
    [`${prefix}.to-port`]: of(({ toPort }) => toPort),
    [`${prefix}.protocol`]: of(({ protocol }) => protocol),
    [`${prefix}.group-id`]: of(({ peer }) => ("groupId" in peer ? peer.groupId : undefined)),
    [`${prefix}.group-name`]: of(({ peer }) => ("groupId" in peer ? groupNames.get(peer.groupId) : undefined)),
    [`${prefix}.user-id`]: of(({ peer }) => ("groupId" in peer ? request.accountId : undefined)),
    [`${prefix}.prefix-list-id`]: () => [],
  };
}

export async function DescribeSecurityGroups({ store }: Ec2Context, input: DescribeSecurityGroupsRequest, request: Ec2Request) {
  const tags = await resourceTags(store.db, request);
  const groups = await listResources(store.db, request, "security-group");
  const names = new Map(groups.map(({ id, spec }) => [id, spec.name]));
  const listing = resourceListing(
    "security-group",
    {
      description: ({ spec }) => spec.description,
      "group-id": ({ id }) => id,
      "group-name": ({ spec }) => spec.name,
      "owner-id": () => request.accountId,
      "vpc-id": ({ vpcId }) => vpcId,
      ...ruleFilters("ip-permission", false, names, request),
      ...ruleFilters("egress.ip-permission", true, names, request),
    },
    tags,
  );
  const byName = await Promise.all((input.GroupNames ?? []).map((GroupName) => theGroup(store.db, request, { GroupName })));
  const ids = [...(input.GroupIds ?? []), ...byName.map(({ id }) => id)];
  const { items, NextToken } = select(groups, { ...input, ids }, listing);
  return { SecurityGroups: items.map((group) => groupShape(group, request, tags.get(group.id) ?? [])), NextToken };
}

/** Refused while a cluster has it, or another group's rule names it. */
export async function DeleteSecurityGroup({ store }: Ec2Context, input: DeleteSecurityGroupRequest, request: Ec2Request) {
  return store.transaction(async (tx) => {
    const group = await theGroup(tx.db, request, input);
    if (group.spec.name === "default")
      throw new AwsError("CannotDelete", `the specified group: "${group.id}" name: "default" cannot be deleted by a user`);
    const others = (await listResources(tx.db, request, "security-group")).filter(({ id }) => id !== group.id);
    const isNamed = others.some(({ spec }) => spec.rules.some(({ peer }) => "groupId" in peer && peer.groupId === group.id));
    const isUsed = (await livingClusters(tx.db, request)).some((cluster) => groupsOfCluster(attributesOf(cluster)).includes(group.id));
    if (isNamed || isUsed) throw dependencyViolation(`resource ${group.id} has a dependent object`);
    for (const { id } of group.spec.rules) await removeResourceTags(tx, request, id, undefined);
    await deleteResource(tx, group);
    return { Return: true, GroupId: group.id };
  });
}

function groupsOfCluster(attributes: ReturnType<typeof attributesOf>): (string | undefined)[] {
  return [
    attributes.EmrManagedMasterSecurityGroup,
    attributes.EmrManagedSlaveSecurityGroup,
    attributes.ServiceAccessSecurityGroup,
    ...(attributes.AdditionalMasterSecurityGroups ?? []),
    ...(attributes.AdditionalSlaveSecurityGroups ?? []),
  ];
}
