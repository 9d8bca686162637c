/** Rules of security groups: kept and shown, not enforced. Nodes are reached from their host and from nowhere else, whatever a rule says. */
import type {
  AuthorizeSecurityGroupEgressRequest,
  AuthorizeSecurityGroupIngressRequest,
  DescribeSecurityGroupRulesRequest,
  IpPermission,
  ModifySecurityGroupRulesRequest,
  RevokeSecurityGroupEgressRequest,
  RevokeSecurityGroupIngressRequest,
  SecurityGroupRuleRequest,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import { changeSpec, listInVpc, listResources, type Peer, type SecurityGroup, type SecurityGroupRule } from "../../store/ec2-resources.ts";
import { putResourceTags, removeResourceTags, resourceTags } from "../../store/ec2-tags.ts";
import { defaultVpc } from "../../store/ec2-vpcs.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { invalidCombination, missing, notFound, takeOnly } from "./errors.ts";
import { select } from "./listing.ts";
import {
  describeRule,
  keyOf,
  permissionShapes,
  readDescription,
  readGroup,
  readIpv4,
  readIpv6,
  readPermissions,
  readPorts,
  type RuleInput,
  ruleShape,
} from "./permissions.ts";
import { theGroup } from "./lookup.ts";
import { newTags } from "./tags-input.ts";

/** Of one direction. */
const mostRules = 60;

const flatNames = ["IpPermissions", "IpProtocol", "FromPort", "ToPort", "CidrIp", "SourceSecurityGroupName", "GroupId"] as const;

type AuthorizeRequest = AuthorizeSecurityGroupIngressRequest | AuthorizeSecurityGroupEgressRequest;
type RevokeRequest = RevokeSecurityGroupIngressRequest | RevokeSecurityGroupEgressRequest;

export const AuthorizeSecurityGroupIngress = (context: Ec2Context, input: AuthorizeSecurityGroupIngressRequest, request: Ec2Request) => {
  takeOnly("AuthorizeSecurityGroupIngress", input, [...flatNames, "GroupName", "TagSpecifications"]);
  return authorize(context, input, request, false);
};

export const AuthorizeSecurityGroupEgress = (context: Ec2Context, input: AuthorizeSecurityGroupEgressRequest, request: Ec2Request) => {
  takeOnly("AuthorizeSecurityGroupEgress", input, [...flatNames, "TagSpecifications"]);
  return authorize(context, input, request, true);
};

/** All or none. */
async function authorize({ store, ids }: Ec2Context, input: AuthorizeRequest, request: Ec2Request, isEgress: boolean) {
  const tags = newTags("security-group-rule", input.TagSpecifications);
  return store.transaction(async (tx) => {
    const group = await theGroup(tx.db, request, input);
    const siblings = await listInVpc(tx.db, request, "security-group", group.vpcId ?? "");
    const known = new Set(group.spec.rules.filter((rule) => rule.isEgress === isEgress).map(keyOf));
    const added: SecurityGroupRule[] = [];
    for (const rule of readPermissions(input, siblings, request)) {
      if (known.has(keyOf(rule)))
        throw new AwsError("InvalidPermission.Duplicate", `the specified rule "${describeRule(rule)}" already exists`);
      known.add(keyOf(rule));
      added.push({ ...rule, id: ids.ec2("sgr"), isEgress });
    }
    if (known.size > mostRules)
      throw new AwsError(
        "RulesPerSecurityGroupLimitExceeded",
        `The maximum number of rules per security group has been reached: ${mostRules} ${isEgress ? "out" : "in"}.`,
      );
    await changeSpec(tx, group, { rules: [...group.spec.rules, ...added] });
    for (const { id } of added) await putResourceTags(tx, request, id, tags);
    return { Return: true, SecurityGroupRules: added.map((rule) => ruleShape(rule, group.id, request, tags)) };
  });
}

export const RevokeSecurityGroupIngress = (context: Ec2Context, input: RevokeSecurityGroupIngressRequest, request: Ec2Request) => {
  takeOnly("RevokeSecurityGroupIngress", input, [...flatNames, "GroupName", "SecurityGroupRuleIds"]);
  return revoke(context, input, request, false);
};

export const RevokeSecurityGroupEgress = (context: Ec2Context, input: RevokeSecurityGroupEgressRequest, request: Ec2Request) => {
  takeOnly("RevokeSecurityGroupEgress", input, [...flatNames, "SecurityGroupRuleIds"]);
  return revoke(context, input, request, true);
};

/** A rule that the group does not have: refused, but in the default VPC only told of, as EC2 has it. */
async function revoke({ store }: Ec2Context, input: RevokeRequest, request: Ec2Request, isEgress: boolean) {
  return store.transaction(async (tx) => {
    const group = await theGroup(tx.db, request, input);
    const own = group.spec.rules.filter((rule) => rule.isEgress === isEgress);
    const { gone, unknown } = input.SecurityGroupRuleIds?.length
      ? { gone: rulesById(own, input.SecurityGroupRuleIds), unknown: [] }
      : match(own, readPermissions(input, await listInVpc(tx.db, request, "security-group", group.vpcId ?? ""), request));
    const isDefault = (await defaultVpc(tx.db, request))?.id === group.vpcId;
    if (unknown.length > 0 && !isDefault)
      throw new AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
    await changeSpec(tx, group, { rules: group.spec.rules.filter((rule) => !gone.includes(rule)) });
    for (const { id } of gone) await removeResourceTags(tx, request, id, undefined);
    return {
      Return: true,
      ...(unknown.length > 0 ? { UnknownIpPermissions: permissionShapes(unknown, request) } : {}),
      RevokedSecurityGroupRules: gone.map((rule) => {
        const {
          SecurityGroupRuleArn: _arn,
          GroupOwnerId: _owner,
          Tags: _tags,
          ReferencedGroupInfo,
          ...shown
        } = ruleShape(rule, group.id, request, []);
        return { ...shown, ReferencedGroupId: ReferencedGroupInfo?.GroupId };
      }),
    };
  });
}

function rulesById(own: readonly SecurityGroupRule[], asked: readonly string[]): SecurityGroupRule[] {
  return asked.map((id) => {
    const rule = own.find((candidate) => candidate.id === id);
    if (!rule) throw notFound("security-group-rule", [id]);
    return rule;
  });
}

function match(own: readonly SecurityGroupRule[], asked: readonly RuleInput[]) {
  const gone: SecurityGroupRule[] = [];
  const unknown: RuleInput[] = [];
  for (const rule of asked) {
    const found = own.find((candidate) => keyOf(candidate) === keyOf(rule));
    if (found) gone.push(found);
    else unknown.push(rule);
  }
  return { gone, unknown };
}

interface Placed {
  rule: SecurityGroupRule;
  group: SecurityGroup;
}

export async function DescribeSecurityGroupRules({ store }: Ec2Context, input: DescribeSecurityGroupRulesRequest, request: Ec2Request) {
  const tags = await resourceTags(store.db, request);
  const groups = await listResources(store.db, request, "security-group");
  const all: Placed[] = groups.flatMap((group) => group.spec.rules.map((rule) => ({ rule, group })));
  const { items, NextToken } = select(
    all,
    { ...input, ids: input.SecurityGroupRuleIds },
    {
      thing: "security-group-rule",
      id: ({ rule }) => rule.id,
      tags: ({ rule }) => tags.get(rule.id) ?? [],
      position: ({ rule, group }) => [group.seq, rule.id],
      filters: { "group-id": ({ group }) => group.id, "security-group-rule-id": ({ rule }) => rule.id },
    },
  );
  return { SecurityGroupRules: items.map(({ rule, group }) => ruleShape(rule, group.id, request, tags.get(rule.id) ?? [])), NextToken };
}

/** All or none. What a rule is asked to be replaces the whole of it. */
export async function ModifySecurityGroupRules({ store }: Ec2Context, input: ModifySecurityGroupRulesRequest, request: Ec2Request) {
  return store.transaction(async (tx) => {
    const group = await theGroup(tx.db, request, input);
    const siblings = await listInVpc(tx.db, request, "security-group", group.vpcId ?? "");
    let rules = group.spec.rules;
    for (const { SecurityGroupRuleId, SecurityGroupRule: asked } of input.SecurityGroupRules ?? []) {
      const [rule] = rulesById(rules, [SecurityGroupRuleId ?? ""]);
      const changed = { ...readRule(asked ?? {}, siblings, request), id: rule!.id, isEgress: rule!.isEgress };
      const twin = rules.find((other) => other !== rule && other.isEgress === changed.isEgress && keyOf(other) === keyOf(changed));
      if (twin) throw new AwsError("InvalidPermission.Duplicate", `the specified rule "${describeRule(changed)}" already exists`);
      rules = rules.map((other) => (other === rule ? changed : other));
    }
    await changeSpec(tx, group, { rules });
    return { Return: true };
  });
}

function readRule(asked: SecurityGroupRuleRequest, siblings: readonly SecurityGroup[], request: Ec2Request): RuleInput {
  takeOnly("ModifySecurityGroupRules", asked, [
    "IpProtocol",
    "FromPort",
    "ToPort",
    "CidrIpv4",
    "CidrIpv6",
    "ReferencedGroupId",
    "Description",
  ]);
  const { CidrIpv4, CidrIpv6, ReferencedGroupId } = asked;
  const peers: Peer[] = [];
  if (CidrIpv4 !== undefined) peers.push(readIpv4(CidrIpv4));
  if (CidrIpv6 !== undefined) peers.push(readIpv6(CidrIpv6));
  if (ReferencedGroupId !== undefined) peers.push(readGroup({ GroupId: ReferencedGroupId }, siblings, request));
  const [peer, second] = peers;
  if (!peer) throw missing("cidrIpv4, cidrIpv6 or referencedGroupId");
  if (second) throw invalidCombination("Only one of cidrIpv4, cidrIpv6 and referencedGroupId may be specified");
  return { ...readPorts(asked), peer, description: readDescription(asked.Description) };
}

interface DescriptionsRequest {
  GroupId?: string;
  GroupName?: string;
  IpPermissions?: IpPermission[];
  SecurityGroupRuleDescriptions?: { SecurityGroupRuleId?: string; Description?: string }[];
}

export const UpdateSecurityGroupRuleDescriptionsIngress = (context: Ec2Context, input: DescriptionsRequest, request: Ec2Request) =>
  describe(context, input, request, false);
export const UpdateSecurityGroupRuleDescriptionsEgress = (context: Ec2Context, input: DescriptionsRequest, request: Ec2Request) =>
  describe(context, input, request, true);

async function describe({ store }: Ec2Context, input: DescriptionsRequest, request: Ec2Request, isEgress: boolean) {
  return store.transaction(async (tx) => {
    const group = await theGroup(tx.db, request, input);
    const siblings = await listInVpc(tx.db, request, "security-group", group.vpcId ?? "");
    const own = group.spec.rules.filter((rule) => rule.isEgress === isEgress);
    const texts = new Map<string, string | null>();
    for (const { SecurityGroupRuleId = "", Description } of input.SecurityGroupRuleDescriptions ?? []) {
      rulesById(own, [SecurityGroupRuleId]);
      texts.set(SecurityGroupRuleId, readDescription(Description));
    }
    for (const rule of input.IpPermissions?.length ? readPermissions(input, siblings, request) : []) {
      const found = own.find((candidate) => keyOf(candidate) === keyOf(rule));
      if (!found) throw new AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
      texts.set(found.id, rule.description);
    }
    const rules = group.spec.rules.map((rule) => (texts.has(rule.id) ? { ...rule, description: texts.get(rule.id) ?? null } : rule));
    await changeSpec(tx, group, { rules });
    return { Return: true };
  });
}
