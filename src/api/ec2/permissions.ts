/** Rules of security groups as requests give them and answers have them: IpPermissions gather the rules of one protocol and port range. */
import type { IpPermission, SecurityGroupRule as RuleShape, Tag, UserIdGroupPair } from "@aws-sdk/client-ec2";
import type { Peer, SecurityGroup, SecurityGroupRule } from "../../store/ec2-resources.ts";
import { blockText, ipv6Block, parseBlock } from "./cidr.ts";
import type { Ec2Request } from "./context.ts";
import { invalidValue, missing, notFound, unsupported } from "./errors.ts";

/** A rule that has no id and no group yet. */
export type RuleInput = Pick<SecurityGroupRule, "protocol" | "fromPort" | "toPort" | "peer" | "description">;

const protocolNumbers: Record<string, string> = { "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", all: "-1" };
const longestDescription = 255;
const highestPort = 65_535;

/** The older spelling, in which a request is one rule; EC2 reads it still. */
export interface FlatPermission {
  IpPermissions?: IpPermission[];
  IpProtocol?: string;
  FromPort?: number;
  ToPort?: number;
  CidrIp?: string;
  SourceSecurityGroupName?: string;
}

/** `siblings`: the groups of the VPC, for rules that name one. Throws InvalidParameterValue, MissingParameter, InvalidGroup.NotFound. */
export function readPermissions(input: FlatPermission, siblings: readonly SecurityGroup[], request: Ec2Request): RuleInput[] {
  const permissions = input.IpPermissions?.length ? input.IpPermissions : flat(input);
  return permissions.flatMap((permission) => readPermission(permission, siblings, request));
}

function flat({ IpProtocol, FromPort, ToPort, CidrIp, SourceSecurityGroupName: name }: FlatPermission): IpPermission[] {
  if (name !== undefined)
    // All of tcp, udp and icmp, as in the days before VPCs.
    return [
      { IpProtocol: "tcp", FromPort: 0, ToPort: highestPort, UserIdGroupPairs: [{ GroupName: name }] },
      { IpProtocol: "udp", FromPort: 0, ToPort: highestPort, UserIdGroupPairs: [{ GroupName: name }] },
      { IpProtocol: "icmp", FromPort: -1, ToPort: -1, UserIdGroupPairs: [{ GroupName: name }] },
    ];
  if (IpProtocol === undefined && CidrIp === undefined) throw missing("ipPermissions");
  return [{ IpProtocol, FromPort, ToPort, IpRanges: CidrIp === undefined ? [] : [{ CidrIp }] }];
}

function readPermission(permission: IpPermission, siblings: readonly SecurityGroup[], request: Ec2Request): RuleInput[] {
  const { IpRanges = [], Ipv6Ranges = [], PrefixListIds = [], UserIdGroupPairs = [] } = permission;
  if (PrefixListIds.length > 0) throw unsupported("PrefixListIds: prefix lists are not in Howdah. Use IpRanges.");
  const what = readPorts(permission);
  const peers = [
    ...IpRanges.map(({ CidrIp, Description }) => rule(what, readIpv4(CidrIp), Description)),
    ...Ipv6Ranges.map(({ CidrIpv6, Description }) => rule(what, readIpv6(CidrIpv6), Description)),
    ...UserIdGroupPairs.map((pair) => rule(what, readGroup(pair, siblings, request), pair.Description)),
  ];
  if (peers.length === 0) throw missing("ipRanges, ipv6Ranges or groups of ipPermissions");
  return peers;
}

function rule(what: Pick<RuleInput, "protocol" | "fromPort" | "toPort">, peer: Peer, description: string | undefined): RuleInput {
  return { ...what, peer, description: readDescription(description) };
}

export function readDescription(text: string | undefined): string | null {
  if ((text ?? "").length > longestDescription)
    throw invalidValue(`Invalid rule description. Rule descriptions may have at most ${longestDescription} characters.`);
  return text || null;
}

export function readIpv4(text = ""): Peer {
  const block = parseBlock(text);
  if (!block) throw invalidValue(`CIDR block ${text} is malformed`);
  return { cidrIpv4: blockText(block) };
}

export function readIpv6(text = ""): Peer {
  const block = ipv6Block(text);
  if (block === undefined) throw invalidValue(`CIDR block ${text} is malformed`);
  return { cidrIpv6: block };
}

export function readGroup({ GroupId, GroupName, UserId }: UserIdGroupPair, siblings: readonly SecurityGroup[], request: Ec2Request): Peer {
  const name = GroupId ?? GroupName;
  if (name === undefined) throw missing("groupId of ipPermissions' groups");
  const isOwn = UserId === undefined || UserId === request.accountId;
  const group = isOwn ? siblings.find(({ id, spec }) => (GroupId === undefined ? spec.name === GroupName : id === GroupId)) : undefined;
  if (!group) throw notFound("security-group", [name]);
  return { groupId: group.id };
}

/** Throws for a protocol that is unknown, and for ports that it does not have. */
export function readPorts({ IpProtocol, FromPort, ToPort }: Pick<IpPermission, "IpProtocol" | "FromPort" | "ToPort">) {
  if (IpProtocol === undefined) throw missing("ipProtocol");
  const protocol = protocolNumbers[IpProtocol.toLowerCase()] ?? IpProtocol.toLowerCase();
  const isPorts = protocol === "tcp" || protocol === "udp";
  const isIcmp = protocol === "icmp" || protocol === "icmpv6";
  if (!isPorts && !isIcmp) {
    if (protocol !== "-1" && !(/^\d{1,3}$/.test(protocol) && Number(protocol) < 256))
      throw invalidValue(`Invalid value '${IpProtocol}' for IP protocol. Unknown protocol.`);
    return { protocol, fromPort: null, toPort: null };
  }
  if (isPorts && (FromPort === undefined || ToPort === undefined))
    throw invalidValue("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
  const [fromPort, toPort] = [FromPort ?? -1, ToPort ?? -1];
  const [lowest, highest] = isPorts ? [0, highestPort] : [-1, 255];
  for (const port of [fromPort, toPort])
    if (!Number.isInteger(port) || port < lowest || port > highest)
      throw invalidValue(`Invalid value '${port}' for portRange. Must be from ${lowest} to ${highest}.`);
  if (isPorts && fromPort > toPort)
    throw invalidValue(`Invalid value '${fromPort}-${toPort}' for portRange. The first port is the lower one.`);
  return { protocol, fromPort, toPort };
}

/** Two rules of a group with one key would be the same rule. */
export const keyOf = ({ protocol, fromPort, toPort, peer }: RuleInput): string => JSON.stringify([protocol, fromPort, toPort, peer]);

/** As EC2's messages name a rule. */
export function describeRule({ protocol, fromPort, toPort, peer }: RuleInput): string {
  const ports = fromPort === null ? "" : `, from port: ${fromPort}, to port: ${toPort}`;
  return `peer: ${Object.values(peer)[0]}, ${protocol === "-1" ? "ALL" : protocol.toUpperCase()}${ports}, ALLOW`;
}

export function permissionShapes(rules: readonly RuleInput[], request: Ec2Request): IpPermission[] {
  const found = new Map<string, Required<Pick<IpPermission, "IpRanges" | "Ipv6Ranges" | "PrefixListIds" | "UserIdGroupPairs">>>();
  for (const { protocol, fromPort, toPort, peer, description } of rules) {
    const key = JSON.stringify({ IpProtocol: protocol, ...(fromPort === null ? {} : { FromPort: fromPort, ToPort: toPort }) });
    const permission = found.get(key) ?? { IpRanges: [], Ipv6Ranges: [], PrefixListIds: [], UserIdGroupPairs: [] };
    found.set(key, permission);
    const described = description === null ? {} : { Description: description };
    if ("cidrIpv4" in peer) permission.IpRanges.push({ CidrIp: peer.cidrIpv4, ...described });
    else if ("cidrIpv6" in peer) permission.Ipv6Ranges.push({ CidrIpv6: peer.cidrIpv6, ...described });
    else permission.UserIdGroupPairs.push({ GroupId: peer.groupId, UserId: request.accountId, ...described });
  }
  return [...found].map(([key, permission]) => ({ ...(JSON.parse(key) as IpPermission), ...permission }));
}

export function ruleShape(own: SecurityGroupRule, groupId: string, request: Ec2Request, Tags: Tag[]): RuleShape {
  const { id, isEgress, protocol, fromPort, toPort, peer, description } = own;
  return {
    SecurityGroupRuleId: id,
    SecurityGroupRuleArn: `arn:aws:ec2:${request.region}:${request.accountId}:security-group-rule/${id}`,
    GroupId: groupId,
    GroupOwnerId: request.accountId,
    IsEgress: isEgress,
    IpProtocol: protocol,
    FromPort: fromPort ?? -1,
    ToPort: toPort ?? -1,
    CidrIpv4: "cidrIpv4" in peer ? peer.cidrIpv4 : undefined,
    CidrIpv6: "cidrIpv6" in peer ? peer.cidrIpv6 : undefined,
    ReferencedGroupInfo: "groupId" in peer ? { GroupId: peer.groupId, UserId: request.accountId } : undefined,
    Description: description ?? undefined,
    Tags,
  };
}
